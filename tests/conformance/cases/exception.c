/* SPDX-License-Identifier: BSD-2-Clause */
/* Exceptions of user programs and where they are delivered. */
#include "harness.h"

static void expect_event(int result, unsigned number)
{
        EXPECT_EQ(result, 1);
        EXPECT_EQ(self->event, number);
        EXPECT_EQ(self->event_portal, self->events + number);
}

CASE(exception, a_division_by_zero_is_event_0, "7.2-02 8.2-02 3.3-01 7.2-01 8.2-01")
{
        expect_event(raise_de(), NOVA_EXC_DE);
}

CASE(exception, a_debug_trap_is_event_1, "7.2-03 8.2-03")
{
        expect_event(raise_db(), NOVA_EXC_DB);
}

CASE(exception, a_breakpoint_is_event_3_after_the_instruction, "7.2-04 8.2-04")
{
        expect_event(raise_bp(), NOVA_EXC_BP);
        EXPECT_EQ(self->state.ip, (word_t)raise_bp + 1);
}

#if __SIZEOF_POINTER__ == 4
CASE(exception, an_overflow_is_event_4, "7.2-05")
{
        expect_event(raise_of(), NOVA_EXC_OF);
}

CASE(exception, an_index_out_of_bounds_is_event_5, "7.2-06")
{
        expect_event(raise_br(), NOVA_EXC_BR);
}
#endif

CASE(exception, an_invalid_instruction_is_event_6_at_the_instruction, "7.2-07 8.2-07 7.4-07 8.4-07")
{
        expect_event(raise_ud(), NOVA_EXC_UD);
        EXPECT_EQ(self->state.ip, (word_t)raise_ud);
}

CASE(exception, the_first_use_of_the_fpu_causes_no_event, "7.2-15 8.2-15")
{
        const word_t before = self->event_count;
        EXPECT_EQ(raise_nm(), 0);
        EXPECT_EQ(self->event_count, before);
}

CASE(exception, a_privileged_instruction_is_event_13_with_error_0, "7.2-10 8.2-10")
{
        expect_event(raise_gp(), NOVA_EXC_GP);
        EXPECT_EQ(self->state.qual[0], 0);
}

CASE(exception, a_software_interrupt_is_a_protection_fault, "7.2-10 8.2-10 7.2-19 8.2-19")
{
        expect_event(raise_int(), NOVA_EXC_GP);
        expect_event(raise_int11(), NOVA_EXC_GP);
}

CASE(exception, a_closed_port_is_a_protection_fault_with_error_0, "7.2-10 8.2-10 2.1-08 A-08")
{
        expect_event(probe_in(0x2f9), NOVA_EXC_GP);
        EXPECT_EQ(self->state.qual[0], 0);
        expect_event(probe_out(0x2f9, 0), NOVA_EXC_GP);
}

CASE(exception, an_absent_page_is_event_14, "7.2-11 8.2-11")
{
        expect_event(probe_read((void *)0x1000), NOVA_EXC_PF);
        EXPECT_EQ(self->state.qual[1], 0x1000);
}

CASE(exception, an_access_to_kernel_memory_is_an_ordinary_page_fault, "7.2-11 8.2-11")
{
        expect_event(probe_read((void *)(~(word_t)0 - 0xfffff)), NOVA_EXC_PF);
        EXPECT_EQ(self->state.qual[1], (word_t)(~(word_t)0 - 0xfffff));
        EXPECT_EQ(self->state.qual[0] & 4, 4);
        expect_event(probe_write((void *)(~(word_t)0 - 0xfffff), 1), NOVA_EXC_PF);
}

CASE(exception, a_jump_into_kernel_memory_is_an_ordinary_page_fault, "7.2-11 8.2-11")
{
        const word_t target = ~(word_t)0 - 0xfffff;
        self->exec_target = target;
        expect_event(probe_exec((void *)target), NOVA_EXC_PF);
        EXPECT_EQ(self->state.qual[1], target);
}

CASE_ON(exception, a_non_canonical_address_is_a_protection_fault, "8.2-10", needs_x86_64)
{
        expect_event(probe_read((void *)((word_t)1 << (NOVA_WORD_BITS - 4))), NOVA_EXC_GP);
}

CASE(exception, an_unmasked_fpu_error_is_event_16, "7.2-12 8.2-12")
{
        const uint16_t control = 0x37b; /* the exception of a division by zero is unmasked */
        __asm__ volatile("fninit; fldcw %0; fld1; fldz; fdivrp" : : "m"(control));
        const int result = raise_mf();
        __asm__ volatile("fnclex; fninit");
        expect_event(result, NOVA_EXC_MF);
}

