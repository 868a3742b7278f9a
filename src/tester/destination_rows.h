/*
 * tester/destination_rows: rows read back from the destination's store, compared with the model's. Private.
 */
#ifndef WEIR_TESTER_DESTINATION_ROWS_H
#define WEIR_TESTER_DESTINATION_ROWS_H

#include "tester/destination_internal.h"

/* Checks --read or --dump before anything is called. Without one, tells that rows will not be checked. */
weir_status destination_open_rows(destination *d, weir_error *err) WEIR_CHECKED;
void destination_close_rows(destination *d);
/* Compares all rows of a table that the model knows; differences are faults and shown as a diff. */
weir_status destination_compare_rows(destination *d, const destination_table *known,
                                     weir_error *err) WEIR_CHECKED;

#endif
