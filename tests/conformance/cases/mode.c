/* SPDX-License-Identifier: BSD-2-Clause */
/* Events that only one of the architectures can raise: far calls, tasks, 32-bit code in 64-bit
 * mode. */
#include "attempt.h"

static volatile word_t regs_id __attribute__((used));

/* ---- x86-32 ---------------------------------------------------------------------------------- */

#if __SIZEOF_POINTER__ == 4
RAISES(mode, into_is_event_4, "7.2-05", ONLY(NOVA_EXC_OF), "mov $0x7fffffff, %eax; inc %eax; into")
RAISES(mode, bound_below_is_event_5, "7.2-06", ONLY(NOVA_EXC_BR),
       "push $9; push $5; mov $4, %eax; bound %eax, (%esp)")
RAISES(mode, bound_above_is_event_5, "7.2-06", ONLY(NOVA_EXC_BR),
       "push $9; push $5; mov $10, %eax; bound %eax, (%esp)")
RAISES(mode, aam_by_0_is_a_divide_error, "7.2-02", ONLY(NOVA_EXC_DE), ".byte 0xd4, 0")
RAISES(mode, syscall_on_x86_32_is_an_invalid_instruction, "7.2-07", ONLY(NOVA_EXC_UD), "syscall")
RAISES(mode, a_far_call_into_the_kernel_is_a_protection_fault, "7.2-10", ONLY(NOVA_EXC_GP),
       "lcall $8, $0")
RAISES(mode, a_far_jump_into_the_kernel_is_a_protection_fault, "7.2-10", ONLY(NOVA_EXC_GP),
       "ljmp $8, $0")
RAISES(mode, a_far_call_to_the_task_is_a_protection_fault, "7.2-10", ONLY(NOVA_EXC_GP),
       "str %ax; or $3, %eax; push %eax; push $0; lcall *(%esp)")
RAISES(mode, a_far_call_to_the_null_selector_is_a_protection_fault, "7.2-10", ONLY(NOVA_EXC_GP),
       "lcall $0, $0")
RAISES(mode, a_far_call_beyond_the_table_is_a_protection_fault, "7.2-10", ONLY(NOVA_EXC_GP),
       "lcall $0xfffb, $0")
RAISES_ON(mode, an_access_with_a_null_segment_is_a_protection_fault, "7.2-10", ONLY(NOVA_EXC_GP),
          "xor %eax, %eax; mov %eax, %ds; mov (%esp), %ecx; mov %ds:(%ecx), %eax", needs_hardware)
RAISES(mode, lds_of_a_kernel_selector_is_a_protection_fault, "7.2-10", ONLY(NOVA_EXC_GP),
       "push $0x10; push $0; lds (%esp), %eax")
RAISES(mode, an_iret_into_the_kernel_is_a_protection_fault, "7.2-10", ONLY(NOVA_EXC_GP),
       "pushf; push $8; push $0; iret")
RAISES(mode, an_iret_to_a_selector_without_a_task_is_event_10, "7.2-17 D-14", ONLY(NOVA_EXC_TS),
       "pushf; orl $0x4000, (%esp); popf; iret")

CODE(far_call_within, "lcall $0x1b, $1f; ret; 1: lret")
CASE(mode, a_far_call_to_its_own_segment_works, "7.1-01")
{
        EXPECT_EQ(raised_by(code_far_call_within), NO_EVENT);
}

CODE(iret_within, "mov (%esp), %eax; pushf; orl $0x20000, (%esp); push %cs; push $1f; iret; 1: ")
/* QEMU's TCG enters virtual-8086 mode at any privilege level. */
CASE_ON(mode, an_iret_does_not_lead_into_virtual_8086_mode, "7.1-01", needs_hardware)
{
        EXPECT_EQ(raised_by(code_iret_within), NO_EVENT);
}

CODE(null_segments_hypercall,
     "push %ebx; push %ebp; push %esi; push %edi; mov %esp, %ecx; mov regs_id, %eax; "
     "xor %edx, %edx; mov %edx, %ds; mov %edx, %es; mov $1f, %edx; sysenter; "
     "1: mov $0x23, %eax; mov %eax, %ds; mov %eax, %es; pop %edi; pop %esi; pop %ebp; pop %ebx")
