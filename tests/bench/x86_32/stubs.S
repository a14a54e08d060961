/* SPDX-License-Identifier: BSD-2-Clause */
/* Timed operations and the smallest portals and threads, x86-32. */

/* Offsets: struct thread's utcb; the event's mtd, ip and injected event in a UTCB. */
#define THREAD_UTCB 4
#define UTCB_MTD    16
#define UTCB_IP     24
#define UTCB_INJ    40

#define ITEMS_1_1 0x10001

        .macro timed_begin name
        .globl \name
\name:  push %ebx
        push %ebp
        push %esi
        push %edi
        mov 20(%esp), %ebx
        rdtsc
        push %eax
        .endm

        /* The status is in EBP, the second reading in EAX. */
        .macro timed_leave
        pop %ecx
        sub %ecx, %eax
        mov 20(%esp), %ebx
        mov %ebp, (%ebx)
        pop %edi
        pop %esi
        pop %ebp
        pop %ebx
        ret
        .endm

        /* The status, if any, is in EAX. */
        .macro timed_end
        mov %eax, %ebp
        rdtsc
        timed_leave
        .endm

        .macro timed_end_good
        mov %eax, %ebp
        rdtsc
        xor %ebp, %ebp
        jmp timed_return
        .endm

        .macro enter
        mov %esp, %ecx
        mov $1f, %edx
        sysenter
1:
        .endm

        .macro timed_trap count
        timed_begin timed_trap_\count
        .if \count > 1
        mov 4(%ebx), %edi
        .endif
        .if \count > 2
        mov 8(%ebx), %esi
        .endif
        .if \count > 4
        mov 16(%ebx), %ebp
        .endif
        mov (%ebx), %eax
        .if \count > 3
        mov 12(%ebx), %ebx
        .endif
        enter
        timed_end
        .endm

        .text
        timed_trap 1
        timed_trap 2
        timed_trap 3
        timed_trap 4
        timed_trap 5

        timed_begin timed_nothing
        timed_end_good

        timed_begin timed_pair
        mov (%ebx), %eax
        enter
        mov 4(%ebx), %eax
        enter
        timed_end

        timed_begin timed_read
        mov (%ebx), %eax
        mov (%eax), %eax
        timed_end_good

        timed_begin timed_ud
        ud2
        timed_end_good

timed_return:
        timed_leave

        .macro reply
        mov $1, %eax
        mov %esp, %ecx
        sysenter
        ud2
        .endm

        .macro find_utcb
        mov (%esp), %ebx
        mov THREAD_UTCB(%ebx), %ebx
        .endm

        .globl portal_echo, portal_empty, portal_pager, portal_skip, portal_inject, portal_recall
portal_echo:
        reply

portal_empty:
        find_utcb
        movl $0, (%ebx)
        reply

portal_pager:
        find_utcb
        movl $ITEMS_1_1, (%ebx)
        movl $0, UTCB_MTD(%ebx)
        reply

portal_skip:
        find_utcb
        addl $2, UTCB_IP(%ebx)
        reply

portal_inject:
        find_utcb
        addl $2, UTCB_IP(%ebx)
        movl $0x80000080, UTCB_INJ(%ebx)
        reply

portal_recall:
        find_utcb
        addl $2, UTCB_IP(%ebx)
        mov bench_recall, %eax
        enter
        reply

        .globl loop_down, loop_pong, loop_deadlines
loop_down:
        mov 4(%esp), %ebx
2:      mov %ebx, %eax
        enter
        jmp 2b

loop_pong:
        mov 4(%esp), %ebx
        mov 8(%esp), %ebp
2:      mov %ebx, %eax
        enter
        mov %ebp, %eax
        enter
        jmp 2b

loop_deadlines:
        mov bench_wait, %eax
        mov bench_deadline+4, %edi
        mov bench_deadline, %esi
        enter
        incl bench_deadlines
        jmp loop_deadlines

        .section .note.GNU-stack, "", @progbits
