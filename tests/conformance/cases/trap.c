/* SPDX-License-Identifier: BSD-2-Clause */
/* Exceptions that a program can raise, instruction by instruction. The thread continues after each
 * exception. */
#include "attempt.h"

#define FLAG_IOPL 0x3000
#define FLAG_NT   0x4000

RAISES(trap, a_quotient_too_large_is_a_divide_error, IDS_DE, ONLY(NOVA_EXC_DE),
       "mov $2, %edx; xor %eax, %eax; mov $1, %ecx; div %ecx")
RAISES(trap, the_most_negative_number_by_minus_1_is_a_divide_error, IDS_DE, ONLY(NOVA_EXC_DE),
       "mov $0x80000000, %eax; cltd; mov $-1, %ecx; idiv %ecx")
RAISES_ON(trap, icebp_is_a_debug_event, IDS_DB, ONLY(NOVA_EXC_DB), ".byte 0xf1", needs_hardware)
RAISES(trap, int_3_in_two_bytes_is_a_breakpoint, IDS_BP, ONLY(NOVA_EXC_BP), ".byte 0xcd, 3")
RAISES(trap, ud1_is_an_invalid_instruction, IDS_UD, ONLY(NOVA_EXC_UD), ".byte 0x0f, 0xb9, 0xc0")
RAISES(trap, lock_before_nop_is_an_invalid_instruction, IDS_UD, ONLY(NOVA_EXC_UD),
       ".byte 0xf0, 0x90")
RAISES(trap, a_register_operand_of_lea_is_an_invalid_instruction, IDS_UD, ONLY(NOVA_EXC_UD),
       ".byte 0x8d, 0xc0")
RAISES(trap, an_instruction_of_16_bytes_is_a_protection_fault, IDS_GP, ONLY(NOVA_EXC_GP),
       ".fill 15, 1, 0x66; nop")
RAISES(trap, cli_is_a_protection_fault, IDS_GP, ONLY(NOVA_EXC_GP), "cli")
RAISES(trap, sti_is_a_protection_fault, IDS_GP, ONLY(NOVA_EXC_GP), "sti")
RAISES(trap, clts_is_a_protection_fault, IDS_GP, ONLY(NOVA_EXC_GP), "clts")
RAISES(trap, invd_is_a_protection_fault, IDS_GP, ONLY(NOVA_EXC_GP), "invd")
RAISES(trap, wbinvd_is_a_protection_fault, IDS_GP, ONLY(NOVA_EXC_GP), "wbinvd")
RAISES(trap, invlpg_is_a_protection_fault, IDS_GP, ONLY(NOVA_EXC_GP), "invlpg (" SP ")")
RAISES(trap, lgdt_is_a_protection_fault, IDS_GP, ONLY(NOVA_EXC_GP), "lgdt (" SP ")")
RAISES(trap, lidt_is_a_protection_fault, IDS_GP, ONLY(NOVA_EXC_GP), "lidt (" SP ")")
RAISES(trap, lldt_is_a_protection_fault, IDS_GP, ONLY(NOVA_EXC_GP), "xor %eax, %eax; lldt %ax")
RAISES(trap, ltr_is_a_protection_fault, IDS_GP, ONLY(NOVA_EXC_GP), "mov $0x30, %eax; ltr %ax")
RAISES(trap, lmsw_is_a_protection_fault, IDS_GP, ONLY(NOVA_EXC_GP), "xor %eax, %eax; lmsw %ax")
RAISES(trap, reading_cr0_is_a_protection_fault, IDS_GP, ONLY(NOVA_EXC_GP), "mov %cr0, " AX)
RAISES(trap, reading_cr2_is_a_protection_fault, IDS_GP, ONLY(NOVA_EXC_GP), "mov %cr2, " AX)
RAISES(trap, reading_cr3_is_a_protection_fault, IDS_GP, ONLY(NOVA_EXC_GP), "mov %cr3, " AX)
RAISES(trap, reading_cr4_is_a_protection_fault, IDS_GP, ONLY(NOVA_EXC_GP), "mov %cr4, " AX)
RAISES(trap, writing_cr0_is_a_protection_fault, IDS_GP, ONLY(NOVA_EXC_GP),
       "xor %eax, %eax; mov " AX ", %cr0")
RAISES(trap, writing_cr3_is_a_protection_fault, IDS_GP, ONLY(NOVA_EXC_GP),
       "xor %eax, %eax; mov " AX ", %cr3")
RAISES(trap, writing_cr4_is_a_protection_fault, IDS_GP, ONLY(NOVA_EXC_GP),
       "xor %eax, %eax; mov " AX ", %cr4")
