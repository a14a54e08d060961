/* SPDX-License-Identifier: BSD-2-Clause */
/* The cost of operations while 1, 10, 1,000 and 100,000 objects of a kind exist, and the time that
 * the end of these objects takes. */
#include "bench.h"
#include "nova/abi/event.h"

#define MOST         100000
#define MOST_THREADS 80000 /* threads fit easily into a pool of 512 MiB */

/* Selectors and pages of the objects, apart from a case's own window and the harness. Every eighth
 * place stays free, so that the operations can create and delegate objects among the existing ones.
 * A few objects have the low selectors that a program would use first; many have selectors that the
 * kernel finds by a longer path. */
#define RANGE_ORDER   17
#define MANY_THINGS   0xe0000
#define FEW_ORDER     11
#define FEW_THINGS    0x10000
#define FEW           1000
#define THREAD_SCS    0xc0000
#define PAGES         0x80000
#define THREAD_UTCBS  0xa0000
#define OTHER_UTCBS   0xba000
#define OTHER_PAGES   (PAGES - 1) /* this page stays, the one below comes and goes */
#define LOW_PRIOS     (PRIO_LOW - 1)
#define STRIDE        7919  /* a prime: rounds reach all places */
#define TIMER_TICKS   50000 /* time between two deadlines */
#define SPREAD_TICKS  4000  /* time for a thread to wake and wait again, with another deadline */
#define FAR_DEADLINE  ((uint64_t)1 << 52) /* deadlines at or above this are never reached */
#define CASE_DEADLINE 3000

/* Marks for the plugin that measures stretches with interrupts off. */
#define MARK_END    1
#define MARK_BESIDE 2

enum operation {
        CALL,
        LOOKUP_OBJECT,
        CREATE_SM,
        DESTROY_SM,
        CREATE_PT,
        DESTROY_PT,
        CREATE_SC,
        DESTROY_SC,
        CREATE_EC,
        DESTROY_EC,
        CREATE_PD,
        DESTROY_PD,
        DELEGATE_OBJECT,
        REVOKE_OBJECT,
        DELEGATE_PAGE,
        LOOKUP_MEMORY,
        REVOKE_PAGE,
        WAKE,
        OPERATIONS
};

static const char *const names[OPERATIONS] = {
        [CALL] = "call",
        [LOOKUP_OBJECT] = "lookup_object",
        [CREATE_SM] = "create_sm",
        [DESTROY_SM] = "destroy_sm",
        [CREATE_PT] = "create_pt",
        [DESTROY_PT] = "destroy_pt",
        [CREATE_SC] = "create_sc",
        [DESTROY_SC] = "destroy_sc",
        [CREATE_EC] = "create_ec",
        [DESTROY_EC] = "destroy_ec",
        [CREATE_PD] = "create_pd",
        [DESTROY_PD] = "destroy_pd",
        [DELEGATE_OBJECT] = "delegate_object",
        [REVOKE_OBJECT] = "revoke_object",
        [DELEGATE_PAGE] = "delegate_page",
        [LOOKUP_MEMORY] = "lookup_memory",
        [REVOKE_PAGE] = "revoke_page",
        [WAKE] = "wake",
};

struct kind {
        const char *key;
        word_t (*make)(word_t n);
        void (*end)(void);
        word_t most;
        bool semaphores, portals, pages; /* operations use one of the objects */
        bool deadlines;                  /* the deadlines that pass are those of the objects */
};

static const struct kind *kind;
static word_t present;    /* number of objects */
static nova_sel_t things; /* first selector of the objects */
static nova_sel_t fixed_sm, fixed_pt, object_pt, page_pt, wake_sm, crowd_sm, free_sel, events;
static word_t page;
static struct thread *echo, *object_taker, *page_taker, *waker;
/* Thread that gets new SCs. Their priority is lower than the case's, so the thread never runs. */
static struct thread *without_sc;
static struct timed ops[OPERATIONS];

/* ---- The objects ----------------------------------------------------------------------------- */

static word_t place(word_t n)
{
        return n / 7 * 8 + n % 7;
}

static word_t make_sm(word_t n)
{
        return hc_create_sm(things + place(n), ROOT_PD, 0);
}

