/* SPDX-License-Identifier: BSD-2-Clause */
/* Guests: their state in messages group by group, and events that depend on it. */
#include "guest.h"

GUEST(late_32, 32, "rdtscp; xsetbv; hlt");

CASE_ON(guest_state, rdtscp_and_xsetbv_exit_on_vmx, "7.2-69 7.2-73", needs_vmx)
{
        struct guest *g = guest_new(boot_cpu, late_32, late_32_end);
        const nova_mtd_t mtd = guest_flat(g);

        g->state->cr4 = 0x40000; /* OSXSAVE */
        g->state->ctrl[0] = 1u << 12;
        g->state->ctrl[1] = 1u << 3;
        EXPECT_EQ(guest_run(g, mtd | NOVA_MTD_CTRL), 0x33);
        g->state->ip += g->state->inst_len;
        EXPECT_EQ(guest_run(g, NOVA_MTD_EIP), 0x37);
}

GUEST(halt_32, 32, "hlt");

/* After the case, the guest spins until it is destroyed, with IF set (see spin_16 in guest.c). */
GUEST(iret_32, 32, "iret; 1: jmp 1b");

CASE_ON(guest_state, the_nmi_window_opens_with_iret, "7.2-30", needs_vmx)
{
        struct guest *g = guest_new(boot_cpu, iret_32, iret_32_end);
        const nova_mtd_t mtd = guest_flat(g);

        guest_gate(g, 2, GUEST_CODE);
        g->state->ip = GUEST_CODE + 1;
        g->state->flags |= 0x200;
        g->state->inj_info = NOVA_INJ_VALID | NOVA_INJ_NMI_WINDOW | NOVA_INJ_NMI | 2;
        EXPECT_EQ(guest_run(g, mtd | NOVA_MTD_INJ), 0x08);
        EXPECT_EQ(g->state->ip, GUEST_CODE + 1);
        EXPECT_EQ(g->state->intr_state & 8, 0);
}

GUEST(step_32, 32,
      "ud2; hlt; nop; nop;" /* 5: handler of #UD */
      "pushf; orl $0x100, (%esp); popf; nop; hlt; nop; nop; nop;"
      "movl %dr6, %eax; hlt"); /* 19: handler of #DB */

GUEST(nested_32, 32, "pushfl; pushl %cs; pushl $0x100b; hlt; iret; hlt; nop; nop; hlt");

/* VMX has the NMI window instead. */
CASE_ON(guest_state, a_step_over_an_iret_is_an_event_on_request, "7.2-90", needs_svm)
{
        struct guest *g = guest_new(boot_cpu, nested_32, nested_32_end);

        guest_until(g, guest_flat(g), EXIT_HLT);
        g->state->ip++;
        g->state->inj_info = NOVA_INJ_STEP;
        EXPECT_EQ(guest_run(g, NOVA_MTD_EIP | NOVA_MTD_INJ), 0x41);
        EXPECT_EQ(g->state->ip, GUEST_CODE + 11);
        EXPECT_EQ(g->state->flags & 0x100, 0);
        EXPECT_EQ(g->utcb->event.more.dr6 & 0x4000, 0);
        EXPECT_EQ(g->state->inj_info, 0);
        guest_until(g, 0, EXIT_HLT);
        EXPECT_EQ(g->state->ip, GUEST_CODE + 12);
}

GUEST(bad_iret_32, 32, "pushfl; pushl $0x50; pushl $0; hlt; iret; hlt");

