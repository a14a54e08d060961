/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions that C++ compilers call: guards of static variables, pure virtual functions. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sync/once.h"

int __cxa_guard_acquire(unsigned char *guard);
void __cxa_guard_release(unsigned char *guard);
void __cxa_guard_abort(unsigned char *guard);
_Noreturn void __cxa_pure_virtual(void);
_Noreturn void __cxa_deleted_virtual(void);

/* Identifies the program in calls of __cxa_atexit(). Libraries are never loaded or unloaded. */
void *__dso_handle;

/* On x86-32 a guard may be aligned to 4 bytes only, so it is accessed as bytes. */
int __cxa_guard_acquire(unsigned char *guard)
{
        return novart_once_begin(guard);
}

void __cxa_guard_release(unsigned char *guard)
{
        novart_once_end(guard, true);
}

void __cxa_guard_abort(unsigned char *guard)
{
        novart_once_end(guard, false);
}

static _Noreturn void stop(const char *message)
{
        write(STDERR_FILENO, message, strlen(message));
        abort();
}

void __cxa_pure_virtual(void)
{
        stop("a pure virtual function was called\n");
}

void __cxa_deleted_virtual(void)
{
        stop("a deleted virtual function was called\n");
}