CASE(mode, a_hypercall_with_null_segments_works, "7.5-01")
{
        const nova_sel_t sm = semaphore(0);
        regs_id = nova_hypercall_id(NOVA_SM_CTRL, NOVA_SM_UP_OP, sm);
        code_null_segments_hypercall();
        EXPECT_EQ(hc_sm_ctrl(sm, NOVA_SM_DN_OP), NOVA_SUCCESS);
}

CODE(null_segments_event, "xor %eax, %eax; mov %eax, %ds; mov %eax, %es; ud2")
CASE(mode, an_event_with_null_segments_is_delivered, "7.2-07")
{
        EXPECT_EQ(raised_by(code_null_segments_event), NOVA_EXC_UD);
}
#endif

/* ---- both: IRET with VM ---------------------------------------------------------------------- */

/* QEMU's TCG (7.2) lets any program enter virtual-8086 mode by IRET, and takes IOPL and IF from the
 * stack. Any event that follows must stay within the thread. The thread's IP has 16 bits and points
 * to an absent page. */
#if __SIZEOF_POINTER__ == 4
#define USER_CS "0x1b"
#define IRET_WITH_VM(flags_, cs_)                                                          \
        "push $0; push $0; push $0; push $0; push $0x23; push $0x800; pushf; orl $" flags_ \
        ", (%esp); push $" cs_ "; push $0x100; iret"
#else
/* If IRET does not lead to virtual-8086 mode, it returns to 64-bit code. */
#define USER_CS "0x2b"
#define IRET_WITH_VM(flags_, cs_)                                                    \
        "pushf; pop %rcx; or $" flags_ ", %ecx; sub $64, %rsp; movl $0x100, (%rsp);" \
        "movl $" cs_ ", 4(%rsp); mov %ecx, 8(%rsp); movl $0x800, 12(%rsp);"          \
        "movl $0x23, 16(%rsp); movq $0, 20(%rsp); movq $0, 28(%rsp); iretl"
#endif
CODE(iret_with_vm_to_user_cs, IRET_WITH_VM("0x23200", USER_CS))
CODE(iret_with_vm_to_kernel_cs, IRET_WITH_VM("0x23200", "8"))
CASE(mode, an_event_after_an_iret_with_VM_is_the_threads_own, "7.1-01")
{
        for (unsigned i = 0; i < 3; i++) {
                EXPECT(raised_by(code_iret_with_vm_to_user_cs) != NO_EVENT);
                EXPECT(raised_by(code_iret_with_vm_to_kernel_cs) != NO_EVENT);
        }
        EXPECT_EQ(hc_sm_ctrl(semaphore(1), NOVA_SM_DN_OP), NOVA_SUCCESS);
}

/* A single step at an address that virtual-8086 mode can reach. On x86-64 #DB uses a different
 * stack from other exceptions. */
#define LOW_PAGE 0x20
CODE(iret_with_vm_to_low_page, IRET_WITH_VM("0x20300", "0x2000"))
CASE(mode, a_step_after_an_iret_with_VM_is_the_threads_own, "7.1-01")
{
        char *page = memory(0);

        page[0x100] = page[0x101] = (char)0x90;
        give_self(mem(page_of(page), 0, NOVA_MEM_RWX), LOW_PAGE);
        for (unsigned i = 0; i < 3; i++)
                EXPECT(raised_by(code_iret_with_vm_to_low_page) != NO_EVENT);
        hc_revoke(mem(LOW_PAGE, 0, NOVA_MEM_RWX), NOVA_REVOKE_SR);
        EXPECT_EQ(hc_sm_ctrl(semaphore(1), NOVA_SM_DN_OP), NOVA_SUCCESS);
}

static word_t flags(void)
{
        word_t flags;

        __asm__ volatile("pushf; pop %0" : "=r"(flags));
        return flags;
}

CASE(mode, an_iret_with_VM_gives_neither_ports_nor_the_interrupt_flag, "7.1-01")
{
        raised_by(code_iret_with_vm_to_user_cs);
        EXPECT_EQ(flags() & 0x3200, 0x200);
        raised_by(code_iret_with_vm_to_kernel_cs);
        EXPECT_EQ(flags() & 0x3200, 0x200);
}

/* ---- both: a flag that any thread can set ---------------------------------------------------- */

