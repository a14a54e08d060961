/* SPDX-License-Identifier: BSD-2-Clause */
/* Guests: they run, end, and exchange state with their monitor. */
#include "guest.h"

GUEST(halt_16, 16, "hlt");
/* Sets IF, because under Bochs 2.7 no interrupt causes an exit of a guest that was entered with IF
 * clear. */
GUEST(spin_16, 16, "sti; 1: jmp 1b");
GUEST(mark_halt_16, 16, "movb $1, 0x8000; hlt"); /* at GUEST_DATA */
GUEST(cpuid_16, 16, "cpuid; hlt");
GUEST(invd_16, 16, "invd; hlt");
GUEST(triple_16, 16, "ud2");
GUEST(port_16, 16, "movb $0x5a, %al; outb %al, $0xe9; inb $0xe9, %al; hlt");
GUEST(touch_32, 32, "movl $0x12345678, 0x20000; movl 0x20000, %eax; hlt");
GUEST(msr_32, 32, "movl $0x174, %ecx; rdmsr; incl %eax; wrmsr; hlt");
GUEST(tsc_32, 32, "1: rdtsc; hlt; jmp 1b");
GUEST(registers_32, 32,
      "incl %eax; incl %ebx; incl %ecx; incl %edx; incl %esi; incl %edi; incl %ebp; incl %esp; "
      "hlt");
GUEST(window_32, 32, "sti; nop; 1: jmp 1b");
GUEST(inject_32, 32, "hlt; hlt");
GUEST(control_32, 32,
      "movl %cr0, %eax; movl %eax, %cr0; movl %cr4, %eax; movl %eax, %cr4; movl $0x9000, %eax;"
      "movl %eax, %cr3; movl %cr3, %ebx; invlpg 0x1000; hlt");

CASE_ON(guest, a_virtual_cpu_starts_once_when_an_sc_is_bound,
        "5.3.2-07 5.3.2-17 2.2-04 6.2-09 6.2-10 D-03 7.2-78 7.2-134 8.2-23", needs_virtualization)
{
        struct guest *g = guest_new(boot_cpu, halt_16, halt_16_end);

        guest_until(g, guest_real(g), EXIT_HLT);
        EXPECT_EQ(g->count, 2);
}

CASE_ON(guest, a_virtual_cpu_takes_no_page_of_its_pd_for_a_utcb, "4.6-02", needs_virtualization)
{
        struct guest *g = guest_new(boot_cpu, halt_16, halt_16_end);
        const nova_sel_t ec = sel_alloc(0);

        EXPECT_EQ(hc_create_ec(ec, g->pd, utcb_alloc() | boot_cpu, 0, 0, 0), NOVA_SUCCESS);
        EXPECT_EQ(hc_create_pt(sel_alloc(0), ROOT_PD, g->ec, 0, 0), NOVA_BAD_CAP);
}

CASE_ON(guest, instructions_exit_with_the_numbers_of_the_cpu,
        "3.3-02 3.3-03 7.2-34 7.2-52 7.2-110 7.2-113 8.2-25", needs_virtualization)
{
        struct guest *g = guest_new(boot_cpu, port_16, port_16_end);

        guest_until(g, guest_real(g), EXIT_PORT);
        EXPECT_EQ(g->state->ax & 0xff, 0x5a);
        EXPECT_EQ(g->state->inst_len, 2);
        EXPECT_EQ(g->state->qual[0] >> 16, 0xe9);
        g->state->ip += g->state->inst_len;
        guest_until(g, NOVA_MTD_EIP, EXIT_PORT);
        EXPECT_EQ(g->state->qual[0] & 0xf, needs_svm() ? 0x8 : 0x1); /* a read */
        g->state->ip += 2;
        g->state->ax = 0xa5;
        guest_until(g, NOVA_MTD_EIP | NOVA_MTD_ACDB, EXIT_HLT);
        EXPECT_EQ(g->state->ax, 0xa5);
}

