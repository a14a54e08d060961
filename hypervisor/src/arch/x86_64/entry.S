/* SPDX-License-Identifier: BSD-2-Clause */
/* Entries into the kernel and exits from it on x86-64. */
#include "arch/x86/msr.h"
#include "arch/x86/speculation.inc"
#include "arch/x86/vectors.h"
#include "layout.h"
#include "registers.inc"
#include "tracking.inc"

        .text

/* Return to user mode. Each macro is a site (see speculation.h). INT3 fills the site and is never
 * executed. */
.macro return_by_sysret
        speculation_site SITE_EXIT, SITE_JUMP, cleared_sysret
        sysretq
        int3
        int3
.endm

.macro return_by_iret
        speculation_site SITE_EXIT, SITE_JUMP, cleared_iret
        iretq
        int3
        int3
        int3
.endm

/* SYSCALL: RCX = return address, R11 = flags, interrupts off, the stack is the user's. Only the
 * target address of SYSCALL identifies the CPU. So each CPU has its own entry, which contains the
 * address of the CPU's block (thread_entry()). The entry of CPU 0 continues without a jump. */
        .globl entry_hypercall
        .balign 64
entry_hypercall:
        .set    id, CPU_MAX - 1
        .rept   CPU_MAX
        indirect_target
        mov     %rsp, CPU_BASE + id * CPU_BLOCK + CPU_USER_SP
        mov     CPU_BASE + id * CPU_BLOCK + CPU_CURRENT, %rsp
        mov     %rax, REG(AX)(%rsp)
        mov     CPU_BASE + id * CPU_BLOCK + CPU_USER_SP, %rax
        .if     id != 0
        jmp     1f
        .org    entry_hypercall + (CPU_MAX - id) * ENTRY_SIZE, 0xcc
        .endif
        .set    id, id - 1
        .endr

/* RSP = EC, RAX = the user's stack pointer. The handlers in the table get argument 1 in RDI and the
 * EC in RSI. When a handler returns, as most do, the registers that C preserves are still the
 * user's, so they need not be saved. A handler that may need argument 1 later stores it in the
 * EC. */
1:      mov     %rax, REG(SP)(%rsp)
        mov     %rcx, REG(IP)(%rsp)
        mov     %r11, REG(FLAGS)(%rsp)
        save_scratch_registers
        movzbl  %dil, %eax
        mov     %rsp, %rsi
        mov     EC_STACK_TOP(%rsp), %rsp
        speculation_site SITE_ENTRY, SITE_CALL, guarded_hypercall, 7
        call    *hypercall_table(, %rax, 8)

/* A handler has returned EAX on the empty stack of its CPU; current is still the caller. If EAX is
 * a status and no work is pending for the EC, only the registers that C has changed are loaded. */
leave_by_return:
        mov     CPU_CURRENT - CPU_TOP(%rsp), %rsp
        or      EC_PENDING(%rsp), %ax
        cmp     $STATUS_PLAIN, %eax
        ja      1f
        mov     %eax, %edi
        load_scratch_registers %rsp
        mov     REG(AX)(%rsp), %rax
        mov     REG(SI)(%rsp), %rsi
        mov     REG(DX)(%rsp), %rdx
        mov     REG(IP)(%rsp), %rcx
        mov     REG(FLAGS)(%rsp), %r11
        mov     REG(SP)(%rsp), %rsp
        return_by_sysret
1:      save_kept_registers
        mov     %rsp, %rdi
        mov     %eax, %esi
        mov     EC_STACK_TOP(%rsp), %rsp
        call    hypercall_finish

/* In the table: a call that donates. call_donating() returns only failures. */
        .globl entry_call
        .balign 16
entry_call:
        indirect_target
        save_kept_registers %rsi
        jmp     call_donating

/* In the table: a reply. */
        .globl entry_reply
        .balign 16
entry_reply:
        indirect_target
        save_kept_registers %rsi
        jmp     hypercall_reply

/* In the table: a hypercall that does not always return. */
        .globl entry_long, entry_invalid
        .balign 16
entry_long:
        indirect_target
        mov     %rdi, REG(DI)(%rsi)
        save_kept_registers %rsi
        jmp     hypercall_long

/* In the table: an invalid number. */
entry_invalid:
        indirect_target
        mov     $STATUS_BAD_HYP, %eax
        ret

/* Loads all registers of an EC except those that SYSRET uses and RDX, RSI and RDI, one of which
 * points to the EC. */
.macro load_most_registers ec
        mov     REG(AX)(\ec), %rax
        load_scratch_registers \ec
        load_kept_registers \ec
        mov     REG(SP)(\ec), %rsp
.endm

/* Returns from a hypercall: RDI = argument 1, RSI = EC. */
        .globl leave_by_hypercall
        .balign 16
leave_by_hypercall:
        load_most_registers %rsi
        mov     REG(IP)(%rsi), %rcx
        mov     REG(FLAGS)(%rsi), %r11
        mov     REG(DX)(%rsi), %rdx
        mov     REG(SI)(%rsi), %rsi
        return_by_sysret

/* Returns from a hypercall with SUCCESS: RDI = EC. */
        .globl leave_with_success
        .balign 16
leave_with_success:
        load_most_registers %rdi
        mov     REG(IP)(%rdi), %rcx
        mov     REG(FLAGS)(%rdi), %r11
        mov     REG(DX)(%rdi), %rdx
        mov     REG(SI)(%rdi), %rsi
        xor     %edi, %edi
        return_by_sysret

/* Enters a portal: RDI = argument 1, RDX = EC, RCX = entry point. */
        .globl leave_to_portal
        .balign 16
