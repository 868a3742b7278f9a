/*
 * sdk: the session pool: by itself, and under a destination that eight and more clients ask at once
 * (R-RPC-06).
 */
#include "support.h"

#include <pthread.h>
#include <stdatomic.h>

#include "peer.h"
#include "sdk/mask.h"
#include "sdk/pool.h"

/* --- the pool by itself --- */

typedef struct test_options {
    const char *password;
    const char *wish;
} test_options;

static const weir_form form = WEIR_FORM(test_options, WEIR_PASSWORD(test_options, password),
                                        WEIR_TEXT(test_options, wish));

static pthread_mutex_t closed_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t closed_changed = PTHREAD_COND_INITIALIZER;
static char closed[256]; /* the names of closed sessions, in order */

static void note_close(void *session)
{
    size_t at;

    pthread_mutex_lock(&closed_lock);
    at = strlen(closed);
    snprintf(closed + at, sizeof closed - at, "%s ", (const char *)session);
    pthread_cond_broadcast(&closed_changed);
    pthread_mutex_unlock(&closed_lock);
}

static weir_pool *pool_of(size_t idle_max, int64_t idle_ms)
{
    const weir_pool_options options = {
        .form = &form, .close = note_close, .idle_max = idle_max, .idle_ms = idle_ms
    };
    weir_pool *pool = weir__pool_new(&options);

    closed[0] = '\0';
    assert_non_null(pool);
    return pool;
}

#define SETTINGS(...)                                        \
    ((weir_settings){ (const weir_setting[]){ __VA_ARGS__ }, \
                      sizeof((const weir_setting[]){ __VA_ARGS__ }) / sizeof(weir_setting) })

static void only_the_same_configuration_gets_a_session(void **state)
{
    const weir_settings red = SETTINGS({ "password", "p", 1 }, { "wish", "red", 3 });
    const weir_settings turned = SETTINGS({ "wish", "red", 3 }, { "password", "p", 1 });
    const weir_settings others[] = {
        SETTINGS({ "password", "q", 1 }, { "wish", "red", 3 }),
        SETTINGS({ "password", "p", 1 }),
        SETTINGS({ "password", "p", 1 }, { "wish", "red", 3 }, { "more", "", 0 }),
        SETTINGS({ "password", "p", 1 }, { "wishes", "red", 3 }),
        SETTINGS({ "password", "p", 1 }, { "wish", "red\0", 4 }),
        SETTINGS({ "password", "p", 1 }, { "wish", "re", 2 }),
    };
    weir_pool *pool = pool_of(4, 600000);

    (void)state;
    assert_null(weir__pool_take(pool, &red));
    assert_true(weir__pool_give(pool, &red, "a"));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_null(weir__pool_take(pool, &others[i]));
    assert_string_equal(weir__pool_take(pool, &turned), "a"); /* a map has no order */
    assert_null(weir__pool_take(pool, &red));                 /* never two users at once */
    assert_string_equal(closed, "");
    weir__pool_free(pool);
}

static void the_one_that_waited_longest_goes_first(void **state)
{
    const weir_settings red = SETTINGS({ "wish", "red", 3 });
    const weir_settings blue = SETTINGS({ "wish", "blue", 4 });
    weir_pool *pool = pool_of(2, 600000);

    (void)state;
    assert_true(weir__pool_give(pool, &red, "a"));
    assert_true(weir__pool_give(pool, &red, "b"));
    assert_true(weir__pool_give(pool, &blue, "c"));
    assert_string_equal(closed, "a ");
    assert_int_equal(weir__pool_idle(pool), 2);
    weir__pool_shut(pool);
    assert_string_equal(closed, "a c b ");
    assert_false(weir__pool_give(pool, &red, "d"));
    assert_null(weir__pool_take(pool, &red));
    weir__pool_free(pool);
}

static void one_that_nobody_wants_is_closed_in_time(void **state)
{
    const weir_settings red = SETTINGS({ "wish", "red", 3 });
    weir_pool *pool = pool_of(4, 1);

    (void)state;
    assert_true(weir__pool_give(pool, &red, "a"));
    assert_true(weir__pool_give(pool, &red, "b"));
    pthread_mutex_lock(&closed_lock);
    while (strlen(closed) < 4)
        pthread_cond_wait(&closed_changed, &closed_lock);
    pthread_mutex_unlock(&closed_lock);
    assert_int_equal(weir__pool_idle(pool), 0);
    weir__pool_free(pool);
}