CASE_ON(guest, invd_exits_without_a_request, "7.2-35 7.2-108", needs_virtualization)
{
        struct guest *g = guest_new(boot_cpu, invd_16, invd_16_end);
        const nova_mtd_t mtd = guest_real(g);

        g->state->ctrl[0] = 0;
        g->state->ctrl[1] = 1u << 9; /* the control bit of WBINVD: QEMU treats INVD as WBINVD */
        const word_t event = guest_run(g, mtd | NOVA_MTD_CTRL);
        EXPECT(event == guest_event(EXIT_INVD) || event == 0x89);
}

CASE_ON(guest, cpuid_exits_on_request, "7.2-104 7.4-49 8.4-34", needs_svm)
{
        struct guest *g = guest_new(boot_cpu, cpuid_16, cpuid_16_end);
        const nova_mtd_t mtd = guest_real(g);

        g->state->ctrl[0] = 1u << 18;
        g->state->ctrl[1] = 0;
        guest_until(g, mtd | NOVA_MTD_CTRL, EXIT_CPUID);
        g->state->ctrl[0] = 0;
        guest_until(g, NOVA_MTD_CTRL, EXIT_HLT); /* now the CPU executes the instruction */
}

CASE_ON(guest, cpuid_exits_without_a_request_on_vmx, "3.3-03 7.2-32", needs_vmx)
{
        struct guest *g = guest_new(boot_cpu, cpuid_16, cpuid_16_end);

        guest_until(g, guest_real(g), EXIT_CPUID);
        EXPECT_EQ(g->state->inst_len, 2);
}

CASE_ON(guest, a_triple_fault_is_an_event, "7.2-24 7.2-117", needs_virtualization)
{
        struct guest *g = guest_new(boot_cpu, triple_16, triple_16_end);
        const nova_mtd_t mtd = guest_real(g);

        g->state->idtr.limit = 0;
        guest_until(g, mtd, EXIT_TRIPLE_FAULT);
}

CASE_ON(guest, memory_needs_the_G_flag, "4.6.2.2-23 4.6.2.2-24 7.2-66 8.2-26 7.2-132",
        needs_virtualization)
{
        struct guest *g = guest_new(boot_cpu, touch_32, touch_32_end);
        const word_t page = page_of(memory(0));

        guest_until(g, guest_flat(g), EXIT_MEMORY);
        EXPECT_EQ(g->state->qual[1], 0x20000);
        EXPECT_EQ(g->utcb->event.more.gpa, 0x20000);
        guest_give(g, mem(page, 0, NOVA_MEM_RWX), 0x20, 0);
        guest_until(g, 0, EXIT_MEMORY);
        guest_give(g, mem(page, 0, NOVA_MEM_R | NOVA_MEM_X), 0x21, NOVA_ITEM_G);
        guest_until(g, 0, EXIT_MEMORY);
        EXPECT_EQ(g->state->qual[0] & 2, 2); /* a write */
}

CASE_ON(guest, memory_that_is_revoked_faults_again, "4.6.2.2-23", needs_virtualization)
{
        struct guest *g = guest_new(boot_cpu, touch_32, touch_32_end);
        volatile word_t *word = (volatile word_t *)(void *)memory(0);
        const word_t page = page_of((const void *)(word_t)word);

        guest_until(g, guest_flat(g), EXIT_MEMORY);
        guest_give(g, mem(page, 0, NOVA_MEM_RWX), 0x20, NOVA_ITEM_G);
        guest_until(g, 0, EXIT_HLT);
        EXPECT_EQ(*word & 0xffffffff, 0x12345678);
        EXPECT_EQ(g->state->ax, 0x12345678);
        hc_revoke(mem(page, 0, NOVA_MEM_W), 0);
        g->state->ip = GUEST_CODE;
        guest_until(g, NOVA_MTD_EIP, EXIT_MEMORY);
        hc_revoke(mem(page, 0, NOVA_PERM_ALL), 0);
        guest_until(g, 0, EXIT_MEMORY);
        EXPECT_EQ(g->state->qual[0] & (needs_svm() ? 0x38 : 1), 0); /* no page is mapped there */
}

