/* SPDX-License-Identifier: BSD-2-Clause */
/* ec_ctrl, sc_ctrl, lookup, assign_pci, assign_gsi and unknown hypercalls: statuses and results. */
#include "harness.h"

static nova_sel_t reduced(nova_sel_t sel, unsigned perms)
{
        const nova_sel_t copy = sel_alloc(0);
        EXPECT_EQ(give_self(obj(sel, perms), copy), obj(copy, perms));
        return copy;
}

static void spin_until_stopped(struct thread *t)
{
        while (!t->value[0])
                __asm__ volatile("pause");
}

/* ---- ec_ctrl --------------------------------------------------------------------------------- */

CASE(control, ec_ctrl_accepts_an_ec, "5.4.1-08 5.1-10 2.2-01")
{
        EXPECT_EQ(hc_ec_ctrl(server(boot_cpu)->ec), NOVA_SUCCESS);
}

CASE(control, ec_ctrl_gives_BAD_CAP_for_anything_but_an_ec, "5.4.1-09 4.1.1-01")
{
        EXPECT_EQ(hc_ec_ctrl(sel_alloc(0)), NOVA_BAD_CAP);
        EXPECT_EQ(hc_ec_ctrl(ROOT_PD), NOVA_BAD_CAP);
        EXPECT_EQ(hc_ec_ctrl(NOVA_SEL_ROOT_SC), NOVA_BAD_CAP);
        EXPECT_EQ(hc_ec_ctrl(semaphore(0)), NOVA_BAD_CAP);
        EXPECT_EQ(hc_ec_ctrl(server(boot_cpu)->pt), NOVA_BAD_CAP);
}

CASE(control, ec_ctrl_needs_the_ct_permission, "5.4.1-10 4.1.4.2-01 4.1.4.2-04")
{
        struct thread *t = server(boot_cpu);
        EXPECT_EQ(hc_ec_ctrl(reduced(t->ec, NOVA_PERM_ALL & ~NOVA_EC_CT)), NOVA_BAD_CAP);
        EXPECT_EQ(hc_ec_ctrl(reduced(t->ec, 0x12)), NOVA_BAD_CAP);
        EXPECT_EQ(hc_ec_ctrl(reduced(t->ec, NOVA_EC_CT)), NOVA_SUCCESS);
}

/* ---- sc_ctrl --------------------------------------------------------------------------------- */

CASE(control, sc_ctrl_gives_BAD_CAP_for_anything_but_an_sc, "5.4.2-06 4.1.1-01")
{
        uint64_t time;
        EXPECT_EQ(hc_sc_ctrl(sel_alloc(0), &time), NOVA_BAD_CAP);
        EXPECT_EQ(hc_sc_ctrl(ROOT_PD, &time), NOVA_BAD_CAP);
        EXPECT_EQ(hc_sc_ctrl(NOVA_SEL_ROOT_EC, &time), NOVA_BAD_CAP);
        EXPECT_EQ(hc_sc_ctrl(semaphore(0), &time), NOVA_BAD_CAP);
        EXPECT_EQ(hc_sc_ctrl(server(boot_cpu)->pt, &time), NOVA_BAD_CAP);
}

CASE(control, sc_ctrl_needs_the_ct_permission, "5.4.2-07 4.1.4.3-01")
{
        uint64_t time;
        const nova_sel_t all_but = reduced(NOVA_SEL_ROOT_SC, NOVA_PERM_ALL & ~NOVA_SC_CT);
        EXPECT_EQ(hc_sc_ctrl(all_but, &time), NOVA_BAD_CAP);
        EXPECT_EQ(hc_sc_ctrl(reduced(NOVA_SEL_ROOT_SC, NOVA_SC_CT), &time), NOVA_SUCCESS);
}

CASE(control, a_new_sc_has_used_no_time, "5.4.2-03 5.4.2-05 5.1-11")
{
        struct thread *t = global(boot_cpu, spin_until_stopped, NULL);
        uint64_t time = 1;
        thread_start(t, PRIO_LOW, QUANTUM);
        EXPECT_EQ(hc_sc_ctrl(t->sc, &time), NOVA_SUCCESS);
        EXPECT_EQ(time, 0);
        t->value[0] = 1;
}

static void spin_20_ms(struct thread *t)
{
        spin_us(20000);
        hc_sm_ctrl(t->value[1], NOVA_SM_UP_OP);
        hc_sm_ctrl(t->value[2], NOVA_SM_DN_OP);
        spin_us(20000);
        hc_sm_ctrl(t->value[1], NOVA_SM_UP_OP);
        hc_sm_ctrl(t->value[2], NOVA_SM_DN_OP);
}

