/* SPDX-License-Identifier: BSD-2-Clause */
/* Actions of suspects: random hypercalls with mostly plausible arguments, exceptions, and replies.
 * This code runs in PDs that may write to nothing but their stacks and the shared pages. */
#include "fuzzer.h"

#define WAIT_US     300
#define HOMES_ORDER 3 /* order of the selectors of the PDs that may have threads */

_Static_assert(1 << HOMES_ORDER == ARENAS, "a selector for each PD that may have threads");

typedef void step_fn(struct suspect *s);

static word_t below(struct suspect *s, word_t n)
{
        return random_below(&s->seed, n);
}

static bool one_in(struct suspect *s, word_t n)
{
        return below(s, n) == 0;
}

/* Returns a selector, usually of the zone, otherwise of another zone, or any number. */
static nova_sel_t pick(struct suspect *s, nova_sel_t zone, word_t count)
{
        const word_t r = below(s, 64);

        if (r == 0)
                return random_value(&s->seed);
        if (r < 4)
                return SEL_SM + below(s, SEL_END - SEL_SM);
        return zone + below(s, r & 1 ? count : 8);
}

/* Returns the selector of a PD that may have threads, usually that of the suspect's own PD. */
static nova_sel_t pick_home(struct suspect *s)
{
        return SEL_PD + (one_in(s, 2) ? s->arena : below(s, ARENAS));
}

/* Returns the selector of any PD, as an owner of objects. */
static nova_sel_t pick_pd(struct suspect *s)
{
        return one_in(s, 4) ? pick(s, SEL_CHILD, HALF) : pick_home(s);
}

static word_t pick_cpu(struct suspect *s)
{
        return one_in(s, 64) ? random_value(&s->seed) & 0xfff : plan.cpu[below(s, plan.cpus)];
}

/* Returns some of the shared pages. If gdb compares, often reads the first of them before, so that
 * the suspect has this page. */
static nova_crd_t pick_memory(struct suspect *s, unsigned order, unsigned perms)
{
        const word_t page = (plan.shared >> NOVA_PAGE_BITS) + below(s, 1 << SHARED_ORDER);

        if (plan.compares && one_in(s, 2))
                (void)*(volatile word_t *)(page << NOVA_PAGE_BITS);
        return nova_crd(NOVA_CRD_MEM, page, order % SHARED_ORDER, perms);
}

static nova_crd_t pick_crd(struct suspect *s)
{
        const unsigned order = (unsigned)below(s, 6),
                       perms = one_in(s, 3) ? (unsigned)below(s, 32) : ALL;

        switch (below(s, 8)) {
        case 0:
                return random_value(&s->seed);
        case 1:
        case 2:
                return pick_memory(s, order, perms);
        case 3:
                return nova_crd(NOVA_CRD_IO,
                                plan.compares ? PORT + below(s, 1 << PORT_ORDER)
                                              : PORT - below(s, 4),
                                order, perms);
        default:
                return nova_crd(NOVA_CRD_OBJ, SEL_SM + below(s, SEL_END - SEL_SM), order, perms);
        }
}

static bool is_home(nova_sel_t sel)
{
        return sel - SEL_PD < ARENAS;
}

/* Returns true if a window for objects contains the selector of a PD that may have threads. */
static bool has_home(nova_crd_t window)
{
        const unsigned order = nova_crd_order(window);

        return nova_crd_type(window) == NOVA_CRD_OBJ &&
               !((nova_crd_base(window) ^ SEL_PD) >> (order > HOMES_ORDER ? order : HOMES_ORDER));
}

/* Returns a window for received capabilities. Only a keeper fills the selectors of the PDs that may
 * have threads. A stack belongs to such a selector and a slot: if the selector named another PD, a
 * thread of this PD would share the stack with a thread of the right PD. */
