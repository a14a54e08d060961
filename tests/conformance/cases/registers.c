/* SPDX-License-Identifier: BSD-2-Clause */
/* The effects of hypercalls on their caller's registers. */
#include "harness.h"

#define FLAG_DF    0x400
#define FLAG_AC    0x40000
#define FLAG_ID    0x200000
#define ARITHMETIC 0x8d5

#if __SIZEOF_POINTER__ == 8
#define PATTERN 0x1122334455667700
#else
#define PATTERN 0x11223300
#endif

static void fill(struct gpr *g)
{
        word_t *p = (word_t *)g;
        for (unsigned i = 0; i < sizeof(*g) / sizeof(*p); i++)
                p[i] = PATTERN + i;
        g->flags = 0;
}

static bool is_argument(unsigned i, word_t mask)
{
        static const size_t at[] = {offsetof(struct gpr, GPR_A1), offsetof(struct gpr, GPR_A2),
                                    offsetof(struct gpr, GPR_A3), offsetof(struct gpr, GPR_A4),
                                    offsetof(struct gpr, GPR_A5)};
        for (unsigned n = 0; n < 5; n++) {
                if (mask & 1u << n && at[n] == i * sizeof(word_t))
                        return true;
        }
        return false;
}

/* Compares all registers except the arguments in mask and those that the interface may change. */
static void compare(const struct gpr *before, const struct gpr *after, word_t mask)
{
        const word_t *b = (const word_t *)before, *a = (const word_t *)after;
        EXPECT_EQ(after->sp, after->sp_in);
        for (unsigned i = 0; i < sizeof(*before) / sizeof(word_t); i++) {
                const size_t at = i * sizeof(word_t);
                if (is_argument(i, mask) || at == offsetof(struct gpr, sp) ||
                    at == offsetof(struct gpr, sp_in) || at == offsetof(struct gpr, flags))
                        continue;
#if __SIZEOF_POINTER__ == 8
                if (at == offsetof(struct gpr, cx) || at == offsetof(struct gpr, r11))
                        continue;
#else
                if (at == offsetof(struct gpr, cx)) {
                        EXPECT_EQ(a[i], after->sp_in);
                        continue;
                }
                if (at == offsetof(struct gpr, dx)) {
                        EXPECT_EQ(a[i], (word_t)trap_return);
                        continue;
                }
#endif
                EXPECT_EQ(a[i], b[i]);
        }
}

/* Runs the hypercall with patterns in all other registers; mask: argument registers that hold
 * results. */
static void check(const struct args *args, word_t expected, word_t mask)
{
        struct gpr before, g;
        fill(&before);
        before.GPR_A1 = args->a1;
        before.GPR_A2 = args->a2;
        before.GPR_A3 = args->a3;
        before.GPR_A4 = args->a4;
        before.GPR_A5 = args->a5;
        g = before;
        trap(&g);
        EXPECT_EQ(g.GPR_A1, expected);
        compare(&before, &g, mask | 1);
}

#define ID(number, flags, sel) nova_hypercall_id(NOVA_##number, flags, sel)

CASE(registers, call_keeps_them_and_gives_a_whole_zero,
     "7.5-01 7.5-02 7.5-05 7.5-07 7.5-08 7.5-09 8.5-01 8.5-02 8.5-05 8.5-06 8.5-07 8.5-08 8.5-10 "
     "8.5-11 D-02")
{
        struct thread *t = server(boot_cpu);
        self->utcb->items = 0;
        check(&(struct args){ID(CALL, 0, t->pt), PATTERN + 64, PATTERN + 65, PATTERN + 66,
                             PATTERN + 67},
              NOVA_SUCCESS, 0);
        EXPECT_EQ(t->calls, 1);
}

CASE(registers, call_gives_a_whole_zero_with_DB_set, "D-02 7.5-03 8.5-03")
{
        struct thread *t = server(boot_cpu);
        self->utcb->items = 0;
        check(&(struct args){ID(CALL, NOVA_CALL_DB, t->pt), 1, 2, 3, 4}, NOVA_SUCCESS, 0);
}