/* The guest gets the exception, and its frame contains no flag of the single step. */
CASE_ON(guest_state, a_step_over_an_iret_that_faults_leaves_no_trace, "7.2-90", needs_svm)
{
        struct guest *g = guest_new(boot_cpu, bad_iret_32, bad_iret_32_end);
        const nova_mtd_t mtd = guest_flat(g);
        const uint32_t *stack;

        guest_gate(g, 13, GUEST_CODE + (word_t)(bad_iret_32_end - bad_iret_32) - 1);
        guest_until(g, mtd, EXIT_HLT);
        g->state->ip++;
        g->state->inj_info = NOVA_INJ_STEP;
        guest_until(g, NOVA_MTD_EIP | NOVA_MTD_INJ, EXIT_HLT);
        stack = guest_word(g, g->state->sp);
        EXPECT_EQ(stack[0], 0x50);
        EXPECT_EQ(stack[1], g->state->ip - 1);
        EXPECT_EQ(stack[3] & 0x100, 0);
        EXPECT_EQ(g->state->flags & 0x100, 0);
        EXPECT_EQ(g->utcb->event.more.dr6 & 0x4000, 0);
}

CASE_ON(guest_state, exceptions_are_the_guests_own, "7.2-22 7.2-85", needs_virtualization)
{
        struct guest *g = guest_new(boot_cpu, step_32, step_32_end);
        const nova_mtd_t mtd = guest_flat(g);

        guest_gate(g, 1, GUEST_CODE + (word_t)(step_32_end - step_32) - 4);
        guest_gate(g, 6, GUEST_CODE + 5);
        guest_until(g, mtd, EXIT_HLT);
        EXPECT_EQ(g->state->ip, GUEST_CODE + (word_t)(step_32_end - step_32) - 1);
        EXPECT(g->state->ax & 0x4000); /* a step */
        EXPECT(g->utcb->event.more.dr6 & 0x4000);
}

CASE_ON(guest_state, a_halted_guest_wakes_by_an_event_and_no_other_inactive_state_is_taken,
        "7.4-54 8.4-39", needs_vmx)
{
        struct guest *g = guest_new(boot_cpu, halt_32, halt_32_end);
        const nova_mtd_t mtd = guest_flat(g);

        guest_gate(g, 0x80, GUEST_CODE);
        g->state->flags = 0x202;
        g->state->ip = 0xffff0000; /* a halted CPU does not execute the instruction there */
        g->state->intr_state = 0;
        g->state->actv_state = 1;
        g->state->inj_info = NOVA_INJ_VALID | NOVA_INJ_INTERRUPT | 0x80;
        guest_until(g, mtd | NOVA_MTD_STA | NOVA_MTD_INJ, EXIT_HLT);
        EXPECT_EQ(g->state->ip, GUEST_CODE);
        for (uint32_t inactive = 2; inactive < 5; inactive++) {
                g->state->actv_state = inactive;
                guest_until(g, NOVA_MTD_STA, EXIT_STATE);
        }
        g->state->actv_state = 0;
        guest_until(g, NOVA_MTD_STA, EXIT_HLT);
}

GUEST(caches_32, 32, "movl %cr0, %eax; orl $0x20000000, %eax; movl %eax, %cr0; hlt; hlt; hlt");

/* CR0.NW without CD: CPUs fault, but QEMU's TCG accepts the write and refuses the next entry. The
 * message then holds the guest's state. */
CASE_ON(guest_state, a_refused_entry_that_the_guest_brought_about_shows_the_guests_state,
        "7.2-133 7.4-40", needs_svm)
{
        struct guest *g = guest_new(boot_cpu, caches_32, caches_32_end);
        const nova_mtd_t mtd = guest_flat(g);

        const word_t handler = GUEST_CODE + (word_t)(caches_32_end - caches_32) - 1;
        word_t ip = handler - 2; /* the address after the write */

        guest_gate(g, 13, handler);
        if (guest_run(g, mtd) == guest_event(EXIT_HLT)) {
                if (g->state->ip == handler)
                        return;
                EXPECT_EQ(g->state->ip, ip);
                g->state->ip = ++ip;
                guest_run(g, NOVA_MTD_EIP);
        } /* else an interrupt of the machine followed the write */
        EXPECT_EQ(g->event, guest_event(EXIT_STATE));
        EXPECT_EQ(g->state->ip, ip);
        EXPECT_EQ(g->state->sp, GUEST_STACK);
        EXPECT_EQ(g->state->cr3, 0);
        EXPECT_EQ(g->state->cr0 & 0xe0000001, 0x20000001);
        g->state->cr0 &= ~(word_t)0x20000000;
        guest_until(g, NOVA_MTD_CR, EXIT_HLT);
        EXPECT_EQ(g->state->ip, ip);
}