static nova_crd_t pick_window(struct suspect *s)
{
        const nova_crd_t crd = pick_crd(s);

        if (one_in(s, 2) && !has_home(crd))
                return crd;
        if (plan.compares && one_in(s, 3))
                return nova_crd(NOVA_CRD_MEM, plan.shared >> NOVA_PAGE_BITS, SHARED_ORDER, ALL);
        return one_in(s, 2) ? nova_crd(NOVA_CRD_OBJ, SEL_SM, 7, ALL)
                            : nova_crd(NOVA_CRD_OBJ, SEL_FREE, 6, ALL);
}

/* Waits while the fuzzer wants all threads to wait. A thread without the semaphore waits for its
 * keeper. */
static void rest_if_told(void)
{
        while (plan.pauses) {
                struct args a = {.a1 = nova_hypercall_id(NOVA_SM_CTRL, NOVA_SM_DN_OP, STILL)};
                if (hypercall(&a) != NOVA_SUCCESS)
                        raise_ud();
        }
}

/* Makes a hypercall, counts it, and notes it for the watchdog. Returns whether it succeeded. */
static bool invoke(struct suspect *s, enum nova_hypercall number, word_t flags, nova_sel_t sel,
                   struct args a)
{
        rest_if_told();
        a.a1 = nova_hypercall_id(number, flags, sel);
        if (one_in(s, 64)) {
                *(&a.a2 + below(s, 4)) = random_place(&s->seed);
                if (number == NOVA_CREATE_EC)
                        a.a4 = random_place(&s->seed); /* not the stack of another thread */
        }
        if (number == NOVA_CREATE_PT)
                a.a4 &= MTD_ALLOWED;
        s->now = a;
        s->inside = 1;
        s->results[number][RESULTS - 1]++;
        s->calls++;
        const word_t status = hypercall(&a);
        s->inside = 0;
        s->status = status;
        /* The reply to a recall may have changed the register that holds the status. */
        if (status <= NOVA_DEADLOCK) {
                s->results[number][RESULTS - 1]--;
                s->results[number][status]++;
        }
        s->lacks |= status == NOVA_BAD_CAP;
        return status == NOVA_SUCCESS;
}

/* Makes room at a selector before a create, three times out of four. */
static void vacate(struct suspect *s, nova_sel_t sel)
{
        if (!one_in(s, 4))
                invoke(s, NOVA_REVOKE, NOVA_REVOKE_SR, 0, (struct args){.a2 = obj(sel, ALL)});
}

/* ---- Messages ------------------------------------------------------------------------------- */

static void fill_message(struct suspect *s, struct nova_utcb *u)
{
        const word_t words = below(s, 12), typed = one_in(s, 2) ? below(s, 5) : 0;

        for (word_t i = 0; i < words; i++)
                u->word[i] = random_value(&s->seed);
        for (word_t i = 0; i < typed; i++) {
                const nova_crd_t crd = pick_crd(s);
                const word_t hot = one_in(s, 2) ? nova_crd_base(crd) : pick(s, SEL_FREE, 256);
                word_t flags = one_in(s, 4) ? NOVA_ITEM_TRANSLATE : NOVA_ITEM_DELEGATE;

                if (one_in(s, 8))
                        flags |= random_next(&s->seed) & NOVA_ITEM_FLAGS_MASK;
                u->word[nova_utcb_item_index((unsigned)i)] = crd;
                u->word[nova_utcb_item_index((unsigned)i) + 1] = item_upper(flags, hot);
        }
        u->items = nova_utcb_items(words, typed);
        if (one_in(s, 64))
                u->items = random_value(&s->seed);
        u->translate_window =
                one_in(s, 2) ? nova_crd(NOVA_CRD_OBJ, 0, GROUP_ORDER, ALL) : pick_crd(s);
        u->delegate_window = pick_window(s);
        u->state.mtd &= MTD_ALLOWED;
}

static struct nova_utcb *own_utcb(struct suspect *s)
{
        const word_t slot = ((word_t)s - plan.arenas) / SLOT;

