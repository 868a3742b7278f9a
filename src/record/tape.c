/* record/tape: key, file and reader put together; see tape.h. */
#include "record/tape.h"

#include <sodium.h>

#include "base/alloc.h"
#include "record/key.h"
#include "sys/file.h"

struct record_tape {
    weir_file *file;
    record_reader *reader;
};

weir_status record_tape_open(const char *path, const char *key, record_tape **out, weir_error *err)
{
    record_tape *tape = weir__calloc(1, sizeof *tape);
    unsigned char bytes[RECORD_KEY_SIZE];
    char key_path[RECORD_KEY_PATH_SIZE];
    weir_status status = record_key_path(path, key, key_path, err);

    if (tape == NULL)
        return weir__error_memory(err, "opening a recording");
    if (status == WEIR_OK)
        status = weir__file_open_named(path, &tape->file, err);
    if (status == WEIR_OK)
        status = record_key_load(key_path, bytes, err);
    if (status == WEIR_OK)
        status = record_reader_open(weir__file_input(tape->file), path, bytes, &tape->reader, err);
    sodium_memzero(bytes, sizeof bytes);
    if (status != WEIR_OK) {
        record_tape_close(tape);
        return WEIR_FAILED;
    }
    *out = tape;
    return WEIR_OK;
}

weir_status record_tape_next(record_tape *tape, record_frame *frame, weir_error *err)
{
    return record_reader_next(tape->reader, frame, err);
}

bool record_tape_cut(const record_tape *tape)
{
    return record_reader_cut(tape->reader);
}

void record_tape_close(record_tape *tape)
{
    if (tape == NULL)
        return;
    record_reader_free(tape->reader);
    weir__file_close(tape->file);
    weir__free(tape);
}
