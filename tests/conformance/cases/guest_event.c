/* SPDX-License-Identifier: BSD-2-Clause */
/* Guests: software interrupts, delays of interrupts, faults in a delivery, interrupts between
 * guests, the waiting times of a monitor and of other threads, and the time that a guest's TSC does
 * not count. */
#include "guest.h"

#define VALID         NOVA_INJ_VALID
#define SOFT          NOVA_INJ_SOFTWARE_INTERRUPT /* INT n */
#define SOFT_OTHER    0x600                       /* INT3, INTO; a separate type in VMX */
#define DOUBLE_FAULT  8
#define NEXT_IN_GUEST 2 /* length of the instructions below that exit */

static uint32_t top_of_stack(const struct guest *g)
{
        return *guest_word(g, g->state->sp);
}

/* ---- Software interrupts --------------------------------------------------------------------- */

GUEST(halt_32, 32, "hlt");

static void expect_soft(struct guest *g, nova_mtd_t mtd, uint32_t type, unsigned vector,
                        unsigned length)
{
        g->state->ip = GUEST_CODE;
        g->state->sp = GUEST_STACK;
        g->state->inj_info = VALID | (needs_vmx() ? SOFT : type) | vector;
        g->state->inst_len = length;
        guest_until(g, mtd | NOVA_MTD_EIP | NOVA_MTD_ESP | NOVA_MTD_INJ, EXIT_HLT);
        EXPECT_EQ(g->state->ip, GUEST_HANDLERS + vector);
        EXPECT_EQ(g->state->sp, GUEST_STACK - 12);
        /* VMX adds the instruction's length to the pointer; SVM pushes the pointer as it is. */
        EXPECT_EQ(top_of_stack(g), GUEST_CODE + (needs_vmx() ? 0 : length));
}

CASE_ON(guest_event, software_interrupts_are_injected, "7.4-51 8.4-36", needs_virtualization)
{
        struct guest *g = guest_new(boot_cpu, halt_32, halt_32_end);
        const nova_mtd_t mtd = guest_flat(g);

        guest_gates(g);
        expect_soft(g, mtd, SOFT, 0x80, 2);
        expect_soft(g, 0, SOFT, 0x21, 2);
        expect_soft(g, 0, SOFT_OTHER, 3, 1);
        expect_soft(g, 0, SOFT_OTHER, 4, 1);
}

GUEST(soft_32, 32, "int $0x80; int3; movb $0x7f, %al; addb $1, %al; into; hlt");

CASE_ON(guest_event, software_interrupts_of_a_guest_are_its_own, "7.2-22 7.2-85",
        needs_virtualization)
{
        static const struct {
                unsigned vector, next;
        } steps[] = {{0x80, 2}, {3, 3}, {4, 8}};
        struct guest *g = guest_new(boot_cpu, soft_32, soft_32_end);
        nova_mtd_t mtd = guest_flat(g);

        guest_gates(g);
        for (unsigned i = 0; i < 3; i++) {
                guest_until(g, mtd, EXIT_HLT);
                EXPECT_EQ(g->state->ip, GUEST_HANDLERS + steps[i].vector);
                EXPECT_EQ(top_of_stack(g), GUEST_CODE + steps[i].next);
                g->state->ip = GUEST_CODE + steps[i].next;
                mtd = NOVA_MTD_EIP;
        }
}

#define NO_MEMORY 0x20000
#define OVERFLOW  0x802

GUEST(int_32, 32, "int $0x80; hlt");
GUEST(int3_32, 32, "int3; hlt");
GUEST(into_32, 32, "into; hlt");

static const struct software {
        const char *code, *end;
        uint32_t type;
        unsigned vector, length;
} software[] = {
        {int_32, int_32_end, SOFT, 0x80, 2},
        {int3_32, int3_32_end, SOFT_OTHER, 3, 1},
        {into_32, into_32_end, SOFT_OTHER, 4, 1},
};

/* Delivers the software interrupt in two steps. At first no memory is mapped at the guest's IDT, so
 * the delivery exits. The reply moves the IDT to memory, and returns the event unchanged. */
