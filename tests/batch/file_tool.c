/*
 * Batch files for file_oracle.py and facts.py, over standard input and output.
 *
 *   file_tool write COMPRESSION ENCRYPTION KEY IV TABLE   rows → file
 *   file_tool read KIND COMPRESSION ENCRYPTION KEY TABLE  file → rows
 *   file_tool plain COMPRESSION ENCRYPTION KEY            file → its plaintext
 *   file_tool request COMPRESSION ENCRYPTION NULL SAME TABLE [KIND KEY PATH]…
 *                                                         the files of a request, as a destination reads them
 *
 * COMPRESSION off, zstd or gzip; ENCRYPTION none or aes; KEY and IV in hex; KIND replace, update, delete or
 * earliest; TABLE "name:TYPE[:key],…", names in hex. A row is a line of values (tool_values.h) parted by
 * tabs; "null" and "same" stand for themselves. The markers of file_oracle.py, but for a request: NULL, SAME
 * and PATH in hex, KEY "-" for none; the rows of a request have their kind in front.
 */
#include "tool_values.h"

#include "batch/reader.h"
#include "batch/writer.h"
#include "sdk/load.h"

#define NULL_STRING "null-m8yilkvPsNulehxl2G6pmSQ3G3WWdLP"
#define UNMODIFIED_STRING "unmod-NcK9NIjPUutCsz4mjOQQztbnwnE1sY3"
#define LINE_SIZE (1 << 22)

static weir_column columns[64];
static weir_table table = { .name = "t", .columns = columns };
static weir_file_params params = { .null_string = { NULL_STRING, sizeof NULL_STRING - 1 },
                                   .unmodified_string = { UNMODIFIED_STRING, sizeof UNMODIFIED_STRING - 1 } };
static unsigned char key[WEIR_BATCH_KEY_SIZE];
static unsigned char iv[WEIR_BATCH_IV_SIZE];

static _Noreturn void die(const char *text)
{
    fprintf(stderr, "%s\n", text);
    exit(1);
}

static void take_params(const char *compression, const char *encryption, const char *key_hex)
{
    params.compression = strcmp(compression, "zstd") == 0   ? WEIR_COMPRESSION_ZSTD
                         : strcmp(compression, "gzip") == 0 ? WEIR_COMPRESSION_GZIP
                                                            : WEIR_COMPRESSION_OFF;
    params.encryption = strcmp(encryption, "aes") == 0 ? WEIR_ENCRYPTION_AES : WEIR_ENCRYPTION_NONE;
    if (strlen(key_hex) != 2 * sizeof key || tool_from_hex(key_hex, (char *)key) != sizeof key)
        die("the key is not 32 bytes");
}

static void take_table(char *spec)
{
    static char names[64][256];
    char *next = spec;
    char *column;

    while ((column = strsep(&next, ",")) != NULL) {
        char *name = strsep(&column, ":");
        char *type = strsep(&column, ":");
        size_t i = table.column_count++;

        if (i == 64 || type == NULL)
            die("malformed table");
        names[i][tool_from_hex(name, names[i])] = '\0';
        columns[i].name = names[i];
        columns[i].type = weir__type_from_name((weir_bytes){ type, strlen(type) });
        columns[i].key = column != NULL;
    }
}

static weir_status put_out(void *context, const void *data, size_t size, weir_error *err)
{
    return fwrite(data, 1, size, context) == size ? WEIR_OK : weir__error(err, "write failed");
}

static weir_status take_in(void *context, void *data, size_t size, size_t *got, weir_error *err)
{
    (void)err;
    *got = fread(data, 1, size, context);
    return *got > 0 ? WEIR_ITEM : WEIR_OK;
}

static void write_rows(void)
{
    static char line[LINE_SIZE];
    static char room[LINE_SIZE];
    weir_writer *writer = weir__writer_new();
    weir_writer_file file = { &table, &params, key, iv, { put_out, stdout } };
    weir_cell cells[64];
    weir_error err;

    if (weir__writer_begin(writer, &file, &err) != WEIR_OK)
        die(err.text);
    while (fgets(line, sizeof line, stdin) != NULL) {
        char *next = line;
        char *at = room;

        line[strcspn(line, "\n")] = '\0';
        for (size_t i = 0; i < table.column_count; i++) {
            char *value = strsep(&next, "\t");

            cells[i] = (weir_cell){ .column = columns[i].name, .type = columns[i].type };
            if (strcmp(value, "null") == 0)
                cells[i].presence = WEIR_NULL;
            else if (strcmp(value, "same") == 0)
                cells[i].presence = WEIR_UNMODIFIED;
            else
                tool_read_value(&cells[i], value, at);
            at += strlen(value);
        }
        if (weir__writer_row(writer, cells, &err) != WEIR_OK)
            die(err.text);
    }
    if (weir__writer_finish(writer, NULL, &err) != WEIR_OK)
        die(err.text);
    weir__writer_free(writer);
}

