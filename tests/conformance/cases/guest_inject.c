/* SPDX-License-Identifier: BSD-2-Clause */
/* Guests: injected events arrive, windows open in time, and a guest's state stays its own. */
#include "guest.h"

#define VALID     NOVA_INJ_VALID
#define INTERRUPT NOVA_INJ_INTERRUPT
#define NMI       NOVA_INJ_NMI
#define EXCEPTION NOVA_INJ_EXCEPTION
#define ERROR     NOVA_INJ_ERROR
#define WINDOW    NOVA_INJ_WINDOW

GUEST(halts_32, 32, "hlt; iret");

/* Returns a flat guest that has halted, with a gate for each vector. */
static struct guest *halted(void)
{
        struct guest *g = guest_new(boot_cpu, halts_32, halts_32_end);
        const nova_mtd_t mtd = guest_flat(g);

        guest_gates(g);
        EXPECT_EQ(g->state->intr_state, 0);
        guest_until(g, mtd, EXIT_HLT);
        return g;
}

/* Injects an event into the guest with these flags. The handler must find its frame on
 * GUEST_STACK. */
static void expect_delivery(struct guest *g, uint32_t info, word_t flags)
{
        const unsigned words = info & ERROR ? 4 : 3;
        const uint32_t *stack = guest_word(g, GUEST_STACK - words * 4);

        g->state->ip = GUEST_CODE;
        g->state->sp = GUEST_STACK;
        g->state->flags = flags;
        g->state->inj_info = info;
        g->state->inj_error = 0x5a8;
        guest_until(g, NOVA_MTD_EIP | NOVA_MTD_ESP | NOVA_MTD_EFL | NOVA_MTD_INJ, EXIT_HLT);
        EXPECT_EQ(g->state->ip, GUEST_HANDLERS + (info & 0xff));
        EXPECT_EQ(g->state->sp, GUEST_STACK - words * 4);
        EXPECT_EQ(stack[words - 3], GUEST_CODE);
        EXPECT_EQ(stack[words - 2], 8);
        EXPECT_EQ(stack[words - 1] & 0x202, flags & 0x202);
        if (info & ERROR)
                EXPECT_EQ(stack[0], 0x5a8);
        EXPECT_EQ(g->state->inj_info & VALID, 0);
        EXPECT_EQ(g->state->flags & 0x200, 0);
}

CASE_ON(guest_inject, an_interrupt_of_every_vector_arrives, "7.3-06 8.3-06 7.4-51 8.4-36",
        needs_virtualization)
{
        struct guest *g = halted();

        for (unsigned vector = 32; vector < 256; vector++)
                expect_delivery(g, VALID | INTERRUPT | vector, 0x202);
}

CASE_ON(guest_inject, an_exception_of_every_vector_arrives_whatever_IF_is, "7.4-51 8.4-36",
        needs_virtualization)
{
        const uint32_t with_error = 1u << 10 | 1u << 11 | 1u << 12 | 1u << 13 | 1u << 14;
        const uint32_t others =
                1u << 0 | 1u << 1 | 1u << 5 | 1u << 6 | 1u << 7 | 1u << 16 | 1u << 18 | 1u << 19;
        struct guest *g = halted();

        for (unsigned vector = 0; vector < 32; vector++) {
                const uint32_t info = VALID | EXCEPTION | vector;
                if (with_error >> vector & 1) {
                        expect_delivery(g, info | ERROR, 0x2);
                        expect_delivery(g, info | ERROR, 0x202);
                } else if (others >> vector & 1) {
                        expect_delivery(g, info, 0x2);
                        expect_delivery(g, info, 0x202);
                }
        }
}

/* Returns from the handler of an NMI to the hlt. */
static void return_from_nmi(struct guest *g)
{
        g->state->ip = GUEST_CODE + 1; /* iret */
        guest_until(g, NOVA_MTD_EIP, EXIT_HLT);
        EXPECT_EQ(g->state->intr_state & 8, 0);
}

CASE_ON(guest_inject, an_nmi_arrives_whatever_IF_is, "7.4-51 8.4-36", needs_virtualization)
{
        for (unsigned i = 0; i < 2; i++) {
                struct guest *g = halted();
                expect_delivery(g, VALID | NMI | 2, i ? 0x202 : 0x2);
                return_from_nmi(g);
                EXPECT_EQ(g->state->ip, GUEST_CODE);
        }
}

CASE_ON(guest_inject, a_guest_that_ends_in_its_nmi_handler_blocks_no_other_guest,
        "7.4-51 7.4-53 8.4-36 8.4-38", needs_virtualization)
{
        struct guest *first = halted();

        expect_delivery(first, VALID | NMI | 2, 0x2);
        EXPECT_EQ(hc_revoke(obj(first->ec, NOVA_PERM_ALL), NOVA_REVOKE_SR), NOVA_SUCCESS);
        struct guest *g = halted(); /* entered with interruptibility state 0 */
        if (g->state->intr_state & 8) {
                return_from_nmi(g);
                NOT_RAISED("needs an entry to a guest that unblocks NMIs");
        }
        expect_delivery(g, VALID | NMI | 2, 0x2);
        return_from_nmi(g);
}

