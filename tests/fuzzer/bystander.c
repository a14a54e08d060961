/* SPDX-License-Identifier: BSD-2-Clause */
/* Bystanders: on each CPU a PD with two threads. No other thread may change the registers, memory
 * and semaphores of the first thread. The second thread, the writer, writes to a page until the
 * fuzzer revokes this page. */
#include "internal.h"
#include "registers.h"

#define QUANTUM_US 60
#define CANARIES   4 /* order of the range of pages with a pattern */
#define CANARY     ((word_t)0x9e3779b97f4a7c15ull)
/* Selectors of a bystander's PD after the event portals of its two threads. */
#define BASE_ORDER  7
#define SEL_COUNTER 64
#define SEL_SLEEP   65
#define SEL_MAIL    72
#define PATIENCE    20000 /* milliseconds; long, because the host may have other work */

struct bystander {
        unsigned index;
        struct thread *thread, *writer;
        nova_sel_t base, mail; /* in the root PD */
        volatile word_t stop, beat, seen, wrong;
        volatile word_t ups, downs;
        /* The writer's page. granted: the writer's next fault gets the page; has: the last write
         * succeeded; granted_at: number of writes when the page was granted. */
        volatile word_t *page;
        volatile word_t granted, has, writes, granted_at;
        /* A page that the bystander itself revokes, and the number of its faults there. */
        volatile word_t *own;
        volatile word_t own_faults;
};

static struct bystander bystanders[CPUS_MAX];
static volatile word_t *canaries;
static volatile word_t quiet; /* 1: bystanders must not change the use of kernel memory */

static void fill(struct gpr *g, word_t key)
{
        word_t *const word = (word_t *)g;

        for (unsigned i = 0; i < sizeof(*g) / sizeof(word_t); i++)
                word[i] = key * (i + 3) ^ CANARY;
        g->flags = 0x202;
}

static bool same(const struct gpr *a, const struct gpr *b)
{
        const word_t *x = (const word_t *)a, *y = (const word_t *)b;

        for (unsigned i = 0; i < sizeof(*a) / sizeof(word_t); i++) {
                /* Not compared: the stack pointers and flags, which the stub itself changes, and
                 * the address of the stop word. */
                const word_t *at = &x[i];
                if (at == &a->sp || at == &a->sp_in || at == &a->flags || at == &a->GPR_STOP)
                        continue;
                if (x[i] != y[i])
                        return false;
        }
        return true;
}

static void complain(struct bystander *b, enum wrong what)
{
        if (!b->wrong)
                b->wrong = what;
}

/* Checks that all registers keep a pattern while other threads run. */
static void check_registers(struct bystander *b)
{
        const word_t key = b->beat * 64 + b->index + 1;
        struct gpr before, now;

        fill(&before, key);
        now = before;
        fpu_load(key << 4);
        b->stop = 0;
        spin_gprs(&now, &b->stop);
        if (!same(&before, &now))
                complain(b, REGISTERS);
        if (!fpu_holds(key << 4))
                complain(b, FPU_CHANGED);
}

/* Checks that a wait in the kernel preserves BX, BP and the registers of the FPU. */
static void check_wait(struct bystander *b)
{
        const uint64_t until = tsc() + plan.ticks;
        struct gpr before, now;

        fill(&before, b->beat);
        before.GPR_A1 =
                nova_hypercall_id(NOVA_SM_CTRL, NOVA_SM_DN_OP | NOVA_SM_TIMEOUT, SEL_COUNTER);
        before.GPR_A2 = (word_t)(until >> 32);
        before.GPR_A3 = (uint32_t)until;
        before.flags = 2;
        now = before;
        trap(&now);
        if (now.GPR_A1 != NOVA_COM_TIM || now.bx != before.bx || now.bp != before.bp)
                complain(b, WAIT);
        if (!fpu_holds((b->beat * 64 + b->index + 1) << 4))
                complain(b, FPU_CHANGED);
}

static void check_memory(struct bystander *b)
{
        const word_t words = (NOVA_PAGE_SIZE << CANARIES) / sizeof(word_t);
        const word_t first = b->beat % 16 * (words / 16);

        for (word_t i = first; i < first + words / 16; i++)
                if (canaries[i] != (i ^ CANARY))
                        complain(b, MEMORY);
}