CASE(control, sc_ctrl_adds_up_running_time_but_not_waiting_time,
     "5.4.2-01 5.4.2-02 5.4.2-04 3.1-10")
{
        struct thread *t = global(boot_cpu, spin_20_ms, NULL);
        uint64_t first, still, second;
        t->value[1] = semaphore(0);
        t->value[2] = semaphore(0);
        thread_start(t, PRIO_HIGH, QUANTUM);
        EXPECT_EQ(hc_sc_ctrl(t->sc, &first), NOVA_SUCCESS);
        spin_us(20000);
        EXPECT_EQ(hc_sc_ctrl(t->sc, &still), NOVA_SUCCESS);
        hc_sm_ctrl(t->value[2], NOVA_SM_UP_OP);
        EXPECT_EQ(hc_sc_ctrl(t->sc, &second), NOVA_SUCCESS);
        EXPECT(first >= 19000 && first < 1000000);
        EXPECT_EQ(still, first);
        EXPECT(second >= first + 19000 && second < first + 1000000);
}

static void handler_spins(struct thread *t)
{
        (void)t;
        spin_us(20000);
}

static void call_once(struct thread *t)
{
        t->utcb->items = 0;
        hc_call(t->value[0], 0);
}

CASE(control, the_time_of_a_callee_is_charged_to_the_caller, "2.3-04 3.2-18")
{
        struct thread *s = server(boot_cpu), *t = global(boot_cpu, call_once, NULL);
        uint64_t time;
        s->fn = handler_spins;
        t->value[0] = s->pt;
        thread_start(t, PRIO_HIGH, QUANTUM);
        EXPECT_EQ(t->done, 1);
        EXPECT_EQ(hc_sc_ctrl(t->sc, &time), NOVA_SUCCESS);
        EXPECT(time >= 19000 && time < 1000000);
}

/* The time of an SC, and the clock just before and just after this time was read. */
struct reading {
        uint64_t before, time, after;
};

static void read_time(nova_sel_t sc, struct reading *r)
{
        r->before = tsc();
        hc_sc_ctrl(sc, &r->time);
        r->after = tsc();
}

static uint64_t microseconds(uint64_t ticks)
{
        return ticks * 1000 / tsc_per_ms();
}

/* Compares two readings of an SC that ran between them. Returns true if the SC's time is exact to a
 * microsecond. */
static bool agree(const struct reading *a, const struct reading *b)
{
        const uint64_t time = b->time - a->time;
        return time + 1 >= microseconds(b->before - a->after) &&
               time <= microseconds(b->after - a->before) + 1;
}

#define EXACT_US    3000
#define EXACT_TRIES 30 /* one is enough if neither a thread nor an interrupt disturbs it */

static struct reading readings[2];
static volatile word_t exact;

static void handler_reads(struct thread *t)
{
        spin_us(EXACT_US);
        read_time(((const struct thread *)t->arg)->sc, &readings[1]);
        t->fn = handler_reads;
}

/* Reads the time of its own SC before and after a spin. If value[0] is not null, calls this portal
 * after the spin, and the portal's handler reads the time for the second time. */
static void reads_own_time(struct thread *t)
{
        for (unsigned i = 0; i < EXACT_TRIES && !exact; i++) {
                read_time(t->sc, &readings[0]);
                spin_us(EXACT_US);
                t->utcb->items = 0;
                if (t->value[0])
                        hc_call(t->value[0], 0);
                else
                        read_time(t->sc, &readings[1]);
                exact = agree(&readings[0], &readings[1]);
        }
}

CASE(control, sc_ctrl_is_exact_to_a_microsecond_for_the_running_sc, "5.4.2-01 5.4.2-02")
{
        struct thread *t = global(boot_cpu, reads_own_time, NULL);
        exact = 0;
        thread_start(t, PRIO_HIGH, 1000);
        EXPECT(wait_for(&t->done, 1));
        EXPECT_EQ(exact, 1);
}

CASE(control, sc_ctrl_is_exact_to_a_microsecond_over_a_donation, "5.4.2-01 2.3-04 3.2-18")
{
        struct thread *s = server(boot_cpu), *t = global(boot_cpu, reads_own_time, NULL);
        exact = 0;
        s->arg = t;
        t->value[0] = s->pt;
        s->fn = handler_reads;
        thread_start(t, PRIO_HIGH, 1000);
        EXPECT(wait_for(&t->done, 1));
        EXPECT_EQ(exact, 1);
}

static void spins_until_stopped(struct thread *t)
{
        while (!t->value[0])
                __asm__ volatile("pause");
}