static word_t make_pt(word_t n)
{
        return hc_create_pt(things + place(n), ROOT_PD, echo->ec, 0, (word_t)portal_echo);
}

static word_t make_pd(word_t n)
{
        return hc_create_pd(things + place(n), ROOT_PD, 0);
}

static word_t delegate(nova_sel_t pt, nova_crd_t crd, word_t to)
{
        self->utcb->word[nova_utcb_item_index(0)] = crd;
        self->utcb->word[nova_utcb_item_index(0) + 1] = item_upper(NOVA_ITEM_DELEGATE, to);
        self->utcb->items = nova_utcb_items(0, 1);
        return hc_call(pt, 0);
}

static word_t make_delegation(word_t n)
{
        return delegate(object_pt, obj(fixed_sm, NOVA_PERM_ALL), things + place(n));
}

static word_t make_page(word_t n)
{
        return delegate(page_pt, mem(page, 0, NOVA_MEM_RWX), PAGES + place(n));
}

/* The stack of all threads. They share it because none uses it: a thread never returns, and needs
 * registers only. */
static char stack[STACK_BYTES] __attribute__((aligned(16)));

static word_t make_thread(word_t n, unsigned prio)
{
        const word_t utcb = (THREAD_UTCBS + n) << NOVA_PAGE_BITS;
        const word_t sp = (word_t)(stack + STACK_BYTES - 64) - sizeof(word_t);
        const word_t status = hc_create_ec(things + place(n), ROOT_PD, utcb | boot_cpu, sp, events,
                                           NOVA_EC_GLOBAL);

        if (status != NOVA_SUCCESS)
                return status;
        return hc_create_sc(THREAD_SCS + n, ROOT_PD, things + place(n), nova_qpd(QUANTUM, prio));
}

static word_t make_ready(word_t n)
{
        return make_thread(n, 1 + (unsigned)(n % LOW_PRIOS));
}

/* Starts the thread, which runs at once until its down. */
static word_t make_waiting(word_t n)
{
        bench_deadline = FAR_DEADLINE + (uint32_t)n * 2654435761u; /* in no particular order */
        return make_thread(n, PRIO_HIGH);
}

/* Replies to the first event of a thread. */
static void begin_waiting(struct thread *t)
{
        t->fn = begin_waiting;
        t->utcb->state.mtd = NOVA_MTD_EIP;
        t->utcb->state.ip = (word_t)loop_deadlines;
        t->utcb->items = nova_utcb_items(NOVA_UTCB_STATE_WORDS, 0);
}

/* ---- The end of the objects ------------------------------------------------------------------ */

static void revoke_things(void)
{
        const unsigned order = things == FEW_THINGS ? FEW_ORDER : RANGE_ORDER;

        EXPECT_EQ(hc_revoke(nova_crd(NOVA_CRD_OBJ, things, order, NOVA_PERM_ALL), NOVA_REVOKE_SR),
                  NOVA_SUCCESS);
}

static void revoke_threads(void)
{
        EXPECT_EQ(hc_revoke(nova_crd(NOVA_CRD_OBJ, THREAD_SCS, RANGE_ORDER, NOVA_PERM_ALL),
                            NOVA_REVOKE_SR),
                  NOVA_SUCCESS);
        revoke_things();
}

static void revoke_delegations(void)
{
        EXPECT_EQ(hc_revoke(obj(fixed_sm, NOVA_PERM_ALL), 0), NOVA_SUCCESS);
}

static void revoke_pages(void)
{
        EXPECT_EQ(hc_revoke(mem(page, 0, NOVA_MEM_RWX), 0), NOVA_SUCCESS);
}

/* ---- Operations among the objects ------------------------------------------------------------ */

static word_t thing_of(unsigned round)
{
        return (word_t)round * STRIDE % present;
}

/* Returns the free place next to the object that a round uses. */
static word_t gap_of(unsigned round)
{
        return thing_of(round) / 7 * 8 + 7;
}

static nova_sel_t free_selector_of(unsigned round)
{
        return kind->pages ? free_sel : things + gap_of(round);
}

static word_t free_page_of(unsigned round)
{
        return kind->pages ? PAGES + gap_of(round) : OTHER_PAGES - 1;
}

static nova_sel_t semaphore_of(unsigned round)
{
        return kind->semaphores ? things + place(thing_of(round)) : fixed_sm;
}

