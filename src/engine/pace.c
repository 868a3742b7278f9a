/* engine/pace: two marks, and what was before decides between them; see pace.h. */
#include "engine/pace.h"

#include "base/limits.h"

weir_effort pace_effort(weir_effort before, uint64_t waiting, uint64_t size_max)
{
    if (waiting > size_max / WEIR_PACE_HIGH_PART)
        return WEIR_EFFORT_HIGH;
    if (waiting <= size_max / WEIR_PACE_LOW_PART)
        return WEIR_EFFORT_LOW;
    return before;
}