static void deliver_at_last(struct guest *g, nova_mtd_t mtd, const struct software *s, bool told)
{
        g->state->ip = GUEST_CODE;
        g->state->sp = GUEST_STACK;
        g->state->idtr.base = NO_MEMORY;
        guest_until(g, mtd | NOVA_MTD_EIP | NOVA_MTD_ESP | NOVA_MTD_IDTR, EXIT_MEMORY);
        EXPECT_EQ(g->state->ip, GUEST_CODE);
        EXPECT_EQ(g->state->inj_info & VALID, told ? VALID : 0);
        EXPECT_EQ(told ? g->state->inj_info & 0xff : s->vector, s->vector);
        g->state->idtr.base = GUEST_IDT;
        guest_until(g, NOVA_MTD_EIP | NOVA_MTD_IDTR | NOVA_MTD_INJ, EXIT_HLT);
        EXPECT_EQ(g->state->ip, GUEST_HANDLERS + s->vector);
        EXPECT_EQ(g->state->sp, GUEST_STACK - 12);
}

/* Makes a guest whose code is a software interrupt. Prepares a first message that injects the same
 * interrupt. */
static struct guest *prepare(const struct software *s, nova_mtd_t *mtd)
{
        struct guest *g = guest_new(boot_cpu, s->code, s->end);

        *mtd = guest_flat(g);
        guest_gates(g);
        g->state->flags = OVERFLOW;
        g->state->inj_info = VALID | (needs_vmx() ? SOFT : s->type) | s->vector;
        g->state->inst_len = s->length;
        return g;
}

/* VMX reports the length of the instruction, which the injection requires. With SVM the CPU
 * executes the instruction again. */
CASE_ON(guest_event, a_guests_software_interrupt_that_an_exit_interrupts_arrives_once,
        "7.4-50 8.4-35 7.4-51 8.4-36", needs_virtualization)
{
        for (const struct software *s = software; s < software + 3; s++) {
                nova_mtd_t mtd;
                struct guest *g = prepare(s, &mtd);
                g->state->ip =
                        GUEST_CODE +
                        s->length; /* so that the injected interrupt returns to another address */
                guest_until(g, mtd | NOVA_MTD_INJ, EXIT_HLT);
                deliver_at_last(g, 0, s, !needs_vmx());
                EXPECT_EQ(top_of_stack(g), GUEST_CODE + s->length);
        }
}

CASE_ON(guest_event, a_software_interrupt_that_is_injected_and_interrupted_is_reported,
        "7.4-50 8.4-35 7.4-51 8.4-36", needs_virtualization)
{
        for (const struct software *s = software; s < software + 3; s++) {
                nova_mtd_t mtd;
                struct guest *g = prepare(s, &mtd);
                deliver_at_last(g, mtd | NOVA_MTD_INJ, s, true);
                EXPECT_EQ(top_of_stack(g), GUEST_CODE + (needs_vmx() ? 0 : s->length));
        }
}

GUEST(mov_ss_32, 32, "movl $16, %eax; movl %eax, %ss; outb %al, $0xe9; hlt");

/* Runs the guest until its OUT, and returns its interruptibility there. QEMU's VMRUN does not load
 * the interrupt shadow. An interrupt of the host after the MOV therefore ends the shadow; such a
 * run is repeated. */
static uint32_t shadow_at_out(struct guest **guest)
{
        for (unsigned i = 0; i < 4; i++) {
                *guest = guest_new(boot_cpu, mov_ss_32, mov_ss_32_end);
                guest_until(*guest, guest_flat(*guest), EXIT_PORT);
                if ((*guest)->state->intr_state)
                        break;
        }
        return (*guest)->state->intr_state;
}

CASE_ON(guest_event, mov_to_ss_delays_interrupts_for_one_instruction, "7.4-52 8.4-37",
        needs_virtualization)
{
        struct guest *g;

        EXPECT_EQ(shadow_at_out(&g), needs_vmx() ? 1 : 2);
        g->state->ip += NEXT_IN_GUEST;
        g->state->intr_state = 0;
        guest_until(g, NOVA_MTD_EIP | NOVA_MTD_STA, EXIT_HLT);
        EXPECT_EQ(g->state->intr_state, 0);
}

/* ---- Faults in a delivery -------------------------------------------------------------------- */

GUEST(nested_32, 32, "ud2; hlt");

