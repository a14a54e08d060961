/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses outside of user memory, and stack pointers that are not valid addresses. */
#include "attempt.h"

/* ---- Addresses ------------------------------------------------------------------------------- */

static volatile word_t target __attribute__((used));

static void reads(void)
{
        (void)*(volatile word_t *)target;
}

static void writes(void)
{
        *(volatile word_t *)target = 1;
}

static void adds(void)
{
        __atomic_fetch_add((word_t *)target, 1, __ATOMIC_SEQ_CST);
}

static void jumps(void)
{
        ((void (*)(void))target)();
}

__asm__(".text\ntrap_returns:\nmov target, " AX "\npush " AX "\nret\n"
        "trap_pushes:\nmov target, " AX "\nmov " AX ", " SP "\npush " AX "\nret\n"
        "trap_calls:\nmov target, " AX "\nmov " AX ", " SP "\ncall .\nret\n");
extern void trap_returns(void), trap_pushes(void), trap_calls(void);

/* The first address above user space, the last address of all, and some in between. */
static const word_t bad[] = {
        NOVA_USER_END,  NOVA_USER_END + 0x1000, ~(word_t)0 << 12,   ~(word_t)0 - 7,
#if __SIZEOF_POINTER__ == 8
        0x800000000000, 0xffff7fffffffffff,     0xffff800000000000, 0x8000000000000000,
#else
        0xc0001000,       0xe0000000,
#endif
};

static void at_all(void (*code)(void), word_t behind)
{
        for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                target = bad[i] + behind;
                expect_one_of(code, FAULTS, (word_t)attempt_over);
        }
}

CASE(address, reading_beyond_user_memory_faults, IDS_PF " 2.1-07")
{
        at_all(reads, 0);
}

CASE(address, writing_beyond_user_memory_faults, IDS_PF " 2.1-07")
{
        at_all(writes, 0);
}

CASE(address, locked_access_beyond_user_memory_faults, IDS_PF " 2.1-07")
{
        at_all(adds, 0);
}

CASE(address, a_jump_beyond_user_memory_faults, IDS_PF " 2.1-07")
{
        at_all(jumps, 0);
}

CASE(address, a_return_beyond_user_memory_faults, IDS_PF " 2.1-07")
{
        at_all(trap_returns, 0);
}

CASE(address, a_push_beyond_user_memory_faults, IDS_PF " 2.1-07")
{
        at_all(trap_pushes, sizeof(word_t));
}

CASE(address, a_call_with_a_stack_beyond_user_memory_faults, IDS_PF " 2.1-07")
{
        at_all(trap_calls, sizeof(word_t));
}

CASE(address, an_access_across_the_end_of_user_memory_faults, IDS_PF)
{
        target = NOVA_USER_END - 4 + (sizeof(word_t) == 4 ? 2 : 0);
        expect_one_of(reads, FAULTS, (word_t)attempt_over);
}

CASE(address, the_error_code_has_presence_writing_and_user_mode, IDS_PF " 7.4-11 8.4-11")
{
        target = 0x1000;
        EXPECT_EQ(raised_by(reads), NOVA_EXC_PF);
        EXPECT_EQ(self->state.qual[0], 4);
        EXPECT_EQ(raised_by(writes), NOVA_EXC_PF);
        EXPECT_EQ(self->state.qual[0], 6);
        target = (word_t)hip;
        EXPECT_EQ(raised_by(writes), NOVA_EXC_PF);
        EXPECT_EQ(self->state.qual[0], 7);
}

/* ---- Stack pointers -------------------------------------------------------------------------- */

static volatile word_t odd_sp __attribute__((used));
void trap_with_sp(void);
void ud_with_sp(void);
void spin_with_sp(void);