GUEST(cr_32, 32,
      "movl %cr0, %eax; orl $0x60000020, %eax; movl %eax, %cr0; movl %cr0, %ebx;"
      "andl $0x9fffffdf, %eax; movl %eax, %cr0; movl %cr0, %ecx; movl $0x60, %eax;"
      "movl %eax, %cr4; movl %cr4, %edx; movl $0xa000, %eax; movl %eax, %cr3;"
      "movl $0x80000031, %eax; movl %eax, %cr0; movl 0x209000, %esi; hlt");

/* The guest enables PAE paging together with a bit that the host keeps. */
CASE_ON(guest_state, bits_that_the_host_keeps_read_as_the_guest_wrote_them, "7.2-50",
        needs_virtualization)
{
        struct guest *g = guest_new(boot_cpu, cr_32, cr_32_end);
        uint64_t *tables = (uint64_t *)(void *)(g->memory + GUEST_TABLE);

        tables[0] = GUEST_TABLE + 0x1001;
        tables[512] = tables[513] = 0x83; /* 0 to 2 MiB, twice */
        *guest_word(g, 0x9000) = 0x600d;
        guest_until(g, guest_flat(g), EXIT_HLT);
        EXPECT_EQ(g->state->bx & 0x60000020, 0x60000020);
        EXPECT_EQ(g->state->cx & 0x60000020, 0);
        EXPECT_EQ(g->state->dx, 0x60);
        EXPECT_EQ(g->state->si, 0x600d);
        EXPECT_EQ(g->state->cr0 & 0xe0000021, 0x80000021);
        EXPECT_EQ(g->state->cr4, 0x60);
        g->state->ip = GUEST_CODE + (word_t)(cr_32_end - cr_32) - 1;
        guest_until(g, NOVA_MTD_EIP | NOVA_MTD_CR, EXIT_HLT);
        if (needs_vmx())
                return;
        g->state->cr3 = 0xb000; /* the kernel must not read the four entries at CR3 */
        guest_until(g, NOVA_MTD_CR, EXIT_STATE);
        EXPECT_EQ(g->state->cr3, 0xb000);
        guest_until(g, NOVA_MTD_CR, EXIT_STATE); /* the CPU still has the entries at 0xa000 */
        guest_until(g, 0, EXIT_STATE);
        g->state->cr0 = 0x11;
        guest_until(g, NOVA_MTD_CR, EXIT_HLT);
        g->state->cr0 = 0x80000011;
        guest_until(g, NOVA_MTD_CR, EXIT_STATE);
}

GUEST(shadow_32, 32, "sti; hlt; hlt");

CASE_ON(guest_state, the_blocking_of_interrupts_is_reported_and_can_be_cleared,
        "7.4-52 7.4-53 8.4-37 8.4-38", needs_virtualization)
{
        unsigned tries = 4;
        struct guest *g;

        /* QEMU's VMRUN does not load the interrupt shadow, so an interrupt of the host ends it. */
        do {
                g = guest_new(boot_cpu, shadow_32, shadow_32_end);
                guest_gate(g, 0x80, GUEST_CODE + 2);
                guest_until(g, guest_flat(g), EXIT_HLT);
        } while (!(g->state->intr_state & 1) && --tries);
        EXPECT_EQ(g->state->intr_state & 1, 1); /* after STI */
        g->state->intr_state = 0;
        g->state->inj_info = NOVA_INJ_VALID | NOVA_INJ_INTERRUPT | 0x80;
        guest_until(g, NOVA_MTD_STA | NOVA_MTD_INJ, EXIT_HLT);
        EXPECT_EQ(g->state->ip, GUEST_CODE + 2);
        EXPECT_EQ(g->state->intr_state & 1, 0);
}