RAISES(trap, reading_dr6_is_a_protection_fault, IDS_GP, ONLY(NOVA_EXC_GP), "mov %dr6, " AX)
RAISES(trap, writing_dr0_is_a_protection_fault, IDS_GP, ONLY(NOVA_EXC_GP),
       "xor %eax, %eax; mov " AX ", %dr0")
RAISES(trap, writing_dr7_is_a_protection_fault, IDS_GP, ONLY(NOVA_EXC_GP),
       "xor %eax, %eax; mov " AX ", %dr7")
RAISES(trap, rdmsr_is_a_protection_fault, IDS_GP, ONLY(NOVA_EXC_GP), "mov $0x1b, %ecx; rdmsr")
RAISES(trap, wrmsr_is_a_protection_fault, IDS_GP, ONLY(NOVA_EXC_GP),
       "mov $0x174, %ecx; xor %eax, %eax; xor %edx, %edx; wrmsr")
RAISES(trap, wrmsr_to_nowhere_is_a_protection_fault, IDS_GP, ONLY(NOVA_EXC_GP),
       "mov $0x12345678, %ecx; xor %eax, %eax; xor %edx, %edx; wrmsr")
RAISES(trap, rdpmc_is_a_protection_fault, IDS_GP, ONLY(NOVA_EXC_GP), "xor %ecx, %ecx; rdpmc")
RAISES(trap, xsetbv_is_refused, IDS_GP, ONLY(NOVA_EXC_GP) | ONLY(NOVA_EXC_UD),
       "xor %ecx, %ecx; xor %edx, %edx; mov $1, %eax; .byte 0x0f, 0x01, 0xd1")
RAISES(trap, sysexit_is_refused, IDS_GP, ONLY(NOVA_EXC_GP) | ONLY(NOVA_EXC_UD),
       "xor %ecx, %ecx; xor %edx, %edx; sysexit")
RAISES(trap, sysret_is_refused, IDS_GP, ONLY(NOVA_EXC_GP) | ONLY(NOVA_EXC_UD), ".byte 0x0f, 0x07")
RAISES(trap, swapgs_is_refused, IDS_GP, ONLY(NOVA_EXC_GP) | ONLY(NOVA_EXC_UD),
       ".byte 0x0f, 0x01, 0xf8")
RAISES(trap, monitor_is_refused, IDS_UD, ONLY(NOVA_EXC_UD) | ONLY(NOVA_EXC_GP),
       "xor %ecx, %ecx; xor %edx, %edx; .byte 0x0f, 0x01, 0xc8")
RAISES(trap, rsm_is_an_invalid_instruction, IDS_UD, ONLY(NOVA_EXC_UD), "rsm")
RAISES(trap, vmcall_is_refused, IDS_UD, ONLY(NOVA_EXC_UD) | ONLY(NOVA_EXC_GP),
       ".byte 0x0f, 0x01, 0xc1")
RAISES(trap, vmrun_is_refused, IDS_UD, ONLY(NOVA_EXC_UD) | ONLY(NOVA_EXC_GP),
       "xor %eax, %eax; .byte 0x0f, 0x01, 0xd8")
RAISES(trap, vmmcall_is_refused, IDS_UD, ONLY(NOVA_EXC_UD) | ONLY(NOVA_EXC_GP),
       ".byte 0x0f, 0x01, 0xd9")
RAISES(trap, clgi_is_refused, IDS_UD, ONLY(NOVA_EXC_UD) | ONLY(NOVA_EXC_GP),
       ".byte 0x0f, 0x01, 0xdd")
RAISES(trap, vmxon_is_refused, IDS_UD, ONLY(NOVA_EXC_UD) | ONLY(NOVA_EXC_GP),
       ".byte 0xf3, 0x0f, 0xc7, 0x34, 0x24")
RAISES(trap, a_string_from_a_closed_port_is_a_protection_fault, IDS_GP " 2.1-08", ONLY(NOVA_EXC_GP),
       "mov $0x2f9, %edx; mov " SP ", " DI "; insb")
RAISES(trap, a_word_that_reaches_a_closed_port_is_a_protection_fault, IDS_GP " 2.1-08",
       ONLY(NOVA_EXC_GP), "mov $0x3ff, %edx; in %dx, %ax")

/* ---- Segments -------------------------------------------------------------------------------- */

RAISES(trap, a_kernel_selector_in_ds_is_a_protection_fault, IDS_GP, ONLY(NOVA_EXC_GP),
       "mov $0x10, %eax; mov %eax, %ds")