#define FLAG_ID 0x200000

static void spins_with_id(struct thread *t)
{
#if __SIZEOF_POINTER__ == 8
        __asm__ volatile("pushf; orl $0x200000, (%rsp); popf");
#else
        __asm__ volatile("pushf; orl $0x200000, (%esp); popf");
#endif
        while (!t->value[0])
                ;
        t->value[1] = hc_sm_ctrl((nova_sel_t)t->value[2], NOVA_SM_UP_OP);
}

/* The interrupt that wakes the case comes while the other thread computes. */
CASE(mode, the_flags_of_an_interrupted_thread_do_not_reach_the_thread_that_is_woken,
     "2.1-01 2.2-09")
{
        const nova_sel_t sm = timer_open();
        struct thread *t = global(boot_cpu, spins_with_id, NULL);

        t->value[2] = semaphore(0);
        thread_start(t, PRIO_CASE - 1, 1000);
        for (unsigned i = 0; i < 3; i++) {
                struct gpr g = {.GPR_A1 = nova_hypercall_id(NOVA_SM_CTRL, NOVA_SM_DN_OP, sm),
                                .flags = 0x202};
                timer_shot(3000);
                trap(&g);
                EXPECT_EQ(g.GPR_A1, NOVA_SUCCESS);
                EXPECT_EQ(g.flags & FLAG_ID, 0);
        }
        t->value[0] = 1;
        EXPECT_EQ(hc_sm_ctrl((nova_sel_t)t->value[2], NOVA_SM_DN_OP), NOVA_SUCCESS);
}

/* ---- x86-64 ---------------------------------------------------------------------------------- */

#if __SIZEOF_POINTER__ == 8
RAISES(mode, into_is_an_invalid_instruction, "8.2-07", ONLY(NOVA_EXC_UD), ".byte 0xce")
RAISES(mode, aam_is_an_invalid_instruction, "8.2-07", ONLY(NOVA_EXC_UD), ".byte 0xd4, 0")
RAISES(mode, pusha_is_an_invalid_instruction, "8.2-07", ONLY(NOVA_EXC_UD), ".byte 0x60")
RAISES(mode, a_direct_far_call_is_an_invalid_instruction, "8.2-07", ONLY(NOVA_EXC_UD),
       ".byte 0x9a, 0, 0, 0, 0, 0x1b, 0")
RAISES(mode, sysenter_on_x86_64_is_refused, "8.2-10", ONLY(NOVA_EXC_GP) | ONLY(NOVA_EXC_UD),
       "mov %rsp, %rcx; xor %edx, %edx; sysenter")
RAISES(mode, a_far_call_into_the_kernel_is_a_protection_fault, "8.2-10", ONLY(NOVA_EXC_GP),
       "push $0; movw $8, 4(%rsp); lcall *(%rsp)")
RAISES(mode, a_far_jump_to_the_null_selector_is_a_protection_fault, "8.2-10", ONLY(NOVA_EXC_GP),
       "push $0; ljmp *(%rsp)")
RAISES(mode, a_far_call_to_the_task_is_a_protection_fault, "8.2-10", ONLY(NOVA_EXC_GP),
       "push $0; str %ax; or $3, %eax; mov %ax, 4(%rsp); lcall *(%rsp)")
RAISES(mode, an_iret_into_the_kernel_is_a_protection_fault, "8.2-10", ONLY(NOVA_EXC_GP),
       "push $0x10; push %rsp; pushf; push $8; push $0; iretq")
RAISES(mode, an_iret_with_NT_is_a_protection_fault, "8.2-10", ONLY(NOVA_EXC_GP),
       "pushf; orl $0x4000, (%rsp); popf; iretq")
RAISES(mode, an_iret_to_a_non_canonical_address_faults, "8.2-10", FAULTS,
       "mov %ss, %eax; push %rax; push %rsp; pushf; mov %cs, %eax; push %rax; "
       "movabs $0x800000000000, %rcx; push %rcx; iretq")
RAISES(mode, cmpxchg16b_unaligned_is_a_protection_fault, "8.2-10",
       ONLY(NOVA_EXC_GP) | ONLY(NOVA_EXC_UD),
       "lea -63(%rsp), %rax; and $-16, %rax; inc %rax; mov %rax, %rdi; cmpxchg16b (%rdi)")

