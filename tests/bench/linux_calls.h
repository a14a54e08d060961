/* SPDX-License-Identifier: BSD-2-Clause */
/* System calls of Linux on x86-64, for programs of the benchmarks without a library. */
#ifndef NOVA_TESTS_BENCH_LINUX_CALLS_H
#define NOVA_TESTS_BENCH_LINUX_CALLS_H

enum {
        SYS_WRITE = 1,
        SYS_OPEN = 2,
        SYS_MMAP = 9,
        SYS_MUNMAP = 11,
        SYS_PREAD = 17,
        SYS_NANOSLEEP = 35,
        SYS_CLONE = 56,
        SYS_EXIT = 60,
        SYS_FUTEX = 202,
        SYS_SET_AFFINITY = 203,
        SYS_IO_SETUP = 206,
        SYS_IO_GETEVENTS = 208,
        SYS_IO_SUBMIT = 209,
        SYS_EXIT_GROUP = 231,
        SYS_URING_SETUP = 425,
        SYS_URING_ENTER = 426,
};

static inline long call6(long number, long a, long b, long c, long d, long e, long f)
{
        register long r10 __asm__("r10") = d;
        register long r8 __asm__("r8") = e;
        register long r9 __asm__("r9") = f;
        long result = number;

        __asm__ volatile("syscall"
                         : "+a"(result)
                         : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                         : "rcx", "r11", "memory");
        return result;
}

static inline void say(const char *text)
{
        long length = 0;

        while (text[length])
                length++;
        call6(SYS_WRITE, 1, (long)text, length, 0, 0, 0);
}

/* Ends all threads of the program. */
static inline _Noreturn void end(const char *text)
{
        say(text);
        for (;;)
                call6(SYS_EXIT_GROUP, 0, 0, 0, 0, 0, 0);
}

static inline void pause_ms(long ms)
{
        const long time[2] = {0, ms * 1000000};

        call6(SYS_NANOSLEEP, (long)time, 0, 0, 0, 0, 0);
}

#endif