CASE_ON(guest_state, an_event_that_an_exit_interrupts_is_reported, "7.4-50 8.4-35",
        needs_virtualization)
{
        struct guest *g = guest_new(boot_cpu, halt_32, halt_32_end);
        const nova_mtd_t mtd = guest_flat(g);

        guest_gate(g, 13, GUEST_CODE);
        g->state->idtr.base = 0x30000; /* no memory */
        g->state->ip = GUEST_CODE + 0x100;
        g->state->inj_info = NOVA_INJ_VALID | NOVA_INJ_EXCEPTION | NOVA_INJ_ERROR | NOVA_EXC_GP;
        g->state->inj_error = 0x50;
        guest_until(g, mtd | NOVA_MTD_INJ, EXIT_MEMORY);
        EXPECT_EQ(g->state->inj_info & NOVA_INJ_EVENT, 0x80000b0d);
        EXPECT_EQ(g->state->inj_error, 0x50);
        g->state->idtr.base = GUEST_IDT;
        guest_until(g, NOVA_MTD_IDTR | NOVA_MTD_INJ, EXIT_HLT);
        EXPECT_EQ(g->state->ip, GUEST_CODE);
        EXPECT_EQ(*guest_word(g, GUEST_STACK - 16), 0x50);
}

/* A value that also has bits in the upper half of a word. */
#define WIDE ((word_t)0x1234 << NOVA_WORD_BITS / 2)

static void fill_segment(struct nova_segment *s, uint16_t sel, word_t base)
{
        s->sel = sel;
        s->base = base;
}

static void expect_segment(const struct nova_segment *s, const struct nova_segment *sent)
{
        EXPECT(s->sel == sent->sel && s->ar == sent->ar);
        EXPECT(s->limit == sent->limit && (word_t)s->base == (word_t)sent->base);
}

CASE_ON(guest_state, segments_and_tables_come_back,
        "7.4-25 7.4-26 7.4-27 7.4-28 7.4-29 7.4-30 7.4-31 7.4-32 7.4-33 7.4-34 7.4-35 7.4-36 "
        "7.4-37 7.4-38 8.4-20 8.4-21 8.4-22 8.4-23 8.4-24 8.4-25 8.4-26",
        needs_virtualization)
{
        struct guest *g = guest_new(boot_cpu, halt_32, halt_32_end);
        const nova_mtd_t mtd = guest_flat(g);
        struct nova_utcb_state *s = g->state;

        fill_segment(&s->ds, 0x18, 0x110000);
        fill_segment(&s->es, 0x20, 0x220000);
        fill_segment(&s->fs, 0x28, WIDE + 0x330000);
        fill_segment(&s->gs, 0x30, WIDE + 0x440000);
        fill_segment(&s->tr, 0x38, WIDE + 0x550000);
        fill_segment(&s->ldtr, 0x40, WIDE + 0x660000);
        fill_segment(&s->gdtr, 0, WIDE + 0x770000);
        fill_segment(&s->idtr, 0, WIDE + 0x880000);
        s->gdtr.limit = 0x77;
        s->idtr.limit = 0x88;
        const struct nova_utcb_state sent = *s;
        guest_until(g, mtd, EXIT_HLT);
        expect_segment(&s->cs, &sent.cs);
        expect_segment(&s->ss, &sent.ss);
        expect_segment(&s->ds, &sent.ds);
        expect_segment(&s->es, &sent.es);
        expect_segment(&s->fs, &sent.fs);
        expect_segment(&s->gs, &sent.gs);
        expect_segment(&s->tr, &sent.tr);
        expect_segment(&s->ldtr, &sent.ldtr);
        EXPECT(s->gdtr.limit == 0x77 && (word_t)s->gdtr.base == WIDE + 0x770000);
        EXPECT(s->idtr.limit == 0x88 && (word_t)s->idtr.base == WIDE + 0x880000);
}

