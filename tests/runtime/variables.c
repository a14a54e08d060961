/* SPDX-License-Identifier: BSD-2-Clause */
/* Initial values of thread-local variables whose size is not a multiple of 16, and whose alignment
 * is that of TYPE. */
#include <stdint.h>

#include "check.h"
#include "novart/thread.h"

static _Thread_local TYPE first = 1, second = 2, third = 3, fourth = 4;
static _Thread_local TYPE zero;

static void *check_values(void *unused)
{
        const volatile uintptr_t at = (uintptr_t)&second; /* compilers assume the alignment */

        (void)unused;
        CHECK(first == 1 && second == 2 && third == 3 && fourth == 4 && zero == 0);
        CHECK(at % _Alignof(TYPE) == 0);
        first = second = third = fourth = zero = 9;
        return NULL;
}

int main(void)
{
        struct nova_thread *thread;

        check_values(NULL);
        CHECK(!nova_thread_create(&thread, NULL, check_values, NULL));
        CHECK(!nova_thread_join(thread, NULL));
        CHECK(first == 9);
        printf("variables begin with their values\n");
        return 0;
}