        return (struct nova_utcb *)(plan.utcbs + slot * NOVA_PAGE_SIZE);
}

static void step_call(struct suspect *s)
{
        static const uint8_t flags[] = {0,
                                        0,
                                        NOVA_CALL_DD,
                                        NOVA_CALL_DB,
                                        NOVA_CALL_DL,
                                        NOVA_CALL_DB | NOVA_CALL_DD,
                                        NOVA_CALL_DL,
                                        NOVA_CALL_DB};

        fill_message(s, own_utcb(s));
        invoke(s, NOVA_CALL, flags[below(s, 8)], pick(s, SEL_PT, ZONE), (struct args){0});
}

/* Asks the keeper of its CPU for capabilities. */
static void step_obtain(struct suspect *s)
{
        struct nova_utcb *u = own_utcb(s);
        const nova_crd_t window = plan.compares && one_in(s, 8)
                                          ? nova_crd(NOVA_CRD_IO, 0, 16, ALL)
                                          : nova_crd(NOVA_CRD_OBJ, 0, GROUP_ORDER, ALL);

        for (unsigned i = 0; i < plan.cpus; i++) {
                u->word[0] = s->arena;
                u->items = nova_utcb_items(1, 0);
                u->delegate_window = window;
                if (invoke(s, NOVA_CALL, 0, s->home * EVENTS + SHOP, (struct args){0}))
                        break;
                s->home = (s->home + 1) % plan.cpus; /* a call does not leave its CPU */
        }
        u->delegate_window = 0;
        s->lacks = 0;
}

/* ---- Objects -------------------------------------------------------------------------------- */

static void step_create_pd(struct suspect *s)
{
        const nova_sel_t any = pick(s, SEL_CHILD, HALF), sel = is_home(any) ? SEL_CHILD : any;
        const nova_crd_t crd =
                one_in(s, 2) ? pick_crd(s) : nova_crd(NOVA_CRD_OBJ, 0, GROUP_ORDER, ALL);

        vacate(s, sel);
        invoke(s, NOVA_CREATE_PD, one_in(s, 2) ? NOVA_PD_ACCOUNT : 0, sel,
               (struct args){.a2 = pick_pd(s), .a3 = crd, .a4 = below(s, 0x10000)});
}

/* Creates a thread or a virtual CPU of a PD, with the stack and the UTCB of a slot of that PD. */
static void step_create_ec(struct suspect *s)
{
        const bool local = one_in(s, 3);
        const nova_sel_t pd = pick_home(s), sel = pick(s, local ? SEL_LOCAL : SEL_GLOBAL, HALF);
        const unsigned arena = (unsigned)(pd - SEL_PD) % ARENAS, slot = (unsigned)below(s, SLOTS);
        const word_t cpu_index = below(s, plan.cpus);
        const bool guest = plan.guests && one_in(s, 6);
        const word_t flags = one_in(s, 8) ? NOVA_EC_TSC : 0;

        vacate(s, sel);
        if (guest) {
                invoke(s, NOVA_CREATE_EC, flags, SEL_VCPU + below(s, HALF),
                       (struct args){0, pd, one_in(s, 8) ? pick_cpu(s) : plan.cpu[0], 0,
                                     SEL_GUEST});
                return;
        }
        const word_t cpu = one_in(s, 16) ? pick_cpu(s) : plan.cpu[cpu_index];
        const nova_sel_t events = one_in(s, 12) ? SEL_PT : EVENTS * cpu_index;
        invoke(s, NOVA_CREATE_EC, flags | (local ? 0 : NOVA_EC_GLOBAL), sel,
               (struct args){0, pd, utcb_of(arena, slot) | cpu, stack_of(arena, slot), events});
}

