/* SPDX-License-Identifier: BSD-2-Clause */
/* Timed operations and the smallest portals and threads, x86-64. */

/* Offsets: struct thread's utcb; the event's mtd, ip and injected event in a UTCB. */
#define THREAD_UTCB 8
#define UTCB_MTD    32
#define UTCB_IP     48
#define UTCB_INJ    72

#define ITEMS_1_1 0x10001

        .macro timed_begin name
        .globl \name
\name:  push %rbx
        push %rbp
        push %r12
        push %r13
        push %r14
        push %r15
        mov %rdi, %rbx
        rdtsc
        mov %eax, %ebp
        .endm

        .macro timed_leave
        pop %r15
        pop %r14
        pop %r13
        pop %r12
        pop %rbp
        pop %rbx
        ret
        .endm

        .macro timed_end
        rdtsc
        sub %ebp, %eax
        mov %rdi, (%rbx)
        timed_leave
        .endm

        /* Stores 0 as the status: %rdi still contains a pointer, whose low byte would count as the
         * status. */
        .macro timed_read_good
        rdtsc
        sub %ebp, %eax
        movq $0, (%rbx)
        .endm

        .macro timed_trap count
        timed_begin timed_trap_\count
        .if \count > 1
        mov 8(%rbx), %rsi
        .endif
        .if \count > 2
        mov 16(%rbx), %rdx
        .endif
        .if \count > 3
        mov 24(%rbx), %rax
        .endif
        .if \count > 4
        mov 32(%rbx), %r8
        .endif
        mov (%rbx), %rdi
        syscall
        timed_end
        .endm

        .text
        timed_trap 1
        timed_trap 2
        timed_trap 3
        timed_trap 4
        timed_trap 5

        timed_begin timed_nothing
        timed_read_good
        jmp timed_return

        timed_begin timed_pair
        mov (%rbx), %rdi
        syscall
        mov 8(%rbx), %rdi
        syscall
        timed_end

        timed_begin timed_read
        mov (%rbx), %rdi
        mov (%rdi), %rdi
        timed_read_good
        jmp timed_return

        timed_begin timed_ud
        ud2
        timed_read_good
timed_return:
        timed_leave

        .macro reply
        mov $1, %edi
        syscall
        ud2
        .endm

        .macro find_utcb
        mov (%rsp), %rbx
        mov THREAD_UTCB(%rbx), %rbx
        .endm

        .globl portal_echo, portal_empty, portal_pager, portal_skip, portal_inject, portal_recall
portal_echo:
        reply

portal_empty:
        find_utcb
        movq $0, (%rbx)
        reply

portal_pager:
        find_utcb
        movq $ITEMS_1_1, (%rbx)
        movq $0, UTCB_MTD(%rbx)
        reply

portal_skip:
        find_utcb
        addq $2, UTCB_IP(%rbx)
        reply

portal_inject:
        find_utcb
        addq $2, UTCB_IP(%rbx)
        movl $0x80000080, UTCB_INJ(%rbx)
        reply

portal_recall:
        find_utcb
        addq $2, UTCB_IP(%rbx)
        mov bench_recall(%rip), %rdi
        syscall
        reply

        .globl loop_down, loop_pong, loop_deadlines
loop_down:
        mov %rdi, %rbx
1:      mov %rbx, %rdi
        syscall
        jmp 1b

loop_pong:
        mov %rdi, %rbx
        mov %rsi, %rbp
1:      mov %rbx, %rdi
        syscall
        mov %rbp, %rdi
        syscall
        jmp 1b

loop_deadlines:
        mov bench_wait(%rip), %rdi
        mov bench_deadline+4(%rip), %esi
        mov bench_deadline(%rip), %edx
        syscall
        incq bench_deadlines(%rip)
        jmp loop_deadlines

        .section .note.GNU-stack, "", @progbits