CASE_ON(guest_event, a_fault_in_a_delivery_is_a_double_fault_then_a_triple_fault,
        "7.2-24 7.2-117 7.4-50", needs_virtualization)
{
        struct guest *g = guest_new(boot_cpu, nested_32, nested_32_end);
        const nova_mtd_t mtd = guest_flat(g);

        g->memory[GUEST_HANDLERS] = (char)0xf4;
        guest_gate(g, DOUBLE_FAULT, GUEST_HANDLERS); /* no other gate is present */
        guest_until(g, mtd, EXIT_HLT);
        EXPECT_EQ(g->state->ip, GUEST_HANDLERS);
        EXPECT_EQ(top_of_stack(g), 0); /* the error code */
        g = guest_new(boot_cpu, nested_32, nested_32_end);
        guest_until(g, guest_flat(g), EXIT_TRIPLE_FAULT);
}

/* ---- Between two guests ---------------------------------------------------------------------- */

static const char *needs_virtualization_and_2_cpus(void)
{
        return needs_virtualization() ? needs_virtualization() : needs_2_cpus();
}

GUEST(sender_32, 32, "1: outb %al, $0xe9; jmp 1b");
GUEST(receiver_32, 32, "sti; 1: jmp 1b; incl %ebx; outb %al, $0xe9; iret");

/* The monitor forwards each interrupt: it recalls the other virtual CPU and injects. */
CASE_ON(guest_event, a_monitor_relays_interrupts_between_virtual_cpus_of_two_cpus,
        "5.4.1-02 7.4-51 8.4-36", needs_virtualization_and_2_cpus)
{
        struct guest *from = guest_new(boot_cpu, sender_32, sender_32_end);
        struct guest *to = guest_new(cpu_numbers[1], receiver_32, receiver_32_end);
        nova_mtd_t mtd = guest_flat(from);

        guest_answer(to, guest_flat(to));
        guest_gate(to, 0x80, GUEST_CODE + 3);
        for (word_t i = 1; i <= 10; i++) {
                guest_until(from, mtd, EXIT_PORT);
                EXPECT_EQ(hc_ec_ctrl(to->ec), NOVA_SUCCESS);
                EXPECT(guest_wait(to, 10000));
                EXPECT_EQ(to->event, NOVA_VMI_RECALL);
                /* The guest may not have reached its STI yet, or may still be leaving the
                 * handler. */
                to->state->flags = 0x202;
                to->state->ip = GUEST_CODE + 1;
                to->state->intr_state = 0;
                to->state->inj_info = VALID | 0x80;
                guest_until(to, NOVA_MTD_EIP | NOVA_MTD_EFL | NOVA_MTD_STA | NOVA_MTD_INJ,
                            EXIT_PORT);
                EXPECT_EQ((uint32_t)to->state->bx, i);
                to->state->ip += NEXT_IN_GUEST;
                guest_answer(to, NOVA_MTD_EIP);
                from->state->ip += NEXT_IN_GUEST;
                mtd = NOVA_MTD_EIP;
        }
}

/* ---- Time ------------------------------------------------------------------------------------ */

GUEST(spin_32, 32, "sti; 1: jmp 1b");

/* The recall comes long before the quantum ends. The bound is wide because the machine may have
 * other work. */
CASE_ON(guest_event, a_spinning_guest_on_another_cpu_is_recalled_before_its_quantum_ends,
        "5.4.1-02", needs_virtualization_and_2_cpus)
{
        struct guest *g = guest_new(cpu_numbers[1], spin_32, spin_32_end);

        g->quantum_us = 10 * 1000000;
        guest_answer(g, guest_flat(g));
        for (unsigned i = 0; i < 20; i++) {
                EXPECT(!guest_wait(g, 2));
                const uint64_t start = tsc();
                EXPECT_EQ(hc_ec_ctrl(g->ec), NOVA_SUCCESS);
                EXPECT(guest_wait(g, 2000));
                EXPECT_EQ(g->event, NOVA_VMI_RECALL);
                EXPECT(tsc() - start < 2000 * tsc_per_ms());
                guest_answer(g, 0);
        }
}

/* Answers each exit at once. */
static void skip(struct thread *t)
{
        t->fn = skip;
        t->utcb->state.ip += NEXT_IN_GUEST;
}

static void count(struct thread *t)
{
        while (!t->value[0])
                t->value[1]++;
}

/* Returns whether two SCs of equal priority and quantum had many quanta each, and nearly equal
 * time. */
static bool share_alike(uint64_t a, uint64_t b)
{
        return a >= 8 * QUANTUM && b >= 8 * QUANTUM && 4 * a <= 5 * b && 4 * b <= 5 * a;
}