CASE_ON(control, sc_ctrl_is_exact_to_a_microsecond_from_another_cpu, "5.4.2-01", needs_2_cpus)
{
        struct thread *t = global(cpu_numbers[1], spins_until_stopped, NULL);
        thread_start(t, PRIO_HIGH, 1000);
        EXPECT(wait_for(&t->started, 1));
        for (exact = 0; exact < EXACT_TRIES; exact++) {
                read_time(t->sc, &readings[0]);
                spin_us(EXACT_US);
                read_time(t->sc, &readings[1]);
                if (agree(&readings[0], &readings[1]))
                        break;
        }
        t->value[0] = 1;
        EXPECT(exact < EXACT_TRIES);
}

CASE(control, on_x86_64_the_second_output_of_sc_ctrl_is_32_bits, "D-08 7.5-48 8.5-50")
{
        struct args a = {nova_hypercall_id(NOVA_SC_CTRL, 0, NOVA_SEL_ROOT_SC), 0, 0, 0, 0};
        EXPECT_EQ(hypercall(&a), NOVA_SUCCESS);
        EXPECT_EQ(a.a2, 0);
        EXPECT((uint64_t)a.a3 >> 32 == 0);
}

/* ---- lookup ---------------------------------------------------------------------------------- */

CASE(control, lookup_finds_present_capabilities_and_nothing_else,
     "5.3.7-01 5.3.7-03 5.3.7-04 5.3.7-07 5.1-09 4.1.1-02 4.3-01")
{
        nova_crd_t crd = 1;
        const nova_sel_t sm = semaphore(0), null = sel_alloc(0);
        EXPECT_EQ(hc_lookup(obj(sm, 0), &crd), NOVA_SUCCESS);
        EXPECT_EQ(crd, obj(sm, NOVA_PERM_ALL));
        EXPECT_EQ(hc_lookup(obj(null, NOVA_PERM_ALL), &crd), NOVA_SUCCESS);
        EXPECT_EQ(crd, 0);
}

CASE(control, lookup_needs_only_type_and_base, "5.3.7-02")
{
        nova_crd_t crd = 1;
        const nova_sel_t sm = semaphore(0);
        for (unsigned order = 0; order < 32; order += 5) {
                EXPECT_EQ(hc_lookup(nova_crd(NOVA_CRD_OBJ, sm, order, order), &crd), NOVA_SUCCESS);
                EXPECT_EQ(crd, obj(sm, NOVA_PERM_ALL));
        }
}

CASE(control, lookup_of_type_0_gives_null, "5.3.7-04 4.3.1-01")
{
        nova_crd_t crd = 1;
        EXPECT_EQ(hc_lookup(~(word_t)3, &crd), NOVA_SUCCESS);
        EXPECT_EQ(crd, 0);
        EXPECT_EQ(hc_lookup(obj(ROOT_PD, 0x1f) & ~(word_t)3, &crd), NOVA_SUCCESS);
        EXPECT_EQ(crd, 0);
}

CASE(control, lookup_of_a_selector_far_outside_gives_null, "5.3.7-04")
{
        const word_t top = ~(word_t)0 >> NOVA_CRD_BASE_SHIFT;
        EXPECT_EQ(look(NOVA_CRD_IO, 0x10000), 0);
        EXPECT_EQ(look(NOVA_CRD_IO, top), 0);
        EXPECT_EQ(look(NOVA_CRD_MEM, top), 0);
        EXPECT_EQ(look(NOVA_CRD_MEM, NOVA_USER_END >> NOVA_PAGE_BITS), 0);
}

CASE(control, equal_indices_of_the_three_spaces_are_unrelated, "2.1-05 4.1.2-02 4.1.3-02")
{
        EXPECT(look(NOVA_CRD_IO, 0x3f8) != 0);
        EXPECT_EQ(look(NOVA_CRD_MEM, 0x3f8), 0);
        EXPECT_EQ(look(NOVA_CRD_MEM, ROOT_PD), 0);
        EXPECT_EQ(look(NOVA_CRD_IO, ROOT_PD), 0);
        EXPECT(look(NOVA_CRD_MEM, 0x400) != 0);
}

CASE(control, lookup_inside_a_larger_range_gives_the_whole_range, "5.3.7-06 5.3.7-05")
{
        const word_t page = (word_t)memory(3) >> NOVA_PAGE_BITS;
        const nova_crd_t first = look(NOVA_CRD_MEM, page);
        EXPECT_EQ(nova_crd_base(first), page);
        EXPECT_EQ(nova_crd_perms(first), NOVA_MEM_RWX);
        for (unsigned i = 0; i < 8; i++) {
                const nova_crd_t crd = look(NOVA_CRD_MEM, page + i);
                const word_t base = nova_crd_base(crd);
                EXPECT(base <= page + i && page + i < base + ((word_t)1 << nova_crd_order(crd)));
        }
        EXPECT_EQ(look(NOVA_CRD_MEM, page + 8), 0);
}

