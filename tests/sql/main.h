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
/* print.c: a sequence for people, and as an input file of `weir test` where that can say it. */
void sequence_print(const sequence *s, FILE *out);

#endif
