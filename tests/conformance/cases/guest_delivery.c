/* SPDX-License-Identifier: BSD-2-Clause */
/* Guests: each type of event in each state that may delay it, and windows that are requested
 * together with an injection. */
#include "guest.h"

#define VALID     NOVA_INJ_VALID
#define INTERRUPT NOVA_INJ_INTERRUPT
#define NMI       NOVA_INJ_NMI
#define EXCEPTION NOVA_INJ_EXCEPTION
#define SOFT      NOVA_INJ_SOFTWARE_INTERRUPT /* INT n */
#define SOFT_1    NOVA_INJ_INT1               /* INT1; only VMX has this type and SOFT_3 */
#define SOFT_3    NOVA_INJ_SOFTWARE_EXCEPTION /* INT3, INTO */
#define ERROR     NOVA_INJ_ERROR
#define WINDOW    NOVA_INJ_WINDOW
#define FLAG_IF   0x200u

GUEST(halt_32, 32, "hlt; iret");

/* ---- Each type in each state ------------------------------------------------------------------
 */

enum {
        OPEN,
        SHUT,
        BEHIND_STI,
        BEHIND_SS,
        NMI_BLOCKED,
        STATES,
};

static const struct {
        word_t flags;
        uint32_t blocked; /* interruptibility state; SVM has only bit 0 */
} states[STATES] = {
        [OPEN] = {0x202, 0},      [SHUT] = {0x2, 0},          [BEHIND_STI] = {0x202, 1},
        [BEHIND_SS] = {0x202, 2}, [NMI_BLOCKED] = {0x202, 8},
};

#define IN(state) (1u << (state))
#define ALL       (IN(STATES) - 1)
/* According to the SDM, the effect of STI on NMIs depends on the CPU. Bochs accepts an NMI while
 * NMIs are blocked. */
#define UP_TO_CPU   (IN(BEHIND_STI) | IN(NMI_BLOCKED))
#define MASKED      (IN(SHUT) | IN(BEHIND_STI) | IN(BEHIND_SS))
#define WITH_LENGTH 1

/* The states in which the CPU refuses the event. SVM checks only the type and, for exceptions, the
 * vector, so it refuses an event in all states or in none. */
static const struct row {
        uint32_t info, svm, vmx;
} rows[] = {
        {INTERRUPT | 0x80, 0, MASKED},
        {INTERRUPT | 0xff, 0, MASKED},
        {NMI | 2, 0, IN(BEHIND_SS)},
        {EXCEPTION | 0, 0, 0},
        {EXCEPTION | 6, 0, 0},
        {EXCEPTION | ERROR | 13, 0, 0},
        {EXCEPTION | ERROR | 14, 0, 0},
        {SOFT | 0x80, 0, 0},
        {SOFT | 0x21, 0, 0},
        {SOFT_1 | 1, ALL, 0},
        {SOFT_3 | 3, ALL, 0},
        {SOFT_3 | 4, ALL, 0},
        {EXCEPTION | 2, ALL, ALL},
        {EXCEPTION | 32, ALL, ALL},
        {EXCEPTION | 0xff, ALL, ALL},
        {NMI | 3, 0, ALL},
        {SOFT_1 | 2, ALL, ALL},
        {SOFT_3 | 5, ALL, ALL},
        {0x100 | 0x80, ALL, ALL},
        {0x700 | 0x80, ALL, ALL},
};

static bool is_nmi(const struct row *row)
{
        return (row->info & 0x700) == NMI;
}

/* Runs the guest to its hlt. The IRET unblocks NMIs. */
static void return_from_handler(struct guest *g)
{
        g->state->ip = GUEST_CODE + 1;
        guest_until(g, NOVA_MTD_EIP, EXIT_HLT);
        EXPECT_EQ(g->state->ip, GUEST_CODE);
        EXPECT_EQ(g->state->intr_state & 8, 0);
}

/* Expects that the event was refused, and that it does not arrive later. */
static void expect_refusal(struct guest *g)
{
        EXPECT_EQ(g->event, guest_event(EXIT_STATE));
        EXPECT_EQ(g->state->ip, GUEST_CODE);
        g->state->inj_info = 0;
        g->state->intr_state = 0;
        guest_until(g, NOVA_MTD_INJ | NOVA_MTD_STA, EXIT_HLT);
        EXPECT_EQ(g->state->ip, GUEST_CODE);
}

