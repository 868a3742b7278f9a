/*
 * tests/sim: threads that are none. The program is linked so that pthread_create, mutexes and conditions
 * of the engine are the ones below: every thread is a coroutine, one runs at a time, and at every step
 * the dice say who goes on. Time stands still while somebody can run, but for a microsecond a step; when
 * all wait, it jumps to the next deadline.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <ucontext.h>

#include "base/queue.h"
#include "sim.h"

#define THREADS_MAX 64
#define STACK_SIZE ((size_t)512 * 1024)
#define GUARD_SIZE ((size_t)4096)
#define START_NS (INT64_C(1000) * 1000000000)
#define STEPS_MAX 20000000

typedef enum thread_state {
    THREAD_NONE,
    THREAD_READY,
    THREAD_WAITS,
    THREAD_DONE
} thread_state;

typedef struct thread {
    thread_state state;
    ucontext_t context;
    char *stack;
    void *(*body)(void *argument);
    void *argument;
    const void *object; /* waited for; NULL: only for the time */
    int64_t until_ns;
    bool timed_out;
    int error_number;
} thread;

/* Over the memory of a pthread_mutex_t. All zero: free, as PTHREAD_MUTEX_INITIALIZER is. */
typedef struct lock {
    size_t owner; /* thread + 1 */
    size_t depth;
} lock;
_Static_assert(sizeof(lock) <= sizeof(pthread_mutex_t), "a lock has room in a mutex");

static struct {
    thread threads[THREADS_MAX];
    thread *current; /* NULL: outside */
    ucontext_t scheduler;
    sim_dice dice;
    int64_t now_ns;
    uint64_t steps;
    uint64_t hash;
    uint64_t kill_at;
    bool killed;
    lock *held[THREADS_MAX]; /* locks that have an owner */
    void (*first)(void *context);
    void *first_context;
} world;

/* --- chance --- */

uint64_t sim_draw(sim_dice *dice)
{
    uint64_t x = (dice->state += UINT64_C(0x9E3779B97F4A7C15));

    x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
    return x ^ (x >> 31);
}

uint64_t sim_below(sim_dice *dice, uint64_t end)
{
    return sim_draw(dice) % end;
}

bool sim_chance(sim_dice *dice, unsigned one_in)
{
    return one_in > 0 && sim_below(dice, one_in) == 0;
}

/* --- scheduling --- */

void sim_threads_reset(uint64_t seed)
{
    world.dice.state = seed;
    world.now_ns = START_NS;
    world.hash = seed;
    world.steps = 0;
}

bool sim_inside(void)
{
    return world.current != NULL;
}

int64_t sim_now_ns(void)
{
    return world.now_ns;
}

uint64_t sim_steps(void)
{
    return world.steps;
}

uint64_t sim_hash(void)
{
    return world.hash;
}

void sim_note(uint64_t what)
{
    world.hash = (world.hash ^ what) * UINT64_C(0x100000001B3);
}

/* Gives control to the scheduler; comes back when this thread is chosen. */
static void leave(void)
{
    thread *self = world.current;

    self->error_number = errno;
    swapcontext(&self->context, &world.scheduler);
    errno = self->error_number;
}

void sim_step(void)
{
    if (world.current == NULL)
        return;
    world.steps++;
    world.now_ns += 1000;
    if (world.steps == world.kill_at) {
        world.killed = true;
        leave(); /* for ever */
    }
    if (sim_below(&world.dice, 4) == 0)
        leave();
}

bool sim_wait(const void *object, int64_t until_ns)
{
    thread *self = world.current;

    self->state = THREAD_WAITS;
    self->object = object;
    self->until_ns = until_ns;
    self->timed_out = false;
    leave();
    sim_step();
    return !self->timed_out;
}

void sim_sleep(int64_t duration_ns)
{
    (void)sim_wait(NULL, world.now_ns + duration_ns);
}

static void wake(thread *one, bool timed_out)
{
    one->state = THREAD_READY;
    one->timed_out = timed_out;
    one->object = NULL;
}

void sim_wake(const void *object)
{
    for (size_t i = 0; i < THREADS_MAX; i++)
        if (world.threads[i].state == THREAD_WAITS && world.threads[i].object == object)
            wake(&world.threads[i], false);
}