static void next_call(struct timed *op, unsigned round)
{
        const nova_sel_t pt = kind->portals ? things + place(thing_of(round)) : fixed_pt;

        op->args.a1 = nova_hypercall_id(NOVA_CALL, 0, pt);
}

static void next_lookup_object(struct timed *op, unsigned round)
{
        op->args.a2 = obj(semaphore_of(round), 0);
}

/* Gives the create hypercall another free selector. The lowest byte of the identifier decides which
 * object is created. */
static void next_create(struct timed *op, unsigned round)
{
        op->args.a1 = (op->args.a1 & 0xff) | nova_hypercall_id(0, 0, free_selector_of(round));
}

/* Creates and ends one more semaphore in every second round, so that two rounds end an odd number
 * of objects. The kernel frees objects in batches whose size is a power of two, so each operation
 * gets its share of that work. */
static void next_first_create(struct timed *op, unsigned round)
{
        if (round % 2) {
                EXPECT_EQ(hc_create_sm(free_selector_of(round), ROOT_PD, 0), NOVA_SUCCESS);
                EXPECT_EQ(hc_revoke(obj(free_selector_of(round), NOVA_PERM_ALL), NOVA_REVOKE_SR),
                          NOVA_SUCCESS);
        }
        next_create(op, round);
}

static void next_revoke(struct timed *op, unsigned round)
{
        op->args.a2 = obj(free_selector_of(round), NOVA_PERM_ALL);
}

/* Selects the page that was just delegated. In each round it has another place in the trees. */
static void next_lookup_memory(struct timed *op, unsigned round)
{
        op->args.a2 = mem(free_page_of(round), 0, 0);
}

/* Looks up another page first: a search begins at the result of the previous search, which in
 * practice is rarely the page to be revoked. */
static void next_revoke_page(struct timed *op, unsigned round)
{
        look(NOVA_CRD_MEM, page);
        op->args.a2 = mem(free_page_of(round), 0, NOVA_MEM_RWX);
}

static void next_item(nova_crd_t crd, word_t to)
{
        self->utcb->word[nova_utcb_item_index(0)] = crd;
        self->utcb->word[nova_utcb_item_index(0) + 1] = item_upper(NOVA_ITEM_DELEGATE, to);
}

static void next_delegate_object(struct timed *op, unsigned round)
{
        (void)op;
        next_item(obj(semaphore_of(round), NOVA_PERM_ALL), free_selector_of(round));
}

static void next_delegate_page(struct timed *op, unsigned round)
{
        (void)op;
        next_item(mem(page, 0, NOVA_MEM_RWX), free_page_of(round));
}

static struct timed sending(nova_sel_t pt, before_fn *before)
{
        return (struct timed){.fn = timed_trap_1,
                              .args = {.a1 = nova_hypercall_id(NOVA_CALL, 0, pt)},
                              .items = nova_utcb_items(0, 1),
                              .before = before};
}

static struct timed revoking(before_fn *before)
{
        return (struct timed){.fn = timed_trap_2,
                              .args = {.a1 = nova_hypercall_id(NOVA_REVOKE, NOVA_REVOKE_SR, 0)},
                              .before = before};
}

/* Prepares the operation that creates an object, and the next one, which drops the object. */
static void creating(enum operation operation, enum nova_hypercall number, word_t flags,
                     timed_fn *fn, const struct args *args)
{
        ops[operation] = (struct timed){.fn = fn, .args = *args, .before = next_create};
        ops[operation].args.a1 = nova_hypercall_id(number, flags, 0);
        ops[operation].args.a2 = ROOT_PD;
        ops[operation + 1] = revoking(next_revoke);
}

static struct timed looking(nova_crd_t crd, before_fn *before)
{
        return (struct timed){.fn = timed_trap_2,
                              .args = {.a1 = nova_hypercall_id(NOVA_LOOKUP, 0, 0), .a2 = crd},
                              .before = before};
}