static uint64_t time_of(nova_sel_t sc)
{
        uint64_t us = 0;

        EXPECT_EQ(hc_sc_ctrl(sc, &us), NOVA_SUCCESS);
        return us;
}

/* Waits until an SC has used this time, in us; the guest raises no event. */
static void wait_for_time(struct guest *g, nova_sel_t sc, uint64_t us)
{
        for (unsigned i = 0; i < 100 && time_of(sc) < us; i++)
                EXPECT(!guest_wait(g, 100));
        EXPECT(time_of(sc) >= us);
}

GUEST(storm_32, 32, "sti; 1: outb %al, $0xe9; jmp 1b");

CASE_ON(guest_event, a_storm_of_exits_takes_no_more_than_its_share, "3.1-03 7.2-86",
        needs_virtualization)
{
        struct thread *monitor = server(boot_cpu);
        const struct guest_portal own = {EXIT_PORT, NOVA_MTD_EIP, monitor, portal_entry};
        struct guest *g = guest_new_portals(boot_cpu, storm_32, storm_32_end, &own, 1);
        struct thread *other = run_thread(boot_cpu, 1, count, NULL);
        uint64_t guests = 0, others = 0;

        monitor->fn = skip;
        guest_answer(g, guest_flat(g));
        /* The two SCs run in turns, one quantum each. How long this takes depends on the machine's
         * other work. */
        for (unsigned i = 0; i < 100 && !share_alike(guests, others); i++) {
                EXPECT(!guest_wait(g, 100));
                guests = time_of(g->sc);
                others = time_of(other->sc);
        }
        other->value[0] = 1;
        EXPECT(share_alike(guests, others));
        EXPECT(monitor->calls > 10);
        EXPECT(other->value[1] > 10);
        hc_revoke(obj(g->ec, NOVA_PERM_ALL), NOVA_REVOKE_SR);
}

/* Another thread runs while the virtual CPU is ready. The guest's TSC does not count this stolen
 * time. */
CASE_ON(guest_event, the_tsc_of_a_guest_leaves_out_stolen_time, "D-11 7.3-12 8.3-13",
        needs_virtualization)
{
        struct guest *g = guest_new(boot_cpu, spin_32, spin_32_end);
        const uint64_t start = tsc();
        struct thread *other = run_thread(boot_cpu, 1, count, NULL);

        guest_answer(g, guest_flat(g));
        wait_for_time(g, g->sc, QUANTUM); /* the guest has begun */
        wait_for_time(g, other->sc, time_of(other->sc) + 8 * QUANTUM);
        EXPECT_EQ(hc_ec_ctrl(g->ec), NOVA_SUCCESS);
        EXPECT(guest_wait(g, 10000));
        EXPECT_EQ(g->event, NOVA_VMI_RECALL);
        other->value[0] = 1;
        const uint64_t stolen = -g->state->tsc_offset;
        EXPECT(stolen / tsc_per_ms() * 1000 >= 4 * QUANTUM);
        EXPECT(stolen < tsc() - start);
}

static const char *needs_tsc_choice(void)
{
        const char *lacks = needs_virtualization();

        if (lacks)
                return lacks;
        return hip->features & NOVA_HIP_TSC ? NULL : "needs the extension of the TSC's choice";
}

CASE_ON(guest_event, a_virtual_cpu_may_keep_its_tsc_while_others_run, "X-TSC", needs_tsc_choice)
{
        struct guest *g = guest_new(boot_cpu, spin_32, spin_32_end);
        struct thread *other = run_thread(boot_cpu, 1, count, NULL);

        g->ec = sel_alloc(0);
        EXPECT_EQ(hc_create_ec(g->ec, g->pd, boot_cpu, 0, 0, NOVA_EC_TSC), NOVA_SUCCESS);
        guest_answer(g, guest_flat(g));
        wait_for_time(g, g->sc, QUANTUM);
        wait_for_time(g, other->sc, time_of(other->sc) + 8 * QUANTUM);
        EXPECT_EQ(hc_ec_ctrl(g->ec), NOVA_SUCCESS);
        EXPECT(guest_wait(g, 10000));
        EXPECT_EQ(g->event, NOVA_VMI_RECALL);
        other->value[0] = 1;
        EXPECT_EQ(g->state->tsc_offset, 0);
}