CASE(registers, a_refused_call_keeps_them, "7.5-05 7.5-09 8.5-05 8.5-11")
{
        check(&(struct args){ID(CALL, 0, sel_alloc(0)), 1, 2, 3, 4}, NOVA_BAD_CAP, 0);
}

CASE(registers, create_pd_keeps_them, "7.5-14 7.5-15 7.5-16 7.5-17 8.5-16 8.5-17 8.5-18 8.5-19")
{
        check(&(struct args){ID(CREATE_PD, 0, sel_alloc(0)), ROOT_PD, 0, PATTERN + 64,
                             PATTERN + 65},
              NOVA_SUCCESS, 0);
}

CASE(registers, create_ec_keeps_them,
     "7.5-18 7.5-19 7.5-20 7.5-21 7.5-22 7.5-23 8.5-20 8.5-21 8.5-22 8.5-23 8.5-24 8.5-25")
{
        check(&(struct args){ID(CREATE_EC, 0, sel_alloc(0)), ROOT_PD, utcb_alloc() | boot_cpu,
                             0x1234000, 0x7000},
              NOVA_SUCCESS, 0);
}

CASE(registers, create_sc_keeps_them,
     "7.5-24 7.5-25 7.5-26 7.5-27 7.5-28 8.5-26 8.5-27 8.5-28 8.5-29 8.5-30")
{
        struct thread *t = global(boot_cpu, NULL, NULL);
        check(&(struct args){ID(CREATE_SC, 0, sel_alloc(0)), ROOT_PD, t->ec,
                             nova_qpd(QUANTUM, PRIO_LOW), PATTERN + 64},
              NOVA_SUCCESS, 0);
        event_remove(t, NOVA_EXC_STARTUP);
}

CASE(registers, create_pt_keeps_them,
     "7.5-29 7.5-30 7.5-31 7.5-32 7.5-33 7.5-34 8.5-31 8.5-32 8.5-33 8.5-34 8.5-35 8.5-36")
{
        struct thread *t = server(boot_cpu);
        check(&(struct args){ID(CREATE_PT, 0, sel_alloc(0)), ROOT_PD, t->ec, 7,
                             (word_t)portal_entry},
              NOVA_SUCCESS, 0);
}

CASE(registers, create_sm_keeps_them, "7.5-35 7.5-36 7.5-37 7.5-38 8.5-37 8.5-38 8.5-39 8.5-40")
{
        check(&(struct args){ID(CREATE_SM, 0, sel_alloc(0)), ROOT_PD, 5, PATTERN + 64,
                             PATTERN + 65},
              NOVA_SUCCESS, 0);
}

CASE(registers, revoke_keeps_them, "7.5-39 7.5-40 8.5-41 8.5-42")
{
        const nova_sel_t sm = semaphore(1);
        check(&(struct args){ID(REVOKE, NOVA_REVOKE_SR, 0), obj(sm, NOVA_PERM_ALL), PATTERN + 64,
                             PATTERN + 65, PATTERN + 66},
              NOVA_SUCCESS, 0);
}

CASE(registers, lookup_changes_only_its_result, "7.5-41 7.5-42 7.5-43 8.5-43 8.5-44 8.5-45")
{
        const nova_sel_t sm = semaphore(1);
        check(&(struct args){ID(LOOKUP, 0, 0), obj(sm, 0), PATTERN + 64, PATTERN + 65,
                             PATTERN + 66},
              NOVA_SUCCESS, 2);
        check(&(struct args){ID(LOOKUP, 0, 0), obj(sel_alloc(0), 0), 1, 2, 3}, NOVA_SUCCESS, 2);
}

CASE(registers, ec_ctrl_keeps_them, "7.5-44 7.5-45 8.5-46 8.5-47")
{
        struct thread *t = server(boot_cpu);
        check(&(struct args){ID(EC_CTRL, 0, t->ec), PATTERN + 63, PATTERN + 64, PATTERN + 65,
                             PATTERN + 66},
              NOVA_SUCCESS, 0);
}

