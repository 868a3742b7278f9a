/* cli/schema: `weir schema show`, `edit` and `diff`: the file that says what is synced, and how. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "cli/cli.h"
#include "cli/schema_show.h"
#include "engine/discover.h"
#include "engine/plan_edit.h"
#include "sys/entropy.h"
#include "sys/file.h"

enum {
    SOURCE,
    SOURCE_CONFIG,
    HANDLING,
    ENABLE,
    DISABLE,
    HASH,
    UNHASH,
    MODE,
    UNLISTED,
    NAMING,
    SCHEMA,
    JSON,
    OPTION_COUNT
};

enum {
    ACTION = OPTION_COUNT,
    FILE_ARGUMENT,
    OTHER
};

static const cli_option options[OPTION_COUNT] = {
    [SOURCE] = { "--source", "BIN|HOST:PORT|unix:PATH", "look at what this source has", false },
    [SOURCE_CONFIG] = { "--source-config", "F.json", "its configuration, a JSON object of strings", false },
    [HANDLING] = { "--handling", "ALLOW_ALL|ALLOW_COLUMNS|BLOCK_ALL", "edit: what becomes of new objects",
                   false },
    [ENABLE] = { "--enable", "NAMES", "edit: sync these schemas, tables and columns", false },
    [DISABLE] = { "--disable", "NAMES", "edit: do not sync these", false },
    [HASH] = { "--hash", "NAMES", "edit: send the values of these columns as hashes", false },
    [UNHASH] = { "--unhash", "NAMES", "edit: send them as they are", false },
    [MODE] = { "--mode", "NAME=HISTORY|SOFT_DELETE, ...",
               "edit: keep all versions of a table's rows, or the last", false },
    [UNLISTED] = { "--unlisted", "tables|schemas",
                   "edit: also names that nothing lists yet, TABLE.COLUMN or SCHEMA.TABLE.COLUMN", false },
    [NAMING] = { "--naming", "FIVETRAN_NAMING|SOURCE_NAMING",
                 "edit: how things are called at the destination", false },
    [SCHEMA] = { "--schema", "NAME", "show: the name that weir sync is given (NAME)", false },
    [JSON] = { "--json", NULL, "one JSON object on standard output", false },
};

static const char *const actions[] = { "show", "edit", "diff", NULL };

static const cli_argument arguments[] = {
    { "ACTION", "show: what is synced; edit: change it; diff: compare with OTHER or the source", actions,
      false },
    { "FILE", "the schema configuration; edit makes a new one", NULL, false },
    { "OTHER", "diff: another one", NULL, true },
};

static const char examples[] =
    "examples:\n"
    "  weir schema edit shop.json --source ./source-sqlite --source-config s.json\n"
    "  weir schema show shop.json\n"
    "  weir schema edit shop.json --disable public.log,public.orders.note \\\n"
    "                   --hash public.orders.email --mode public.orders=HISTORY\n"
    "  weir schema diff shop.json --source ./source-sqlite --source-config s.json\n"
    "  weir sync ... --schema-config shop.json\n"
    "  weir schema edit files.json --unlisted tables --disable log,orders.note\n"
    "\n"
    "NAMES are parted by commas: SCHEMA, SCHEMA.TABLE, SCHEMA.TABLE.COLUMN; TABLE and TABLE.COLUMN where\n"
    "the source has no schemas. Names with a dot, comma, equals sign, quote or blank stand in double\n"
    "quotes, a quote in them is doubled. Schemas are changed before tables, tables before columns.\n"
    "\n"
    "With --source, edit lists what the file does not, in the state that the handling gives it: on with\n"
    "ALLOW_ALL, columns alone with ALLOW_COLUMNS, off with BLOCK_ALL. What is listed stays. Only edit\n"
    "writes the file, in one step, and not when any change is refused. --unlisted is for a source that\n"
    "does not tell what it has before a sync: names are not checked then.\n"
    "\n"
    "Exit status: 0 success, and diff found nothing; 1 failure, or diff found something; 2 wrong usage or\n"
    "configuration file, or a change that cannot be; 3 the source asks for a person.\n";

typedef struct schema_command {
    char **values;
    const char *action;
    bool usage; /* what failed is wrong in the arguments or files */
    plan *p;
    plan *seen;  /* what the source has; NULL without --source */
    plan *other; /* the plan before an edit, or the one to compare with */
    bool fresh;  /* there was no file */
    engine_config config;
    char folder[256];
    weir_arena *arena;
    weir_error error;
} schema_command;