CASE_ON(guest, msr_accesses_exit, "7.2-53 7.2-54 7.2-114 8.2-28", needs_virtualization)
{
        struct guest *g = guest_new(boot_cpu, msr_32, msr_32_end);

        guest_until(g, guest_flat(g), EXIT_RDMSR);
        EXPECT_EQ(g->state->cx, 0x174);
        if (!needs_svm())
                EXPECT_EQ(g->state->qual[0], 0);
        g->state->ax = 7;
        g->state->ip += 2;
        guest_until(g, NOVA_MTD_EIP | NOVA_MTD_ACDB, EXIT_WRMSR);
        EXPECT_EQ(g->state->ax, 8);
        if (!needs_svm())
                EXPECT_EQ(g->state->qual[0], 1);
}

CASE_ON(guest, general_registers_move_both_ways, "8.4-15 8.4-16 8.4-17", needs_virtualization)
{
        struct guest *g = guest_new(boot_cpu, registers_32, registers_32_end);
        const nova_mtd_t mtd = guest_flat(g);
        struct nova_utcb_state *s = g->state;

        s->ax = 0x11, s->bx = 0x22, s->cx = 0x33, s->dx = 0x44;
        s->si = 0x55, s->di = 0x66, s->bp = 0x77, s->sp = 0x88;
        guest_until(g, mtd, EXIT_HLT);
        EXPECT(s->ax == 0x12 && s->bx == 0x23 && s->cx == 0x34 && s->dx == 0x45);
        EXPECT(s->si == 0x56 && s->di == 0x67 && s->bp == 0x78 && s->sp == 0x89);
}

CASE_ON(guest, control_registers_are_the_guests_own, "7.2-36 7.2-50 7.2-111 7.4-39 7.4-40 8.4-27",
        needs_virtualization)
{
        struct guest *g = guest_new(boot_cpu, control_32, control_32_end);
        const nova_mtd_t mtd = guest_flat(g);

        g->state->cr4 = 0x200;
        g->state->cr2 = 0x1234;
        guest_until(g, mtd, EXIT_HLT);
        EXPECT_EQ(g->state->bx, 0x9000);
        EXPECT_EQ(g->state->cr3, 0x9000);
        EXPECT_EQ(g->state->cr4, 0x200);
        EXPECT_EQ(g->state->cr2, 0x1234);
        EXPECT_EQ(g->state->cr0 & 0xffff, 0x11);
}

CASE_ON(guest, a_tsc_offset_is_added, "D-11 7.4-56 8.4-41", needs_virtualization)
{
        struct guest *g = guest_new(boot_cpu, tsc_32, tsc_32_end);
        const uint64_t step = (uint64_t)1 << 40;

        guest_until(g, guest_flat(g), EXIT_HLT);
        const uint64_t first = (uint64_t)g->state->dx << 32 | (uint32_t)g->state->ax;
        g->state->ip++;
        g->state->tsc_offset = step;
        guest_until(g, NOVA_MTD_EIP | NOVA_MTD_TSC, EXIT_HLT);
        g->state->ip++;
        g->state->tsc_offset = step;
        guest_until(g, NOVA_MTD_EIP | NOVA_MTD_TSC, EXIT_HLT);
        const uint64_t last = (uint64_t)g->state->dx << 32 | (uint32_t)g->state->ax;
        EXPECT_EQ((word_t)((last - first) >> 40), 2);
}

CASE_ON(guest, an_interrupt_window_opens_with_IF, "7.2-29 7.2-90", needs_virtualization)
{
        struct guest *g = guest_new(boot_cpu, window_32, window_32_end);
        const nova_mtd_t mtd = guest_flat(g);

        g->state->inj_info = NOVA_INJ_WINDOW;
        guest_until(g, mtd | NOVA_MTD_INJ, EXIT_WINDOW);
        EXPECT(g->state->flags & 0x200);
}