CASE(registers, sc_ctrl_changes_only_its_results,
     "7.5-46 7.5-47 7.5-48 7.5-49 8.5-48 8.5-49 8.5-50 8.5-51")
{
        check(&(struct args){ID(SC_CTRL, 0, NOVA_SEL_ROOT_SC), 0, 0, PATTERN + 65, PATTERN + 66},
              NOVA_SUCCESS, 2 | 4);
}

CASE(registers, sm_ctrl_keeps_them, "7.5-50 7.5-51 8.5-52 8.5-53")
{
        const nova_sel_t sm = semaphore(1);
        check(&(struct args){ID(SM_CTRL, NOVA_SM_DN_OP, sm), PATTERN + 63, PATTERN + 64,
                             PATTERN + 65, PATTERN + 66},
              NOVA_SUCCESS, 0);
        check(&(struct args){ID(SM_CTRL, NOVA_SM_UP_OP, sm), PATTERN + 63, PATTERN + 64,
                             PATTERN + 65, PATTERN + 66},
              NOVA_SUCCESS, 0);
}

static void up_later(struct thread *t)
{
        hc_sm_ctrl((nova_sel_t)t->value[0], NOVA_SM_UP_OP);
}

CASE(registers, a_down_that_blocked_keeps_them, "7.5-51 8.5-53 5.4.3-10")
{
        const nova_sel_t sm = semaphore(0);
        struct thread *t = global(boot_cpu, up_later, NULL);
        t->value[0] = sm;
        thread_start(t, PRIO_LOW, QUANTUM);
        check(&(struct args){ID(SM_CTRL, NOVA_SM_DN_OP, sm), PATTERN + 63, PATTERN + 64,
                             PATTERN + 65, PATTERN + 66},
              NOVA_SUCCESS, 0);
}

CASE(registers, assign_pci_keeps_them, "7.5-52 7.5-53 7.5-54 7.5-55 8.5-54 8.5-55 8.5-56 8.5-57")
{
        check(&(struct args){ID(ASSIGN_PCI, 0, ROOT_PD), page_alloc(0), 0, PATTERN + 65,
                             PATTERN + 66},
              NOVA_BAD_DEV, 0);
}

CASE(registers, assign_gsi_keeps_all_but_its_results,
     "7.5-56 7.5-57 7.5-58 7.5-61 8.5-58 8.5-59 8.5-60 8.5-63")
{
        check(&(struct args){ID(ASSIGN_GSI, 0, sel_alloc(0)), 0, boot_cpu, PATTERN + 65,
                             PATTERN + 66},
              NOVA_BAD_CAP, 2 | 4);
}

/* Checks that a refused hypercall returns its status and leaves all other registers unchanged, also
 * those for results. */
static void check_refused(word_t id, word_t a2, word_t a3, word_t a4, word_t a5, word_t status)
{
        check(&(struct args){id, a2, a3, a4, a5}, status, 0);
}

/* Makes a hypercall in the context of a server, with patterns in all registers. */
static void calls_itself(struct thread *t)
{
        struct gpr before, g;
        fill(&before);
        before.GPR_A1 = ID(CALL, NOVA_CALL_DB, t->pt);
        g = before;
        trap(&g);
        t->value[0] = g.GPR_A1 == NOVA_COM_TIM && g.GPR_A2 == before.GPR_A2 &&
                      g.GPR_A3 == before.GPR_A3 && g.GPR_A4 == before.GPR_A4 &&
                      g.GPR_A5 == before.GPR_A5 && g.sp == g.sp_in;
}