/* R-RPC-09: a connection that waits may still say something about its password. */
static void secrets_stay_masked_while_a_session_waits(void **state)
{
    char password[] = "geheim";
    const weir_settings red = SETTINGS({ "password", password, 6 });
    const weir_bytes text = { "log in with geheim", 18 };
    weir_pool *pool = pool_of(4, 600000);
    char out[64];

    (void)state;
    assert_true(weir__pool_give(pool, &red, "a"));
    memset(password, 'x', 6); /* the pool has a copy of its own */
    assert_int_equal(weir__mask_text(text, false, out, sizeof out), 15);
    assert_memory_equal(out, "log in with ***", 15);
    weir__pool_shut(pool);
    assert_int_equal(weir__mask_text(text, false, out, sizeof out), 18);
    weir__pool_free(pool);
}

static weir_status use_pool(void *context)
{
    const weir_settings red = SETTINGS({ "password", "p", 1 }, { "wish", "red", 3 });
    const weir_pool_options options = {
        .form = &form, .close = note_close, .idle_max = 2, .idle_ms = 600000
    };
    weir_pool *pool = weir__pool_new(&options);
    weir_status status = WEIR_FAILED;

    (void)context;
    closed[0] = '\0';
    if (pool == NULL)
        return WEIR_FAILED;
    if (weir__pool_give(pool, &red, "a") && weir__pool_take(pool, &red) != NULL)
        status = WEIR_OK;
    weir__pool_free(pool);
    assert_string_equal(closed, ""); /* it is the caller's in both cases */
    return status;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    WEIR_EVERY_FAILURE(use_pool, NULL);
}

/* --- under a destination --- */

#define CALLERS 12

/* What a session knows: whose it is, and whether somebody is using it. */
typedef struct session {
    char wish[32];
    atomic_bool used;
    bool broken;
} session;

static atomic_int made;
static atomic_int ended;
static atomic_int checked;
static atomic_int inside; /* handlers that wait for the others */
static atomic_int inside_wanted;
static pthread_mutex_t inside_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t inside_changed = PTHREAD_COND_INITIALIZER;

static weir_status open_session(weir_call *call, void **out)
{
    const test_options *opt = weir_options(call);
    session *s = calloc(1, sizeof *s);

    snprintf(s->wish, sizeof s->wish, "%s", opt->wish);
    atomic_fetch_add(&made, 1);
    *out = s;
    return WEIR_OK;
}

static void close_session(void *context)
{
    session *s = context;

    assert_false(atomic_load(&s->used));
    atomic_fetch_add(&ended, 1);
    free(s);
}

static weir_status check_session(weir_call *call, void *context)
{
    session *s = context;

    atomic_fetch_add(&checked, 1);
    weir_warn(call, "nobody reads this");
    return s->broken ? weir_fail(call, "nor this") : WEIR_OK;
}

/* Waits until as many requests are inside as the test wants at once. */
static void meet_others(void)
{
    pthread_mutex_lock(&inside_lock);
    atomic_fetch_add(&inside, 1);
    pthread_cond_broadcast(&inside_changed);
    while (atomic_load(&inside) < atomic_load(&inside_wanted))
        pthread_cond_wait(&inside_changed, &inside_lock);
    pthread_mutex_unlock(&inside_lock);
}

static weir_status describe(weir_call *call, const char *schema, const char *table, weir_table *out)
{
    const test_options *opt = weir_options(call);
    session *s = weir_session(call);
    weir_status status = WEIR_NOT_FOUND;

    (void)schema;
    (void)out;
    assert_false(atomic_exchange(&s->used, true)); /* one request at a time */
    assert_string_equal(s->wish, opt->wish);       /* and of its own configuration */
    meet_others();
    if (strcmp(table, "break") == 0)
        s->broken = true;
    if (strcmp(table, "fail") == 0 || strcmp(table, "break") == 0)
        status = weir_fail(call, "as wished");
    atomic_store(&s->used, false);
    if (strcmp(table, "memory") == 0)
        weir_alloc(call, WEIR_CALL_MEMORY_MAX);
    return status;
}

static weir_status no_table(weir_call *call, const weir_table *table)
{
    (void)table;
    return weir_fail(call, "not here");
}

static weir_status no_alter(weir_call *call, const weir_table *table, const weir_changes *changes)
{
    (void)changes;
    return no_table(call, table);
}

static weir_status no_truncate(weir_call *call, const weir_truncation *what)
{
    (void)what;
    return no_table(call, NULL);
}

static weir_status no_write(weir_call *call, const weir_table *table, weir_batch *in)
{
    (void)in;
    return no_table(call, table);
}

static weir_status try_session(weir_call *call)
{
    assert_non_null(weir_session(call));
    return WEIR_OK;
}

static const weir_setup_test setup_tests[] = { { "connect", NULL, try_session }, { NULL, NULL, NULL } };