CASE_ON(guest_state, registers_of_the_cpu_come_back, "7.4-41 7.4-42 7.4-43 7.4-44 8.4-28 8.4-29",
        needs_virtualization)
{
        struct guest *g = guest_new(boot_cpu, halt_32, halt_32_end);
        const nova_mtd_t mtd = guest_flat(g);
        struct nova_utcb_state *s = g->state;
        struct nova_utcb_more *more = &g->utcb->event.more;

        s->sysenter_cs = 0x8;
        s->sysenter_sp = WIDE + 1;
        s->sysenter_ip = WIDE + 2;
        s->dr7 = 0x455;
        *more = (struct nova_utcb_more){
                .star = 0x0023001000000000,
                .lstar = WIDE + 3,
                .fmask = 0x47700,
                .kernel_gs_base = WIDE + 4,
                .pat = 0x0007010600070106,
                .dr = {WIDE + 0x100, WIDE + 0x200, WIDE + 0x300, WIDE + 0x400},
                .dr6 = 0xffff0ff0,
                .xcr0 = 1,
        };
        const struct nova_utcb_more sent = *more;
        guest_until(g,
                    mtd | NOVA_MTD_SYS | NOVA_MTD_DR | NOVA_MTD_MSR | NOVA_MTD_PAT |
                            NOVA_MTD_DEBUG | NOVA_MTD_XCR0,
                    EXIT_HLT);
        EXPECT(s->sysenter_cs == 0x8 && s->sysenter_sp == WIDE + 1 && s->sysenter_ip == WIDE + 2);
        EXPECT_EQ(s->dr7, 0x455);
        EXPECT(more->efer == 0 && more->star == sent.star && more->lstar == sent.lstar);
        EXPECT(more->fmask == sent.fmask && more->kernel_gs_base == sent.kernel_gs_base);
        EXPECT(more->pat == sent.pat && more->dr6 == sent.dr6 && more->xcr0 == 1);
        for (unsigned i = 0; i < 4; i++)
                EXPECT(more->dr[i] == sent.dr[i]);
}

/* SDM 3A, table 10-1 (DR6, DR7 after a reset); APM 2, 14.1.3. */
CASE_ON(guest_state, a_virtual_cpu_begins_with_debug_registers_as_after_a_reset, "7.4-41 8.4-28",
        needs_virtualization)
{
        struct guest *g = guest_new(boot_cpu, halt_32, halt_32_end);
        const struct nova_utcb_more *more = &g->utcb->event.more;

        guest_until(g, guest_flat(g) & ~(nova_mtd_t)(NOVA_MTD_DR | NOVA_MTD_DEBUG), EXIT_HLT);
        EXPECT_EQ(g->state->dr7, 0x400);
        EXPECT_EQ(more->dr6, 0xffff0ff0);
        for (unsigned i = 0; i < 4; i++)
                EXPECT_EQ(more->dr[i], 0);
}

/* POPF sets the I/O privilege level only at privilege level 0. Then the guest faults on an absent
 * page. */
GUEST(level_32, 32, "pushl $0x3002; popfl; pushfl; popl %ebx; movl %ebx, 0x20000");

CASE_ON(guest_state, a_guest_begins_with_the_privilege_level_of_the_message, "7.4-30 8.4-22",
        needs_virtualization)
{
        for (unsigned level = 0; level <= 3; level += 3) {
                struct guest *g = guest_new(boot_cpu, level_32, level_32_end);
                const nova_mtd_t mtd = guest_flat(g);
                const uint16_t dpl = (uint16_t)(level << 5);

                g->state->cs.sel |= level;
                g->state->cs.ar |= dpl;
                g->state->ss.sel |= level;
                g->state->ss.ar |= dpl;
                g->state->ds = g->state->es = g->state->ss;
                guest_until(g, mtd, EXIT_MEMORY);
                EXPECT_EQ(g->state->bx & 0x3000, level ? 0 : 0x3000);
                EXPECT_EQ(g->state->ss.ar & 0x60, dpl);
        }
}

