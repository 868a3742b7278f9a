/*
 * source-postgresql/stream: the replication connection. Changes go out as they come, also those of a large
 * transaction; checkpoints stand between transactions. While the server has nothing to send it is asked how
 * far it has looked, so that the end is seen in a quiet database, too.
 */
#include <stdlib.h>
#include <time.h>

#include "capture.h"
#include "wire.h"

#define CHECKPOINT_SECONDS 30
#define STATUS_SECONDS 10
#define ASK_AGAIN_MS 20

/*
 * While the engine is slower than we are, nobody answers the server: it must not take that for death, nor
 * wait for ever for one that is.
 */
static const char stream_settings[] = "SET wal_sender_timeout = '10min'";

struct reader {
    capture *cap;
    applier *apply;
    pgoutput_message *message;
    uint64_t received;
    time_t status_at;     /* when the server last heard of us */
    time_t checkpoint_at; /* when the last one was sent */
    int64_t rows;         /* since then */
    bool inside;          /* a transaction */
    bool asked;           /* how far the server is; not answered yet */
    bool done;
};

static int64_t micros_now(void)
{
    struct timespec now;

    if (timespec_get(&now, TIME_UTC) != TIME_UTC)
        return 0;
    return ((int64_t)now.tv_sec - WIRE_EPOCH_SECONDS) * WIRE_MICROS + now.tv_nsec / 1000;
}

static weir_status lost(struct reader *in)
{
    PGresult *result = PQgetResult(in->cap->replication);
    weir_status status = link_failed(in->cap->run->call, in->cap->replication, result, "read the changes");

    PQclear(result);
    return status;
}

/* Safe is what the engine has stored, and nothing after it. */
static weir_status send_status(struct reader *in, bool ask)
{
    char data[PGOUTPUT_STATUS_SIZE];
    PGconn *link = in->cap->replication;

    pgoutput_status_write(data, in->received, in->cap->confirmed, micros_now(), ask);
    if (PQputCopyData(link, data, (int)sizeof data) != 1 || PQflush(link) < 0)
        return lost(in);
    in->status_at = time(NULL);
    in->asked = in->asked || ask;
    return WEIR_OK;
}

static weir_status begin(struct reader *in)
{
    capture *cap = in->cap;
    sync_run *run = cap->run;
    text command = text_new(run->call), name = text_new(run->call);
    char lsn[PGOUTPUT_LSN_SIZE];
    weir_status status = link_run(run->call, cap->replication, "set up the stream", stream_settings);

    if (status != WEIR_OK)
        return status;
    pgoutput_lsn_write(cap->position, lsn);
    text_put(&command, "START_REPLICATION SLOT ");
    text_name(&command, run->options->slot);
    text_printf(&command, " LOGICAL %s (proto_version '1', publication_names ", lsn);
    text_name(&name, run->options->publication);
    text_value(&command, name.data);
    text_put(&command, ")");
    status = link_copy(run->call, cap->replication, "read the changes", command.data, PGRES_COPY_BOTH);
    return status == WEIR_OK ? send_status(in, true) : status;
}

static void reach_stop(struct reader *in)
{
    capture *cap = in->cap;

    /* Transactions come in the order of their commits: everything before the stop has been sent. */
    if (cap->position < cap->stop)
        cap->position = cap->stop;
    in->done = true;
}

static weir_status commit(struct reader *in)
{
    capture *cap = in->cap;
    time_t now = time(NULL);
    weir_status status;

    in->inside = false;
    cap->position = in->message->end;
    if (weir_reached(cap->run->out, (int64_t)cap->position)) {
        in->done = true;
        return WEIR_OK;
    }
    if (in->rows < cap->run->options->rows_per_range && now - in->checkpoint_at < CHECKPOINT_SECONDS)
        return WEIR_OK;
    capture_save_position(cap);
    status = weir_checkpoint(cap->run->out);
    in->rows = 0;
    in->checkpoint_at = now;
    return status;
}

static weir_status take_message(struct reader *in, const pgoutput_frame *frame)
{
    pgoutput_message *message = in->message;

    if (!pgoutput_read(frame->data, frame->size, message))
        return weir_fail(in->cap->run->call,
                         "read the changes: the server sent a message that is not pgoutput's");
    switch (message->kind) {
    case PGOUTPUT_BEGIN:
        if (message->commit >= in->cap->stop) {
            reach_stop(in); /* R-SRC-11 */
            return WEIR_OK;
        }
        in->inside = true;
        applier_begin(in->apply, message->transaction);
        return WEIR_OK;
    case PGOUTPUT_COMMIT:
        return commit(in);
    case PGOUTPUT_OTHER:
        return WEIR_OK;
    default:
        return applier_take(in->apply, message, &in->rows);
    }
}

static weir_status take_frame(struct reader *in, const char *data, size_t size)
{
    pgoutput_frame frame;

    if (!pgoutput_frame_read(data, size, &frame))
        return weir_fail(in->cap->run->call, "read the changes: the server sent a malformed frame");
    if (!frame.keepalive) {
        in->received = frame.position > in->received ? frame.position : in->received;
        return take_message(in, &frame);
    }
    in->asked = false;
    in->received = frame.end > in->received ? frame.end : in->received;
    if (!in->inside && frame.end >= in->cap->stop)
        reach_stop(in);
    else if (frame.reply)
        return send_status(in, false);
    return WEIR_OK;
}

/* Nothing has come: asks, or waits for the answer. */
static weir_status wait(struct reader *in)
{
    weir_call *call = in->cap->run->call;

    if (!weir_running(call))
        return WEIR_CANCELLED;
    if (!in->asked) {
        if (!weir_wait(call, ASK_AGAIN_MS))
            return WEIR_CANCELLED;
        if (send_status(in, true) != WEIR_OK)
            return WEIR_FAILED;
    }
    return link_read(in->cap->replication) ? WEIR_OK : lost(in);
}

static weir_status read_all(struct reader *in)
{
    PGconn *link = in->cap->replication;
    weir_status status = WEIR_OK;

    while (status == WEIR_OK && !in->done) {
        char *data = NULL;
        int size = PQgetCopyData(link, &data, 1);

        if (size > 0) {
            status = take_frame(in, data, (size_t)size);
            PQfreemem(data);
            if (status == WEIR_OK && time(NULL) - in->status_at >= STATUS_SECONDS) {
                if (!weir_running(in->cap->run->call))
                    return WEIR_CANCELLED;
                status = send_status(in, false);
            }
        } else {
            status = size == 0 ? wait(in) : lost(in);
        }
    }
    return status;
}

weir_status stream_read(capture *cap)
{
    struct reader in = { .cap = cap, .received = cap->position, .checkpoint_at = time(NULL) };
    weir_status status;

    in.message = malloc(sizeof *in.message);
    in.apply = applier_new(cap);
    if (in.message == NULL || in.apply == NULL)
        status = weir_fail(cap->run->call, "read the changes: out of memory");
    else
        status = begin(&in);
    if (status == WEIR_OK)
        status = read_all(&in);
    applier_free(in.apply);
    free(in.message);
    return status;
}
