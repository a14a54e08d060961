/* SPDX-License-Identifier: BSD-2-Clause */
/* Threads, child PDs, and their selectors, pages and stacks. */
#include "internal.h"

#define POOL      112
#define PERMANENT 40 /* threads of the pool that the harness keeps */
#define KEEPERS   16
#define UTCB_BASE 0x50000000
#define PAGE_BASE 0x60000
#define FAR_BASE  0xe0000 /* below 2^20: a CRD of x86-32 can name no more selectors */

static struct thread pool[POOL];
static char stacks[POOL][STACK_BYTES] __attribute__((aligned(16)));
static unsigned permanent_next, pool_next = PERMANENT;
static struct thread *keepers[KEEPERS]; /* event handler of each CPU */
static struct child children[16];
static unsigned child_next;
static nova_sel_t sel_next, sel_end;
struct thread *mirror;
struct gpr portal_gpr, portal_gpr_out;
word_t portal_gpr_sp;

static const uint8_t event_numbers[] = {0x00, 0x01, 0x03, 0x04, 0x05, 0x06, 0x0a, 0x0b,
                                        0x0c, 0x0d, 0x0e, 0x10, 0x11, 0x13, 0x1e, 0x1f};

void sel_range(nova_sel_t first, nova_sel_t end)
{
        sel_next = first;
        sel_end = end;
}

nova_sel_t sel_mark(void)
{
        return sel_next;
}

void sel_release(nova_sel_t mark)
{
        while (sel_next > mark)
                hc_revoke(obj(--sel_next, NOVA_PERM_ALL), NOVA_REVOKE_SR);
}

static nova_sel_t align(nova_sel_t value, unsigned order)
{
        return (value + ((nova_sel_t)1 << order) - 1) & ~(((nova_sel_t)1 << order) - 1);
}

nova_sel_t sel_alloc(unsigned order)
{
        const nova_sel_t sel = align(sel_next, order);
        EXPECT(sel + ((nova_sel_t)1 << order) <= sel_end);
        sel_next = sel + ((nova_sel_t)1 << order);
        return sel;
}

nova_sel_t sel_far(unsigned order)
{
        static nova_sel_t next = FAR_BASE;
        const nova_sel_t sel = align(next, order);
        next = sel + ((nova_sel_t)1 << order);
        return sel;
}

word_t page_alloc(unsigned order)
{
        static word_t next = PAGE_BASE;
        const word_t page = align(next, order);
        next = page + ((word_t)1 << order) + 1; /* leaves a free page after the range */
        return page;
}

word_t utcb_alloc(void)
{
        static word_t next = UTCB_BASE;
        next += NOVA_PAGE_SIZE;
        return next;
}

nova_sel_t semaphore(word_t count)
{
        const nova_sel_t sm = sel_alloc(0);
        EXPECT_EQ(hc_create_sm(sm, ROOT_PD, count), NOVA_SUCCESS);
        return sm;
}

void rest(unsigned ms)
{
        /* All cases share the semaphore. If each case created one, a case that measures memory
         * would measure the semaphore, too. */
        static nova_sel_t sm;
        if (!sm) {
                sm = sel_far(0);
                EXPECT_EQ(hc_create_sm(sm, ROOT_PD, 0), NOVA_SUCCESS);
        }
        EXPECT_EQ(hc_sm_until(sm, 0, tsc() + ms * tsc_per_ms()), NOVA_COM_TIM);
}

void rest_until_freed(void)
{
        rest(300); /* an emulator on a busy host is late */
}

static struct thread *keeper_of(unsigned cpu)
{
        for (unsigned i = 0; i < KEEPERS; i++) {
                if (keepers[i] && keepers[i]->cpu == cpu)
                        return keepers[i];
        }
        return NULL;
}

struct nova_utcb *event_utcb(unsigned cpu)
{
        return keeper_of(cpu)->utcb;
}

/* Returns the slot of a new thread. Threads made outside of cases stay; those of cases are reused
 * in turn. */