CASE_ON(guest_inject, no_invalid_event_arrives, "7.4-51 8.4-36", needs_virtualization)
{
        struct guest *g = halted();

        g->state->inj_info = INTERRUPT | 0x80;
        guest_until(g, NOVA_MTD_INJ, EXIT_HLT);
        EXPECT_EQ(g->state->ip, GUEST_CODE);
        g->state->inj_info = VALID | INTERRUPT | 0x80;
        guest_until(g, NOVA_MTD_EIP, EXIT_HLT); /* without the MTD bit, inj_info is ignored */
        EXPECT_EQ(g->state->ip, GUEST_CODE);
}

CASE_ON(guest_inject, an_event_that_a_fault_interrupts_is_reported, "7.4-50 8.4-35 7.3-06 8.3-06",
        needs_virtualization)
{
        struct guest *g = halted();

        g->state->idtr.base = 0x20000; /* no memory */
        g->state->idtr.limit = 0x7ff;
        g->state->flags = 0x202;
        g->state->inj_info = VALID | INTERRUPT | 0x80;
        guest_until(g, NOVA_MTD_IDTR | NOVA_MTD_EFL | NOVA_MTD_INJ, EXIT_MEMORY);
        EXPECT_EQ(g->utcb->event.more.gpa & ~(uint64_t)0xfff, 0x20000);
        EXPECT_EQ(g->state->inj_info & (VALID | 0x7ff), VALID | INTERRUPT | 0x80);
        g->state->idtr.base = GUEST_IDT;
        /* The reply returns inj_info unchanged. */
        guest_until(g, NOVA_MTD_IDTR | NOVA_MTD_INJ, EXIT_HLT);
        EXPECT_EQ(g->state->ip, GUEST_HANDLERS + 0x80);
}

GUEST(windows_32, 32, "cli; nop; hlt; sti; outb %al, $0xe9; nop; 1: jmp 1b");

CASE_ON(guest_inject, a_window_stays_shut_while_interrupts_are_blocked,
        "7.2-29 7.2-90 7.4-50 8.4-35", needs_virtualization)
{
        struct guest *g = guest_new(boot_cpu, windows_32, windows_32_end);
        const nova_mtd_t mtd = guest_flat(g);

        g->state->inj_info = WINDOW;
        guest_until(g, mtd | NOVA_MTD_INJ, EXIT_HLT); /* IF is 0 */
        EXPECT_EQ(g->state->inj_info, WINDOW);        /* the window is still requested */
        g->state->ip++;
        guest_until(g, NOVA_MTD_EIP, EXIT_PORT); /* in the interrupt shadow of STI */
        EXPECT_EQ(g->state->inj_info, WINDOW);
        g->state->ip += 2;
        g->state->intr_state = 0;
        guest_until(g, NOVA_MTD_EIP | NOVA_MTD_STA, EXIT_WINDOW);
        EXPECT_EQ(g->state->inj_info, 0);
        EXPECT(g->state->flags & 0x200);
}

CASE_ON(guest_inject, a_window_that_is_not_wanted_any_more_stays_shut, "7.4-51 8.4-36",
        needs_virtualization)
{
        struct guest *g = guest_new(boot_cpu, windows_32, windows_32_end);
        const nova_mtd_t mtd = guest_flat(g);

        g->state->inj_info = WINDOW;
        guest_until(g, mtd | NOVA_MTD_INJ, EXIT_HLT);
        g->state->inj_info = 0;
        g->state->flags = 0x202;
        guest_until(g, NOVA_MTD_INJ | NOVA_MTD_EFL, EXIT_HLT);
        EXPECT_EQ(g->state->inj_info, 0);
}

GUEST(modes_16, 16,
      "lgdtl 0x7000; movl %cr0, %eax; orb $1, %al; movl %eax, %cr0; ljmpl $8, $0x1100");
GUEST(modes_32, 32, "movl $16, %eax; movl %eax, %ds; movl 0x9000, %ebx; hlt");

CASE_ON(guest_inject, a_guest_goes_from_real_to_protected_mode, "7.2-50 7.2-111",
        needs_virtualization)
{
        struct guest *g = guest_new(boot_cpu, modes_16, modes_16_end);
        const nova_mtd_t mtd = guest_real(g);
        uint64_t *gdt = (uint64_t *)(void *)(g->memory + GUEST_GDT);

        gdt[1] = 0x00cf9b000000ffff;
        gdt[2] = 0x00cf93000000ffff;
        *(uint16_t *)(void *)(g->memory + 0x7000) = 0xff;
        *guest_word(g, 0x7002) = GUEST_GDT;
        *guest_word(g, 0x9000) = 0x12345678;
        for (unsigned i = 0; modes_32 + i < modes_32_end; i++)
                g->memory[0x1100 + i] = modes_32[i];
        guest_until(g, mtd, EXIT_HLT);
        EXPECT_EQ(g->state->bx, 0x12345678);
        EXPECT_EQ(g->state->cs.ar & 0x400, 0x400);
        EXPECT_EQ(g->state->ds.sel, 16);
        EXPECT_EQ(g->state->cr0 & 1, 1);
}