static weir_destination destination = {
    .name = "test",
    .tests = setup_tests,
    .open = open_session,
    .close = close_session,
    .describe = describe,
    .create = no_table,
    .alter = no_alter,
    .truncate = no_truncate,
    .write = no_write,
};

typedef struct caller {
    peer *peer;
    weir_bytes request;
    pthread_t thread;
} caller;

static weir_bytes request_for(peer *p, const char *wish, const char *table)
{
    const v2_string_entry settings[] = { { TEXT("password"), TEXT("p") }, { TEXT("wish"), text_of(wish) } };
    const v2_describe_table_request request = { settings, 2, TEXT("s"), text_of(table) };

    return peer_encode(p, &weir__v2_describe_table_request, &request);
}

static void *ask(void *context)
{
    const caller *c = context;
    weir_rpc_call_options options = { .method = V2_DESTINATION_CONNECTOR_DESCRIBE_TABLE_PATH,
                                      .kind = WEIR_RPC_UNARY,
                                      .timeout_ms = 20000 };
    weir_rpc_call *call = NULL;
    weir_bytes got;

    assert_int_equal(weir__rpc_call_open(c->peer->client, &options, &call, NULL), WEIR_OK);
    assert_int_equal(weir__rpc_send(call, c->request, 0, NULL), WEIR_OK);
    weir__rpc_half_close(call);
    while (weir__rpc_recv(call, &got, NULL) == WEIR_ITEM)
        continue;
    weir__rpc_call_close(call);
    return NULL;
}

static void ask_one(peer *p, const char *wish, const char *table)
{
    caller one = { .peer = p, .request = request_for(p, wish, table) };

    atomic_store(&inside, 0);
    atomic_store(&inside_wanted, 1);
    ask(&one);
}

/* CALLERS requests, which are all in their handlers at once; every second one has the other configuration. */
static void ask_all(peer *p)
{
    caller callers[CALLERS];

    atomic_store(&inside, 0);
    atomic_store(&inside_wanted, CALLERS);
    for (size_t i = 0; i < CALLERS; i++) {
        callers[i] = (caller){ .peer = p, .request = request_for(p, i % 2 ? "red" : "blue", "t") };
        assert_int_equal(pthread_create(&callers[i].thread, NULL, ask, &callers[i]), 0);
    }
    for (size_t i = 0; i < CALLERS; i++)
        pthread_join(callers[i].thread, NULL);
}

static void start(peer *p, unsigned idle_max, bool with_check)
{
    destination.sessions_idle_max = idle_max;
    destination.check = with_check ? check_session : NULL;
    destination.form = form;
    atomic_store(&made, 0);
    atomic_store(&ended, 0);
    atomic_store(&checked, 0);
    peer_destination(p, &destination);
}

/* Sessions are given back before the reply is sent; a host that is gone has ended them all. */
static void stop(peer *p)
{
    assert_true(weir__host_drain(p->host, 20000));
    peer_close(p);
    weir__call_start_all();
    assert_int_equal(atomic_load(&ended), atomic_load(&made));
}

/* R-RPC-06 */
static void parallel_requests_have_sessions_of_their_own_and_use_them_again(void **state)
{
    peer p;

    (void)state;
    start(&p, CALLERS, false);
    ask_all(&p);
    assert_int_equal(atomic_load(&made), CALLERS);
    for (int round = 0; round < 20; round++)
        ask_all(&p);
    assert_int_equal(atomic_load(&made), CALLERS);
    assert_int_equal(atomic_load(&ended), 0);
    stop(&p);
}

static void without_a_pool_every_request_has_its_own(void **state)
{
    peer p;

    (void)state;
    start(&p, 0, false);
    ask_all(&p);
    ask_all(&p);
    stop(&p);
    assert_int_equal(atomic_load(&made), 2 * CALLERS);
}

static void no_more_wait_than_allowed(void **state)
{
    peer p;

    (void)state;
    start(&p, 3, false);
    ask_all(&p);
    assert_int_equal(atomic_load(&ended), CALLERS - 3);
    stop(&p);
}

static void a_session_whose_handler_failed_is_dropped(void **state)
{
    peer p;

    (void)state;
    start(&p, 4, false);
    ask_one(&p, "red", "t"); /* not found is no failure */
    ask_one(&p, "red", "t");
    assert_int_equal(atomic_load(&made), 1);
    ask_one(&p, "red", "fail");
    assert_int_equal(atomic_load(&ended), 1);
    ask_one(&p, "red", "memory"); /* left half-way */
    assert_int_equal(atomic_load(&ended), 2);
    ask_one(&p, "red", "t");
    assert_int_equal(atomic_load(&made), 3);
    stop(&p);
}

