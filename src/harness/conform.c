/* harness/conform: runs the probes of a table, and says of each what came out. */
#include "harness/conform.h"

#include <stdio.h>
#include <string.h>

static const char *reason_of(const weir_quirks *quirks, const char *rule)
{
    for (const weir_quirk *quirk = quirks->skipped; quirk != NULL && quirk->rule != NULL; quirk++)
        if (strcmp(quirk->rule, rule) == 0)
            return quirk->reason != NULL && quirk->reason[0] != '\0' ? quirk->reason : "no reason given";
    return NULL;
}

/* A destination need not have these handlers. */
static const char *missing_handler(const weir_harness *h, const weir_conform_probe *probe)
{
    if (probe->needs == WEIR_PROBE_HISTORY && h->definition.destination.write_history == NULL)
        return "there is no .write_history";
    if (probe->needs == WEIR_PROBE_MIGRATE && h->definition.destination.migrate == NULL)
        return "there is no .migrate";
    return NULL;
}

/* A quirk about a rule that is not probed would hide a misspelt one. */
static void check_quirks(const weir_quirks *quirks, const weir_conform_probe *probes, size_t count)
{
    for (const weir_quirk *quirk = quirks->skipped; quirk != NULL && quirk->rule != NULL; quirk++) {
        bool known = false;

        for (size_t i = 0; i < count; i++)
            known = known || strcmp(probes[i].rule, quirk->rule) == 0;
        if (!known)
            weir__fail_here("a quirk names the rule '%s', which is not probed", quirk->rule);
    }
}

bool weir__conform_run(weir_harness *h, const weir_quirks *quirks, const weir_conform_probe *probes,
                       size_t count)
{
    static const weir_quirks none;
    weir_probe_run run = { .h = h, .quirks = quirks != NULL ? quirks : &none };
    size_t failed = 0;
    size_t skipped = 0;

    check_quirks(run.quirks, probes, count);
    for (size_t i = 0; i < count; i++) {
        const char *reason = reason_of(run.quirks, probes[i].rule);
        unsigned before = weir_test_failures();

        if (reason == NULL)
            reason = missing_handler(h, &probes[i]);
        if (reason != NULL) {
            skipped++;
            printf("    %-4s skipped %s: %s\n", probes[i].rule, probes[i].what, reason);
            continue;
        }
        run.rule = probes[i].rule;
        probes[i].run(&run);
        if (weir_test_failures() == before) {
            printf("    %-4s ok      %s\n", probes[i].rule, probes[i].what);
            continue;
        }
        failed++;
        weir__fail_here("%s: %s", probes[i].rule, probes[i].what);
        printf("    %-4s FAILED  %s\n", probes[i].rule, probes[i].what);
    }
    printf("    %zu rules: %zu passed, %zu failed, %zu skipped\n", count, count - failed - skipped, failed,
           skipped);
    return failed == 0;
}