static void expect_arrival(struct guest *g, const struct row *row)
{
        const unsigned vector = is_nmi(row) ? 2 : row->info & 0xff;

        EXPECT_EQ(g->event, guest_event(EXIT_HLT));
        EXPECT_EQ(g->state->ip, GUEST_HANDLERS + vector);
        EXPECT_EQ(g->state->sp, GUEST_STACK - (row->info & ERROR ? 16 : 12));
        EXPECT_EQ(g->state->intr_state & 3, 0);
        EXPECT_EQ(g->state->inj_info, 0);
        if (is_nmi(row))
                return_from_handler(g); /* the next NMI waits for the IRET */
}

static void try(struct guest *g, nova_mtd_t mtd, const struct row *row, unsigned state)
{
        const uint32_t refused = needs_vmx() ? row->svm : row->vmx;

        g->state->ip = GUEST_CODE;
        g->state->sp = GUEST_STACK;
        g->state->flags = states[state].flags;
        g->state->intr_state = states[state].blocked;
        g->state->actv_state = 0;
        g->state->inj_info = VALID | row->info;
        g->state->inj_error = 0x58;
        g->state->inst_len = WITH_LENGTH;
        guest_run(g,
                  mtd | NOVA_MTD_EIP | NOVA_MTD_ESP | NOVA_MTD_EFL | NOVA_MTD_STA | NOVA_MTD_INJ);
        if (refused & IN(state))
                expect_refusal(g);
        else
                expect_arrival(g, row);
}

CASE_ON(guest_delivery, each_type_of_event_arrives_or_is_refused_by_the_state_it_meets,
        "7.4-51 7.4-53 8.4-36 8.4-38 7.2-55 7.2-133", needs_virtualization)
{
        struct guest *g = guest_new(boot_cpu, halt_32, halt_32_end);
        nova_mtd_t mtd = guest_flat(g);

        guest_gates(g);
        for (const struct row *row = rows; row < rows + sizeof(rows) / sizeof(*rows); row++) {
                for (unsigned state = 0; state < STATES; state++) {
                        if (is_nmi(row) && UP_TO_CPU & IN(state))
                                continue;
                        try(g, mtd, row, state);
                        mtd = 0;
                }
        }
        try(g, mtd, rows, OPEN);
        return_from_handler(g); /* Bochs would block the next guest's NMIs */
}

/* ---- Windows ----------------------------------------------------------------------------------
 */

CASE_ON(guest_delivery, a_window_that_is_requested_with_an_injection_opens_after_it,
        "7.2-29 7.2-90 7.4-51 8.4-36", needs_virtualization)
{
        static const uint32_t injected[] = {INTERRUPT | 0x80, EXCEPTION | 6, EXCEPTION | ERROR | 13,
                                            SOFT | 0x80};
        struct guest *g = guest_new(boot_cpu, halt_32, halt_32_end);
        nova_mtd_t mtd = guest_flat(g);

        guest_gates(g);
        for (unsigned i = 0; i < sizeof(injected) / sizeof(*injected); i++) {
                g->state->ip = GUEST_CODE;
                g->state->sp = GUEST_STACK;
                g->state->flags = 0x202;
                g->state->inst_len = WITH_LENGTH;
                g->state->inj_info = VALID | WINDOW | injected[i];
                guest_until(g, mtd | NOVA_MTD_EIP | NOVA_MTD_ESP | NOVA_MTD_EFL | NOVA_MTD_INJ,
                            EXIT_HLT);
                EXPECT_EQ(g->state->ip, GUEST_HANDLERS + (injected[i] & 0xff));
                EXPECT_EQ(g->state->flags & FLAG_IF, 0);
                EXPECT_EQ(g->state->inj_info, WINDOW);
                g->state->flags |= FLAG_IF;
                guest_until(g, NOVA_MTD_EFL, EXIT_WINDOW);
                EXPECT_EQ(g->state->ip, GUEST_HANDLERS + (injected[i] & 0xff));
                EXPECT_EQ(g->state->inj_info, 0);
                mtd = 0;
        }
}