/* Makes a hypercall, raises #UD, or spins, with odd_sp as stack pointer. EBX is lost. */
__asm__(".text\n"
#if __SIZEOF_POINTER__ == 8
        "trap_with_sp:\nmov %rsp, %rbx\nmov odd_sp, %rsp\nmov regs_id, %rdi\nsyscall\n"
        "mov %rsp, odd_sp_after\nmov %rbx, %rsp\nret\n"
        "ud_with_sp:\nmov odd_sp, %rsp\nud2\n"
        "spin_with_sp:\nmov %rsp, %rbx\nmov odd_sp, %rsp\n" SPIN
        "mov %rsp, odd_sp_after\nmov %rbx, %rsp\nret\n"
#else
        "trap_with_sp:\npush %ebx\npush %ebp\npush %esi\npush %edi\nmov %esp, %ebp\n"
        "mov odd_sp, %esp\nmov %esp, %ecx\nmov regs_id, %eax\nmov $1f, %edx\nsysenter\n"
        "1: mov %esp, odd_sp_after\nmov %ebp, %esp\npop %edi\npop %esi\npop %ebp\npop %ebx\nret\n"
        "ud_with_sp:\nmov odd_sp, %esp\nud2\n"
        "spin_with_sp:\nmov %esp, %ebx\nmov odd_sp, %esp\n" SPIN
        "mov %esp, odd_sp_after\nmov %ebx, %esp\nret\n"
#endif
);
static volatile word_t odd_sp_after __attribute__((used));
static volatile word_t regs_id __attribute__((used));

static const word_t stack_pointers[] = {
        0,
        1,
        7,
        0x1003,
        (word_t)-1,
        (word_t)-4,
        NOVA_USER_END,
        NOVA_USER_END - 1,
        ~(word_t)0 << 12,
#if __SIZEOF_POINTER__ == 8
        0x800000000000,
        0x8000000000000001,
        0xffff800000000000,
#endif
};
#define STACK_POINTERS (sizeof(stack_pointers) / sizeof(stack_pointers[0]))

CASE(address, a_hypercall_keeps_any_stack_pointer, "7.5-06 8.5-06 8.5-07")
{
        const nova_sel_t sm = semaphore(0);
        regs_id = nova_hypercall_id(NOVA_SM_CTRL, NOVA_SM_UP_OP, sm);
        for (unsigned i = 0; i < STACK_POINTERS; i++) {
                odd_sp = stack_pointers[i];
                odd_sp_after = ~odd_sp;
                __asm__ volatile("call trap_with_sp"
                                 :
                                 :
                                 : "memory", "cc", "eax", "ebx", "ecx", "edx", "esi", "edi"
#if __SIZEOF_POINTER__ == 8
                                   ,
                                   "r8", "r9", "r10", "r11"
#endif
                );
                EXPECT_EQ(odd_sp_after, stack_pointers[i]);
                EXPECT_EQ(hc_sm_ctrl(sm, NOVA_SM_DN_OP), NOVA_SUCCESS);
        }
}

CASE(address, an_event_shows_any_stack_pointer, "7.4-05 8.4-05")
{
        for (unsigned i = 0; i < STACK_POINTERS; i++) {
                odd_sp = stack_pointers[i];
                EXPECT_EQ(raised_by(ud_with_sp), NOVA_EXC_UD);
                EXPECT_EQ(self->state.sp, stack_pointers[i]);
        }
}

static void spins_oddly(struct thread *t)
{
        (void)t;
        spin_for(20);
        __asm__ volatile("call spin_with_sp" : : : "memory", "cc", "eax", "ebx", "ecx", "edx");
}

CASE(address, a_thread_with_any_stack_pointer_is_preempted_like_any_other, "3.1-12 2.2-08")
{
        for (unsigned i = 0; i < STACK_POINTERS; i += 3) {
                odd_sp = stack_pointers[i];
                struct thread *t = global(boot_cpu, spins_oddly, NULL);
                thread_start(t, PRIO_CASE, 1000);
                EXPECT(wait_for(&t->done, 1));
                EXPECT_EQ(odd_sp_after, stack_pointers[i]);
        }
}