CASE_ON(exception, an_unmasked_sse_error_is_event_19, "7.2-14 8.2-14", needs_hardware)
{
        /* The exception of a division by zero is unmasked. */
        const uint32_t control = 0x1d80, initial = 0x1f80;
        static const float one = 1.0f, zero = 0.0f;
        __asm__ volatile("ldmxcsr %0; movss %1, %%xmm0; movss %2, %%xmm1"
                         :
                         : "m"(control), "m"(one), "m"(zero));
        const int result = raise_xm();
        __asm__ volatile("ldmxcsr %0" : : "m"(initial));
        expect_event(result, NOVA_EXC_XM);
}

#if __SIZEOF_POINTER__ == 8
CASE_ON(exception, a_non_canonical_stack_address_is_event_12, "8.2-09", needs_hardware)
{
        expect_event(raise_ss(), NOVA_EXC_SS);
}
#endif

/* ---- Portals of events ----------------------------------------------------------------------- */

CASE(exception, each_thread_has_its_own_event_base, "2.2-05 3.3-01 5.3.2-19")
{
        struct thread *a = server(boot_cpu), *b = server(boot_cpu);
        EXPECT_EQ(remote_read(a, 0x1000), 1);
        EXPECT_EQ(remote_read(b, 0x1000), 1);
        EXPECT_EQ(a->event_portal, a->events + NOVA_EXC_PF);
        EXPECT_EQ(b->event_portal, b->events + NOVA_EXC_PF);
        EXPECT_EQ(a->event_count, 1);
}

CASE(exception, the_portal_is_looked_up_in_the_pd_of_the_thread, "3.3-04")
{
        struct thread *t = child_server(child_new(boot_cpu));
        EXPECT_EQ(remote_read(t, 0x1000), 1);
        EXPECT_EQ(t->event, NOVA_EXC_PF);
        EXPECT_EQ(t->event_portal, t->child->portals + t->own_events + NOVA_EXC_PF);
}

static void dies(struct thread *t)
{
        t->value[0] = 1;
        raise_ud();
        t->value[0] = 2;
}

CASE(exception, a_thread_without_a_portal_is_shut_down, "3.3-06")
{
        struct thread *t = global(boot_cpu, dies, NULL);
        event_remove(t, NOVA_EXC_UD);
        thread_start(t, PRIO_HIGH, QUANTUM);
        EXPECT_EQ(t->value[0], 1);
        EXPECT_EQ(t->event, NOVA_EXC_STARTUP);
        spin_us(20000);
        EXPECT_EQ(t->value[0], 1);
}

CASE(exception, a_capability_of_another_kind_counts_as_no_portal, "3.3-07")
{
        struct thread *t = global(boot_cpu, dies, NULL);
        event_remove(t, NOVA_EXC_UD);
        EXPECT_EQ(hc_create_sm(t->events + NOVA_EXC_UD, ROOT_PD, 1), NOVA_SUCCESS);
        thread_start(t, PRIO_HIGH, QUANTUM);
        EXPECT_EQ(t->value[0], 1);
        EXPECT_EQ(t->event, NOVA_EXC_STARTUP);
        EXPECT_EQ(hc_sm_ctrl(t->events + NOVA_EXC_UD, NOVA_SM_DN_OP), NOVA_SUCCESS);
}

CASE(exception, a_thread_that_was_shut_down_uses_no_more_time, "3.3-06")
{
        struct thread *t = global(boot_cpu, dies, NULL);
        uint64_t before, after;
        event_remove(t, NOVA_EXC_UD);
        thread_start(t, PRIO_HIGH, QUANTUM);
        EXPECT_EQ(hc_sc_ctrl(t->sc, &before), NOVA_SUCCESS);
        spin_us(20000);
        EXPECT_EQ(hc_sc_ctrl(t->sc, &after), NOVA_SUCCESS);
        EXPECT_EQ(before, after);
}

CASE_ON(exception, a_portal_on_another_cpu_counts_as_absent, "3.3-06", needs_2_cpus)
{
        struct thread *s = server(cpu_numbers[1]), *t = global(boot_cpu, dies, NULL);
        event_remove(t, NOVA_EXC_UD);
        EXPECT_EQ(hc_create_pt(t->events + NOVA_EXC_UD, ROOT_PD, s->ec, 0, (word_t)portal_entry),
                  NOVA_SUCCESS);
        thread_start(t, PRIO_HIGH, QUANTUM);
        spin_us(20000);
        EXPECT_EQ(t->value[0], 1);
        EXPECT_EQ(s->calls, 0);
}

static bool spins(struct thread *t, unsigned n, struct nova_utcb *u)
{
        (void)u;
        if (n == NOVA_EXC_PF)
                spin_us(20000);
        t->value[3] = 1;
        return false;
}

static void faults(struct thread *t)
{
        probe_read((void *)0x1000);
        t->value[4] = t->value[3];
}

CASE(exception, handling_is_paid_by_the_thread_that_caused_it, "3.3-08 3.3-05")
{
        struct thread *t = global(boot_cpu, faults, NULL);
        uint64_t time;
        t->on_event = spins;
        thread_start(t, PRIO_HIGH, QUANTUM);
        EXPECT_EQ(t->done, 1);
        EXPECT_EQ(hc_sc_ctrl(t->sc, &time), NOVA_SUCCESS);
        EXPECT(time >= 19000 && time < 1000000);
}

