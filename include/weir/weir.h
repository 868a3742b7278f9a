/* weir/weir.h: everything a connector needs. */
#ifndef WEIR_WEIR_H
#define WEIR_WEIR_H

#include <weir/base.h>
#include <weir/call.h>
#include <weir/destination.h>
#include <weir/document.h>
#include <weir/form.h>
#include <weir/retry.h>
#include <weir/source.h>
#include <weir/types.h>

#endif