static weir_batch_kind kind_of(const char *name)
{
    return strcmp(name, "replace") == 0  ? WEIR_BATCH_REPLACE
           : strcmp(name, "update") == 0 ? WEIR_BATCH_UPDATE
           : strcmp(name, "delete") == 0 ? WEIR_BATCH_DELETE
                                         : WEIR_BATCH_EARLIEST_START;
}

static void print_row(const weir_row *row)
{
    for (size_t i = 0; i < row->count; i++) {
        if (i > 0)
            putchar('\t');
        if (row->cells[i].presence == WEIR_VALUE)
            tool_print_value(&row->cells[i]);
        else
            fputs(row->cells[i].presence == WEIR_NULL ? "null" : "same", stdout);
    }
    putchar('\n');
}

static void read_rows(weir_batch_kind kind)
{
    weir_reader *reader = weir__reader_new();
    weir_reader_file file = { "input", kind, &table, &params, key, { take_in, stdin } };
    weir_status status;
    weir_error err;
    weir_row row;

    if (weir__reader_open(reader, &file, &err) != WEIR_OK)
        die(err.text);
    while ((status = weir__reader_next(reader, &row, &err)) == WEIR_ITEM)
        print_row(&row);
    if (status != WEIR_OK)
        die(err.text);
    weir__reader_free(reader);
}

static void copy_plain(void)
{
    static char bytes[1 << 16];
    weir_unpacker *unpacker = weir__unpacker_new();
    weir_unpacker_file file = { "input", params.compression, params.encryption, key, { take_in, stdin } };
    weir_status status;
    weir_error err;
    size_t got = 0;

    if (weir__unpacker_open(unpacker, &file, &err) != WEIR_OK)
        die(err.text);
    while ((status = weir__unpacker_read(unpacker, bytes, sizeof bytes, &got, &err)) == WEIR_ITEM)
        fwrite(bytes, 1, got, stdout);
    if (status != WEIR_OK)
        die(err.text);
    weir__unpacker_free(unpacker);
}

static weir_bytes from_hex(char *hex)
{
    size_t size = tool_from_hex(hex, hex);

    return (weir_bytes){ hex, size };
}

/* Files from `argv` on, three words each; the request's parameters are in `params`. */
static void read_request(char **argv, weir_bytes null_string, weir_bytes unmodified_string)
{
    static const char *const names[] = { "replace", "update", "delete", "earliest" };
    static weir_bytes paths[4][64];
    static v2_bytes_entry keys[256];
    static weir_call call;
    v2_file_params wire = { (int32_t)params.compression, (int32_t)params.encryption, null_string,
                            unmodified_string };
    weir_load_request request = { .keys = keys, .params = &wire };
    weir_batch batch;
    weir_row row;
    weir_status status;

    for (int kind = 0; kind < 4; kind++) {
        request.lists[kind].kind = (weir_batch_kind)kind;
        request.lists[kind].paths = paths[kind];
    }
    for (; argv[0] != NULL; argv += 3) {
        weir_batch_kind kind = kind_of(argv[0]);
        weir_bytes path = from_hex(argv[2]);

        paths[kind][request.lists[kind].count++] = path;
        if (strcmp(argv[1], "-") != 0)
            keys[request.keys_count++] = (v2_bytes_entry){ path, from_hex(argv[1]) };
    }
    if (!weir__call_init(&call, NULL) || weir__load_init(&batch, &call, &table, &request) != WEIR_OK)
        die(call.text);
    while ((status = weir_batch_next(&batch, &row)) == WEIR_ITEM) {
        printf("%s\t", names[row.op == WEIR_EARLIEST ? 3 : (int)row.op]);
        print_row(&row);
    }
    if (status != WEIR_OK)
        die(call.text);
    weir__load_clear(&batch);
    weir__call_clear(&call);
}

int main(int argc, char **argv)
{
    static char no_key[] = "0000000000000000000000000000000000000000000000000000000000000000";

    if (argc == 7 && strcmp(argv[1], "write") == 0) {
        take_params(argv[2], argv[3], argv[4]);
        tool_from_hex(argv[5], (char *)iv);
        take_table(argv[6]);
        write_rows();
    } else if (argc == 7 && strcmp(argv[1], "read") == 0) {
        take_params(argv[3], argv[4], argv[5]);
        take_table(argv[6]);
        read_rows(kind_of(argv[2]));
    } else if (argc == 5 && strcmp(argv[1], "plain") == 0) {
        take_params(argv[2], argv[3], argv[4]);
        copy_plain();
    } else if (argc >= 7 && strcmp(argv[1], "request") == 0 && argc % 3 == 1) {
        take_params(argv[2], argv[3], no_key);
        take_table(argv[6]);
        read_request(argv + 7, from_hex(argv[4]), from_hex(argv[5]));
    } else {
        die("usage: see file_tool.c");
    }
    return fflush(stdout) == 0 ? 0 : 1;
}
