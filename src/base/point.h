/*
 * base/point: named places at which a test run can break a process: fault points.
 *
 * They are in builds with WEIR_FAULT_POINTS only (preset `fault`); elsewhere they are nothing, and the names
 * are not in the program. All names stand sorted in sys/points.def; tools/check-points holds list and sources
 * together. What a run does at a point, environment variables say (sys/point.c). A point's name is its parts
 * joined by dots: WEIR_POINT_OF("rpc", "Schema", "sent") is `rpc.Schema.sent`, so one place can be several
 * points.
 *
 * The functions are in sys, for they end processes; this header is so low because pure layers have points,
 * too.
 */
#ifndef WEIR_BASE_POINT_H
#define WEIR_BASE_POINT_H

#include "base/error.h"

#ifdef WEIR_FAULT_POINTS
/*
 * Ends or delays a process if this run says so for this point; may not return. `what`, `after`: NULL for
 * none.
 */
void weir__point(const char *before, const char *what, const char *after);
/* The same; or the error that this run says happens here. */
weir_status weir__point_fails(const char *before, const char *what, const char *after, weir_error *err);
/* "WriteBatch" of "/package.Service/WriteBatch"; borrowed from it. */
const char *weir__point_method(const char *path);
#define WEIR_POINT(name) weir__point(name, NULL, NULL)
#define WEIR_POINT_OF(before, what, after) weir__point(before, what, after)
#define WEIR_POINT_FAILS(name, err) weir__point_fails(name, NULL, NULL, err)
#define WEIR_POINT_FAILS_OF(before, what, after, err) weir__point_fails(before, what, after, err)
#else
#define WEIR_POINT(name) ((void)0)
#define WEIR_POINT_OF(before, what, after) ((void)0)
#define WEIR_POINT_FAILS(name, err) WEIR_OK
#define WEIR_POINT_FAILS_OF(before, what, after, err) WEIR_OK
#endif

#endif