CASE_ON(guest_delivery, a_window_opens_before_a_handler_that_leaves_interrupts_on,
        "7.2-29 7.2-90 7.4-51 8.4-36", needs_virtualization)
{
        struct guest *g = guest_new(boot_cpu, halt_32, halt_32_end);
        const nova_mtd_t mtd = guest_flat(g);
        uint64_t *idt = (uint64_t *)(void *)(g->memory + GUEST_IDT);

        guest_gates(g);
        idt[6] |= (uint64_t)0x0100 << 32; /* a trap gate */
        g->state->flags = 0x202;
        g->state->inj_info = VALID | WINDOW | EXCEPTION | 6;
        guest_until(g, mtd | NOVA_MTD_INJ, EXIT_WINDOW);
        EXPECT_EQ(g->state->ip, GUEST_HANDLERS + 6);
        EXPECT_EQ(g->state->inj_info, 0);
        guest_until(g, 0, EXIT_HLT);
}

/* ---- Windows for writes of CR8 ----------------------------------------------------------------
 */

#if __SIZEOF_POINTER__ == 8
#define CR8_WINDOW NOVA_INJ_CR8_WINDOW
#define WITH_CR8   (NOVA_MTD_INJ | NOVA_MTD_CR8)

GUEST(cr8_writes_64, 64,
      "hlt; movq %cr8, %rax; movl $9, %ebx; movq %rbx, %cr8; incl %ecx;"
      "movl $4, %ebx; movq %rbx, %cr8; hlt");

/* Returns a guest at its first instruction, with CR8 = 15. */
static struct guest *writer(void)
{
        struct guest *g = guest_new(boot_cpu, cr8_writes_64, cr8_writes_64_end);
        const nova_mtd_t mtd = guest_long(g);

        g->state->cr8 = 15;
        g->state->cx = 0;
        guest_until(g, mtd | NOVA_MTD_CR8, EXIT_HLT);
        return g;
}

/* Returns a guest at its first write of CR8, which exits. */
static struct guest *writer_in_window(void)
{
        struct guest *g = writer();

        g->state->ip++;
        g->state->inj_info = CR8_WINDOW;
        guest_until(g, NOVA_MTD_EIP | WITH_CR8, EXIT_CR8);
        return g;
}

CASE_ON(guest_delivery, the_next_write_of_cr8_is_an_event_on_request, "7.2-50 8.3-15",
        needs_virtualization_64)
{
        struct guest *g = writer_in_window();

        EXPECT_EQ(g->state->ax, 15); /* CR8 was read */
        EXPECT_EQ(g->state->bx, 9);
        EXPECT_EQ(g->state->cr8, 15); /* CR8 was not written */
        EXPECT_EQ(g->state->cx, 0);
        EXPECT_EQ(g->state->inj_info, 0);
        guest_until(g, 0, EXIT_HLT); /* neither the repeated write nor the next one exits */
        EXPECT_EQ(g->state->cr8, 4);
        EXPECT_EQ(g->state->cx, 1);
}

CASE_ON(guest_delivery, a_vmm_writes_cr8_in_the_guests_place, "7.2-50 8.3-15",
        needs_virtualization_64)
{
        struct guest *g = writer_in_window();

        g->state->ip += 4;
        g->state->cr8 = 7;
        g->state->inj_info = CR8_WINDOW;
        guest_until(g, NOVA_MTD_EIP | WITH_CR8, EXIT_CR8);
        EXPECT_EQ(g->state->cx, 1);
        EXPECT_EQ(g->state->bx, 4);
        EXPECT_EQ(g->state->cr8, 7);
}

CASE_ON(guest_delivery, a_window_for_cr8_stays_until_a_message_closes_it, "7.2-50 8.3-15",
        needs_virtualization_64)
{
        struct guest *g = writer();

        g->state->inj_info = CR8_WINDOW;
        guest_until(g, WITH_CR8, EXIT_HLT);
        EXPECT_EQ(g->state->inj_info, CR8_WINDOW);
        guest_until(g, NOVA_MTD_CR8, EXIT_HLT);
        EXPECT_EQ(g->state->inj_info, CR8_WINDOW);
        g->state->inj_info = 0;
        guest_until(g, NOVA_MTD_INJ, EXIT_HLT);
        EXPECT_EQ(g->state->inj_info, 0);
        g->state->ip++;
        guest_until(g, NOVA_MTD_EIP, EXIT_HLT);
        EXPECT_EQ(g->state->cr8, 4);
}