static unsigned next_slot(void)
{
        if (sel_end <= PERMANENT_SEL_END && permanent_next < PERMANENT)
                return permanent_next++;
        const unsigned i = pool_next++;
        if (pool_next == POOL)
                pool_next = PERMANENT;
        return i;
}

struct thread *thread_blank(unsigned cpu)
{
        const unsigned i = next_slot();
        struct thread *t = &pool[i];
        volatile char *bytes = (volatile char *)t;
        for (size_t n = 0; n < sizeof(*t); n++)
                bytes[n] = 0;
        t->cpu = cpu;
        t->event = NO_EVENT;
        t->sp = (word_t)stacks[i] + STACK_BYTES - 64;
        *(struct thread **)t->sp = t;
        return t;
}

struct thread *thread_of_event(nova_sel_t portal)
{
        for (unsigned i = 0; i < POOL; i++) {
                struct thread *t = &pool[i];
                if (t->events && portal >= t->events && portal < t->events + EVENTS)
                        return t;
        }
        return NULL;
}

void event_remove(struct thread *t, unsigned n)
{
        hc_revoke(obj(t->events + n, NOVA_PERM_ALL), NOVA_REVOKE_SR);
}

void event_portal(struct thread *t, unsigned n, nova_mtd_t mtd)
{
        event_remove(t, n);
        EXPECT_EQ(hc_create_pt(t->events + n, ROOT_PD, keeper_of(t->cpu)->ec, mtd,
                               (word_t)portal_entry),
                  NOVA_SUCCESS);
}

static void event_portals(nova_sel_t base, unsigned cpu)
{
        for (unsigned i = 0; i < sizeof(event_numbers); i++)
                EXPECT_EQ(hc_create_pt(base + event_numbers[i], ROOT_PD, keeper_of(cpu)->ec,
                                       NOVA_MTD_EXCEPTION, (word_t)portal_entry),
                          NOVA_SUCCESS);
}

nova_sel_t portal(struct thread *t)
{
        const nova_sel_t pt = sel_alloc(0);
        EXPECT_EQ(hc_create_pt(pt, ROOT_PD, t->ec, 0, (word_t)portal_entry), NOVA_SUCCESS);
        return pt;
}

static void make_ec(struct thread *t, nova_sel_t pd, word_t flags)
{
        t->ec = sel_alloc(0);
        t->utcb = (struct nova_utcb *)utcb_alloc();
        EXPECT_EQ(hc_create_ec(t->ec, pd, (word_t)t->utcb | t->cpu, t->sp, t->own_events, flags),
                  NOVA_SUCCESS);
}

static struct thread *root_thread(unsigned cpu, bool events)
{
        struct thread *t = thread_blank(cpu);
        if (events) {
                t->events = t->own_events = sel_alloc(5);
                event_portals(t->events, cpu);
        }
        return t;
}

struct thread *server(unsigned cpu)
{
        struct thread *t = root_thread(cpu, true);
        make_ec(t, ROOT_PD, 0);
        t->pt = portal(t);
        return t;
}

struct thread *global(unsigned cpu, thread_fn *fn, void *arg)
{
        struct thread *t = root_thread(cpu, true);
        t->global = true;
        t->fn = fn;
        t->arg = arg;
        make_ec(t, ROOT_PD, NOVA_EC_GLOBAL);
        return t;
}

void thread_start(struct thread *t, unsigned prio, unsigned quantum_us)
{
        t->sc = sel_alloc(0);
        EXPECT_EQ(hc_create_sc(t->sc, ROOT_PD, t->ec, nova_qpd(quantum_us, prio)), NOVA_SUCCESS);
}

struct thread *run_thread(unsigned cpu, unsigned prio, thread_fn *fn, void *arg)
{
        struct thread *t = global(cpu, fn, arg);
        thread_start(t, prio, QUANTUM);
        return t;
}