static bool is_action(const schema_command *c, const char *name)
{
    return strcmp(c->action, name) == 0;
}

/* --- options --- */

static weir_status check_options(schema_command *c)
{
    char **values = c->values;
    bool edits = values[HANDLING] || values[NAMING];

    for (int i = ENABLE; i <= MODE; i++)
        edits = edits || values[i] != NULL;
    if ((values[SOURCE] == NULL) != (values[SOURCE_CONFIG] == NULL))
        return weir__error(&c->error, "--source and --source-config go together; see weir schema --help");
    if ((edits || values[UNLISTED]) && !is_action(c, "edit"))
        return weir__error(&c->error, "only edit changes anything; see weir schema --help");
    if (values[UNLISTED] != NULL && values[SOURCE] != NULL)
        return weir__error(&c->error, "--unlisted or --source, one of them; see weir schema --help");
    if (!edits && values[SOURCE] == NULL && is_action(c, "edit"))
        return weir__error(&c->error, "edit needs --source or a change; see weir schema --help");
    if (values[OTHER] != NULL && !is_action(c, "diff"))
        return weir__error(&c->error, "unknown argument '%s'; see weir schema --help", values[OTHER]);
    if (is_action(c, "diff") && (values[OTHER] == NULL) == (values[SOURCE] == NULL))
        return weir__error(&c->error,
                           "diff needs another file or --source, one of them; see weir schema --help");
    if (values[SCHEMA] != NULL && !is_action(c, "show"))
        return weir__error(&c->error, "--schema goes with show; see weir schema --help");
    for (int i = 0; i < OPTION_COUNT; i++)
        if (values[i] != NULL && !weir__utf8_valid(values[i], strlen(values[i])))
            return weir__error(&c->error, "%s: this is no UTF-8", options[i].name);
    return WEIR_OK;
}

static weir_status load(schema_command *c, const char *file, plan **out)
{
    weir_status status = plan_load(file, out, &c->error);

    if (status == WEIR_NOT_FOUND && !is_action(c, "edit"))
        return weir__error(
            &c->error, "schema configuration '%s': there is no such file; weir schema edit makes one", file);
    if (status != WEIR_NOT_FOUND)
        return status;
    c->fresh = true;
    *out = plan_new();
    return *out ? WEIR_OK : weir__error_memory(&c->error, "making a schema configuration");
}

static weir_status load_all(schema_command *c)
{
    const char *file = c->values[FILE_ARGUMENT];
    weir_status status = load(c, file, &c->p);

    if (status == WEIR_OK && is_action(c, "edit"))
        status = load(c, file, &c->other);
    if (status == WEIR_OK && c->values[OTHER] != NULL)
        status = load(c, c->values[OTHER], &c->other);
    if (status == WEIR_OK && c->values[SOURCE_CONFIG] != NULL)
        status = engine_config_load(c->values[SOURCE_CONFIG], &c->config, &c->error);
    return status;
}

/* --- the source --- */

static void on_log(void *context, const char *role, const char *level, weir_bytes text)
{
    (void)context;
    fprintf(stderr, "%s: %s%s%.*s\n", role, level, level[0] ? " " : "", (int)text.size, text.data);
}

/* A private folder for the socket. */
static weir_status make_folder(schema_command *c)
{
    const char *base = getenv("TMPDIR");
    int length = snprintf(c->folder, sizeof c->folder, "%s/weir-schema-%016llx",
                          base != NULL && base[0] == '/' ? base : "/tmp",
                          (unsigned long long)weir__entropy_seed());

    if (length < 0 || (size_t)length >= sizeof c->folder) {
        c->folder[0] = '\0';
        return weir__error(&c->error, "the path in TMPDIR is too long");
    }
    return weir__folder_create(c->folder, &c->error);
}

static weir_status look_at_source(schema_command *c)
{
    discover_options where = {
        .source = c->values[SOURCE], .config = &c->config, .folder = c->folder, .log = on_log, .context = c
    };
    weir_status status;
    weir_status removed;

    if (where.source == NULL)
        return WEIR_OK;
    status = make_folder(c);
    if (status == WEIR_OK)
        status = discover_run(&where, &c->seen, &c->error);
    removed = c->folder[0] != '\0' ? weir__folder_remove(c->folder, NULL) : WEIR_OK;
    (void)removed;
    return status;
}

