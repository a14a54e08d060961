/* SPDX-License-Identifier: BSD-2-Clause */
/* The last thread raises an event. The program ends without the functions of atexit(), which may
 * raise an event again. */
#include <pthread.h>

#include "check.h"

static void at_exit(void)
{
        printf("a function of atexit() runs\n");
}

static void *fault(void *main_thread)
{
        CHECK(!pthread_join(main_thread, NULL));
        __builtin_trap();
}

int main(void)
{
        pthread_t thread;

        CHECK(!atexit(at_exit));
        CHECK(!pthread_create(&thread, NULL, fault, pthread_self()) && !pthread_detach(thread));
        pthread_exit(NULL);
}