static void step_create_sc(struct suspect *s)
{
        const nova_sel_t sel = pick(s, SEL_SC, ZONE);
        const nova_sel_t ec =
                plan.guests && one_in(s, 5) ? pick(s, SEL_VCPU, HALF) : pick(s, SEL_GLOBAL, HALF);
        const unsigned prio = one_in(s, 4) ? PRIO - (unsigned)below(s, 3) : PRIO;

        vacate(s, sel);
        invoke(s, NOVA_CREATE_SC, 0, sel,
               (struct args){
                       .a2 = pick_pd(s), .a3 = ec, .a4 = nova_qpd(50 + below(s, 1000), prio)});
}

static void step_create_pt(struct suspect *s)
{
        const nova_sel_t sel = pick(s, SEL_PT, ZONE);
        const word_t ip = one_in(s, 12) ? random_place(&s->seed) : (word_t)suspect_portal;

        vacate(s, sel);
        invoke(s, NOVA_CREATE_PT, 0, sel,
               (struct args){0, pick_pd(s), pick(s, SEL_LOCAL, HALF), random_next(&s->seed), ip});
}

static void step_create_sm(struct suspect *s)
{
        const nova_sel_t sel = pick(s, one_in(s, 2) ? SEL_SM : SEL_FREE, ZONE);

        vacate(s, sel);
        invoke(s, NOVA_CREATE_SM, 0, sel, (struct args){.a2 = pick_pd(s), .a3 = below(s, 3)});
}

static void step_revoke(struct suspect *s)
{
        nova_crd_t crd = pick_crd(s);

        /* A large revocation would leave the suspects nothing to do. */
        if (!one_in(s, 16))
                crd &= ~((nova_crd_t)0x1e << NOVA_CRD_ORDER_SHIFT);
        invoke(s, NOVA_REVOKE, one_in(s, 2) ? NOVA_REVOKE_SR : 0, 0, (struct args){.a2 = crd});
}

static void step_lookup(struct suspect *s)
{
        invoke(s, NOVA_LOOKUP, 0, 0, (struct args){.a2 = pick_crd(s)});
}

/* ---- Control -------------------------------------------------------------------------------- */

static void step_ec_ctrl(struct suspect *s)
{
        invoke(s, NOVA_EC_CTRL, 0, one_in(s, 4) ? pick(s, SEL_VCPU, HALF) : pick(s, SEL_EC, ZONE),
               (struct args){0});
}

static void step_sc_ctrl(struct suspect *s)
{
        invoke(s, NOVA_SC_CTRL, 0, pick(s, SEL_SC, ZONE), (struct args){0});
}

static void step_up(struct suspect *s)
{
        invoke(s, NOVA_SM_CTRL, NOVA_SM_UP_OP, pick(s, SEL_SM, ZONE), (struct args){0});
}

static void step_down(struct suspect *s)
{
        const word_t zero = one_in(s, 4) ? NOVA_SM_ZC : 0;
        const nova_sel_t sm = pick(s, SEL_SM, ZONE);
        const uint64_t until = one_in(s, 2) ? 0 : tsc() + plan.ticks * below(s, WAIT_US) / 1000;

        if (one_in(s, 16))
                invoke(s, NOVA_SM_CTRL, NOVA_SM_DN_OP | zero, sm, (struct args){0});
        else
                invoke(s, NOVA_SM_CTRL, NOVA_SM_DN_OP | NOVA_SM_TIMEOUT | zero, sm,
                       (struct args){0, (word_t)(until >> 32), (uint32_t)until, 0, 0});
}

static void step_device(struct suspect *s)
{
        if (one_in(s, 2))
                invoke(s, NOVA_ASSIGN_PCI, 0, pick_pd(s),
                       (struct args){.a2 = plan.shared, .a3 = random_value(&s->seed)});
        else
                invoke(s, NOVA_ASSIGN_GSI, 0, pick(s, SEL_SM, 2),
                       (struct args){.a2 = one_in(s, 4) ? plan.shared : 0, .a3 = pick_cpu(s)});
}