CASE(registers, a_refused_create_keeps_them,
     "7.5-05 7.5-17 7.5-23 7.5-28 7.5-34 7.5-38 8.5-05 8.5-19 8.5-25 8.5-30 8.5-36 8.5-40")
{
        const nova_sel_t taken = semaphore(0), null = sel_alloc(0);
        struct thread *t = server(boot_cpu), *g = global(boot_cpu, NULL, NULL);
        check_refused(ID(CREATE_PD, 0, taken), ROOT_PD, 0, PATTERN, PATTERN, NOVA_BAD_CAP);
        check_refused(ID(CREATE_PD, 0, null), null, 0, PATTERN, PATTERN, NOVA_BAD_CAP);
        check_refused(ID(CREATE_EC, 0, null), ROOT_PD, NOVA_USER_END | boot_cpu, 1, 2,
                      NOVA_BAD_PAR);
        check_refused(ID(CREATE_EC, 0, null), ROOT_PD, utcb_alloc() | 64, 1, 2, NOVA_BAD_CPU);
        check_refused(ID(CREATE_SC, 0, null), ROOT_PD, g->ec, 0, PATTERN, NOVA_BAD_PAR);
        check_refused(ID(CREATE_SC, 0, null), ROOT_PD, t->ec, nova_qpd(QUANTUM, PRIO_LOW), PATTERN,
                      NOVA_BAD_CAP);
        check_refused(ID(CREATE_PT, 0, null), ROOT_PD, g->ec, 1, 2, NOVA_BAD_CAP);
        check_refused(ID(CREATE_SM, 0, taken), ROOT_PD, 1, PATTERN, PATTERN, NOVA_BAD_CAP);
        EXPECT_EQ(look(NOVA_CRD_OBJ, null), 0);
        EXPECT_EQ(look(NOVA_CRD_OBJ, taken), obj(taken, NOVA_PERM_ALL));
}

CASE(registers, a_refused_control_keeps_them, "7.5-05 8.5-05 5.4.2-06 5.4.3-11")
{
        const nova_sel_t null = sel_alloc(0);
        check_refused(ID(EC_CTRL, 0, null), 1, 2, 3, 4, NOVA_BAD_CAP);
        check_refused(ID(SC_CTRL, 0, null), PATTERN + 64, PATTERN + 65, 3, 4, NOVA_BAD_CAP);
        check_refused(ID(SM_CTRL, NOVA_SM_UP_OP, null), 1, 2, 3, 4, NOVA_BAD_CAP);
        check_refused(ID(SM_CTRL, NOVA_SM_DN_OP, null), 1, 2, 3, 4, NOVA_BAD_CAP);
        check_refused(ID(ASSIGN_PCI, 0, null), 1, 2, 3, 4, NOVA_BAD_CAP);
}

CASE(registers, a_call_that_finds_its_callee_busy_keeps_them, "7.5-09 8.5-11 5.2.1-10")
{
        struct thread *s = server(boot_cpu);
        s->fn = calls_itself;
        self->utcb->items = 0;
        EXPECT_EQ(hc_call(s->pt, 0), NOVA_SUCCESS);
        EXPECT_EQ(s->value[0], 1);
}

CASE(registers, an_unknown_hypercall_keeps_them, "5.1-18 5.1-24")
{
        check(&(struct args){ID(EXTENSION, 0, 5), 1, 2, 3, 4}, NOVA_BAD_HYP, 0);
}

CASE_ON(registers, on_x86_64_flags_are_kept, "D-39", needs_x86_64)
{
        const nova_sel_t sm = semaphore(100);
        static const word_t flags[] = {0, ARITHMETIC, FLAG_DF, FLAG_AC, FLAG_ID};
        for (unsigned i = 0; i < 5; i++) {
                struct gpr g;
                fill(&g);
                g.GPR_A1 = ID(SM_CTRL, NOVA_SM_DN_OP, sm);
                g.flags = flags[i];
                trap(&g);
                EXPECT_EQ(g.GPR_A1, NOVA_SUCCESS);
                EXPECT_EQ(g.flags, flags[i] | 0x202);
        }
}

CASE_ON(registers, on_x86_32_interrupts_and_direction_are_as_documented, "7.5-01", needs_x86_32)
{
        struct gpr g;
        fill(&g);
        g.GPR_A1 = ID(LOOKUP, 0, 0);
        g.GPR_A2 = 0;
        g.flags = FLAG_DF;
        trap(&g);
        EXPECT_EQ(g.flags & 0x200, 0x200);
        EXPECT_EQ(g.flags & (0x3000 | 0x4000 | 0x20000), 0);
}