static void prepare(void)
{
        const word_t utcb = (word_t)OTHER_UTCBS << NOVA_PAGE_BITS;

        ops[CALL] = (struct timed){.fn = timed_trap_1, .before = next_call};
        ops[LOOKUP_OBJECT] = looking(0, next_lookup_object);
        ops[LOOKUP_MEMORY] = looking(0, next_lookup_memory);
        creating(CREATE_SM, NOVA_CREATE_SM, 0, timed_trap_3, &(struct args){0});
        ops[CREATE_SM].before = next_first_create;
        creating(CREATE_PT, NOVA_CREATE_PT, 0, timed_trap_5,
                 &(struct args){.a3 = echo->ec, .a5 = (word_t)portal_echo});
        creating(CREATE_SC, NOVA_CREATE_SC, 0, timed_trap_4,
                 &(struct args){.a3 = without_sc->ec, .a4 = nova_qpd(QUANTUM, PRIO_LOW)});
        creating(CREATE_EC, NOVA_CREATE_EC, NOVA_EC_GLOBAL, timed_trap_5,
                 &(struct args){.a3 = utcb | boot_cpu, .a5 = events});
        creating(CREATE_PD, NOVA_CREATE_PD, 0, timed_trap_3, &(struct args){0});
        ops[DELEGATE_OBJECT] = sending(object_pt, next_delegate_object);
        ops[REVOKE_OBJECT] = revoking(next_revoke);
        ops[DELEGATE_PAGE] = sending(page_pt, next_delegate_page);
        ops[REVOKE_PAGE] = revoking(next_revoke_page);
        ops[WAKE] = (struct timed){
                .fn = timed_trap_1,
                .args = {.a1 = nova_hypercall_id(NOVA_SM_CTRL, NOVA_SM_UP_OP, wake_sm)}};
        for (unsigned i = 0; i < OPERATIONS; i++)
                ops[i].mean = true;
}

/* ---- Deadlines ------------------------------------------------------------------------------- */

/* Returns the deadline with a number. Only the first ROUNDS deadlines pass. */
static uint64_t deadline_of(uint64_t first, word_t number)
{
        const uint64_t at = first + (uint64_t)number * TIMER_TICKS;

        return number < ROUNDS ? at : at + FAR_DEADLINE;
}

/* Gives each of n waiting threads one of the first n deadlines, in mixed order (a stride), so that
 * the heap has no special shape. Returns the first deadline. */
static uint64_t spread_deadlines(word_t n)
{
        const uint64_t first = tsc() + TIMER_TICKS + (uint64_t)n * SPREAD_TICKS;

        for (word_t i = 0; i < n; i++) {
                bench_deadline = deadline_of(first, i * STRIDE % n);
                EXPECT_EQ(hc_sm_ctrl(crowd_sm, NOVA_SM_UP_OP), NOVA_SUCCESS);
        }
        EXPECT(tsc() < first);
        return first;
}

/* Waits for one deadline after another, in a thread of higher priority than the case. */
static void wait_again(struct thread *t)
{
        (void)t;
        loop_deadlines();
}

/* Returns the ticks that a deadline took, measured as a gap between two readings of the clock. */
static uint32_t time_of_deadline(void)
{
        const word_t seen = bench_deadlines;
        uint64_t before = tsc(), now = before;

        while (bench_deadlines == seen) {
                before = now;
                now = tsc();
        }
        return (uint32_t)(tsc() - before);
}

/* Measures the end of deadlines. Each thread waits for a deadline and, when it has passed, for one
 * that is later than all others. */
static uint32_t timer(void)
{
        static struct timed op = {.mean = true};
        const word_t n = kind->deadlines ? present : 1;
        struct thread *t = NULL;

        if (!kind->deadlines) {
                bench_deadline = FAR_DEADLINE;
                t = run_thread(boot_cpu, PRIO_HIGH, wait_again, NULL);
        }
        const uint64_t first = spread_deadlines(n);
        for (unsigned i = 0; i < ROUNDS; i++) {
                bench_deadline = deadline_of(first, n + i);
                op.sample[i] = time_of_deadline();
        }
        if (t)
                thread_stop(t);
        return figure(&op);
}

/* ---- Measurements with one number of objects ------------------------------------------------- */

static void report_beside(const char *operation, uint32_t value)
{
        console_string("scale ");
        console_string(kind->key);
        console_char(' ');
        console_string(operation);
        console_char(' ');
        console_dec(present);
        console_char(' ');
        console_dec(value);
        console_char('\n');
}

