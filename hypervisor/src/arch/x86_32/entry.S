/* SPDX-License-Identifier: BSD-2-Clause */
/* Entries into the kernel and exits from it on x86-32. */
#include "arch/x86/msr.h"
#include "arch/x86/speculation.inc"
#include "arch/x86/vectors.h"
#include "layout.h"
#include "registers.inc"
#include "tracking.inc"

        .text

/* Return to user mode. The INT3s fill a site (speculation.h) up to the size of a jump and are never
 * executed. */
.macro return_by_sysexit
        speculation_site SITE_EXIT, SITE_JUMP, cleared_sysexit
        sti
        sysexit
        int3
        int3
.endm

.macro return_by_iret
        speculation_site SITE_EXIT, SITE_JUMP, cleared_iret
        iret
        int3
        int3
        int3
        int3
.endm

/* SYSENTER: ECX = return SP, EDX = return address, on the CPU's kernel stack, interrupts off. All
 * other flags are the user's, and are cleared first because they could do harm. The user's data
 * segments may be null. The empty stack is part of the CPU's block, so ESP identifies the CPU. */
        .globl entry_hypercall
        .balign 64
entry_hypercall:
        indirect_target
        pushl   $2
        popfl
        push    %eax
        mov     $SEL_USER_DATA, %eax
        mov     %eax, %ds
        mov     %eax, %es
        mov     CPU_CURRENT + 4 - CPU_TOP(%esp), %eax
        mov     %ecx, REG(CX)(%eax)
        mov     %edx, REG(DX)(%eax)
        mov     %edi, REG(DI)(%eax)
        mov     %esi, REG(SI)(%eax)
        mov     %eax, %edx
        pop     %eax

/* EAX = argument 1, EDX = EC: the arguments of the handlers in the table. Most handlers return.
 * When a handler returns, the registers that C preserves have the user's values, so they need not
 * be saved. A handler that may need argument 1 later stores it in the EC. */
        movzbl  %al, %ecx
        speculation_site SITE_ENTRY, SITE_CALL, guarded_hypercall, 7
        call    *hypercall_table(, %ecx, 4)

/* A handler has returned EAX on the empty stack of its CPU; current is still the caller. If EAX is
 * a status and no work is pending for the EC, only the registers that C has changed are loaded. */
leave_by_return:
        mov     CPU_CURRENT - CPU_TOP(%esp), %ecx
        or      EC_PENDING(%ecx), %ax
        cmp     $STATUS_PLAIN, %eax
        ja      1f
        mov     REG(DX)(%ecx), %edx
        load_scratch_registers %ecx
        return_by_sysexit
1:      save_kept_registers %ecx
        mov     %eax, %edx
        mov     %ecx, %eax
        call    hypercall_finish

/* In the table: a call that donates. call_donating() returns only if the call fails. */
        .globl entry_call
        .balign 16
entry_call:
        indirect_target
        save_kept_registers %edx
        jmp     call_donating

/* In the table: a reply. */
        .globl entry_reply
        .balign 16
entry_reply:
        indirect_target
        save_kept_registers %edx
        jmp     hypercall_reply

/* In the table: a hypercall that does not always return. */
        .globl entry_long, entry_invalid
        .balign 16
entry_long:
        indirect_target
        mov     %eax, REG(AX)(%edx)
        save_kept_registers %edx
        jmp     hypercall_long

/* In the table: handlers that return and read arguments 4 and 5, which are in BX and BP. */
        .irp    function, create_pd, create_ec, create_sc, create_pt
        .globl  entry_\function
        .balign 16
entry_\function:
        indirect_target
        save_kept_registers %edx
        jmp     hypercall_\function
        .endr

/* In the table: an invalid number. */
entry_invalid:
        indirect_target
        mov     $STATUS_BAD_HYP, %eax
        ret

/* Returns from a hypercall with SUCCESS: EAX = EC. */
        .globl leave_with_success
        .balign 16
leave_with_success:
        load_kept_registers %eax
        load_scratch_registers %eax
        mov     REG(DX)(%eax), %edx
        xor     %eax, %eax
        return_by_sysexit

/* Returns from a hypercall: EAX = argument 1, EDX = EC. */
        .globl leave_by_hypercall
        .balign 16
leave_by_hypercall:
        load_kept_registers %edx
        load_scratch_registers %edx
        mov     REG(DX)(%edx), %edx
        return_by_sysexit

/* Enters a portal: EAX = argument 1, ECX = EC, EDX = entry point. */
        .globl leave_to_portal
        .balign 16