leave_to_portal:
        load_most_registers %rdx
        mov     $(FLAG_IF | FLAG_RESERVED), %r11d
        mov     REG(SI)(%rdx), %rsi
        mov     REG(DX)(%rdx), %rdx
        return_by_sysret

.macro push_registers
        push    %rax
        push    %rbx
        push    %rcx
        push    %rdx
        push    %rbp
        push    %rsi
        push    %rdi
        push    %r8
        push    %r9
        push    %r10
        push    %r11
        push    %r12
        push    %r13
        push    %r14
        push    %r15
.endm

.macro pop_registers
        pop     %r15
        pop     %r14
        pop     %r13
        pop     %r12
        pop     %r11
        pop     %r10
        pop     %r9
        pop     %r8
        pop     %rdi
        pop     %rsi
        pop     %rbp
        pop     %rdx
        pop     %rcx
        pop     %rbx
        pop     %rax
        add     $16, %rsp
.endm

/* Returns to interrupted code: RDI = EC. */
        .globl leave_by_iret
        .balign 16
leave_by_iret:
        lea     EC_REGS(%rdi), %rsp
        pop_registers
        return_by_iret

/* Code that replaces sites (see speculation.h). */
guarded_hypercall:
        call    speculation_entry
        jmp     *hypercall_table(, %rax, 8)

guarded_trap:
        call    speculation_entry
        jmp     trap_dispatch

cleared_sysret:
        verw    speculation_selector
        sysretq

cleared_iret:
        verw    speculation_selector
        iretq

/* Loads CR3 from RAX. Preserves all registers but the flags. */
        .globl speculation_switch
speculation_switch:
        mov     %rax, %cr3
        push    %rax
        push    %rcx
        push    %rdx
        push    %rsi
        push    %rdi
        push    %r8
        push    %r9
        push    %r10
        push    %r11
        call    speculation_switched
        pop     %r11
        pop     %r10
        pop     %r9
        pop     %r8
        pop     %rdi
        pop     %rsi
        pop     %rdx
        pop     %rcx
        pop     %rax
        ret

/* Calls a continuation (RSI) of an EC (RDI) on the empty stack that ends at RDX. */
        .globl continue_on_empty_stack
continue_on_empty_stack:
        mov     %rdx, %rsp
        xor     %ebp, %ebp
        call    *%rsi

/* Entry of all vectors but NMI, #DF and #MC. The stack already holds the error code and the vector.
 * After an entry from user mode, this stack is the register frame inside the EC. */
        .balign 16
entry_exception:
        cld
        push_registers
        testb   $3, REGS_CS(%rsp)
        jz      1f
        lea     -EC_REGS(%rsp), %rdi
        testb   $((FLAG_AC | FLAG_VM) >> 16), REG(FLAGS) + 2(%rdi)
        mov     EC_STACK_TOP(%rdi), %rsp
        jnz     odd_flags
2:      speculation_site SITE_ENTRY, SITE_CALL, guarded_trap
        call    trap_dispatch
1:      testb   $(FLAG_VM >> 16), REGS_FLAGS + 2(%rsp)
        jnz     from_virtual_8086
        mov     %rsp, %rdi
        mov     %rsp, %rbp
        and     $-16, %rsp
        call    trap_in_kernel
        mov     %rbp, %rsp
        pop_registers
        iretq

/* VM is set: an emulator let IRET put a thread into virtual-8086 mode, which real CPUs do not do in
 * long mode. CS may hold any value, and the thread may have raised IOPL and cleared IF. The thread
 * continues in flat segments at its 16-bit IP.
 *
 * AC is set (possibly with VM): it would disable SMAP. POPF clears it, because not all CPUs have
 * CLAC. */
from_virtual_8086:
        lea     -EC_REGS(%rsp), %rdi
        mov     EC_STACK_TOP(%rdi), %rsp
odd_flags:
        testb   $(FLAG_VM >> 16), REG(FLAGS) + 2(%rdi)
        jz      3f
        movq    $SEL_USER_CODE, REG(CS)(%rdi)
        movq    $SEL_USER_DATA, REG(SS)(%rdi)
        andl    $FLAGS_OF_USER, REG(FLAGS)(%rdi)
        orl     $(FLAG_IF | FLAG_RESERVED), REG(FLAGS)(%rdi)
3:      push    $FLAG_RESERVED
        popfq
        jmp     2b

/* #DB has its own stack. If it comes from user mode, its frame is moved into the EC. */
entry_debug:
        testb   $3, 24(%rsp)
        jnz     1f
        testb   $(FLAG_VM >> 16), 32 + 2(%rsp)
        jz      entry_exception
1:      push    %rax
        mov     %rsp, %rax
        and     $-CPU_BLOCK, %rax
        mov     CPU_CURRENT(%rax), %rax
        pop     REG(AX)(%rax)
        pop     REG(VECTOR)(%rax)
        pop     REG(ERROR)(%rax)
        pop     REG(IP)(%rax)
        pop     REG(CS)(%rax)
        pop     REG(FLAGS)(%rax)
        pop     REG(SP)(%rax)
        pop     REG(SS)(%rax)
        lea     REG(VECTOR)(%rax), %rsp
        mov     REG(AX)(%rax), %rax
        jmp     entry_exception

/* NMI, #DF and #MC have their own stacks and never return. */
entry_fatal:
        push_registers
        mov     %rsp, %rdi
        and     $-16, %rsp
        call    trap_fatal

.macro enter_vector
        .if     vector == VECTOR_NMI || vector == VECTOR_DOUBLE_FAULT
        jmp     entry_fatal
        .elseif vector == VECTOR_MACHINE_CHECK
        jmp     entry_fatal
        .elseif vector == VECTOR_DEBUG
        jmp     entry_debug
        .else
        jmp     entry_exception
        .endif
.endm
#include "arch/x86/entry_vectors.inc"
