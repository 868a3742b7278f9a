/*
 * tester/setup: what both testers do first: reach the connector, get a configuration, run the form's tests.
 *
 * The configuration is `configuration.json` in the data folder, a flat map of strings. When it is not there,
 * the connector's ConfigurationForm is asked on the console and the answers are stored with mode 0600. Then
 * the form's tests run in order; a failing one ends the run as the connector's failure. Values never reach
 * the console or the report.
 */
#ifndef WEIR_TESTER_SETUP_H
#define WEIR_TESTER_SETUP_H

#include "engine/config.h"
#include "engine/connector.h"
#include "tester/tester.h"

typedef struct tester_setup tester_setup;

/*
 * All of it. *out is owned. A program of `--connector` is started and is a child of the calling thread (see
 * engine/connector.h). On failure the blame has been given (tester_blame). `t` is borrowed until close.
 */
weir_status tester_setup_open(tester *t, tester_setup **out, weir_error *err) WEIR_CHECKED;
/* Ends a program that was started. All calls must have been closed. Accepts NULL. */
void tester_setup_close(tester_setup *setup);

/* All borrowed until close. */
weir_rpc_client *tester_setup_client(const tester_setup *setup);
const engine_config *tester_setup_config(const tester_setup *setup);
connector *tester_setup_connector(const tester_setup *setup);
const char *tester_setup_name(const tester_setup *setup); /* "destination 'localhost:50052'" */

/*
 * An answer to a form as tester_ask_form gets it, for tests: `line` is what was typed, without the line
 * break. WEIR_OK: *line is borrowed until the next call. WEIR_NOT_FOUND: there is no more input. `secret`:
 * the answer must not be shown.
 */
typedef struct tester_console {
    weir_status (*ask)(void *context, const char *prompt, bool secret, const char **line, weir_error *err);
    void (*tell)(void *context, const char *text); /* one line for the person */
    void *context;
} tester_console;

struct v2_configuration_form_response;

/*
 * Asks all fields of the form that are visible given the answers before them: texts, passwords and hidden
 * texts without echo, choices by number or value, toggles, uploads by the path of a file. A wrong answer is
 * asked again. `out` receives name and value of every field that was asked, and of hidden ones their default.
 * On failure `out` is untouched.
 */
weir_status tester_ask_form(const struct v2_configuration_form_response *form, const tester_console *console,
                            engine_config *out, weir_error *err) WEIR_CHECKED;
/*
 * Compares a configuration with the form: `tell` hears of required fields without a value and of keys that no
 * field has.
 */
void tester_check_config(const struct v2_configuration_form_response *form, const engine_config *config,
                         const tester_console *console);

#endif