/* --- actions --- */

static weir_status apply(schema_command *c)
{
    plan_wish wish = { .handling = c->values[HANDLING],
                       .naming = c->values[NAMING],
                       .enable = c->values[ENABLE],
                       .disable = c->values[DISABLE],
                       .hash = c->values[HASH],
                       .unhash = c->values[UNHASH],
                       .mode = c->values[MODE],
                       .unlisted = c->values[UNLISTED] };

    return plan_apply(c->p, c->seen, &wish, &c->error);
}

static weir_status tell(schema_command *c, const plan_differences *found)
{
    bool told = c->values[JSON] != NULL ? schema_show_differences_json(found, is_action(c, "edit"))
                                        : schema_show_differences(found);

    if (told)
        return WEIR_OK;
    return weir__error(&c->error, "the result could not be written to standard output");
}

static int edit(schema_command *c)
{
    plan_differences changes = { 0 };
    weir_status status = apply(c);

    c->usage = status != WEIR_OK;
    if (status == WEIR_OK)
        status = plan_diff(c->other, c->p, c->arena, &changes, &c->error);
    if (status == WEIR_OK && (changes.count > 0 || c->fresh))
        status = plan_save(c->p, c->values[FILE_ARGUMENT], &c->error);
    if (status == WEIR_OK)
        status = tell(c, &changes);
    return status == WEIR_OK ? CLI_SUCCESS : CLI_FAILURE;
}

static int diff(schema_command *c)
{
    plan_differences found = { 0 };
    weir_status status;

    if (c->seen != NULL)
        status = plan_diff_source(c->p, c->seen, c->arena, &found, &c->error);
    else
        status = plan_diff(c->p, c->other, c->arena, &found, &c->error);
    if (status == WEIR_OK)
        status = tell(c, &found);
    if (status == WEIR_OK && found.count == 0)
        return CLI_SUCCESS;
    return CLI_FAILURE;
}

static int show(schema_command *c)
{
    const char *schema = c->values[SCHEMA] ? c->values[SCHEMA] : "NAME";
    weir_status status = c->seen ? plan_reload(c->p, c->seen, &c->error) : WEIR_OK;

    if (status == WEIR_OK)
        status = c->values[JSON] != NULL ? schema_show_json(c->p, schema, &c->error)
                                         : schema_show(c->p, schema, c->arena, &c->error);
    return status == WEIR_OK ? CLI_SUCCESS : CLI_FAILURE;
}

static int act(schema_command *c)
{
    weir_status status = check_options(c);

    if (status == WEIR_OK)
        status = load_all(c);
    c->usage = status != WEIR_OK;
    if (status == WEIR_OK)
        status = look_at_source(c);
    if (status != WEIR_OK)
        return status == WEIR_TASK ? CLI_TASK : CLI_FAILURE;
    return is_action(c, "edit") ? edit(c) : is_action(c, "diff") ? diff(c) : show(c);
}

static int run(char **values)
{
    schema_command *c = weir__calloc(1, sizeof *c);
    int code = CLI_FAILURE;

    if (c != NULL)
        c->arena = weir__arena_new(WEIR_CATALOG_SIZE_MAX);
    if (c == NULL || c->arena == NULL) {
        cli_error("out of memory");
        weir__free(c);
        return CLI_FAILURE;
    }
    c->values = values;
    c->action = values[ACTION];
    code = act(c);
    if (code != CLI_SUCCESS && c->error.text[0] != '\0')
        cli_error("%s%s", code == CLI_TASK ? "task: " : "", c->error.text);
    if (c->usage)
        code = CLI_USAGE;
    engine_config_clear(&c->config);
    plan_free(c->p);
    plan_free(c->seen);
    plan_free(c->other);
    weir__arena_free(c->arena);
    weir__free(c);
    return code;
}

const cli_command cli_schema = {
    .name = "schema",
    .summary = "choose what is synced, and how",
    .usage = "schema show|edit|diff FILE [OTHER] [--source ... --source-config F.json] [OPTIONS]",
    .examples = examples,
    .options = options,
    .option_count = OPTION_COUNT,
    .run = run,
    .arguments = arguments,
    .argument_count = sizeof arguments / sizeof arguments[0],
};