CASE(exception, the_thread_waits_until_the_handler_replied, "3.3-09 3.3-10")
{
        struct thread *t = global(boot_cpu, faults, NULL);
        t->on_event = spins;
        thread_start(t, PRIO_HIGH, QUANTUM);
        EXPECT_EQ(t->value[4], 1);
}

static void handler_raises(struct thread *t)
{
        struct thread *faulting = t->arg;
        t->value[0] = (word_t)raise_ud();
        event_remove(faulting, NOVA_EXC_GP);
}

/* Raises #GP. The handler's reply does not move the instruction pointer, so the thread raises it
 * again. */
static void raises_gp_once(struct thread *t)
{
        (void)t;
        raise_gp();
}

CASE(exception, events_of_a_handler_go_to_its_own_portals, "3.3-11")
{
        struct thread *handler = server(boot_cpu), *t = server(boot_cpu);
        event_remove(t, NOVA_EXC_GP);
        EXPECT_EQ(hc_create_pt(t->events + NOVA_EXC_GP, ROOT_PD, handler->ec, 0,
                               (word_t)portal_entry),
                  NOVA_SUCCESS);
        handler->fn = handler_raises;
        handler->arg = t;
        self->utcb->items = 0;
        t->fn = raises_gp_once;
        EXPECT_EQ(hc_call(t->pt, 0), NOVA_COM_ABT);
        EXPECT_EQ(handler->event, NOVA_EXC_UD);
        EXPECT_EQ(handler->event_portal, handler->events + NOVA_EXC_UD);
        EXPECT_EQ(handler->value[0], 1);
}

static word_t frame_page;

static bool pages_in(struct thread *t, unsigned n, struct nova_utcb *u)
{
        if (n != NOVA_EXC_PF || u->state.qual[1] != t->value[0])
                return false;
        const word_t page = t->value[0] >> NOVA_PAGE_BITS;
        u->state.mtd = 0;
        u->word[nova_utcb_item_index(0)] = mem(frame_page, 0, NOVA_MEM_RWX);
        u->word[nova_utcb_item_index(0) + 1] = item_upper(NOVA_ITEM_DELEGATE, page);
        u->items = nova_utcb_items(1, 1);
        return true;
}

CASE(exception, a_pagers_reply_maps_memory_at_the_fault, "D-27 3.3-10 C-14")
{
        struct thread *t = server(boot_cpu);
        volatile word_t *p = (volatile word_t *)memory(0);
        *p = 42;
        frame_page = page_of((void *)(word_t)p);
        t->value[0] = page_alloc(0) << NOVA_PAGE_BITS;
        t->on_event = pages_in;
        EXPECT_EQ(remote_read(t, t->value[0]), 0);
        EXPECT_EQ(t->event_count, 1);
        EXPECT_EQ(*(volatile word_t *)t->value[0], 42);
}

static bool pages_in_objects(struct thread *t, unsigned n, struct nova_utcb *u)
{
        (void)n;
        u->state.mtd = NOVA_MTD_EIP;
        u->state.ip = (word_t)probe_failed;
        u->word[nova_utcb_item_index(0)] = obj(ROOT_PD, NOVA_PERM_ALL);
        u->word[nova_utcb_item_index(0) + 1] = item_upper(NOVA_ITEM_DELEGATE, t->value[1]);
        u->word[nova_utcb_item_index(1)] = io(0x3f8, 3);
        u->word[nova_utcb_item_index(1) + 1] = item_upper(NOVA_ITEM_DELEGATE, 0x3f8);
        u->items = nova_utcb_items(NOVA_UTCB_STATE_WORDS, 2);
        return true;
}

CASE(exception, a_reply_to_an_event_delegates_no_objects_and_no_ports, "D-27.2 A-08")
{
        struct thread *t = child_server(child_new(boot_cpu));
        remote_in(t, 0x3fd);
        t->value[1] = CHILD_FREE_SEL;
        t->on_event = pages_in_objects;
        EXPECT_EQ(remote_read(t, 0x1000), 1);
        t->on_event = NULL;
        EXPECT_EQ(remote_look(t, NOVA_CRD_OBJ, CHILD_FREE_SEL), 0);
        EXPECT_EQ(remote_in(t, 0x3fd), 1);
}

CASE(exception, the_page_of_a_pager_must_not_come_back_as_another_fault, "3.3-10 D-27")
{
        struct thread *t = child_server(child_new(boot_cpu));
        frame_page = page_of(memory(0));
        remote_in(t, 0x3fd);
        const word_t before = t->event_count;
        t->value[0] = page_alloc(0) << NOVA_PAGE_BITS;
        t->on_event = pages_in;
        for (unsigned i = 0; i < 10; i++)
                EXPECT_EQ(remote_write(t, t->value[0], i), 0);
        EXPECT_EQ(t->event_count, before + 1);
}