#if __SIZEOF_POINTER__ == 8
GUEST(swapgs_64, 64, "swapgs; hlt; syscall; hlt; hlt");

CASE_ON(guest_state, swapgs_and_syscall_use_the_guests_registers, "D-36", needs_virtualization_64)
{
        struct guest *g = guest_new(boot_cpu, swapgs_64, swapgs_64_end);
        struct nova_utcb_more *more = &g->utcb->event.more;
        const nova_mtd_t mtd = guest_long(g);

        more->efer = 0x501;
        more->star = (uint64_t)8 << 32;
        more->lstar = GUEST_CODE + 7;
        more->kernel_gs_base = 0x123456789000;
        g->state->gs.base = 0x187654321000;
        guest_until(g, mtd, EXIT_HLT);
        EXPECT_EQ(g->state->gs.base, 0x123456789000);
        EXPECT_EQ(more->kernel_gs_base, 0x187654321000);
        g->state->ip++;
        guest_until(g, NOVA_MTD_EIP, EXIT_HLT);
        EXPECT_EQ(g->state->ip, GUEST_CODE + 7);
        EXPECT_EQ(g->state->cx, GUEST_CODE + 6);
        EXPECT_EQ(more->kernel_gs_base, 0x187654321000);
        more->lstar = (uint64_t)1 << 63; /* not canonical */
        if (!needs_vmx())
                guest_until(g, NOVA_MTD_MSR, EXIT_STATE);
}

GUEST(compat_32, 32, "syscall; hlt");

/* Makes a gate of long mode for #UD, and a task state segment with a stack for it. */
static void add_invalid_opcode_gate(struct guest *g, uint64_t handler)
{
        uint64_t *idt = (uint64_t *)(void *)(g->memory + GUEST_IDT);

        g->state->idtr.base = GUEST_IDT;
        g->state->tr.base = GUEST_DATA;
        *guest_word(g, GUEST_DATA + 4) = GUEST_STACK;
        idt[12] = handler | (uint64_t)8 << 16 | (uint64_t)0x8e00 << 32;
        g->memory[handler] = (char)0xf4;
}

/* An Intel CPU raises #UD instead. */
CASE_ON(guest_state, syscall_of_a_32_bit_program_enters_at_the_guests_CSTAR, "D-36",
        needs_virtualization_64)
{
        struct guest *g = guest_new(boot_cpu, compat_32, compat_32_end);
        struct nova_utcb_more *more = &g->utcb->event.more;
        const nova_mtd_t mtd = guest_long(g) | NOVA_MTD_CSTAR_AUX;
        uint64_t *tables = (uint64_t *)(void *)(g->memory + GUEST_TABLE);

        tables[0] |= 4;
        tables[512] |= 4;
        tables[1024] |= 4;
        g->memory[GUEST_CODE + 8] = (char)0xf4;
        add_invalid_opcode_gate(g, GUEST_CODE + 16);
        g->state->cs = (struct nova_segment){0x23, 0xcfb, .limit = 0xffffffff};
        g->state->ss = (struct nova_segment){0x2b, 0xcf3, .limit = 0xffffffff};
        more->efer = 0x501;
        more->star = (uint64_t)8 << 32;
        more->lstar = GUEST_CODE + 7;
        more->cstar = GUEST_CODE + 8;
        more->tsc_aux = 0;
        guest_until(g, mtd, EXIT_HLT);
        if (!needs_vmx() && g->state->ip == GUEST_CODE + 16)
                return;
        EXPECT_EQ(g->state->ip, GUEST_CODE + 8);
        EXPECT_EQ(g->state->cx, GUEST_CODE + 2);
        EXPECT_EQ(g->state->cs.ar & 0x260, 0x200); /* 64-bit code of level 0 */
        EXPECT_EQ(more->cstar, GUEST_CODE + 8);
        more->cstar = (uint64_t)1 << 63; /* not canonical */
        if (!needs_vmx())
                guest_until(g, NOVA_MTD_CSTAR_AUX, EXIT_STATE);
}

