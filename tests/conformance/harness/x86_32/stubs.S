/* SPDX-License-Identifier: BSD-2-Clause */
/* Start, hypercall, portal and probe stubs of the conformance harness, x86-32. */

        /* EAX: address of a struct gpr. If store_gprs follows, the code before load_gprs also
         * pushes this address. */
        .macro load_gprs
        pushl 32(%eax)
        popfl
        mov 4(%eax), %ebx
        mov 8(%eax), %ecx
        mov 12(%eax), %edx
        mov 16(%eax), %esi
        mov 20(%eax), %edi
        mov 24(%eax), %ebp
        mov %esp, 36(%eax)
        mov 0(%eax), %eax
        .endm

        .macro store_gprs
        xchg %eax, (%esp)
        mov %ebx, 4(%eax)
        mov %ecx, 8(%eax)
        mov %edx, 12(%eax)
        mov %esi, 16(%eax)
        mov %edi, 20(%eax)
        mov %ebp, 24(%eax)
        mov %esp, 28(%eax)
        popl 0(%eax)
        pushfl
        popl 32(%eax)
        .endm

        .macro push_callee_saved
        push %ebx
        push %ebp
        push %esi
        push %edi
        mov 20(%esp), %eax
        push %eax
        .endm

        .macro pop_callee_saved
        push $2
        popfl
        pop %edi
        pop %esi
        pop %ebp
        pop %ebx
        .endm

        .text
        .globl _start
_start:
        mov %eax, start_gpr + 0
        mov %esp, start_gpr + 28
        mov %ecx, start_gpr + 8
        mov %edx, start_gpr + 12
        mov $start_stack_top, %esp
        pushfl
        popl start_gpr + 32
        sub $12, %esp
        push $start_gpr
        call harness_main
        ud2

        /* void trap(struct gpr *): loads registers, makes the hypercall, stores all registers */
        .globl trap, trap_return
trap:
        push_callee_saved
        load_gprs
        mov %esp, %ecx
        mov $trap_return, %edx
        sysenter
trap_return:
        store_gprs
        pop_callee_saved
        ret

        /* Like trap, but ESP contains an address that user mode cannot access. */
        .globl trap_no_stack
trap_no_stack:
        push_callee_saved
        load_gprs
        mov %esp, %ecx
        mov $1f, %edx
        mov $0xdeadbee0, %esp
        sysenter
1:      store_gprs
        pop_callee_saved
        ret

        .globl event_ud, event_ud_at
event_ud:
        push_callee_saved
        load_gprs
event_ud_at:
        ud2
        store_gprs
        pop_callee_saved
        ret

        /* void spin_gprs(struct gpr *, volatile word *stop): EBP holds the stop word's address */
        .globl spin_gprs
spin_gprs:
        push_callee_saved
        mov 28(%esp), %ecx
        mov %ecx, 24(%eax)
        load_gprs
1:      cmpl $0, (%ebp)
        je 1b
        store_gprs
        pop_callee_saved
        ret

        .globl portal_entry
portal_entry:
        mov (%esp), %edx
        sub $8, %esp
        push %edx
        push %eax
        call portal_dispatch
        add $16, %esp
        mov %esp, %ecx
        mov $1, %eax
        sysenter
        ud2

        .globl portal_entry_other
portal_entry_other:
        mov (%esp), %edx
        sub $8, %esp
        push %edx
        push %eax
        call portal_dispatch_other
        add $16, %esp
        mov %esp, %ecx
        mov $1, %eax
        sysenter
        ud2

        /* Portal that makes the hypercall whose first argument lies at its stack top. */
        .globl portal_forward
portal_forward:
        mov (%esp), %eax
        mov %esp, %ecx
        mov $1f, %edx
        sysenter
1:      mov %esp, %ecx
        mov $1, %eax
        sysenter
        ud2

        .globl portal_registers
portal_registers:
        push $portal_gpr
        store_gprs
        sub $8, %esp
        mov $portal_gpr_out, %eax
        mov %esp, portal_gpr_sp
        load_gprs
        mov %esp, %ecx
        mov $1, %eax
        sysenter
        ud2

        .globl global_entry
global_entry:
        mov (%esp), %eax
        sub $12, %esp
        push %eax
        call global_main
        ud2

        /* Ends a global thread; replies to the caller of a local one. */
        .globl reply_now
reply_now:
        mov %esp, %ecx
        mov $1, %eax
        sysenter
        ud2

        .globl context_save, context_restore
context_save:
        mov 4(%esp), %ecx
        mov %ebx, 0(%ecx)
        mov %ebp, 4(%ecx)
        mov %esi, 8(%ecx)
        mov %edi, 12(%ecx)
        mov %esp, 16(%ecx)
        mov (%esp), %eax
        mov %eax, 20(%ecx)
        xor %eax, %eax
        ret
context_restore:
        mov 4(%esp), %ecx
        mov 0(%ecx), %ebx
        mov 4(%ecx), %ebp
        mov 8(%ecx), %esi
        mov 12(%ecx), %edi
        mov 16(%ecx), %esp
        mov 20(%ecx), %eax
        mov %eax, (%esp)
        mov $1, %eax
        ret

        .globl probe_begin, probe_end, probe_failed
        .globl probe_read, probe_write, probe_in, probe_out, probe_exec
        .globl raise_de, raise_db, raise_bp, raise_of, raise_br, raise_ud, raise_gp, raise_mf
        .globl raise_nm, raise_xm, raise_int, raise_int11
probe_begin:
probe_read:
        mov 4(%esp), %eax
        mov (%eax), %eax
        xor %eax, %eax
        ret
probe_write:
        mov 4(%esp), %eax
        mov 8(%esp), %edx
        mov %edx, (%eax)
        xor %eax, %eax
        ret
probe_in:
        mov 4(%esp), %edx
        in %dx, %al
        xor %eax, %eax
        ret
probe_out:
        mov 4(%esp), %edx
        mov 8(%esp), %eax
        out %al, %dx
        xor %eax, %eax
        ret
probe_exec:
        mov 4(%esp), %eax
        jmp *%eax
raise_de:
        xor %edx, %edx
        mov $1, %eax
        xor %ecx, %ecx
        div %ecx
        ret
raise_db:
        pushfl
        orl $0x100, (%esp)
        popfl
        nop
        xor %eax, %eax
        ret
raise_bp:
        int3
        xor %eax, %eax
        ret
raise_of:
        mov $0x7fffffff, %eax
        add $1, %eax
        into
        xor %eax, %eax
        ret
raise_br:
        mov $7, %eax
        bound %eax, bounds
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
probe_end:
probe_failed:
        mov $1, %eax
        ret

        .section .rodata
bounds: .long 0, 1

        .section .note.GNU-stack, "", @progbits
