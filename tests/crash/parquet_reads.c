/*
 * Linked into a destination of ours, makes it one that asks for Parquet batch files and reads them.
 *
 * The SDK's destinations take CSV. The linker puts the functions below in front of the three that read a
 * batch file, and of the one that words replies (--wrap, tests.cmake), so that everything else is the
 * destination and the SDK as they are: the same statements, the same fault points.
 */
#include <assert.h>
#include <pthread.h>

#include <wire/v2.h>

#include "duckdb/parquet.h"
#include "wire/codec.h"

#define READERS_MAX 64

weir_status __real_weir__codec_encode(const weir_codec_message *type, const void *message, weir_buf *out,
                                      weir_error *err);
weir_status __wrap_weir__codec_encode(const weir_codec_message *type, const void *message, weir_buf *out,
                                      weir_error *err);
void __real_weir__reader_free(weir_reader *reader);
void __wrap_weir__reader_free(weir_reader *reader);
weir_status __wrap_weir__reader_open(weir_reader *reader, const weir_reader_file *file, weir_error *err);
weir_status __wrap_weir__reader_next(weir_reader *reader, weir_row *row, weir_error *err);

/* The file that a reader has open. A reader belongs to one thread, the list to all. */
typedef struct entry {
    const weir_reader *reader; /* NULL: unused */
    parquet_reader *parquet;
    duck *db; /* stays, for whatever reader has this place next */
} entry;

static entry entries[READERS_MAX];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* The reader's entry, or a free one. */
static entry *find(const weir_reader *reader)
{
    entry *found = NULL;

    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < READERS_MAX && (found == NULL || found->reader != reader); i++)
        if (entries[i].reader == reader || (found == NULL && entries[i].reader == NULL))
            found = &entries[i];
    assert(found != NULL);
    found->reader = reader;
    pthread_mutex_unlock(&lock);
    return found;
}

weir_status __wrap_weir__codec_encode(const weir_codec_message *type, const void *message, weir_buf *out,
                                      weir_error *err)
{
    const v2_capabilities_response parquet = { .batch_file_format = V2_BATCH_FILE_FORMAT_PARQUET };

    return __real_weir__codec_encode(type, type == &weir__v2_capabilities_response ? &parquet : message, out,
                                     err);
}

weir_status __wrap_weir__reader_open(weir_reader *reader, const weir_reader_file *file, weir_error *err)
{
    entry *e = find(reader);

    parquet_reader_free(e->parquet);
    e->parquet = NULL;
    if (e->db == NULL && parquet_database(&e->db, err) != WEIR_OK)
        return WEIR_FAILED;
    return parquet_reader_open(file, e->db, &e->parquet, err);
}

weir_status __wrap_weir__reader_next(weir_reader *reader, weir_row *row, weir_error *err)
{
    return parquet_reader_next(find(reader)->parquet, row, err);
}

void __wrap_weir__reader_free(weir_reader *reader)
{
    if (reader != NULL) {
        entry *e = find(reader);

        parquet_reader_free(e->parquet);
        pthread_mutex_lock(&lock);
        e->parquet = NULL;
        e->reader = NULL;
        pthread_mutex_unlock(&lock);
    }
    __real_weir__reader_free(reader);
}