leave_to_portal:
        load_kept_registers %ecx
        load_scratch_registers %ecx
        return_by_sysexit

.macro pop_registers
        pop     %edi
        pop     %esi
        pop     %ebp
        pop     %edx
        pop     %ecx
        pop     %ebx
        pop     %eax
        add     $8, %esp
.endm

/* Returns to interrupted code: EAX = EC. */
        .globl leave_by_iret
        .balign 16
leave_by_iret:
        lea     EC_REGS(%eax), %esp
        pop_registers
        return_by_iret

/* Code that replaces sites (see speculation.h). The data segment is the user's. */
guarded_hypercall:
        call    speculation_entry
        jmp     *hypercall_table(, %ecx, 4)

guarded_trap:
        call    speculation_entry
        jmp     trap_dispatch

cleared_sysexit:
        verw    %cs:speculation_selector
        sti
        sysexit

cleared_iret:
        verw    %cs:speculation_selector
        iret

/* Loads CR3 from EAX. Preserves all registers but the flags. */
        .globl speculation_switch
speculation_switch:
        mov     %eax, %cr3
        push    %eax
        push    %ecx
        push    %edx
        call    speculation_switched
        pop     %edx
        pop     %ecx
        pop     %eax
        ret

/* Calls a continuation (EDX) of an EC (EAX) on the empty stack that ends at ECX. */
        .globl continue_on_empty_stack
continue_on_empty_stack:
        mov     %ecx, %esp
        xor     %ebp, %ebp
        call    *%edx

/* Entry of all vectors but NMI, #DF and #MC. The stack already holds the error code and the vector.
 * After an entry from user mode, this stack is the register frame inside the EC. */
        .balign 16
entry_exception:
        cld
        push    %eax
        push    %ebx
        push    %ecx
        push    %edx
        push    %ebp
        push    %esi
        push    %edi
        mov     $SEL_USER_DATA, %eax
        mov     %eax, %ds
        mov     %eax, %es
        testb   $((FLAG_AC | FLAG_VM | FLAG_ID) >> 16), REGS_FLAGS + 2(%esp)
        jnz     odd_flags
2:      testb   $3, REGS_CS(%esp)
        jz      1f
        lea     -EC_REGS(%esp), %eax
        mov     EC_STACK_TOP(%eax), %esp
        speculation_site SITE_ENTRY, SITE_CALL, guarded_trap
        call    trap_dispatch
1:      mov     %esp, %eax
        mov     %esp, %ebp
        and     $-16, %esp
        call    trap_in_kernel
        mov     %ebp, %esp
        pop_registers
        iret

/* VM is set: an emulator let IRET put a thread into virtual-8086 mode, which real CPUs do not do.
 * Then four segment registers lie above the frame, and the frame lies lower by their size, over
 * ec.virtual_8086_room. This code moves the frame to its place, and the thread continues in flat
 * segments at its 16-bit IP. The thread may also have raised IOPL and cleared IF.
 *
 * QEMU 7.2 can also set VM in the pushed flags of a thread in protected mode. Then no segment
 * registers lie above the frame, and the frame is in its place.
 *
 * POPF clears AC and ID. AC, which may be set together with VM, would disable SMAP. SYSEXIT would
 * show ID to another thread. CLAC cannot replace POPF, because some CPUs lack CLAC. The room below
 * an EC's registers holds the word that POPF pops. */
odd_flags:
        testb   $(FLAG_VM >> 16), REGS_FLAGS + 2(%esp)
        jz      3f
        lea     -EC_REGS(%esp), %eax
        testb   $VIRTUAL_8086_ROOM, %al
        jz      4f
        lea     REGS_SS(%esp), %esi
        add     $VIRTUAL_8086_ROOM, %esp
        lea     REGS_SS(%esp), %edi
        mov     $(REGS_SS / WORD_SIZE + 1), %ecx
        std
        rep movsl
        cld
4:      movl    $SEL_USER_CODE, REGS_CS(%esp)
        movl    $SEL_USER_DATA, REGS_SS(%esp)
        andl    $FLAGS_OF_USER, REGS_FLAGS(%esp)
        orl     $(FLAG_IF | FLAG_RESERVED), REGS_FLAGS(%esp)
3:      pushl   $FLAG_RESERVED
        popfl
        jmp     2b

/* #DF, NMI and #MC come through task gates and do not arrive here. */
.macro enter_vector
        jmp     entry_exception
.endm
#include "arch/x86/entry_vectors.inc"