static void extend(struct suspect *s, word_t extension, word_t operation, nova_sel_t sel,
                   struct args a)
{
        a.a2 = operation;
        invoke(s, NOVA_EXTENSION, extension, sel, a);
}

static nova_sel_t any_object(struct suspect *s)
{
        static const uint16_t zones[] = {SEL_SM, SEL_PT, SEL_EC, SEL_SC};

        return one_in(s, 4) ? pick_pd(s) : pick(s, zones[below(s, 4)], ZONE);
}

static void step_quota(struct suspect *s)
{
        switch (below(s, 6)) {
        case 0:
        case 1:
                extend(s, NOVA_EXT_QUOTA, NOVA_EXT_QUOTA_GIVE, pick_pd(s),
                       (struct args){.a3 = below(s, 0x4000), .a4 = pick_pd(s)});
                return;
        case 2:
                extend(s, NOVA_EXT_QUOTA, NOVA_EXT_QUOTA_TAKE, pick_pd(s),
                       (struct args){.a3 = below(s, 0x2000)});
                return;
        default:
                extend(s, NOVA_EXT_QUOTA, NOVA_EXT_QUOTA_QUERY, pick_pd(s), (struct args){0});
                return;
        }
}

static void step_object(struct suspect *s, word_t r)
{
        switch (below(s, 5)) {
        case 0:
                extend(s, NOVA_EXT_OBJECT, NOVA_EXT_NAME_SET, any_object(s),
                       (struct args){.a3 = r});
                return;
        case 1:
        case 2:
                extend(s, NOVA_EXT_OBJECT, NOVA_EXT_NAME_GET, any_object(s), (struct args){0});
                return;
        case 3:
                extend(s, NOVA_EXT_OBJECT, NOVA_EXT_EC_RECEIVE, pick(s, SEL_EC, ZONE),
                       (struct args){.a3 = one_in(s, 2) ? r : below(s, 0x8000)});
                return;
        default:
                extend(s, NOVA_EXT_OBJECT, NOVA_EXT_PD_LIMIT, pick_pd(s),
                       (struct args){0, 0, nova_qpd(2000, PRIO), ~(word_t)0, ~(word_t)0});
                return;
        }
}

static void step_destroy(struct suspect *s)
{
        if (one_in(s, 8))
                extend(s, NOVA_EXT_OBJECT, NOVA_EXT_PD_DESTROY,
                       one_in(s, 8) ? pick_home(s) : pick(s, SEL_CHILD, HALF), (struct args){0});
}

static void step_extension(struct suspect *s)
{
        const word_t r = random_next(&s->seed), kind = below(s, 16);

        if (kind < 5)
                step_object(s, r);
        else if (kind < 11)
                step_quota(s);
        else if (kind < 13)
                extend(s, NOVA_EXT_THREAD, NOVA_EXT_THREAD_TLS, 0,
                       (struct args){.a3 = one_in(s, 2) ? plan.shared : r});
        else if (kind == 13)
                step_destroy(s);
        else if (kind == 15)
                extend(s, r & 0xf0, below(s, 8), random_value(&s->seed), (struct args){.a3 = r});
        else if (one_in(s, 16))
                extend(s, NOVA_EXT_MACHINE, below(s, 2), 0, (struct args){0});
}

/* ---- Registers and exceptions --------------------------------------------------------------- */

static void step_fpu(struct suspect *s)
{
        if (suspect_fpu_state() == FPU_OTHER) {
                s->wrong = FPU_CHANGED;
                __asm__ volatile("movd %%xmm0, %k0" : "=r"(s->found));
        }
        suspect_fpu_load();
}

/* Checks the flags: no reply may give a thread access to all ports, or take interrupts away. */
static void check_flags(struct suspect *s)
{
        word_t flags;

        __asm__ volatile("pushf; pop %0" : "=r"(flags));
        if ((flags & 0x3200) != 0x200)
                s->wrong = FLAGS;
}