CASE_ON(guest, events_are_injected_with_and_without_error_code, "7.4-51 8.4-36",
        needs_virtualization)
{
        struct guest *g = guest_new(boot_cpu, inject_32, inject_32_end);
        const nova_mtd_t mtd = guest_flat(g);

        guest_gate(g, 0x80, GUEST_CODE + 1);
        guest_gate(g, 13, GUEST_CODE + 1);
        guest_until(g, mtd, EXIT_HLT);
        EXPECT_EQ(g->state->ip, GUEST_CODE);
        g->state->flags |= 0x200;
        g->state->inj_info = NOVA_INJ_VALID | NOVA_INJ_INTERRUPT | 0x80;
        guest_until(g, NOVA_MTD_EFL | NOVA_MTD_INJ, EXIT_HLT);
        EXPECT_EQ(g->state->ip, GUEST_CODE + 1);
        EXPECT_EQ(g->state->sp, GUEST_STACK - 12);
        g->state->inj_info = NOVA_INJ_VALID | NOVA_INJ_EXCEPTION | NOVA_INJ_ERROR | NOVA_EXC_GP;
        g->state->inj_error = 0xabc;
        guest_until(g, NOVA_MTD_INJ, EXIT_HLT);
        EXPECT_EQ(g->state->sp, GUEST_STACK - 28);
        EXPECT_EQ(*guest_word(g, GUEST_STACK - 28), 0xabc);
}

/* Waits until the guest itself has run. This is certain when its SC has used another 5 ms, because
 * the handler of its events uses less than that. On a busy host the first reply may take long,
 * because it delegates the guest's memory. */
static void expect_running(struct guest *g)
{
        uint64_t before = 0, now = 0;

        EXPECT_EQ(hc_sc_ctrl(g->sc, &before), NOVA_SUCCESS);
        for (unsigned i = 0; i < 500 && now < before + 5000; i++) {
                EXPECT(!guest_wait(g, 20)); /* the host's timer ticks meanwhile */
                EXPECT_EQ(hc_sc_ctrl(g->sc, &now), NOVA_SUCCESS);
        }
        EXPECT(now >= before + 5000);
}

CASE_ON(guest, a_running_guest_is_recalled, "5.4.1-02 5.4.1-03 7.2-23 8.2-27 7.2-79 7.2-135 8.2-23",
        needs_virtualization)
{
        struct guest *g = guest_new(boot_cpu, spin_16, spin_16_end);

        guest_answer(g, guest_real(g));
        expect_running(g);
        EXPECT_EQ(hc_ec_ctrl(g->ec), NOVA_SUCCESS);
        EXPECT(guest_wait(g, 10000));
        EXPECT_EQ(g->event, NOVA_VMI_RECALL);
        EXPECT_EQ(g->state->ip, GUEST_CODE + 1);
        EXPECT_EQ(g->count, 2);
}

static const char *needs_virtualization_and_2_cpus(void)
{
        return needs_virtualization() ? needs_virtualization() : needs_2_cpus();
}

CASE_ON(guest, a_guest_on_another_cpu_is_recalled, "5.4.1-02 7.2-86",
        needs_virtualization_and_2_cpus)
{
        struct guest *g = guest_new(cpu_numbers[1], spin_16, spin_16_end);

        guest_answer(g, guest_real(g));
        expect_running(g);
        EXPECT_EQ(hc_ec_ctrl(g->ec), NOVA_SUCCESS);
        EXPECT(guest_wait(g, 10000));
        EXPECT_EQ(g->event, NOVA_VMI_RECALL);
}

CASE_ON(guest, memory_is_taken_from_a_guest_that_runs_on_another_cpu, "4.6.2.2-23",
        needs_virtualization_and_2_cpus)
{
        struct guest *g = guest_new(cpu_numbers[1], spin_16, spin_16_end);

        guest_answer(g, guest_real(g));
        expect_running(g);
        hc_revoke(mem(page_of(g->memory), GUEST_ORDER, NOVA_PERM_ALL), 0);
        EXPECT(guest_wait(g, 10000));
        EXPECT_EQ(g->event, guest_event(EXIT_MEMORY));
}