static void check_semaphores(struct bystander *b)
{
        struct bystander *next = &bystanders[(b->index + 1) % plan.cpus];

        for (unsigned i = 0; i < 3; i++)
                if (hc_sm_ctrl(SEL_COUNTER, NOVA_SM_UP_OP) != NOVA_SUCCESS)
                        complain(b, COUNTER);
        for (unsigned i = 0; i < 3; i++)
                if (hc_sm_until(SEL_COUNTER, 0, 0) != NOVA_SUCCESS)
                        complain(b, COUNTER);
        if (hc_sm_until(SEL_COUNTER, 0, 0) != NOVA_COM_TIM)
                complain(b, COUNTER);
        b->ups++;
        hc_sm_ctrl(SEL_MAIL + next->index, NOVA_SM_UP_OP);
        while (hc_sm_until(SEL_MAIL + b->index, 0, 0) == NOVA_SUCCESS)
                b->downs++;
}

/* Checks that the bystander's next access to a page that it has revoked causes a fault. */
static void check_revocation(struct bystander *b)
{
        const word_t page = page_of((const void *)b->own);
        const word_t faults = b->own_faults;

        *b->own = b->beat;
        hc_revoke(mem(page, 0, NOVA_MEM_RWX), NOVA_REVOKE_SR);
        if (*b->own != b->beat || b->own_faults == faults)
                complain(b, REVOCATION);
}

static void rest_if_told(void)
{
        while (plan.pauses)
                hc_sm_until(SEL_SLEEP, 0, tsc() + plan.ticks / 2);
}

static void bystand(struct thread *t)
{
        struct bystander *b = t->arg;

        *b->own = 0; /* from now on the bystander has the page */
        for (;;) {
                rest_if_told();
                check_registers(b);
                check_wait(b);
                check_memory(b);
                check_semaphores(b);
                if (!quiet)
                        check_revocation(b);
                b->beat++;
        }
}

static void keep_writing(struct thread *t)
{
        struct bystander *b = t->arg;

        for (;;) {
                rest_if_told();
                b->has = probe_write(b->page, b->writes++ << 1) == 0;
                if (!b->has || b->writes % 64 == 0)
                        hc_sm_until(SEL_SLEEP, 0, tsc() + plan.ticks / 2);
        }
}

/* Answers a page fault with the page, the bystander's own page, or the canaries, which are
 * read-only. */
static bool on_event(struct thread *t, unsigned n, struct nova_utcb *u)
{
        struct bystander *b = t->arg;
        const word_t page = (word_t)u->state.qual[1] >> NOVA_PAGE_BITS;
        const word_t taken = page_of((const void *)b->page), own = page_of((const void *)b->own);
        const word_t first = page_of((const void *)canaries);
        nova_crd_t crd;

        b->own_faults += n == NOVA_EXC_PF && page == own;
        if (n == NOVA_EXC_PF && (page == own || (page == taken && b->granted)))
                crd = mem(page, 0, NOVA_MEM_R | NOVA_MEM_W);
        else if (n == NOVA_EXC_PF && page - first < 1 << CANARIES)
                crd = mem(first, CANARIES, NOVA_MEM_R);
        else
                return false;
        u->word[nova_utcb_item_index(0)] = crd;
        u->word[nova_utcb_item_index(0) + 1] = item_upper(NOVA_ITEM_DELEGATE, nova_crd_base(crd));
        u->state.mtd = 0;
        u->items = nova_utcb_items(1, 1);
        return true;
}

/* Returns a thread for a bystander's PD. The harness's thread for events on this CPU serves its
 * events. */
static struct thread *make_thread(unsigned cpu, nova_sel_t base, nova_sel_t events, thread_fn *fn,
                                  struct bystander *b)
{
        static const uint8_t numbers[] = {0x00, 0x01, 0x03, 0x04, 0x05, 0x06, 0x0b, 0x0c,
                                          0x0d, 0x0e, 0x10, 0x11, 0x13, 0x1e, 0x1f};
        static struct child some;
        struct thread *t = thread_blank(cpu);

        t->child = &some; /* not the root PD */
        t->events = base + events;
        t->own_events = events;
        t->fn = fn;
        t->arg = b;
        for (unsigned n = 0; n < sizeof(numbers); n++)
                event_portal(t, numbers[n], NOVA_MTD_EXCEPTION);
        return t;
}

static void start(struct thread *t, nova_sel_t pd)
{
        t->ec = sel_alloc(0);
        t->utcb = (struct nova_utcb *)utcb_alloc();
        EXPECT_EQ(hc_create_ec(t->ec, pd, (word_t)t->utcb | t->cpu, t->sp, t->own_events,
                               NOVA_EC_GLOBAL),
                  NOVA_SUCCESS);
        thread_start(t, PRIO, QUANTUM_US);
}

