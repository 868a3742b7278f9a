/*
 * harness/serve: one request served in this thread, or in a child that dies at the trigger.
 *
 * What a child has to say comes through its pipe as frames: a kind, a size and the bytes. A child that dies
 * leaves the frames it had written, as a killed connector leaves the messages it had sent.
 */
#include <stdio.h>
#include <string.h>

#include "base/map.h"
#include "base/queue.h"
#include "harness/harness.h"
#include "sdk/log.h"
#include "sdk/probe.h"
#include "sys/child.h"
#include "sys/clock.h"
#include "wire/proto.h"

#define NS_PER_MS INT64_C(1000000)
#define CHILD_TIMEOUT_MS 60000

typedef struct serving {
    weir_harness *h;
    const weir_harness_request *request;
    const weir_rpc_method *method;
    weir_bytes message;
    weir_trigger trigger;
    weir_rpc_call *call;
    weir_bytes reply; /* in h->arena */
    uint64_t rows;
    uint64_t checkpoints;
    bool broken_off;
    int fd; /* in a child: where frames go; -1 otherwise */
    weir_rpc_local_end end;
} serving;

typedef enum frame_kind {
    FRAME_MESSAGE = 1,
    FRAME_END = 2
} frame_kind;

typedef struct frame {
    uint32_t kind;
    uint32_t code; /* of an end */
    uint64_t size;
} frame;

static void put_frame(const serving *s, frame_kind kind, weir_bytes bytes)
{
    frame head = { .kind = kind, .code = (uint32_t)s->end.code, .size = bytes.size };

    if (!weir__child_write(s->fd, &head, sizeof head) || !weir__child_write(s->fd, bytes.data, bytes.size))
        weir__child_die(); /* the parent has gone */
}

/* Our own encoder puts the one member of the response first. */
static bool is_checkpoint(weir_bytes message)
{
    return message.size > 0 &&
           (uint8_t)message.data[0] == WEIR_WIRE_TAG(V2_UPDATE_RESPONSE_CHECKPOINT, WEIR_WIRE_BYTES);
}

static void break_off(serving *s)
{
    if (s->fd >= 0)
        weir__child_die();
    s->broken_off = true;
    weir__rpc_cancel(s->call);
}

/* A message that has arrived: to the test's side. */
static bool deliver(serving *s, weir_bytes message)
{
    if (s->request->take != NULL)
        return s->request->take(s->h, message);
    s->reply.data = weir__test_memory(weir__arena_copy(s->h->arena, message.data, message.size));
    s->reply.size = message.size;
    return true;
}

static weir_status take(void *context, weir_rpc_call *call, weir_bytes message)
{
    serving *s = context;
    bool checkpoint = s->request->take != NULL && is_checkpoint(message);

    (void)call;
    if (s->fd >= 0)
        put_frame(s, FRAME_MESSAGE, message);
    else if (!deliver(s, message))
        return WEIR_CANCELLED;
    s->checkpoints += checkpoint;
    if (checkpoint && s->checkpoints == s->trigger.checkpoints)
        break_off(s);
    return WEIR_OK;
}

static void begin(void *context, weir_rpc_call *call)
{
    ((serving *)context)->call = call;
}

static void saw_row(void *context)
{
    serving *s = context;

    s->rows++;
    if (s->rows == s->trigger.rows)
        break_off(s);
}

static void serve(serving *s)
{
    weir_probe probe = { saw_row, s };
    weir_rpc_local local = { .take = take, .begin = begin, .context = s, .deadline_ns = WEIR_FOREVER };
    const char *origin = s->h->is_source ? "sdk_connector" : "sdk_destination";
    weir_error err;

    if (s->h->deadline_ms > 0)
        local.deadline_ns = weir__clock_ns() + s->h->deadline_ms * NS_PER_MS;
    if (s->h->log_fd >= 0)
        weir__log_open(s->h->log_fd, origin);
    weir__probe = &probe;
    if (weir__rpc_local_serve(s->method, s->message, &local, &s->end, &err) != WEIR_OK)
        weir__test_no_memory();
    weir__probe = NULL;
    weir__log_open(1, origin);
}

static int serve_in_child(void *context, int fd)
{
    serving *s = context;

    s->fd = fd;
    serve(s);
    put_frame(s, FRAME_END, weir__text(s->end.text));
    fflush(NULL);
    return 0;
}

/* Takes whole frames off the front of `got`; true once the end has come. */
static bool take_frames(serving *s, weir_buf *got)
{
    size_t at = 0;
    bool ended = false;
    frame head;

    while (got->size - at >= sizeof head) {
        weir_bytes bytes;

        memcpy(&head, got->data + at, sizeof head);
        if (got->size - at - sizeof head < head.size)
            break;
        bytes = (weir_bytes){ got->data + at + sizeof head, head.size };
        at += sizeof head + head.size;
        if (head.kind == FRAME_MESSAGE) {
            (void)deliver(s, bytes);
        } else {
            ended = true;
            s->end.code = (weir_rpc_code)head.code;
            snprintf(s->end.text, sizeof s->end.text, "%.*s", (int)bytes.size, bytes.data);
        }
    }
    memmove(got->data, got->data + at, got->size - at);
    got->size -= at;
    return ended;
}