CASE_ON(guest, impossible_state_is_an_event, "7.2-55 8.2-26 7.2-133", needs_virtualization)
{
        struct guest *g = guest_new(boot_cpu, halt_16, halt_16_end);
        const nova_mtd_t mtd = guest_real(g);

        g->state->cr4 = 0x80000000; /* no CPU has this bit */
        guest_until(g, mtd, EXIT_STATE);
        EXPECT_EQ(g->state->ip, GUEST_CODE);
        EXPECT_EQ(g->state->cr4, 0x80000000);
        g->state->cr4 = 0;
        guest_until(g, NOVA_MTD_CR, EXIT_HLT);
        g->state->ip = GUEST_CODE;
        g->state->inj_info = NOVA_INJ_VALID | NOVA_INJ_EXCEPTION | 2; /* NMI as an exception */
        guest_until(g, NOVA_MTD_EIP | NOVA_MTD_INJ, EXIT_STATE);
        g->state->inj_info = 0;
        g->utcb->event.more.efer = 0x8000000;
        guest_until(g, NOVA_MTD_MSR | NOVA_MTD_INJ, EXIT_STATE);
        guest_until(g, 0, EXIT_HLT);
}

/* QEMU writes 0 to the control block's interrupt field when it refuses an entry. */
CASE_ON(guest, a_guest_whose_state_was_refused_does_not_keep_its_cpu, "7.2-55 7.2-86 7.2-133",
        needs_virtualization)
{
        struct guest *g = guest_new(boot_cpu, spin_16, spin_16_end);
        const nova_mtd_t mtd = guest_real(g);

        g->state->cr4 = 0x80000000;
        g->state->inj_info = NOVA_INJ_WINDOW;
        guest_until(g, mtd | NOVA_MTD_INJ, EXIT_STATE);
        EXPECT_EQ(g->state->inj_info, NOVA_INJ_WINDOW); /* the window stays */
        g->state->cr4 = 0;
        g->state->inj_info = 0;
        guest_answer(g, NOVA_MTD_CR | NOVA_MTD_INJ);
        expect_running(g);
        EXPECT_EQ(hc_ec_ctrl(g->ec), NOVA_SUCCESS);
        EXPECT(guest_wait(g, 10000));
        EXPECT_EQ(g->event, NOVA_VMI_RECALL);
}

static void expect_shut_down(const struct guest_portal *halt)
{
        struct guest *g = guest_new_portals(boot_cpu, mark_halt_16, mark_halt_16_end, halt, 1);
        const volatile uint32_t *const mark = guest_word(g, GUEST_DATA);

        guest_answer(g, guest_real(g));
        for (unsigned i = 0; i < 500 && !*mark; i++)
                EXPECT(!guest_wait(g, 20)); /* a busy host may delay the guest */
        EXPECT_EQ(*mark, 1);
        EXPECT(!guest_wait(g, 50));
        /* The virtual CPU exists, but never runs again. */
        EXPECT_EQ(hc_ec_ctrl(g->ec), NOVA_SUCCESS);
        EXPECT(!guest_wait(g, 50));
        g = guest_new(boot_cpu, halt_16, halt_16_end);
        guest_until(g, guest_real(g), EXIT_HLT);
}

static void note(struct thread *t)
{
        t->value[0]++;
}

CASE_ON(guest, an_event_without_a_portal_shuts_down_only_the_guest, "3.3-06", needs_virtualization)
{
        expect_shut_down(&(struct guest_portal){.exit = EXIT_HLT});
}

CASE_ON(guest, an_event_with_a_portal_on_another_cpu_shuts_down_only_the_guest, "3.3-06",
        needs_virtualization_and_2_cpus)
{
        struct thread *there = server(cpu_numbers[1]);

        there->fn = note;
        expect_shut_down(&(struct guest_portal){EXIT_HLT, GUEST_MTD, there, portal_entry});
        EXPECT_EQ(there->value[0], 0);
}

