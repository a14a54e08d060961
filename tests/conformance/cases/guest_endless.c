/* SPDX-License-Identifier: BSD-2-Clause */
/* Guests: exceptions that raise themselves again in their own delivery, without end. They affect
 * only the guest. */
#include "guest.h"

#define VALID NOVA_INJ_VALID

static void count(struct thread *t)
{
        while (!t->value[0])
                t->value[1]++;
}

/* Expects that the guest is stuck in a delivery. Other threads of its CPU still run, and the
 * virtual CPU can be recalled. */
static void expect_endless(struct guest *g, nova_mtd_t mtd)
{
        struct thread *other = run_thread(boot_cpu, 1, count, NULL);

        guest_answer(g, mtd);
        if (guest_wait(g, 100))
                NOT_RAISED("needs exceptions in the delivery of exceptions");
        for (unsigned i = 0; i < 3; i++) {
                const word_t before = other->value[1];
                EXPECT_EQ(hc_ec_ctrl(g->ec), NOVA_SUCCESS);
                EXPECT(guest_wait(g, 10000));
                EXPECT_EQ(g->event, NOVA_VMI_RECALL);
                EXPECT(g->state->inj_info & VALID); /* the delivery never ends */
                guest_answer(g, 0);
                EXPECT(!guest_wait(g, 50));
                EXPECT(other->value[1] > before);
        }
        other->value[0] = 1;
        hc_revoke(obj(g->ec, NOVA_PERM_ALL), NOVA_REVOKE_SR);
}

static const char *needs_virtualization_of_hardware(void)
{
        return needs_virtualization() ? needs_virtualization() : needs_hardware();
}

GUEST(align_32, 32, "movl 0x9001, %eax; hlt");

/* The guest runs at privilege level 3, and the handler of #AC uses the unaligned stack. */
CASE_ON(guest_endless, alignment_checks_without_end_let_other_threads_run,
        "7.2-22 7.2-85 D-16 3.1-03 5.4.1-02", needs_virtualization_of_hardware)
{
        struct guest *g = guest_new(boot_cpu, align_32, align_32_end);
        const nova_mtd_t mtd = guest_flat(g);
        uint64_t *gdt = (uint64_t *)(void *)(g->memory + GUEST_GDT);
        uint64_t *idt = (uint64_t *)(void *)(g->memory + GUEST_IDT);

        guest_gates(g);
        gdt[3] = 0x00cffb000000ffff;
        gdt[4] = 0x00cff3000000ffff;
        idt[17] = (GUEST_HANDLERS + 17) | (uint64_t)0x18 << 16 | (uint64_t)0x8e00 << 32;
        g->state->cr0 |= 0x40000;  /* AM */
        g->state->flags = 0x40202; /* AC, IF */
        g->state->sp = GUEST_STACK + 1;
        g->state->cs = (struct nova_segment){0x1b, 0xcfb, .limit = 0xffffffff};
        g->state->ss = (struct nova_segment){0x23, 0xcf3, .limit = 0xffffffff};
        g->state->ds = g->state->es = g->state->ss;
        expect_endless(g, mtd);
}

#if __SIZEOF_POINTER__ == 8
GUEST(debug_64, 64, "sti; movq %rax, 0x8ff8; nop; hlt");

#define TSS_AT   0x9800
#define DB_STACK 0x9000

/* The handler of #DB has a stack of its own, with a breakpoint on the words that the delivery
 * writes. */
CASE_ON(guest_endless, breakpoints_on_their_own_delivery_let_other_threads_run,
        "7.2-22 7.2-85 D-16 3.1-03 5.4.1-02", needs_virtualization_64)
{
        struct guest *g = guest_new(boot_cpu, debug_64, debug_64_end);
        const nova_mtd_t mtd = guest_long(g);
        uint64_t *idt = (uint64_t *)(void *)(g->memory + GUEST_IDT);

        g->memory[GUEST_HANDLERS] = (char)0xf4;
        *(uint64_t *)(void *)(g->memory + TSS_AT + 36) = DB_STACK;
        idt[2] = GUEST_HANDLERS | (uint64_t)8 << 16 | (uint64_t)0x8e01 << 32;
        idt[3] = 0;
        g->state->idtr.base = GUEST_IDT;
        g->state->tr = (struct nova_segment){.ar = 0x8b, .limit = 0x67, .base = TSS_AT};
        g->state->dr7 = 0x90402; /* DR0: writes of 8 bytes */
        g->utcb->event.more.dr[0] = DB_STACK - 8;
        g->utcb->event.more.dr6 = 0xffff0ff0;
        expect_endless(g, mtd | NOVA_MTD_DR | NOVA_MTD_DEBUG);
}
#endif