static void check_decides_where_there_is_one(void **state)
{
    peer p;

    (void)state;
    start(&p, 4, true);
    ask_one(&p, "red", "t");
    assert_int_equal(atomic_load(&checked), 0);
    ask_one(&p, "red", "fail"); /* before, and after the failure */
    assert_int_equal(atomic_load(&checked), 2);
    ask_one(&p, "red", "t");
    assert_int_equal(atomic_load(&made), 1);
    ask_one(&p, "red", "break");
    assert_int_equal(atomic_load(&ended), 1);
    ask_one(&p, "red", "memory");
    assert_int_equal(atomic_load(&ended), 2);
    stop(&p);
}

static const char *described(peer *p, const char *table)
{
    static char text[8192];
    const v2_string_entry settings[] = { { TEXT("wish"), TEXT("red") } };
    const v2_describe_table_request request = { settings, 1, TEXT("s"), text_of(table) };
    v2_describe_table_response reply;

    atomic_store(&inside_wanted, 0);
    if (peer_unary(p, V2_DESTINATION_CONNECTOR_DESCRIBE_TABLE_PATH, &weir__v2_describe_table_request,
                   &request, &weir__v2_describe_table_response, &reply, text) == WEIR_RPC_OK)
        snprintf(text, sizeof text, "reply %u", (unsigned)reply.which_response);
    return text;
}

static void what_check_says_is_not_the_answer(void **state)
{
    peer p;

    (void)state;
    start(&p, 4, true);
    assert_string_equal(described(&p, "t"), "reply 1");
    assert_string_equal(described(&p, "break"), "as wished");
    assert_string_equal(described(&p, "t"), "reply 1");
    stop(&p);
}

static void a_setup_test_opens_a_session_anew(void **state)
{
    const v2_string_entry settings[] = { { TEXT("password"), TEXT("p") }, { TEXT("wish"), TEXT("red") } };
    const v2_test_request request = { TEXT("connect"), settings, 2 };
    v2_test_response reply;
    char text[8192];
    peer p;

    (void)state;
    start(&p, 4, false);
    ask_one(&p, "red", "t");
    for (int i = 2; i < 5; i++) {
        assert_int_equal(peer_unary(&p, V2_DESTINATION_CONNECTOR_TEST_PATH, &weir__v2_test_request, &request,
                                    &weir__v2_test_response, &reply, text),
                         WEIR_RPC_OK);
        assert_int_equal(reply.which_response, V2_TEST_RESPONSE_SUCCESS);
        assert_int_equal(atomic_load(&made), i);
    }
    stop(&p);
}

static void expect_refusal(const weir_destination *bad, const char *text)
{
    weir_host_options options = { .port = -1, .socket_path = "/nowhere/at/all" };
    weir_host *host = NULL;
    weir_error err;

    assert_int_equal(weir__host_open_destination(bad, sizeof *bad, &options, &host, &err), WEIR_FAILED);
    assert_non_null(strstr(err.text, text));
}

static const weir_setup_test twice[] = { { "connect", NULL, try_session },
                                         { "read", NULL, try_session },
                                         { "connect", NULL, try_session },
                                         { NULL, NULL, NULL } };

static void a_definition_that_makes_no_sense_is_refused(void **state)
{
    weir_destination bad = destination;

    (void)state;
    bad.sessions_idle_max = 1;
    bad.close = NULL;
    expect_refusal(&bad, "has .sessions_idle_max, but sessions need .open and .close");
    bad.sessions_idle_max = 0;
    bad.check = check_session;
    expect_refusal(&bad, "has .check, which is of use with .sessions_idle_max only");
    bad.close = close_session;
    bad.open = NULL;
    expect_refusal(&bad, "has .close but no .open");
    bad = destination;
    bad.tests = twice;
    expect_refusal(&bad, "two setup tests are called 'connect'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_same_configuration_gets_a_session),
        cmocka_unit_test(the_one_that_waited_longest_goes_first),
        cmocka_unit_test(one_that_nobody_wants_is_closed_in_time),
        cmocka_unit_test(secrets_stay_masked_while_a_session_waits),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(parallel_requests_have_sessions_of_their_own_and_use_them_again),
        cmocka_unit_test(without_a_pool_every_request_has_its_own),
        cmocka_unit_test(no_more_wait_than_allowed),
        cmocka_unit_test(a_session_whose_handler_failed_is_dropped),
        cmocka_unit_test(check_decides_where_there_is_one),
        cmocka_unit_test(what_check_says_is_not_the_answer),
        cmocka_unit_test(a_setup_test_opens_a_session_anew),
        cmocka_unit_test(a_definition_that_makes_no_sense_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
