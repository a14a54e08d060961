/* SPDX-License-Identifier: BSD-2-Clause */
/* `secret [NAME]`: a program of Linux, for a secure guest. It writes the phrase of the guest's
 * disk, or the secret NAME of its sealed image, to its standard output. nova.guest_crypt builds it,
 * without a library. */
#include <novauv/guest.h>

#define SYS_WRITE  1
#define SYS_EXIT   60
#define SYS_IOPERM 173

static char value[NOVA_UV_SECRET_PORTS];

static long call(long number, long a, long b, long c)
{
        long result;

        __asm__ volatile("syscall"
                         : "=a"(result)
                         : "a"(number), "D"(a), "S"(b), "d"(c)
                         : "rcx", "r11", "memory");
        return result;
}

static long write_all(int file, const char *text, long bytes)
{
        long done = 1;

        for (long at = 0; at < bytes && done > 0; at += done)
                done = call(SYS_WRITE, file, (long)(text + at), bytes - at);
        return done <= 0;
}

static long fail(const char *text)
{
        long bytes = 0;

        while (text[bytes])
                bytes++;
        write_all(2, text, bytes);
        return 1;
}

/* @param stack number of arguments, then the arguments */
__attribute__((used)) static void run(const long *stack)
{
        const char *const name = stack[0] > 1 ? (const char *)stack[2] : "";
        long bytes, result;

        if (call(SYS_IOPERM, NOVA_UV_SECRET_VALUE, NOVA_UV_SECRET_LAST - NOVA_UV_SECRET_VALUE + 1,
                 1)) {
                result = fail("secret: only root may ask for secrets.\n");
        } else {
                bytes = nova_guest_secret(name, value, sizeof(value));
                result = bytes < 0 ? fail("secret: this guest has no such secret.\n")
                                   : write_all(1, value, bytes);
        }
        for (;;)
                call(SYS_EXIT, result, 0, 0);
}

__asm__(".globl _start\n"
        "_start: mov %rsp, %rdi\n"
        "        call run\n");