static void enter(void)
{
    thread *self = world.current;

    self->body(self->argument);
    self->state = THREAD_DONE;
    sim_wake(self);
    leave();
}

/* Apart, for getcontext counts as a function that returns twice. */
static void prepare(thread *one)
{
    getcontext(&one->context);
    one->context.uc_stack.ss_sp = one->stack;
    one->context.uc_stack.ss_size = STACK_SIZE;
    one->context.uc_link = NULL;
    makecontext(&one->context, enter, 0);
}

static thread *begin(void *(*body)(void *argument), void *argument)
{
    thread *one = NULL;

    for (size_t i = 0; i < THREADS_MAX && one == NULL; i++)
        if (world.threads[i].state == THREAD_NONE)
            one = &world.threads[i];
    if (one == NULL)
        return NULL;
    if (one->stack == NULL) {
        one->stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (one->stack == MAP_FAILED || mprotect(one->stack, GUARD_SIZE, PROT_NONE) != 0)
            abort();
    }
    prepare(one);
    one->body = body;
    one->argument = argument;
    one->error_number = 0;
    one->state = THREAD_READY;
    return one;
}

/* Somebody who can run, by chance; time jumps when nobody can. NULL: nobody ever will. */
static thread *choose(void)
{
    thread *ready[THREADS_MAX];
    thread *first = NULL;
    size_t count = 0;

    for (size_t i = 0; i < THREADS_MAX; i++) {
        thread *one = &world.threads[i];

        if (one->state == THREAD_WAITS && one->until_ns <= world.now_ns)
            wake(one, true);
        if (one->state == THREAD_READY)
            ready[count++] = one;
        else if (one->state == THREAD_WAITS && one->until_ns != WEIR_FOREVER &&
                 (first == NULL || one->until_ns < first->until_ns))
            first = one;
    }
    if (count > 0)
        return ready[count > 1 ? sim_below(&world.dice, count) : 0];
    if (first == NULL)
        return NULL;
    world.now_ns = first->until_ns;
    wake(first, true);
    return first;
}

static void *run_first(void *unused)
{
    world.first(world.first_context);
    return unused;
}

sim_outcome sim_run(void (*body)(void *context), void *context, const sim_limits *limits)
{
    sim_outcome outcome = SIM_ENDED;
    thread *first;

    for (size_t i = 0; i < THREADS_MAX; i++)
        world.threads[i].state = THREAD_NONE;
    world.steps = 0;
    world.kill_at = limits->kill_at;
    world.killed = false;
    world.first = body;
    world.first_context = context;
    first = begin(run_first, NULL);
    while (first->state != THREAD_DONE && !world.killed) {
        thread *next = choose();

        if (next == NULL)
            outcome = SIM_STUCK;
        else if (world.now_ns > limits->until_ns || world.steps > STEPS_MAX)
            outcome = SIM_TOO_LONG;
        if (outcome != SIM_ENDED)
            break;
        sim_note((uint64_t)(next - world.threads) + (world.steps << 8));
        world.current = next;
        swapcontext(&world.scheduler, &next->context);
        world.current = NULL;
    }
    for (size_t i = 0; i < THREADS_MAX; i++) { /* a static lock outlives the process that it had */
        if (world.held[i] != NULL)
            *world.held[i] = (lock){ 0 };
        world.held[i] = NULL;
    }
    return world.killed ? SIM_KILLED : outcome;
}

size_t sim_threads_left(void)
{
    size_t count = 0;

    for (size_t i = 0; i < THREADS_MAX; i++)
        count += world.threads[i].state == THREAD_READY || world.threads[i].state == THREAD_WAITS;
    return count;
}

/* --- what the engine calls --- */

int __wrap_pthread_create(pthread_t *out, const pthread_attr_t *attributes, void *(*body)(void *),
                          void *argument);
int __wrap_pthread_join(pthread_t which, void **result);
int __wrap_pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attributes);
int __wrap_pthread_mutex_destroy(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *mutex);
int __wrap_pthread_cond_init(pthread_cond_t *condition, const pthread_condattr_t *attributes);
int __wrap_pthread_cond_destroy(pthread_cond_t *condition);
int __wrap_pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex);
int __wrap_pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex,
                                  const struct timespec *until);
