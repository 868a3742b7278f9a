/* sdk/form: a form table and setup tests as the ConfigurationForm reply. Pure; any thread. */
#ifndef WEIR_SDK_FORM_H
#define WEIR_SDK_FORM_H

#include <weir/call.h>
#include <weir/form.h>

#include "base/arena.h"
#include "wire/v2.h"

/*
 * Fills in `out`, whose parts are in `arena`; texts are borrowed from the form. `tests` may be NULL.
 * `selection` says whether the customer may choose tables. False when out of memory.
 */
bool weir__form_to_wire(const weir_form *form, const weir_setup_test *tests, bool selection,
                        weir_arena *arena, v2_configuration_form_response *out) WEIR_CHECKED;

#endif