/* 32-bit code in a compatibility segment. After an event in it, the thread resumes at
 * mode_compat_out: this is 32-bit code, too, and leads back to 64-bit code. */
__asm__(".text\n.code32\n.globl mode_compat_out\nmode_compat_out:\nljmp $0x2b, $mode_over\n"
        ".code64\n.globl mode_over\nmode_over:\njmp *mode_over_address\n"
        ".data\n.balign 8\n.globl mode_over_address\nmode_over_address: .quad 0\n.text\n");
extern char mode_compat_out[];
extern word_t mode_over_address;

#define COMPAT(name_, text_)                                                            \
        CODE(name_, "push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15;" \
                    "push $0x1b; push $1f; lretq\n.code32\n1:" text_                    \
                    "\nljmp $0x2b, $2f\n.code64\n2: pop %r15; pop %r14; pop %r13;"      \
                    "pop %r12; pop %rbp; pop %rbx")

#define COMPAT_RAISES(name_, ids_, numbers_, text_)                             \
        COMPAT(name_, text_)                                                    \
        CASE(mode, name_, ids_)                                                 \
        {                                                                       \
                mode_over_address = (word_t)attempt_over;                       \
                expect_one_of(code_##name_, numbers_, (word_t)mode_compat_out); \
        }

COMPAT(compat_nothing, "nop")
CASE(mode, code_of_32_bits_runs_and_comes_back, "8.1-01")
{
        EXPECT_EQ(raised_by(code_compat_nothing), NO_EVENT);
}

COMPAT_RAISES(in_32_bit_code_into_is_event_4, "8.2-05", ONLY(NOVA_EXC_OF),
              "mov $0x7fffffff, %eax; inc %eax; into")
COMPAT_RAISES(in_32_bit_code_bound_is_event_5, "8.2-06", ONLY(NOVA_EXC_BR),
              "push $9; push $5; mov $10, %eax; bound %eax, (%esp)")
COMPAT_RAISES(in_32_bit_code_aam_by_0_is_a_divide_error, "8.2-02", ONLY(NOVA_EXC_DE),
              ".byte 0xd4, 0")
COMPAT_RAISES(in_32_bit_code_an_invalid_instruction_is_event_6, "8.2-07", ONLY(NOVA_EXC_UD), "ud2")
COMPAT_RAISES(in_32_bit_code_a_breakpoint_is_event_3, "8.2-04", ONLY(NOVA_EXC_BP), "int3")
COMPAT_RAISES(in_32_bit_code_a_step_is_event_1, "8.2-03", ONLY(NOVA_EXC_DB),
              "pushf; orl $0x100, (%esp); popf; nop; nop")
COMPAT_RAISES(in_32_bit_code_an_absent_page_is_event_14, "8.2-11", ONLY(NOVA_EXC_PF),
              "mov 0x1000, %eax")
COMPAT_RAISES(in_32_bit_code_a_software_interrupt_is_a_protection_fault, "8.2-10",
              ONLY(NOVA_EXC_GP), "int $0x80")
COMPAT_RAISES(in_32_bit_code_sysenter_is_refused, "8.2-10 8.5-01",
              ONLY(NOVA_EXC_GP) | ONLY(NOVA_EXC_UD), "mov %esp, %ecx; xor %edx, %edx; sysenter")
COMPAT_RAISES(in_32_bit_code_a_far_call_into_the_kernel_is_a_protection_fault, "8.2-10",
              ONLY(NOVA_EXC_GP), "lcall $8, $0")

COMPAT(compat_syscall, "mov $0x0b, %eax; mov %eax, %edi; syscall; mov %eax, mode_compat_status")
__asm__(".bss\n.balign 8\n.globl mode_compat_status\nmode_compat_status: .skip 8\n.text\n");
extern volatile word_t mode_compat_status;

CASE(mode, in_32_bit_code_syscall_is_refused, "8.5-01 8.2-07 A-18")
{
        mode_over_address = (word_t)attempt_over;
        mode_compat_status = 0;
        const word_t n = raised_by_at(code_compat_syscall, (word_t)mode_compat_out);
        EXPECT(n == NOVA_EXC_UD || (n == NO_EVENT && (mode_compat_status & 0xff) == NOVA_BAD_HYP));
        EXPECT_EQ(hc_sm_ctrl(semaphore(1), NOVA_SM_DN_OP), NOVA_SUCCESS);
}

/* Returns the selectors of the data segments in one word. */
static word_t segments(void)
{
        word_t ds, es, fs, gs;

        __asm__ volatile("mov %%ds, %0; mov %%es, %1; mov %%fs, %2; mov %%gs, %3"
                         : "=r"(ds), "=r"(es), "=r"(fs), "=r"(gs));
        return (ds & 0xffff) | (es & 0xffff) << 16 | (fs & 0xffff) << 32 | (gs & 0xffff) << 48;
}

static void load_segments(uint32_t selector)
{
        __asm__ volatile("mov %0, %%ds; mov %0, %%es; mov %0, %%fs; mov %0, %%gs"
                         :
                         : "r"(selector));
}

static void nulls_segments(struct thread *t)
{
        (void)t;
        load_segments(0);
}

static void reads_segments(struct thread *t)
{
        t->value[0] = segments();
}

CASE(mode, data_segments_of_one_pd_do_not_reach_another, "2.1-01")
{
        struct thread *t = child_server(child_new(boot_cpu));
        load_segments(0x23); /* the segments of a new PD: an earlier case may have left others */
        const word_t own = segments();
        remote(t, nulls_segments, NULL);
        EXPECT_EQ(segments(), own);
        remote(t, reads_segments, NULL);
        const word_t childs = t->value[0];
        load_segments(0x2b);
        remote(t, reads_segments, NULL);
        load_segments((uint32_t)own & 0xffff);
        EXPECT_EQ(t->value[0], childs);
}

COMPAT(compat_ud2, "ud2")

/* Lets the thread resume above 4 GiB after its first event, and below 4 GiB after its second
 * event. */
static bool leads_above_4_gib(struct thread *t, unsigned n, struct nova_utcb *u)
{
        const word_t behind = (uint32_t)u->state.ip + 2, above = (word_t)1 << 32;

        if (!t->value[0]++)
                t->value[2] = u->state.ip = behind + above;
        else
                u->state.ip = (uint32_t)t->value[2];
        t->value[1] = n;
        u->state.mtd = NOVA_MTD_EIP;
        u->items = nova_utcb_items(NOVA_UTCB_STATE_WORDS, 0);
        return true;
}

static void raises_in_compat(struct thread *t)
{
        (void)t;
        code_compat_ud2();
}

CASE(mode, code_of_32_bits_cannot_be_led_above_4_gib, "8.2-10")
{
        struct thread *t = server(boot_cpu);
        t->on_event = leads_above_4_gib;
        t->value[0] = t->value[1] = 0;
        remote(t, raises_in_compat, NULL);
        EXPECT_EQ(t->value[0], 2);
        EXPECT_EQ(t->value[1], NOVA_EXC_GP);
}

COMPAT(compat_accesses, "mov %ds:(%esp), %eax; mov %es:(%esp), %eax; mov %fs:(%esp), %eax; "
                        "mov %gs:(%esp), %eax")
/* QEMU accepts null segments. */
CASE(mode, code_of_32_bits_reaches_memory_after_another_pd_nulled_the_segments, "8.1-01 2.1-01")
{
        struct thread *t = child_server(child_new(boot_cpu));
        mode_over_address = (word_t)attempt_over;
        remote(t, nulls_segments, NULL);
        EXPECT_EQ(raised_by_at(code_compat_accesses, (word_t)mode_compat_out), NO_EVENT);
        load_segments(0x23);
}

COMPAT(compat_spin, SPIN)

static void spins_in_compat(struct thread *t)
{
        (void)t;
        code_compat_spin();
}

CASE(mode, code_of_32_bits_is_preempted_like_any_other, "3.1-12 2.2-08")
{
        struct thread *a = global(boot_cpu, spins_in_compat, NULL);
        struct thread *b = global(boot_cpu, spins_in_compat, NULL);
        spin_for(40);
        thread_start(a, PRIO_CASE, 1000);
        thread_start(b, PRIO_CASE, 1000);
        EXPECT(wait_for(&a->done, 1));
        EXPECT(wait_for(&b->done, 1));
}
#endif
