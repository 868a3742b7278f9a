/*
 * record/serve: a recording as a connector: answers as the recorded source or destination did.
 *
 * As a source: ConfigurationForm, Test and Schema get the recorded replies (an empty form and success where
 * there is none); Update plays the recorded stream. Which one and from where, its request's state says: one
 * that a recorded request had gets that stream, streams of equal requests one after the other, as a retry
 * met them; one that is a recorded checkpoint gets what came after it; an empty one that matches none gets
 * the first stream.
 *
 * As a destination: a call gets the reply of the first recorded one of the same method and table that has not
 * been used yet. Its request must be equal to the recorded one but for the configuration, names and keys of
 * files, markers and times of the engine; rows are compared value by value. The first difference is kept and
 * is the answer to the call that has it.
 *
 * Listens on the loopback address or a Unix socket, asks for no credentials, opens no connection.
 */
#ifndef WEIR_RECORD_SERVE_H
#define WEIR_RECORD_SERVE_H

#include "base/error.h"

typedef struct serve serve;

typedef struct serve_options {
    const char *path;
    const char *key;    /* NULL: `path`.key */
    bool source;        /* or the destination */
    int port;           /* 0: any; -1: none */
    const char *socket; /* NULL: none */
    bool realtime;      /* wait as long as the recorded side did */
    uint64_t until;     /* source: messages of a stream, destination: calls, at most; 0: all */
} serve_options;

typedef struct serve_report {
    uint64_t calls; /* answered */
    uint64_t different;
    char first[2000]; /* difference; "" without one */
    uint64_t unused;  /* destination: recorded calls that nobody made */
} serve_report;

/* Reads the recording once and listens. Strings are borrowed until close. *out is owned by the caller. */
weir_status serve_open(const serve_options *options, serve **out, weir_error *err);
int serve_port(const serve *s);
/* Ends the calls and the server, fills the report, frees. Accepts NULL. */
void serve_close(serve *s, serve_report *report);

#endif