static void serve_apart(serving *s)
{
    int64_t deadline = weir__clock_ns() + CHILD_TIMEOUT_MS * NS_PER_MS;
    weir_status status = WEIR_ITEM;
    weir_child *child = NULL;
    weir_process_end how;
    char words[WEIR_PROCESS_END_SIZE];
    bool ended = false;
    weir_error err;
    weir_buf got;

    fflush(NULL);
    s->end.code = WEIR_RPC_INTERNAL;
    if (s->h->before_crash != NULL)
        s->h->before_crash(s->h->before_crash_context);
    if (weir__child_start(serve_in_child, s, &child, &err) != WEIR_OK) {
        snprintf(s->end.text, sizeof s->end.text, "a crash needs a process of its own: %s", err.text);
        return;
    }
    weir__buf_init(&got, WEIR_GIB);
    while (status == WEIR_ITEM) {
        char *room = weir__test_memory(weir__buf_reserve(&got, 65536));
        size_t size = 0;

        status = weir__child_read(child, room, 65536, deadline, &size);
        got.size += size;
        ended = take_frames(s, &got) || ended;
    }
    weir__buf_clear(&got);
    weir__child_wait(child, status == WEIR_OK ? deadline : 0, &how);
    weir__child_close(child);
    weir__process_end_text(how, words);
    if (ended)
        return;
    if (status == WEIR_OK && how.signal == WEIR_PROCESS_KILL)
        s->broken_off = true;
    else
        snprintf(s->end.text, sizeof s->end.text, "the process of the handler %s",
                 status == WEIR_OK ? words : "did not come back within a minute");
}

weir_status weir__harness_status_of(weir_rpc_code code)
{
    switch (code) {
    case WEIR_RPC_OK:
        return WEIR_OK;
    case WEIR_RPC_CANCELLED:
    case WEIR_RPC_DEADLINE_EXCEEDED:
        return WEIR_CANCELLED;
    case WEIR_RPC_UNIMPLEMENTED:
        return WEIR_UNSUPPORTED;
    case WEIR_RPC_FAILED_PRECONDITION: /* the text is for a person */
        return WEIR_TASK;
    case WEIR_RPC_NOT_FOUND:
        return WEIR_NOT_FOUND;
    default:
        return WEIR_FAILED;
    }
}

static const weir_rpc_method *find_method(const weir_harness *h, const char *path)
{
    for (size_t i = 0; i < h->method_count; i++)
        if (strcmp(h->methods[i].path, path) == 0)
            return &h->methods[i];
    return NULL;
}

/* The reply of a unary call, when there is one. */
static weir_status read_reply(serving *s, weir_status status, weir_error *err)
{
    const weir_harness_request *request = s->request;

    if (status != WEIR_OK || request->reply_type == NULL)
        return status;
    if (s->reply.data == NULL)
        return weir__error(err, "the connector ended '%s' well, but without a reply", request->what);
    return weir__codec_decode(request->reply_type, s->reply, s->h->arena, request->reply, err);
}

weir_served weir__harness_serve(weir_harness *h, const weir_harness_request *request)
{
    serving s = { .h = h, .request = request, .fd = -1, .trigger = h->trigger };
    weir_served served = { .status = WEIR_FAILED };
    weir_error err = { 0 };

    h->trigger = (weir_trigger){ 0 };
    s.method = find_method(h, request->path);
    if (s.method == NULL) {
        served.status = weir__harness_end(h, WEIR_UNSUPPORTED, "the SDK does not serve this request");
        return served;
    }
    if (request->type != NULL) {
        h->message.size = 0;
        if (weir__codec_encode(request->type, request->message, &h->message, &err) != WEIR_OK) {
            served.status = weir__harness_end(h, WEIR_FAILED, err.text);
            return served;
        }
    }
    s.message = weir__buf_bytes(&h->message);
    if (s.trigger.crash && (h->for_real || !h->is_source))
        serve_apart(&s);
    else
        serve(&s);
    served.rows = s.rows;
    served.broken_off = s.broken_off;
    if (s.broken_off) {
        served.status = weir__harness_end(h, WEIR_CANCELLED, "broken off, as the test had asked");
        weir__harness_expected(h);
        return served;
    }
    served.status = read_reply(&s, weir__harness_status_of(s.end.code), &err);
    weir__harness_end(h, served.status, s.end.code == WEIR_RPC_OK ? err.text : s.end.text);
    if ((s.trigger.rows > 0 || s.trigger.checkpoints > 0) && served.status == WEIR_OK)
        weir__fail_here("'%s' came to its end before it could be broken off", request->what);
    return served;
}