static void step_memory(struct suspect *s)
{
        volatile word_t *p = (word_t *)(plan.shared + (below(s, 2 << SHARED_ORDER) << 11));

        if (one_in(s, 2))
                *p = random_next(&s->seed);
        else
                (void)*p;
}

static void step_exception(struct suspect *s)
{
        switch (below(s, 12)) {
        case 0:
                raise_de();
                return;
        case 1:
                raise_bp();
                return;
        case 2:
                raise_ud();
                return;
        case 3:
                raise_gp();
                return;
        case 4:
                raise_int();
                return;
        case 5:
                raise_db();
                return;
        case 6:
                probe_in(one_in(s, 2) ? PORT : random_value(&s->seed) & 0xffff & ~0xf0u);
                return;
        case 7:
                probe_read((void *)random_value(&s->seed));
                return;
        case 8:
                probe_write((void *)random_value(&s->seed), 0);
                return;
        default:
                step_memory(s);
                return;
        }
}

/* Makes the reply to an event change nothing. The UTCB may contain the state of another thread, and
 * its first word is the MTD. A thread that got the stack pointer of another thread would write to
 * that thread's record. */
static void keep_state(struct suspect *s)
{
        own_utcb(s)->state.mtd = 0;
}

/* Replies now and then. The reply ends a thread that has no caller. */
static void step_reply(struct suspect *s)
{
        if (!one_in(s, 16))
                return;
        keep_state(s);
        invoke(s, NOVA_REPLY, 0, 0, (struct args){0});
}

/* ---- The program ---------------------------------------------------------------------------- */

static void step(struct suspect *s)
{
        static const struct {
                uint8_t weight;
                step_fn *fn;
        } steps[] = {
                {28, step_call},     {5, step_create_pd},  {10, step_create_ec},
                {9, step_create_sc}, {10, step_create_pt}, {8, step_create_sm},
                {5, step_revoke},    {6, step_lookup},     {8, step_ec_ctrl},
                {4, step_sc_ctrl},   {12, step_up},        {14, step_down},
                {2, step_device},    {12, step_extension}, {6, step_fpu},
                {4, step_memory},    {5, step_exception},  {1, step_reply},
        };
        word_t sum = 0;

        for (unsigned i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
                sum += steps[i].weight;
        word_t r = below(s, sum);
        unsigned i = 0;
        while (r >= steps[i].weight)
                r -= steps[i++].weight;
        steps[i].fn(s);
        if (s->lacks && one_in(s, 6))
                step_obtain(s);
}

_Noreturn void suspect_main(struct suspect *s, word_t fresh)
{
        if (fresh && suspect_fpu_state() != FPU_ZERO)
                s->wrong = FPU_NOT_INITIAL;
        if (fresh)
                step_obtain(s);
        for (;;) {
                rest_if_told();
                check_flags(s);
                step(s);
        }
}

/* Serves a call or an event: some steps, then a reply, which may change the caller's state. */
void suspect_serve(struct suspect *s, word_t portal)
{
        struct nova_utcb *u = own_utcb(s);
        const word_t steps = one_in(s, 3) ? below(s, 4) : 0;

        (void)portal;
        for (word_t i = 0; i < steps; i++)
                step(s);
        fill_message(s, u);
        if (one_in(s, 2)) {
                keep_state(s);
                return;
        }
        u->state.mtd = (one_in(s, 2) ? random_next(&s->seed) & MTD_ALLOWED : 0) | NOVA_MTD_EIP;
        u->state.ip = (word_t)(one_in(s, 8) ? suspect_end : suspect_again);
        /* Two threads on one stack would act in a way that the seed does not repeat. */
        if (one_in(s, 16))
                u->state.sp = random_place(&s->seed);
        else
                u->state.mtd &= ~(nova_mtd_t)NOVA_MTD_ESP;
        u->items = nova_utcb_items(NOVA_UTCB_STATE_WORDS, below(s, 3));
}
