/*
 * engine/pace: how hard the next batch file is compressed. While the destination waits for files they are to
 * be there soon; while files pile up in front of it, or of the link to it, they are to be small. Pure.
 */
#ifndef WEIR_ENGINE_PACE_H
#define WEIR_ENGINE_PACE_H

#include <stdint.h>

#include "batch/port.h"

/*
 * The effort of the next file, after one of effort `before` (WEIR_EFFORT_LOW for the first). `waiting`:
 * bytes of files not yet loaded; `size_max`: their bound. It rises past 1/WEIR_PACE_HIGH_PART of the bound
 * and falls at 1/WEIR_PACE_LOW_PART of it; in between it stays, so that a load that ends does not turn it
 * back.
 */
weir_effort pace_effort(weir_effort before, uint64_t waiting, uint64_t size_max);

#endif