#if __SIZEOF_POINTER__ == 4
void trap_no_stack(struct gpr *registers);

CASE(registers, on_x86_32_the_stack_pointer_at_entry_does_not_matter, "7.5-06")
{
        struct gpr g;
        fill(&g);
        g.GPR_A1 = ID(LOOKUP, 0, 0);
        g.GPR_A2 = obj(ROOT_PD, 0);
        trap_no_stack(&g);
        EXPECT_EQ(g.GPR_A1, NOVA_SUCCESS);
        EXPECT_EQ(g.GPR_A2, obj(ROOT_PD, NOVA_PERM_ALL));
        EXPECT_EQ(g.sp, g.sp_in);
}
#endif

CASE(registers, a_portal_gets_its_selector_and_keeps_registers_between_requests,
     "5.2.2-08 5.2.2-09 7.5-10 7.5-11 7.5-12 7.5-13 8.5-12 8.5-13 8.5-14 8.5-15 C-18")
{
        struct thread *t = server(boot_cpu);
        const nova_sel_t pt = sel_alloc(0);
        EXPECT_EQ(hc_create_pt(pt, ROOT_PD, t->ec, 0, (word_t)portal_registers), NOVA_SUCCESS);
        fill(&portal_gpr_out);
        self->utcb->items = 0;
        EXPECT_EQ(hc_call(pt, 0), NOVA_SUCCESS);
        EXPECT_EQ(portal_gpr.GPR_A1, pt);
        const word_t sp = portal_gpr_sp;
        EXPECT_EQ(hc_call(pt, 0), NOVA_SUCCESS);
        EXPECT_EQ(portal_gpr.GPR_A1, pt);
        EXPECT_EQ(portal_gpr.sp + sizeof(word_t), sp);
        EXPECT_EQ(portal_gpr.GPR_A2, portal_gpr_out.GPR_A2);
        EXPECT_EQ(portal_gpr.GPR_A3, portal_gpr_out.GPR_A3);
        EXPECT_EQ(portal_gpr.bx, portal_gpr_out.bx);
        EXPECT_EQ(portal_gpr.bp, portal_gpr_out.bp);
}

CASE(registers, the_first_request_finds_the_stack_pointer_of_create_ec, "5.3.2-15")
{
        struct thread *t = server(boot_cpu);
        const nova_sel_t pt = sel_alloc(0);
        EXPECT_EQ(hc_create_pt(pt, ROOT_PD, t->ec, 0, (word_t)portal_registers), NOVA_SUCCESS);
        self->utcb->items = 0;
        EXPECT_EQ(hc_call(pt, 0), NOVA_SUCCESS);
        EXPECT_EQ(portal_gpr.sp + sizeof(word_t), t->sp);
}

static void spin_body(struct thread *t)
{
        static struct gpr g[2];
        struct gpr *mine = &g[t->value[1]];
        fill(mine);
        for (unsigned i = 0; i < sizeof(*mine) / sizeof(word_t); i++)
                ((word_t *)mine)[i] += t->value[1] << 8;
        mine->flags = 0;
        struct gpr copy = *mine;
        spin_gprs(mine, &t->value[0]);
        t->value[2] = mine->bx == copy.bx && mine->si == copy.si && mine->di == copy.di &&
                      mine->ax == copy.ax && mine->dx == copy.dx;
}

CASE(registers, they_survive_preemption_by_other_threads, "2.2-08 3.1-12")
{
        struct thread *a = global(boot_cpu, spin_body, NULL);
        struct thread *b = global(boot_cpu, spin_body, NULL);
        b->value[1] = 1;
        thread_start(a, PRIO_CASE, 1000);
        thread_start(b, PRIO_CASE, 1000);
        EXPECT(wait_for(&a->started, 1) && wait_for(&b->started, 1));
        spin_us(60000);
        a->value[0] = b->value[0] = 1;
        EXPECT(wait_for(&a->done, 1) && wait_for(&b->done, 1));
        EXPECT_EQ(a->value[2], 1);
        EXPECT_EQ(b->value[2], 1);
}