CASE_ON(guest, a_guest_that_spins_does_not_keep_its_cpu, "7.2-86", needs_virtualization)
{
        struct guest *g = guest_new(boot_cpu, spin_16, spin_16_end);
        const uint64_t start = tsc();

        guest_answer(g, guest_real(g));
        spin_us(1000);
        EXPECT(!guest_wait(g, 50));
        EXPECT(tsc() - start < 10000 * tsc_per_ms());
        EXPECT_EQ(hc_revoke(obj(g->ec, NOVA_PERM_ALL), NOVA_REVOKE_SR), NOVA_SUCCESS);
}

CASE_ON(guest, the_pd_of_a_running_guest_is_destroyed, "2.1-01", needs_virtualization_and_2_cpus)
{
        for (unsigned i = 0; i < 3; i++) {
                struct guest *g = guest_new(cpu_numbers[i % 2], spin_16, spin_16_end);
                guest_answer(g, guest_real(g));
                guest_wait(g, 2);
                EXPECT_EQ(hc_pd_destroy(g->pd), NOVA_SUCCESS);
                EXPECT_EQ(hc_ec_ctrl(g->ec), NOVA_BAD_CAP);
        }
}

#if __SIZEOF_POINTER__ == 8
GUEST(long_64, 64,
      "movabsq $0x1122334455667788, %r9; addq %r9, %rax; movq %r9, %r15; movq %rax, 0x9000; hlt");
GUEST(cr8_64, 64, "movq %cr8, %rax; movq $9, %rbx; movq %rbx, %cr8; hlt");

CASE_ON(guest, a_64_bit_guest_runs, "D-36 8.2-28 8.4-18 8.2-24 D-36.2", needs_virtualization_64)
{
        struct guest *g = guest_new(boot_cpu, long_64, long_64_end);
        const nova_mtd_t mtd = guest_long(g);

        g->state->ax = 0x1000000000000000;
        guest_until(g, mtd, EXIT_HLT);
        EXPECT_EQ(g->state->ax, 0x2122334455667788);
        EXPECT_EQ(g->state->r15, 0x1122334455667788);
        EXPECT_EQ(*(uint64_t *)(void *)(g->memory + 0x9000), 0x2122334455667788);
        EXPECT_EQ(g->utcb->event.more.efer, 0x500);
}

CASE_ON(guest, cr8_is_the_guests_own, "8.3-15", needs_virtualization_64)
{
        struct guest *g = guest_new(boot_cpu, cr8_64, cr8_64_end);
        const nova_mtd_t mtd = guest_long(g);

        g->state->cr8 = 5;
        guest_until(g, mtd | NOVA_MTD_CR8, EXIT_HLT);
        EXPECT_EQ(g->state->ax, 5);
        EXPECT_EQ(g->state->cr8, 9);
}

GUEST(cr8_bits_64, 64, "movq %rbx, %cr8; hlt");

/* The kernel writes CR8 for the guest. Without an IDT the #GP becomes a triple fault. */
CASE_ON(guest, reserved_bits_of_cr8_fault_in_the_guest, "8.3-15", needs_vmx)
{
        struct guest *g = guest_new(boot_cpu, cr8_bits_64, cr8_bits_64_end);
        const nova_mtd_t mtd = guest_long(g);

        g->state->idtr.limit = 0;
        g->state->bx = 0xf;
        guest_until(g, mtd | NOVA_MTD_CR8, EXIT_HLT);
        EXPECT_EQ(g->state->cr8, 0xf);
        g->state->ip = GUEST_CODE;
        g->state->bx = 0x10;
        guest_until(g, NOVA_MTD_EIP | NOVA_MTD_ACDB, EXIT_TRIPLE_FAULT);
        EXPECT_EQ(g->state->cr8, 0xf);
}
#endif