int __wrap_pthread_cond_signal(pthread_cond_t *condition);
int __wrap_pthread_cond_broadcast(pthread_cond_t *condition);

int __wrap_pthread_create(pthread_t *out, const pthread_attr_t *attributes, void *(*body)(void *),
                          void *argument)
{
    thread *one = begin(body, argument);

    (void)attributes;
    if (one == NULL)
        return EAGAIN;
    *out = (pthread_t)(one - world.threads);
    sim_step();
    return 0;
}

int __wrap_pthread_join(pthread_t which, void **result)
{
    thread *one = &world.threads[which];

    (void)result;
    while (one->state != THREAD_DONE)
        (void)sim_wait(one, WEIR_FOREVER);
    one->state = THREAD_NONE;
    return 0;
}

int __wrap_pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attributes)
{
    (void)attributes;
    memset(mutex, 0, sizeof *mutex);
    return 0;
}

int __wrap_pthread_mutex_destroy(pthread_mutex_t *mutex)
{
    (void)mutex;
    return 0;
}

static size_t self_number(void)
{
    return (size_t)(world.current - world.threads) + 1;
}

static void hold(lock *one)
{
    for (size_t i = 0; i < THREADS_MAX; i++)
        if (world.held[i] == NULL) {
            world.held[i] = one;
            return;
        }
    abort();
}

static void let_go(lock *one)
{
    for (size_t i = 0; i < THREADS_MAX; i++)
        if (world.held[i] == one)
            world.held[i] = NULL;
    one->owner = 0;
    sim_wake(one);
}

int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex)
{
    lock *one = (lock *)(void *)mutex;

    if (world.current == NULL)
        return 0;
    sim_step();
    while (one->owner != 0 && one->owner != self_number())
        (void)sim_wait(one, WEIR_FOREVER);
    if (one->owner == 0)
        hold(one);
    one->owner = self_number();
    one->depth++;
    return 0;
}

int __wrap_pthread_mutex_unlock(pthread_mutex_t *mutex)
{
    lock *one = (lock *)(void *)mutex;

    if (world.current == NULL)
        return 0;
    if (one->owner != self_number())
        abort();
    if (--one->depth == 0) {
        let_go(one);
        sim_step();
    }
    return 0;
}

int __wrap_pthread_cond_init(pthread_cond_t *condition, const pthread_condattr_t *attributes)
{
    (void)condition;
    (void)attributes;
    return 0;
}

int __wrap_pthread_cond_destroy(pthread_cond_t *condition)
{
    (void)condition;
    return 0;
}

static int wait_on(pthread_cond_t *condition, pthread_mutex_t *mutex, int64_t until_ns)
{
    lock *one = (lock *)(void *)mutex;
    bool woken;

    one->depth = 0;
    let_go(one);
    woken = sim_wait(condition, until_ns);
    __wrap_pthread_mutex_lock(mutex);
    return woken ? 0 : ETIMEDOUT;
}

int __wrap_pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex)
{
    return wait_on(condition, mutex, WEIR_FOREVER);
}

int __wrap_pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex,
                                  const struct timespec *until)
{
    return wait_on(condition, mutex, (int64_t)until->tv_sec * 1000000000 + until->tv_nsec);
}

/* One of those who wait, by chance; and sometimes all, for a wait may end without a reason. */
int __wrap_pthread_cond_signal(pthread_cond_t *condition)
{
    thread *waiting[THREADS_MAX];
    size_t count = 0;

    if (world.current == NULL)
        return 0;
    if (sim_below(&world.dice, 8) == 0)
        return __wrap_pthread_cond_broadcast(condition);
    for (size_t i = 0; i < THREADS_MAX; i++)
        if (world.threads[i].state == THREAD_WAITS && world.threads[i].object == condition)
            waiting[count++] = &world.threads[i];
    if (count > 0)
        wake(waiting[sim_below(&world.dice, count)], false);
    return 0;
}

int __wrap_pthread_cond_broadcast(pthread_cond_t *condition)
{
    if (world.current != NULL)
        sim_wake(condition);
    return 0;
}