CASE_ON(control, lookup_of_a_selector_beyond_SEL_wraps_around, "6.2-13", needs_x86_64)
{
        const nova_sel_t sm = semaphore(0);
        const nova_sel_t above = sm + ((nova_sel_t)1 << NOVA_SEL_ORDER);
        EXPECT_EQ(look(NOVA_CRD_OBJ, above), obj(sm, NOVA_PERM_ALL));
}

/* ---- assign_pci, assign_gsi ------------------------------------------------------------------ */

CASE(control, assign_pci_gives_BAD_CAP_when_the_target_is_not_a_pd, "5.5.1-05 5.1-13 4.1.1-01")
{
        const word_t page = page_alloc(0);
        EXPECT_EQ(hc_assign_pci(sel_alloc(0), page, 0), NOVA_BAD_CAP);
        EXPECT_EQ(hc_assign_pci(NOVA_SEL_ROOT_EC, page, 0), NOVA_BAD_CAP);
        EXPECT_EQ(hc_assign_pci(NOVA_SEL_ROOT_SC, page, 0), NOVA_BAD_CAP);
        EXPECT_EQ(hc_assign_pci(semaphore(0), page, 0), NOVA_BAD_CAP);
}

CASE(control, assign_pci_gives_BAD_DEV_when_there_is_no_device, "5.5.1-06 5.1-23 D-31")
{
        static char page[NOVA_PAGE_SIZE] __attribute__((aligned(NOVA_PAGE_SIZE)));
        EXPECT_EQ(hc_assign_pci(ROOT_PD, page_alloc(0), 0), NOVA_BAD_DEV);
        EXPECT_EQ(hc_assign_pci(ROOT_PD, page_of(page), 0), NOVA_BAD_DEV);
        EXPECT_EQ(hc_assign_pci(ROOT_PD, (word_t)page, 0), NOVA_BAD_DEV);
        EXPECT_EQ(hc_assign_pci(ROOT_PD, ~(word_t)0, ~(word_t)0), NOVA_BAD_DEV);
        EXPECT_EQ(hc_assign_pci(reduced(ROOT_PD, NOVA_PD_SM), page_alloc(0), 0), NOVA_BAD_DEV);
}

CASE(control, assign_gsi_gives_BAD_CAP_for_anything_but_an_interrupt_semaphore,
     "5.5.2-09 5.5.2-10 5.1-14 4.1.1-01")
{
        word_t address, data;
        EXPECT_EQ(hc_assign_gsi(sel_alloc(0), 0, boot_cpu, &address, &data), NOVA_BAD_CAP);
        EXPECT_EQ(hc_assign_gsi(ROOT_PD, 0, boot_cpu, &address, &data), NOVA_BAD_CAP);
        EXPECT_EQ(hc_assign_gsi(NOVA_SEL_ROOT_EC, 0, boot_cpu, &address, &data), NOVA_BAD_CAP);
        EXPECT_EQ(hc_assign_gsi(NOVA_SEL_ROOT_SC, 0, boot_cpu, &address, &data), NOVA_BAD_CAP);
        EXPECT_EQ(hc_assign_gsi(semaphore(0), 0, boot_cpu, &address, &data), NOVA_BAD_CAP);
}

CASE(control, assign_gsi_gives_BAD_CPU_before_BAD_CAP, "5.5.2-12 D-31.2")
{
        word_t address, data;
        const nova_sel_t null = sel_alloc(0);
        EXPECT_EQ(hc_assign_gsi(null, 0, 64, &address, &data), NOVA_BAD_CPU);
        EXPECT_EQ(hc_assign_gsi(null, 0, ~(word_t)0, &address, &data), NOVA_BAD_CPU);
        for (unsigned i = 0; i < NOVA_CPU_MAX; i++) {
                if (!(hip->cpu[i].flags & NOVA_CPU_ENABLED))
                        EXPECT_EQ(hc_assign_gsi(null, 0, i, &address, &data), NOVA_BAD_CPU);
        }
}

