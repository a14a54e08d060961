/* SPDX-License-Identifier: BSD-2-Clause */
/* Debian's work in `nova bench enlightened`, a program without a library: `sleeps` sleeps 10,000
 * times for 1 ms; two threads of `threads`, each on a CPU of its own, wake each other and unmap
 * pages. The work is section 1 of the counts (plugin/guest.c). */
#include "linux_calls.h"
#include "sections.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLEEPS 10000
#define TURNS  1000 /* turns of each thread */
#define UNMAPS 4    /* unmapped pages in each turn */

#define READ_WRITE         3
#define PRIVATE_AND_NEW    0x22
#define PAGE_BYTES         4096
#define FUTEX_WAIT_PRIVATE 128
#define FUTEX_WAKE_PRIVATE 129
#define THREAD             0x50f00 /* a thread of this process: CLONE_VM, CLONE_THREAD, … */

static uint32_t turn; /* number of the turn; odd turns are those of thread 1 */
static char stack[16384] __attribute__((aligned(16)));

static void unmap_one(void)
{
        const long page = call6(SYS_MMAP, 0, PAGE_BYTES, READ_WRITE, PRIVATE_AND_NEW, -1, 0);

        if (page < 0 && page > -PAGE_BYTES)
                end("mmap failed\n");
        *(volatile char *)page = 1;
        call6(SYS_MUNMAP, page, PAGE_BYTES, 0, 0, 0, 0);
}

/* Takes the turns of a thread. Each turn first wakes the other thread, so that the pages are
 * unmapped while that thread runs. */
static void take_turns(uint32_t thread)
{
        const uint64_t cpus = UINT64_C(1) << thread;

        if (call6(SYS_SET_AFFINITY, 0, sizeof(cpus), (long)&cpus, 0, 0, 0))
                end("there is one CPU only\n");
        for (unsigned i = 0; i < TURNS; i++) {
                uint32_t now;

                while (now = __atomic_load_n(&turn, __ATOMIC_ACQUIRE), now % 2 != thread)
                        call6(SYS_FUTEX, (long)&turn, FUTEX_WAIT_PRIVATE, now, 0, 0, 0);
                __atomic_store_n(&turn, now + 1, __ATOMIC_RELEASE);
                call6(SYS_FUTEX, (long)&turn, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0);
                for (unsigned k = 0; k < UNMAPS; k++)
                        unmap_one();
        }
}

void second(void);

_Noreturn void second(void)
{
        take_turns(1);
        for (;;)
                call6(SYS_EXIT, 0, 0, 0, 0, 0, 0);
}

/* Starts second() on the other stack. */
static long start_second(void)
{
        long result = SYS_CLONE;

        __asm__ volatile("syscall\n testq %%rax, %%rax\n jnz 1f\n call second\n1:"
                         : "+a"(result)
                         : "D"(THREAD), "S"(stack + sizeof(stack)), "d"(0)
                         : "rcx", "r11", "memory");
        return result;
}

static bool is(const char *word, const char *other)
{
        while (*word && *word == *other)
                word++, other++;
        return *word == *other;
}

static void sleep_often(void)
{
        for (unsigned i = 0; i < SLEEPS; i++)
                pause_ms(1);
}

static void run_threads(void)
{
        if (start_second() < 0)
                end("clone failed\n");
        take_turns(0);
        while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) != 2 * TURNS)
                pause_ms(1);
}

__asm__(".globl _start\n_start: movq %rsp, %rdi\n and $-16, %rsp\n call run_from_start\n");

void run_from_start(const long *at_start);

/* Runs the program. Its stack begins with the number of arguments, then has their addresses. */
void run_from_start(const long *at_start)
{
        const char *const word = at_start[0] == 2 ? (const char *)at_start[2] : "";

        SECTION_BEGIN(1);
        if (is(word, "sleeps"))
                sleep_often();
        else if (is(word, "threads"))
                run_threads();
        else
                end("work sleeps or work threads\n");
        SECTION_BEGIN(0);
        end("the work is over\n");
}
