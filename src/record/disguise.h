/*
 * record/disguise: a value replaced by another one of its type, the same value always by the same.
 *
 * Keyed with a secret that is drawn for one recording and thrown away. What is kept, and how:
 *
 *   SHORT, INT, LONG   order and type. A growing function that spreads numbers out: what room there is, is
 *                      known from the values seen (disguise_learn). Where a type is so full
 *                      that there is no room to spread, order is given up and digits are permuted.
 *   FLOAT, DOUBLE      order: times a secret factor. Two doubles that differ in the last digit may become
 *                      one.
 *   DECIMAL            digits before and after the point, and sign: digits are permuted. So order is kept
 *                      between numbers of different length only.
 *   dates and times    order and distances: shifted by a secret time, whole days for dates. A value that
 *                      would leave the range (9999-12-31) stays. NAIVE_TIME goes round the clock.
 *   STRING, XML, JSON  length, and for each character its kind: small, capital, digit, script; everything
 *                      else (blanks, punctuation) stays. Permuted, so different texts stay different. Order
 *                      is lost: nothing but the identity keeps length, order and difference of all texts.
 *                      In JSON every text, number and unknown name, in XML texts and attributes' values.
 *   BINARY             length. Permuted.
 *   BOOLEAN            stays: two values leave no choice.
 *
 * Zero, empty and NULL stay. Whoever knows some of the values can tell others from order and distances: a
 * scrubbed recording is for people who do not try. One thread at a time.
 */
#ifndef WEIR_RECORD_DISGUISE_H
#define WEIR_RECORD_DISGUISE_H

#include <weir/types.h>

#include "base/buf.h"

#define DISGUISE_KEY_SIZE ((size_t)16)

typedef struct disguise disguise;

/* A random secret; owned by the caller. NULL: no memory. */
disguise *disguise_new(const unsigned char key[DISGUISE_KEY_SIZE]);
void disguise_free(disguise *d); /* wipes; accepts NULL */

/* First all values are shown, then all are replaced. */
void disguise_learn(disguise *d, const weir_cell *cell);
/* A name of a schema, table or column: it stays where it stands in JSON or in a log. */
bool disguise_learn_name(disguise *d, weir_bytes name) WEIR_CHECKED;
/* Ends learning; before the first replacement. */
void disguise_settle(disguise *d);

/* Replaces the value; texts are appended to `texts`, and borrowed from it. False: out of memory. */
bool disguise_cell(disguise *d, weir_cell *cell, weir_buf *texts) WEIR_CHECKED;
/* The same for a text alone. */
bool disguise_text(disguise *d, weir_bytes text, weir_buf *out) WEIR_CHECKED;
/* What is no JSON is taken as a text. */
bool disguise_json(disguise *d, weir_bytes text, weir_buf *out) WEIR_CHECKED;
void disguise_learn_json(disguise *d, weir_bytes text);
bool disguise_xml(disguise *d, weir_bytes text, weir_buf *out) WEIR_CHECKED;
/* A text for people: letters become x, digits 0; words that are names stay. */
bool disguise_blank(disguise *d, weir_bytes text, weir_buf *out) WEIR_CHECKED;

/* Exposed for its test. */
int64_t disguise_integer(const disguise *d, int64_t value);

#endif