static void make(struct bystander *b, unsigned cpu)
{
        const nova_sel_t base = b->base, pd = sel_alloc(0);

        b->thread = make_thread(cpu, base, 0, bystand, b);
        b->writer = make_thread(cpu, base, EVENTS, keep_writing, b);
        b->thread->on_event = b->writer->on_event = on_event;
        b->page = (volatile word_t *)memory(0);
        b->own = (volatile word_t *)memory(0);
        b->granted = 1;
        EXPECT_EQ(hc_create_sm(base + SEL_COUNTER, ROOT_PD, 0), NOVA_SUCCESS);
        EXPECT_EQ(hc_create_sm(base + SEL_SLEEP, ROOT_PD, 0), NOVA_SUCCESS);
        for (unsigned i = 0; i < plan.cpus; i++)
                give_self(obj(bystanders[i].mail, ALL), base + SEL_MAIL + i);
        EXPECT_EQ(hc_create_pd(pd, ROOT_PD, nova_crd(NOVA_CRD_OBJ, base, BASE_ORDER, ALL)),
                  NOVA_SUCCESS);
        start(b->thread, pd);
        start(b->writer, pd);
}

void bystanders_init(void)
{
        canaries = (volatile word_t *)memory(CANARIES);
        for (word_t i = 0; i < (NOVA_PAGE_SIZE << CANARIES) / sizeof(word_t); i++)
                canaries[i] = i ^ CANARY;
        for (unsigned i = 0; i < plan.cpus; i++) {
                bystanders[i].index = i;
                bystanders[i].mail = semaphore(0);
        }
        for (unsigned i = 0; i < plan.cpus; i++)
                bystanders[i].base = sel_alloc(BASE_ORDER);
        for (unsigned i = 0; i < plan.cpus; i++)
                make(&bystanders[i], plan.cpu[i]);
}

void bystanders_poke(void)
{
        for (unsigned i = 0; i < plan.cpus; i++)
                bystanders[i].stop = 1;
}

static void page_grant(struct bystander *b)
{
        if (b->granted)
                return;
        b->granted_at = b->writes;
        b->granted = 1; /* the writer gets the page at its next fault */
}

/* Returns true if a write that began after the grant has succeeded. */
static bool has_page(const struct bystander *b)
{
        return b->granted && b->has && b->writes - b->granted_at >= 3;
}

static void shoot(struct bystander *b)
{
        page_grant(b);
        if (!has_page(b))
                return;
        /* No fault is pending, because the writer has the page. */
        b->granted = 0;
        EXPECT_EQ(hc_revoke(mem(page_of((const void *)b->page), 0, NOVA_MEM_RWX), 0), NOVA_SUCCESS);
        for (unsigned i = 0; i < 64; i++) {
                *b->page = CANARY | 1;
                for (unsigned n = 0; n < 50; n++)
                        if (*b->page != (CANARY | 1))
                                complain(b, SHOT);
        }
}

void bystanders_shoot(void)
{
        for (unsigned i = 0; i < plan.cpus; i++)
                shoot(&bystanders[i]);
}

/* Returns true if all bystanders have passed two checks, and all writers have their page. The
 * mapping of this page uses kernel memory, which the fuzzer compares. */
static bool all_have_run(void)
{
        for (unsigned i = 0; i < plan.cpus; i++) {
                page_grant(&bystanders[i]);
                if (bystanders[i].beat < bystanders[i].seen + 2 || !has_page(&bystanders[i]))
                        return false;
        }
        return true;
}

/* Checks that no more mail has arrived than was sent. Reads the number of arrivals first, because
 * the bystanders go on. */
static void check_mail(const struct bystander *b)
{
        const struct bystander *from = &bystanders[(b->index + plan.cpus - 1) % plan.cpus];
        const word_t arrived = b->downs, sent = from->ups;

        if (arrived > sent)
                complain(&bystanders[b->index], MAIL);
}

void bystanders_begin(void)
{
        quiet = 0;
}

void bystanders_check(void)
{
        quiet = 1;
        for (unsigned i = 0; i < plan.cpus; i++)
                bystanders[i].seen = bystanders[i].beat;
        for (unsigned ms = 0; ms < PATIENCE && !all_have_run(); ms++) {
                bystanders_poke();
                rest(1);
        }
        EXPECT(all_have_run());
        for (unsigned i = 0; i < plan.cpus; i++) {
                check_mail(&bystanders[i]);
                if (bystanders[i].wrong)
                        remark("CPU of a bystander that noticed a change:", plan.cpu[i]);
                EXPECT_EQ(bystanders[i].wrong, NOTHING);
        }
}

/* Ends the bystanders, which would otherwise occupy the CPU of the thread that prints the result.
 */
void bystanders_end(void)
{
        for (unsigned i = 0; i < plan.cpus; i++) {
                hc_revoke(obj(bystanders[i].thread->sc, NOVA_PERM_ALL), NOVA_REVOKE_SR);
                hc_revoke(obj(bystanders[i].writer->sc, NOVA_PERM_ALL), NOVA_REVOKE_SR);
        }
}