CASE(control, assign_gsi_gives_BAD_DEV_for_a_message_interrupt_without_a_device, "5.5.2-11")
{
        word_t address, data;
        const nova_sel_t sm = sel_alloc(0);
        request(obj(NOVA_SEL_GSI_SM + 127, NOVA_PERM_ALL), sm);
        EXPECT_EQ(look(NOVA_CRD_OBJ, sm), obj(sm, NOVA_PERM_ALL));
        EXPECT_EQ(hc_assign_gsi(sm, page_alloc(0), boot_cpu, &address, &data), NOVA_BAD_DEV);
}

/* ---- Numbers without a hypercall ------------------------------------------------------------- */

CASE(control, number_0xe_without_flags_gives_BAD_HYP, "5.1-24 5.1-18")
{
        struct args a = {0xe, 0, 0, 0, 0};
        EXPECT_EQ(hypercall(&a), NOVA_BAD_HYP);
        a.a1 = 0xe | ROOT_PD << NOVA_ID_SEL_SHIFT;
        EXPECT_EQ(hypercall(&a), NOVA_BAD_HYP);
}

CASE(control, number_0xf_gives_BAD_HYP_with_any_flags, "5.1-24 5.1-18")
{
        for (word_t flags = 0; flags < 0x100; flags += 0x10) {
                struct args a = {0xf | flags | ROOT_PD << NOVA_ID_SEL_SHIFT, 1, 2, 3, 4};
                EXPECT_EQ(hypercall(&a), NOVA_BAD_HYP);
        }
}

CASE(control, an_unknown_extension_group_or_operation_gives_BAD_HYP, "5.1-24")
{
        for (word_t flags = 0xa0; flags < 0x100; flags += 0x10) {
                struct args a = {0xe | flags, 0xffff, 0, 0, 0};
                EXPECT_EQ(hypercall(&a), NOVA_BAD_HYP);
        }
}

CASE(control, bits_of_the_identifier_above_the_selector_do_not_reach_another_object,
     "7.5-04 8.5-04")
{
        const nova_sel_t sm = semaphore(2);
        struct args a = {NOVA_SM_CTRL | NOVA_SM_DN_OP | sm << NOVA_ID_SEL_SHIFT, 1, 2, 3, 4};
        EXPECT_EQ(hypercall(&a), NOVA_SUCCESS);
        EXPECT_EQ(hc_sm_ctrl(sm, NOVA_SM_DN_OP), NOVA_SUCCESS);
}

/* Returns the status of a hypercall whose capabilities are all null and whose argument 2 is not an
 * operation. */
static word_t status_without_capabilities(word_t number)
{
        switch (number) {
        case NOVA_REVOKE:
        case NOVA_LOOKUP:
                return NOVA_SUCCESS;
        case NOVA_EXTENSION:
        case NOVA_HYPERCALL_COUNT - 1:
                return NOVA_BAD_HYP;
        default:
                return NOVA_BAD_CAP;
        }
}

/* A kernel may find the handler of an identifier by a table in assembly, with short cuts for some
 * numbers, or in C. The statuses must be equal in each case. */
CASE(control, each_number_with_any_flags_and_any_selector_is_one_hypercall,
     "5.1-24 5.1-09 5.1-10 5.1-11 5.1-12 5.1-13 5.1-14 7.5-04 8.5-04")
{
        const nova_sel_t none = sel_alloc(2);
        const word_t above = ~(word_t)0 << NOVA_SEL_ORDER;
        const nova_sel_t sel[] = {none, none | above};

        for (word_t byte = 0; byte < 0x100; byte++) {
                const word_t number = nova_id_number(byte);
                for (unsigned i = 0; number != NOVA_REPLY && i < 2; i++) {
                        struct args a = {byte | sel[i] << NOVA_ID_SEL_SHIFT, none, 0, 0, 0};
                        EXPECT_EQ(hypercall(&a), status_without_capabilities(number));
                        EXPECT_EQ(a.a2, number == NOVA_LOOKUP ? 0 : none);
                }
        }
}

static void reply_with(struct thread *t)
{
        struct args a = {t->value[0], 0, 0, 0, 0};
        hypercall(&a);
        t->value[1] = 1;
}

CASE(control, reply_takes_any_flags_and_any_selector, "5.2.2-01 7.5-04 8.5-04")
{
        for (word_t flags = 0; flags < 0x100; flags += 0x10) {
                struct thread *t = server(boot_cpu);
                t->fn = reply_with;
                t->value[0] = NOVA_REPLY | flags | ~(word_t)0 << NOVA_ID_SEL_SHIFT;
                EXPECT_EQ(hc_call(t->pt, 0), NOVA_SUCCESS);
                EXPECT_EQ(t->calls, 1);
                EXPECT_EQ(t->value[1], 0);
        }
}