/* Makes a child with its event portals, but without a PD. */
static struct child *child_blank(unsigned cpu)
{
        struct child *c = &children[child_next++ % 16];
        c->cpu = cpu;
        c->threads = 0;
        c->portals = sel_alloc(CHILD_ORDER);
        for (unsigned slot = 0; slot < 1 << CHILD_ORDER; slot += EVENTS)
                event_portals(c->portals + slot, cpu);
        c->pd = sel_alloc(0);
        return c;
}

struct child *child_masked(unsigned cpu, unsigned perms)
{
        struct child *c = child_blank(cpu);
        EXPECT_EQ(hc_create_pd(c->pd, ROOT_PD,
                               nova_crd(NOVA_CRD_OBJ, c->portals, CHILD_ORDER, perms)),
                  NOVA_SUCCESS);
        return c;
}

struct child *child_with_account(unsigned cpu, word_t bytes, const struct thread *reaches)
{
        struct child *c = child_blank(cpu);
        struct args a = {nova_hypercall_id(NOVA_CREATE_PD, NOVA_PD_ACCOUNT, c->pd), ROOT_PD,
                         nova_crd(NOVA_CRD_OBJ, c->portals, CHILD_ORDER, NOVA_PERM_ALL), bytes, 0};
        EXPECT_EQ(hc_create_pt(c->portals + CHILD_WAY_SEL, ROOT_PD, reaches->ec, 0,
                               (word_t)portal_entry),
                  NOVA_SUCCESS);
        EXPECT_EQ(hypercall(&a), NOVA_SUCCESS);
        return c;
}

struct child *child_new(unsigned cpu)
{
        return child_masked(cpu, NOVA_PERM_ALL);
}

static struct thread *child_thread(struct child *c, word_t flags)
{
        EXPECT(c->threads < (1 << CHILD_ORDER) / EVENTS);
        struct thread *t = thread_blank(c->cpu);
        t->child = c;
        t->own_events = EVENTS * c->threads++;
        t->events = c->portals + t->own_events;
        t->global = flags != 0;
        make_ec(t, c->pd, flags);
        return t;
}

struct thread *child_server(struct child *c)
{
        struct thread *t = child_thread(c, 0);
        t->pt = portal(t);
        return t;
}

struct thread *child_global(struct child *c, thread_fn *fn, void *arg)
{
        struct thread *t = child_thread(c, NOVA_EC_GLOBAL);
        t->fn = fn;
        t->arg = arg;
        return t;
}

/* Makes an event handler on each CPU, and the thread for requests; they live for ever. */
void threads_init(void)
{
        if (cpu_count > KEEPERS)
                cpu_count = KEEPERS;
        for (unsigned i = 0; i < cpu_count; i++) {
                keepers[i] = root_thread(cpu_numbers[i], false);
                make_ec(keepers[i], ROOT_PD, 0);
        }
        mirror = server(boot_cpu);
}

static void serve(word_t portal, struct thread *t, word_t entry)
{
        struct nova_utcb *u = t->utcb;
        t->portal = portal;
        t->entry = entry;
        t->rx_items = u->items;
        for (unsigned i = 0; i < RX_ITEMS; i++) {
                t->rx_word[i] = u->word[i];
                t->rx_item[2 * i] = u->word[nova_utcb_item_index(i)];
                t->rx_item[2 * i + 1] = u->word[nova_utcb_item_index(i) + 1];
        }
        t->calls++;
        u->items = 0;
        thread_fn *fn = t->fn;
        t->fn = NULL;
        if (fn)
                fn(t);
        u->translate_window = t->win_t;
        u->delegate_window = t->win_d;
}

void portal_dispatch(word_t portal, struct thread *t)
{
        if (keeper_of(t->cpu) == t)
                event_serve(t, portal);
        else
                serve(portal, t, 0);
}

void portal_dispatch_other(word_t portal, struct thread *t)
{
        serve(portal, t, 1);
}

_Noreturn void global_main(struct thread *t)
{
        t->started = 1;
        t->fn(t);
        t->done = 1;
        thread_exit();
}

void thread_exit(void)
{
        reply_now();
}

void thread_exit_fn(struct thread *t)
{
        (void)t;
}