GUEST(rdtscp_32, 32, "rdtscp; hlt; jmp .-4");

static const char *needs_rdtscp(void)
{
        uint32_t leaf[4];

        if (needs_virtualization())
                return needs_virtualization();

        cpuid(0x80000001, 0, leaf);
        return leaf[3] >> 27 & 1 ? NULL : "needs RDTSCP";
}

/* Another guest on this CPU and the thread that replies have other values of TSC_AUX. */
CASE_ON(guest_state, each_guest_has_a_TSC_AUX_of_its_own, "D-36", needs_rdtscp)
{
        struct guest *g[2];

        for (unsigned i = 0; i < 2; i++) {
                g[i] = guest_new(boot_cpu, rdtscp_32, rdtscp_32_end);
                const nova_mtd_t mtd = guest_flat(g[i]);
                g[i]->utcb->event.more.cstar = 0;
                g[i]->utcb->event.more.tsc_aux = 0x8a000000 + i;
                g[i]->state->ctrl[0] = 0;
                g[i]->state->ctrl[1] = needs_vmx() ? 0 : 8;
                guest_until(g[i], mtd | NOVA_MTD_CSTAR_AUX | NOVA_MTD_CTRL, EXIT_HLT);
                EXPECT_EQ(g[i]->state->cx, 0x8a000000 + i);
        }
        for (unsigned i = 0; i < 2; i++) {
                uint32_t own;
                __asm__ volatile("rdtscp" : "=c"(own) : : "eax", "edx");
                EXPECT_EQ(own, 0);
                g[i]->state->ip++;
                guest_until(g[i], NOVA_MTD_EIP, EXIT_HLT);
                EXPECT_EQ(g[i]->state->cx, 0x8a000000 + i);
        }
}
#endif

/* Writes DR0 to DR3, halts, reads them. */
GUEST(debug_32, 32,
      "movl %eax, %dr0; movl %ebx, %dr1; movl %esi, %dr2; movl %edi, %dr3; hlt; "
      "movl %dr0, %eax; movl %dr1, %ebx; movl %dr2, %esi; movl %dr3, %edi; hlt; jmp .-1");

#define DEBUGGERS 3

static void set_four(struct guest *g, word_t value)
{
        g->state->ax = value;
        g->state->bx = value + 1;
        g->state->si = value + 2;
        g->state->di = value + 3;
}

CASE_ON(guest_state, each_guest_has_debug_registers_of_its_own, "2.2-09 8.3-15",
        needs_virtualization)
{
        struct guest *g[DEBUGGERS];

        for (unsigned i = 0; i < DEBUGGERS; i++) {
                g[i] = guest_new(boot_cpu, debug_32, debug_32_end);
                const nova_mtd_t mtd = guest_flat(g[i]);
                set_four(g[i], 0x1000 * (i + 1));
                guest_until(g[i], mtd, EXIT_HLT);
        }
        for (unsigned turn = 0; turn < DEBUGGERS; turn++) {
                for (unsigned i = 0; i < DEBUGGERS; i++) {
                        const word_t value = 0x1000 * (i + 1);
                        g[i]->state->ip = GUEST_CODE + 13; /* after the first hlt */
                        set_four(g[i], 0);
                        guest_until(g[i], NOVA_MTD_EIP | NOVA_MTD_ACDB | NOVA_MTD_BSD, EXIT_HLT);
                        EXPECT_EQ((uint32_t)g[i]->state->ax, value);
                        EXPECT_EQ((uint32_t)g[i]->state->bx, value + 1);
                        EXPECT_EQ((uint32_t)g[i]->state->si, value + 2);
                        EXPECT_EQ((uint32_t)g[i]->state->di, value + 3);
                        for (unsigned dr = 0; dr < 4; dr++)
                                EXPECT_EQ(g[i]->utcb->event.more.dr[dr], value + dr);
                }
        }
}
