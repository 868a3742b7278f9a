/* tests/sql/main: the driver's entry, for the file of a destination. */
#ifndef TESTS_SQL_MAIN_H
#define TESTS_SQL_MAIN_H

#include <stdio.h>

#include "play.h"

/* `stage` says what the destination is; the command line says the rest. */
int random_main(int argc, char **argv, const subject *stage);
/*
 * golden.c: the statements of a fixed list of requests against the file; `bless` writes it anew. True when
 * they are as in the file; else the first difference is shown.
 */
bool golden_check(const subject *stage, const char *path, bool bless);
/* input.c: files NN.json in the folder; NULL, or why `weir test` cannot be told the sequence. */
const char *sequence_write_input(const sequence *s, const char *folder);
/* print.c: a sequence for people. */
void sequence_print(const sequence *s, FILE *out);

#endif