static void count_beside(word_t n)
{
        things = n <= FEW ? FEW_THINGS : MANY_THINGS;
        for (present = 0; present < n; present++)
                EXPECT_EQ(kind->make(present), NOVA_SUCCESS);
        prepare();
        run_rounds(ops, OPERATIONS, self->utcb);
        for (unsigned i = 0; i < OPERATIONS; i++)
                report_beside(names[i], figure(&ops[i]));
        if (hip->features & NOVA_HIP_TIMEOUT)
                report_beside("timer", timer());
        const uint64_t begin = tsc();
        MARKER(MARK_END);
        kind->end();
        MARKER(MARK_BESIDE);
        report_beside("end_each", (uint32_t)((tsc() - begin) / n));
}

static struct thread *taker(unsigned type)
{
        struct thread *t = server(boot_cpu);

        windows(t, 0, nova_crd(type, 0, NOVA_CRD_ORDER_MASK, NOVA_PERM_ALL));
        return t;
}

static void wait_for_wake(struct thread *t)
{
        (void)t;
        loop_down(nova_hypercall_id(NOVA_SM_CTRL, NOVA_SM_DN_OP, wake_sm));
}

/* Keeps the table that a single object needs, so that no operation allocates and frees it. */
static void keep_tables(void)
{
        const nova_crd_t crd = mem(page_of(memory(0)), 0, NOVA_MEM_R);

        if (look(NOVA_CRD_MEM, OTHER_PAGES))
                return;
        EXPECT_EQ(delegate(page_pt, crd, OTHER_PAGES), NOVA_SUCCESS);
        EXPECT_EQ(delegate(page_pt, crd, OTHER_UTCBS + 1), NOVA_SUCCESS);
}

static void count_kind(const struct kind *k)
{
        static const word_t numbers[] = {1, 10, 1000, MOST};
        struct thread *starter = server(boot_cpu);

        MARKER(MARK_BESIDE);
        case_seconds(CASE_DEADLINE);
        kind = k;
        starter->fn = begin_waiting;
        events = sel_alloc(5);
        EXPECT_EQ(hc_create_pt(events + NOVA_EXC_STARTUP, ROOT_PD, starter->ec, 0,
                               (word_t)portal_entry),
                  NOVA_SUCCESS);
        echo = server(boot_cpu);
        fixed_pt = portal_at(echo, 0, portal_echo);
        without_sc = global(boot_cpu, thread_exit_fn, NULL);
        object_taker = taker(NOVA_CRD_OBJ);
        object_pt = portal_at(object_taker, 0, portal_empty);
        page_taker = taker(NOVA_CRD_MEM);
        page_pt = portal_at(page_taker, 0, portal_empty);
        page = page_of(memory(0));
        keep_tables();
        fixed_sm = semaphore(0);
        wake_sm = semaphore(0);
        crowd_sm = semaphore(0);
        bench_wait = nova_hypercall_id(NOVA_SM_CTRL, NOVA_SM_DN_OP | NOVA_SM_TIMEOUT, crowd_sm);
        free_sel = sel_alloc(0);
        waker = run_thread(boot_cpu, PRIO_HIGH, wait_for_wake, NULL);
        for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
                count_beside(numbers[i] < k->most ? numbers[i] : k->most);
        thread_stop(waker);
}

/* Defines the case of a kind of objects: its key, its needs, the function that makes one object,
 * the function that ends all objects, their maximum number, and the fields that say which
 * operations use the objects. */
#define KIND(key_, needs_, ...)                                    \
        CASE_ON(scale, key_, "", needs_)                           \
        {                                                          \
                static const struct kind k = {#key_, __VA_ARGS__}; \
                count_kind(&k);                                    \
        }

KIND(semaphores, NULL, make_sm, revoke_things, .most = MOST, .semaphores = true)
KIND(portals, NULL, make_pt, revoke_things, .most = MOST, .portals = true)
KIND(domains, NULL, make_pd, revoke_things, .most = MOST)
KIND(delegations, NULL, make_delegation, revoke_delegations, .most = MOST)
KIND(pages, NULL, make_page, revoke_pages, .most = MOST, .pages = true)
KIND(ready, NULL, make_ready, revoke_threads, .most = MOST_THREADS)
KIND(waiting, needs_timeout, make_waiting, revoke_threads, .most = MOST_THREADS, .deadlines = true)