RAISES(trap, a_selector_beyond_the_table_in_ds_is_a_protection_fault, IDS_GP, ONLY(NOVA_EXC_GP),
       "mov $0xfff8, %eax; mov %eax, %ds")
RAISES(trap, a_selector_of_the_local_table_is_a_protection_fault, IDS_GP, ONLY(NOVA_EXC_GP),
       "mov $0x0f, %eax; mov %eax, %es")
RAISES(trap, the_null_selector_in_ss_is_a_protection_fault, IDS_GP, ONLY(NOVA_EXC_GP),
       "mov $3, %eax; mov %eax, %ss")
RAISES(trap, code_in_ss_is_a_protection_fault, IDS_GP, ONLY(NOVA_EXC_GP),
       "mov %cs, %eax; mov %eax, %ss")
RAISES(trap, a_far_return_into_the_kernel_is_a_protection_fault, IDS_GP, ONLY(NOVA_EXC_GP),
       "push $8; push $0; lret")
RAISES(trap, a_far_return_to_the_null_selector_is_a_protection_fault, IDS_GP, ONLY(NOVA_EXC_GP),
       "push $3; push $0; lret")
RAISES(trap, a_far_return_to_data_is_a_protection_fault, IDS_GP, ONLY(NOVA_EXC_GP),
       "push $0x23; push $0; lret")

/* Programs at privilege level 3 can use the descriptors of their code and data, and no others. */
CASE(trap, no_other_descriptor_can_be_read_or_written, "2.1-07 7.1-01 8.1-01")
{
        unsigned readable = 0, writable = 0;
        for (unsigned sel = 3; sel < 0x10000; sel += 4) {
                uint8_t r, w;
                __asm__ volatile("verr %2; setz %0; verw %2; setz %1"
                                 : "=&q"(r), "=&q"(w)
                                 : "r"((uint16_t)sel));
                readable += r;
                writable += w;
        }
        EXPECT(readable >= 2 && readable <= 3);
        EXPECT_EQ(writable, 1);
}

/* ---- Software interrupts --------------------------------------------------------------------- */

__asm__(".text\n.balign 16\ntrap_int_table:\n.set n, 0\n"
        ".rept 256\n.balign 16\n.byte 0xcd, n\nret\n.set n, n + 1\n.endr\n");
extern char trap_int_table[];

CASE(trap, all_other_software_interrupts_are_protection_faults, IDS_GP " 7.2-19 8.2-19 A-07")
{
        for (unsigned n = 0; n < 256; n++) {
                if (n == NOVA_EXC_BP || n == NOVA_EXC_OF)
                        continue;
                void (*code)(void) = (void (*)(void))(word_t)(trap_int_table + 16 * n);
                EXPECT_EQ(raised_by(code), NOVA_EXC_GP);
        }
}

CASE(trap, int_4_is_event_4, "7.2-05 8.2-05 A-07")
{
        void (*code)(void) = (void (*)(void))(word_t)(trap_int_table + 16 * NOVA_EXC_OF);
        EXPECT_EQ(raised_by(code), NOVA_EXC_OF);
}

/* ---- Floating point -------------------------------------------------------------------------- */

#define PENDING "fninit; push $0x37b; fldcw (" SP "); fld1; fldz; fdivrp; pop " AX "; "

RAISES_ON(trap, a_pending_fpu_error_meets_the_next_instruction, IDS_MF, ONLY(NOVA_EXC_MF),
          PENDING "fld1", needs_hardware)
RAISES_ON(trap, a_pending_fpu_error_meets_an_mmx_instruction, IDS_MF, ONLY(NOVA_EXC_MF),
          PENDING "paddb %mm0, %mm0", needs_hardware)

RAISES(trap, a_pending_fpu_error_meets_the_next_wait, IDS_MF, ONLY(NOVA_EXC_MF), PENDING "fwait")

CASE(trap, a_pending_fpu_error_belongs_to_its_thread, "2.2-10 " IDS_MF)
{
        EXPECT_EQ(raised_by(code_a_pending_fpu_error_meets_the_next_wait), NOVA_EXC_MF);
        struct thread *t = run_thread(boot_cpu, PRIO_HIGH, thread_exit_fn, NULL);
        EXPECT_EQ(t->done, 1);
        __asm__ volatile("fnclex; fninit; fwait");
        EXPECT_EQ(self->event, NOVA_EXC_MF);
}

RAISES(trap, an_unaligned_sse_operand_is_a_protection_fault, IDS_GP, ONLY(NOVA_EXC_GP),
       "mov " SP ", " AX "; and $-16, " AX "; movaps -31(" AX "), %xmm0")
