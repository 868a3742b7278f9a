/* sdk/probe: the variable. */
#include "sdk/probe.h"

const weir_probe *weir__probe;