GUEST(align_32, 32, "movl 0x9001, %eax; hlt");

static const char *needs_virtualization_of_hardware(void)
{
        return needs_virtualization() ? needs_virtualization() : needs_hardware();
}

CASE_ON(guest_inject, an_alignment_check_is_the_guests_own, "7.2-22 7.2-85 D-16",
        needs_virtualization_of_hardware)
{
        struct guest *g = guest_new(boot_cpu, align_32, align_32_end);
        const nova_mtd_t mtd = guest_flat(g);

        guest_gates(g);
        guest_user(g);
        g->state->cr0 |= 0x40000;  /* AM */
        g->state->flags = 0x40002; /* AC */
        guest_until(g, mtd, EXIT_HLT);
        EXPECT_EQ(g->state->ip, GUEST_HANDLERS + 17);
        EXPECT_EQ(*guest_word(g, GUEST_STACK - 20), GUEST_CODE);
        EXPECT_EQ(*guest_word(g, GUEST_STACK - 24), 0);
}

GUEST(first_fpu_32, 32, "fninit; fldpi; hlt; fstpl 0x9000; hlt");
GUEST(other_fpu_32, 32, "fstpl 0x9000; fninit; fldz; hlt");

CASE_ON(guest_inject, each_guest_has_an_fpu_of_its_own, "2.2-09 2.2-11", needs_virtualization)
{
        struct guest *first = guest_new(boot_cpu, first_fpu_32, first_fpu_32_end);
        struct guest *other = guest_new(boot_cpu, other_fpu_32, other_fpu_32_end);
        const uint64_t pi = 0x400921fb54442d18;

        guest_until(first, guest_flat(first), EXIT_HLT);
        guest_until(other, guest_flat(other), EXIT_HLT);
        EXPECT(*(uint64_t *)(void *)(other->memory + 0x9000) != pi);
        first->state->ip++;
        guest_until(first, NOVA_MTD_EIP, EXIT_HLT);
        EXPECT(*(uint64_t *)(void *)(first->memory + 0x9000) == pi);
}

GUEST(rights_32, 32, "movl 0x20000, %eax; hlt; movl %eax, 0x20004; hlt; ljmp $8, $0x20008; hlt");

CASE_ON(guest_inject, each_permission_of_a_page_is_the_guests_too, "4.6.2.2-23 7.2-66 7.2-132",
        needs_virtualization)
{
        struct guest *g = guest_new(boot_cpu, rights_32, rights_32_end);
        char *page = memory(0);

        page[8] = (char)0xf4;
        guest_until(g, guest_flat(g), EXIT_MEMORY);
        guest_give(g, mem(page_of(page), 0, NOVA_MEM_R), 0x20, NOVA_ITEM_G);
        guest_until(g, 0, EXIT_HLT);
        g->state->ip++;
        guest_until(g, NOVA_MTD_EIP, EXIT_MEMORY);
        EXPECT_EQ(g->utcb->event.more.gpa, 0x20004);
        EXPECT_EQ(g->state->qual[0] & 2, 2);
        g->state->ip = GUEST_CODE + (word_t)(rights_32_end - rights_32) - 8;
        guest_until(g, NOVA_MTD_EIP, EXIT_MEMORY);
        EXPECT_EQ(g->utcb->event.more.gpa, 0x20008);
        EXPECT_EQ(g->state->ip, 0x20008);
        EXPECT_EQ(g->state->qual[0] & (needs_svm() ? 4 : 0x10), needs_svm() ? 4 : 0x10);
}

/* At offset 10 the code of the second virtual CPU begins; at offset 21 this CPU spins. */
GUEST(two_32, 32, "1: cmpl $1, 0x9000; jne 1b; hlt; movl $1, 0x9000; hlt; 2: jmp 2b");

CASE_ON(guest_inject, two_virtual_cpus_share_memory_and_portals, "4.6.2.2-23 5.3.2-07",
        needs_virtualization)
{
        struct guest *g = guest_new(boot_cpu, two_32, two_32_end);
        const nova_mtd_t mtd = guest_flat(g);

        g->state->flags = 0x202; /* see spin_16 in guest.c */
        guest_answer(g, mtd);
        EXPECT(!guest_wait(g, 20));
        g->ec = sel_alloc(0);
        g->sc = sel_alloc(0);
        EXPECT_EQ(hc_create_ec(g->ec, g->pd, boot_cpu, 0, 0, 0), NOVA_SUCCESS);
        guest_flat(g);
        g->state->flags = 0x202;
        g->state->ip = GUEST_CODE + 10;
        guest_until(g, mtd, EXIT_HLT);
        while (g->state->ip == GUEST_CODE + 20) { /* the second virtual CPU may come first */
                g->state->ip = GUEST_CODE + 21;
                guest_until(g, NOVA_MTD_EIP, EXIT_HLT);
        }
        EXPECT_EQ(g->state->ip, GUEST_CODE + 9);
}