RAISES_ON(trap, a_reserved_bit_of_mxcsr_is_a_protection_fault, IDS_GP, ONLY(NOVA_EXC_GP),
          "push $-1; ldmxcsr (" SP "); pop " AX, needs_hardware)
RAISES(trap, an_unaligned_fxrstor_is_a_protection_fault, IDS_GP, ONLY(NOVA_EXC_GP),
       "mov " SP ", " AX "; and $-16, " AX "; fxrstor -1023(" AX ")")

CASE_ON(trap, an_unaligned_access_with_AC_is_event_17, "7.2-13 8.2-13", needs_hardware)
{
        static const unsigned char bytes[8];
        const word_t address = (word_t)bytes | 1;
        __asm__ volatile("" ::: "memory");
        self->event = NO_EVENT;
        extern void trap_reads_unaligned(void);
        __asm__ volatile("mov %0, trap_address" : : "r"(address));
        EXPECT_EQ(raised_by(trap_reads_unaligned), NOVA_EXC_AC);
        EXPECT_EQ(self->state.qual[0], 0);
}
__asm__(".bss\n.balign 8\ntrap_address: .skip 8\n.text\n.globl trap_reads_unaligned\n"
        "trap_reads_unaligned:\nmov trap_address, " AX "\npushf\norl $0x40000, (" SP ")\npopf\n"
        "movl (" AX "), %eax\nret\n");

/* ---- Flags ----------------------------------------------------------------------------------- */

static word_t flags_after(word_t wanted)
{
        word_t flags;
        __asm__ volatile("push %1; popf; pushf; pop %0; push $2; popf" : "=r"(flags) : "r"(wanted));
        return flags;
}

CASE(trap, popf_changes_neither_IOPL_nor_IF, "2.1-08 7.1-11 8.1-11")
{
        EXPECT_EQ(flags_after(FLAG_IOPL | 2) & (FLAG_IOPL | 0x200), 0x200);
        EXPECT_EQ(flags_after(2) & 0x200, 0x200);
}

CODE(raises_ud_with_NT, "pushf; orl $0x4000, (" SP "); popf; ud2")

CASE(trap, nested_task_flag_harms_neither_hypercalls_nor_events, "7.5-01 8.5-01")
{
        struct thread *t = server(boot_cpu);
        const nova_sel_t sm = semaphore(1);
        for (unsigned i = 0; i < 4; i++) {
                struct gpr g = {.flags = 0x202 | FLAG_NT};
                g.GPR_A1 = nova_hypercall_id(NOVA_CALL, 0, t->pt);
                self->utcb->items = 0;
                trap(&g);
                EXPECT_EQ(g.GPR_A1 & 0xff, NOVA_SUCCESS);
                g = (struct gpr){.flags = 0x202 | FLAG_NT};
                g.GPR_A1 =
                        nova_hypercall_id(NOVA_SM_CTRL, i & 1 ? NOVA_SM_UP_OP : NOVA_SM_DN_OP, sm);
                trap(&g);
                EXPECT_EQ(g.GPR_A1, NOVA_SUCCESS);
        }
        EXPECT_EQ(t->calls, 4);
        EXPECT_EQ(raised_by(code_raises_ud_with_NT), NOVA_EXC_UD);
        EXPECT_EQ(raised_by(code_raises_ud_with_NT), NOVA_EXC_UD);
}

/* ---- Single steps ---------------------------------------------------------------------------- */

#define STEP "pushf; orl $0x100, (" SP "); popf; "

RAISES(trap, a_step_over_a_breakpoint_is_the_breakpoint, IDS_BP,
       ONLY(NOVA_EXC_BP) | ONLY(NOVA_EXC_DB), STEP "int3; nop")
RAISES(trap, a_step_over_a_fault_is_the_fault, IDS_UD, ONLY(NOVA_EXC_UD), STEP "ud2")
RAISES_ON(trap, a_step_over_icebp_is_a_debug_event, IDS_DB, ONLY(NOVA_EXC_DB),
          STEP ".byte 0xf1; nop", needs_hardware)
RAISES(trap, a_step_after_a_new_stack_segment_comes_late, IDS_DB, ONLY(NOVA_EXC_DB),
       "mov %ss, %eax; " STEP "mov %eax, %ss; nop; nop")
RAISES(trap, a_breakpoint_after_a_new_stack_segment_is_event_3, IDS_BP, ONLY(NOVA_EXC_BP),
       "mov %ss, %eax; mov %eax, %ss; int3")
RAISES(trap, a_step_over_a_software_interrupt_is_its_fault, IDS_GP, ONLY(NOVA_EXC_GP),
       STEP "int $0x80")
