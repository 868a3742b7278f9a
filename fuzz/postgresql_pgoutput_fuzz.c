/*
 * fuzz/postgresql_pgoutput: the stream of logical replication, and arrays as text.
 *
 * Attacked: nothing outside of the message is read; every text and field that is handed out lies inside it;
 * an array never needs more than its announced room, and what comes out is brackets in balance; a position
 * that is read is written back as the same.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../connectors/source-postgresql/array.h"
#include "../connectors/source-postgresql/pgoutput.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_tuple(const pgoutput_tuple *tuple, const char *data, size_t size)
{
    assert(tuple->count <= PGOUTPUT_COLUMNS_MAX);
    for (size_t i = 0; i < tuple->count; i++) {
        const pgoutput_field *field = &tuple->fields[i];

        if (field->kind == 't')
            assert(field->data >= data && field->size <= (size_t)(data + size - field->data));
        else
            assert(field->kind == 'n' || field->kind == 'u');
    }
}

static void read_message(const char *data, size_t size)
{
    pgoutput_message *message = malloc(sizeof *message);

    assert(message != NULL);
    if (!pgoutput_read(data, size, message))
        goto out;
    switch (message->kind) {
    case PGOUTPUT_RELATION:
        assert(message->column_count <= PGOUTPUT_COLUMNS_MAX);
        for (size_t i = 0; i < message->column_count; i++)
            assert(message->columns[i].name + strlen(message->columns[i].name) < data + size);
        break;
    case PGOUTPUT_UPDATE:
    case PGOUTPUT_DELETE:
        if (message->old_kind != 0)
            check_tuple(&message->old_row, data, size);
        assert(message->kind == PGOUTPUT_UPDATE || message->old_kind != 0);
        if (message->kind == PGOUTPUT_DELETE)
            break;
        check_tuple(&message->new_row, data, size);
        break;
    case PGOUTPUT_INSERT:
        check_tuple(&message->new_row, data, size);
        break;
    case PGOUTPUT_TRUNCATE:
        for (size_t i = 0; i < message->relation_count; i++)
            (void)pgoutput_truncated(message, i);
        break;
    default:
        break;
    }
out:
    free(message);
}

static void read_array(const char *data, size_t size, array_kind kind)
{
    size_t length = 0;
    char *out = malloc(array_room(size)); /* to the byte, so that the sanitizer sees one too many */

    assert(out != NULL);
    if (array_to_json(data, size, ',', kind, out, &length)) {
        assert(length >= 2 && length <= array_room(size));
        assert(out[0] == '[' && out[length - 1] == ']');
    }
    free(out);
}

static void read_position(const char *data, size_t size)
{
    char text[64] = { 0 }, back[PGOUTPUT_LSN_SIZE];
    uint64_t first, second;

    memcpy(text, data, size < sizeof text ? size : sizeof text - 1);
    if (!pgoutput_lsn_read(text, &first))
        return;
    pgoutput_lsn_write(first, back);
    assert(pgoutput_lsn_read(back, &second) && second == first);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pgoutput_frame frame;
    char *copy;

    if (size == 0)
        return 0;
    copy = malloc(size > 1 ? size - 1 : 1); /* no byte behind the input */
    assert(copy != NULL);
    memcpy(copy, data + 1, size - 1);
    switch (data[0] % 4) {
    case 0:
        if (pgoutput_frame_read(copy, size - 1, &frame) && !frame.keepalive)
            read_message(frame.data, frame.size);
        break;
    case 1:
        read_message(copy, size - 1);
        break;
    case 2:
        read_array(copy, size - 1, (array_kind)(data[0] / 4 % (ARRAY_SERVER + 1)));
        break;
    default:
        read_position(copy, size - 1);
        break;
    }
    free(copy);
    return 0;
}
