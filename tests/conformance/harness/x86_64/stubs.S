/* SPDX-License-Identifier: BSD-2-Clause */
/* Start, hypercall, portal and probe stubs of the conformance harness, x86-64. */

        .macro load_gprs
        pushq 64(%rdi)
        popfq
        mov 0(%rdi), %rax
        mov 8(%rdi), %rbx
        mov 16(%rdi), %rcx
        mov 24(%rdi), %rdx
        mov 32(%rdi), %rsi
        mov 48(%rdi), %rbp
        mov 80(%rdi), %r8
        mov 88(%rdi), %r9
        mov 96(%rdi), %r10
        mov 104(%rdi), %r11
        mov 112(%rdi), %r12
        mov 120(%rdi), %r13
        mov 128(%rdi), %r14
        mov 136(%rdi), %r15
        mov %rsp, 72(%rdi)
        mov 40(%rdi), %rdi
        .endm

        /* The address of the struct gpr lies on the stack. Stores each register unchanged. */
        .macro store_gprs
        xchg %rdi, (%rsp)
        mov %rax, 0(%rdi)
        mov %rbx, 8(%rdi)
        mov %rcx, 16(%rdi)
        mov %rdx, 24(%rdi)
        mov %rsi, 32(%rdi)
        mov %rbp, 48(%rdi)
        mov %rsp, 56(%rdi)
        mov %r8, 80(%rdi)
        mov %r9, 88(%rdi)
        mov %r10, 96(%rdi)
        mov %r11, 104(%rdi)
        mov %r12, 112(%rdi)
        mov %r13, 120(%rdi)
        mov %r14, 128(%rdi)
        mov %r15, 136(%rdi)
        popq 40(%rdi)
        pushfq
        popq 64(%rdi)
        .endm

        .macro push_callee_saved
        push %rbx
        push %rbp
        push %r12
        push %r13
        push %r14
        push %r15
        push %rdi
        .endm

        .macro pop_callee_saved
        pushq $2
        popfq
        pop %r15
        pop %r14
        pop %r13
        pop %r12
        pop %rbp
        pop %rbx
        .endm

        .text
        .globl _start
_start:
        mov %rdi, start_gpr + 40(%rip)
        mov %rsp, start_gpr + 56(%rip)
        mov %rcx, start_gpr + 16(%rip)
        lea start_stack_top(%rip), %rsp
        pushfq
        popq start_gpr + 64(%rip)
        lea start_gpr(%rip), %rdi
        call harness_main
        ud2

        /* void trap(struct gpr *): makes the hypercall, loads and stores all registers */
        .globl trap
trap:
        push_callee_saved
        load_gprs
        syscall
        .globl trap_return
trap_return:
        store_gprs
        pop_callee_saved
        ret

        /* void event_ud(struct gpr *): raises #UD, loads and stores all registers */
        .globl event_ud, event_ud_at
event_ud:
        push_callee_saved
        load_gprs
event_ud_at:
        ud2
        store_gprs
        pop_callee_saved
        ret

        /* void spin_gprs(struct gpr *, volatile word *stop): spins with these registers. r15
         * holds the address of the stop word. */
        .globl spin_gprs
spin_gprs:
        push_callee_saved
        mov %rsi, 136(%rdi)
        load_gprs
1:      cmpq $0, (%r15)
        je 1b
        store_gprs
        pop_callee_saved
        ret

        /* Entry of every portal with a C handler: the thread's address is at its stack top. */
        .globl portal_entry
portal_entry:
        mov (%rsp), %rsi
        call portal_dispatch
        mov $1, %edi
        syscall
        ud2

        .globl portal_entry_other
portal_entry_other:
        mov (%rsp), %rsi
        call portal_dispatch_other
        mov $1, %edi
        syscall
        ud2

        /* Portal that makes the hypercall whose first argument lies at its stack top. */
        .globl portal_forward
portal_forward:
        mov (%rsp), %rdi
        syscall
        mov $1, %edi
        syscall
        ud2

        /* Portal that reports its registers and replies with a pattern in them. */
        .globl portal_registers
portal_registers:
        push $portal_gpr
        store_gprs
        sub $8, %rsp
        mov $portal_gpr_out, %edi
        mov $portal_gpr_sp, %eax
        mov %rsp, (%rax)
        load_gprs
        mov $1, %edi
        syscall
        ud2

        /* First instruction of every global thread. */
        .globl global_entry
global_entry:
        mov (%rsp), %rdi
        call global_main
        ud2

        /* Ends a global thread; replies to the caller of a local one. */
        .globl reply_now
reply_now:
        mov $1, %edi
        syscall
        ud2

        /* int context_save(struct context *); _Noreturn void context_restore(struct context *) */
        .globl context_save, context_restore
context_save:
        mov %rbx, 0(%rdi)
        mov %rbp, 8(%rdi)
        mov %r12, 16(%rdi)
        mov %r13, 24(%rdi)
        mov %r14, 32(%rdi)
        mov %r15, 40(%rdi)
        mov %rsp, 48(%rdi)
        mov (%rsp), %rax
        mov %rax, 56(%rdi)
        xor %eax, %eax
        ret
context_restore:
        mov 0(%rdi), %rbx
        mov 8(%rdi), %rbp
        mov 16(%rdi), %r12
        mov 24(%rdi), %r13
        mov 32(%rdi), %r14
        mov 40(%rdi), %r15
        mov 48(%rdi), %rsp
        mov 56(%rdi), %rax
        mov %rax, (%rsp)
        mov $1, %eax
        ret

        /* Instructions that may raise an exception; the stack pointer is at the return address.
         * The event handler resumes at probe_failed: result 1. */
        .globl probe_begin, probe_end, probe_failed
        .globl probe_read, probe_write, probe_in, probe_out, probe_exec
        .globl raise_de, raise_db, raise_bp, raise_ud, raise_gp, raise_mf, raise_nm, raise_int
        .globl raise_xm, raise_ss, raise_int11
probe_begin:
probe_read:
        mov (%rdi), %rax
        xor %eax, %eax
        ret
probe_write:
        mov %rsi, (%rdi)
        xor %eax, %eax
        ret
probe_in:
        mov %edi, %edx
        in %dx, %al
        xor %eax, %eax
        ret
probe_out:
        mov %edi, %edx
        mov %esi, %eax
        out %al, %dx
        xor %eax, %eax
        ret
probe_exec:
        mov %rdi, %rax
        jmp *%rax
raise_de:
        xor %edx, %edx
        mov $1, %eax
        xor %ecx, %ecx
        div %ecx
        ret
raise_db:
        pushfq
        orl $0x100, (%rsp)
        popfq
        nop
        xor %eax, %eax
        ret
raise_bp:
        int3
        xor %eax, %eax
        ret
raise_ud:
        ud2
        ret
raise_gp:
        hlt
        xor %eax, %eax
        ret
raise_int:
        int $0x80
        xor %eax, %eax
        ret
raise_int11:
        int $11
        xor %eax, %eax
        ret
raise_mf:
        fwait
        xor %eax, %eax
        ret
raise_nm:
        fninit
        fwait
        xor %eax, %eax
        ret
raise_xm:
        divss %xmm1, %xmm0
        xor %eax, %eax
        ret
raise_ss: /* probe_failed, too, returns to the instruction that restores RBP */
        push %rbp
        call 1f
        pop %rbp
        ret
1:      movabs $0x8000000000000000, %rbp
        mov (%rbp), %eax
        xor %eax, %eax
        ret
probe_end:
probe_failed:
        mov $1, %eax
        ret

        .section .note.GNU-stack, "", @progbits