CASE_ON(guest_delivery, both_windows_can_be_requested, "7.2-29 7.2-50 7.2-90 8.3-15",
        needs_virtualization_64)
{
        struct guest *g = writer();

        g->state->ip++;
        g->state->flags = 0x2;
        g->state->inj_info = WINDOW | CR8_WINDOW;
        guest_until(g, NOVA_MTD_EIP | NOVA_MTD_EFL | WITH_CR8, EXIT_CR8);
        EXPECT_EQ(g->state->inj_info, WINDOW);
        g->state->flags |= FLAG_IF;
        guest_until(g, NOVA_MTD_EFL, EXIT_WINDOW);
        EXPECT_EQ(g->state->cr8, 15);
}

CASE_ON(guest_delivery, without_cr8_in_the_message_there_is_no_window_for_it, "8.3-15",
        needs_virtualization_64)
{
        struct guest *g = writer();

        g->state->ip++;
        g->state->inj_info = CR8_WINDOW;
        guest_until(g, NOVA_MTD_EIP | NOVA_MTD_INJ, EXIT_HLT);
        EXPECT_EQ(g->state->cr8, 4);
}
#endif

CASE_ON(guest_delivery, a_window_opens_after_the_instruction_that_follows_sti,
        "7.2-29 7.2-90 7.4-53 8.4-38", needs_virtualization)
{
        struct guest *g = guest_new(boot_cpu, halt_32, halt_32_end);
        const nova_mtd_t mtd = guest_flat(g) | NOVA_MTD_STA | NOVA_MTD_INJ;

        for (unsigned tries = guest_tries(); tries; tries--) {
                g->state->flags = 0x202;
                g->state->intr_state = 1;
                g->state->inj_info = WINDOW;
                if (guest_run(g, mtd) == guest_event(EXIT_HLT))
                        break;
        }
        EXPECT_EQ(g->event, guest_event(EXIT_HLT));
        EXPECT_EQ(g->state->ip, GUEST_CODE);
        EXPECT_EQ(g->state->inj_info, WINDOW);
        g->state->intr_state = 0;
        guest_until(g, NOVA_MTD_STA, EXIT_WINDOW);
        EXPECT_EQ(g->state->ip, GUEST_CODE);
}

/* ---- Once and no more -------------------------------------------------------------------------
 */

GUEST(handler_32, 32, "incl 0x8000; mov $100000, %ecx; 1: dec %ecx; jnz 1b; hlt");

/* Injects interrupts into a guest in flat mode, at CPL 0 or 3. The handler of these interrupts
 * keeps interrupts off for longer than a quantum, so that interrupts of the machine come while it
 * runs. If QEMU (7.2) runs the CPUs in turns, as in the test conformance.guest.turns, it repeats an
 * injected interrupt at the end of a CPU's turn. */
static void expect_single_arrivals(bool user)
{
        struct guest *g = guest_new(boot_cpu, handler_32, handler_32_end);
        const word_t sp = GUEST_STACK - (user ? 20 : 12);
        const uint32_t *const arrivals = guest_word(g, GUEST_DATA);
        const uint32_t *const stack = guest_word(g, sp);
        nova_mtd_t mtd;

        g->quantum_us = 500;
        mtd = guest_flat(g);
        guest_gates(g);
        guest_gate(g, 0x40, GUEST_CODE);
        guest_gate(g, 0xff, GUEST_CODE);
        for (unsigned round = 1; round <= 20; round++) {
                if (user)
                        guest_user(g);
                g->state->ip = GUEST_HANDLERS;
                g->state->sp = GUEST_STACK;
                g->state->flags = 0x202;
                g->state->inj_info = VALID | INTERRUPT | (round & 1 ? 0x40 : 0xff);
                guest_until(g, mtd | NOVA_MTD_INJ, EXIT_HLT);
                EXPECT_EQ(*arrivals, round);
                EXPECT_EQ(g->state->sp, sp);
                EXPECT_EQ(stack[0], GUEST_HANDLERS);
                EXPECT_EQ(stack[1], user ? 0x1b : 8);
                EXPECT_EQ(stack[2] & ~0x2u, 0x200);
        }
}

CASE_ON(guest_delivery, an_injected_interrupt_arrives_once, "7.4-51 8.4-36", needs_virtualization)
{
        expect_single_arrivals(false);
}

CASE_ON(guest_delivery, an_interrupt_injected_into_a_program_arrives_once, "7.4-51 8.4-36",
        needs_virtualization)
{
        expect_single_arrivals(true);
}
