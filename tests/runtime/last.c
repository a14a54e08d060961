/* SPDX-License-Identifier: BSD-2-Clause */
/* The program ends with its last thread, after main() has ended only its own one. */
#include <pthread.h>
#include <stdint.h>

#include "check.h"
#include "cpu.h"
#include "novart/sync.h"
#include "novart/thread.h"
#include "novart/time.h"

#define SHORT_LIVED 3

static void *nothing(void *argument)
{
        return argument;
}

/* A thread of a function of atexit() ends while the program ends. It does not end the program
 * again. */
static void at_exit(void)
{
        pthread_t thread;

        CHECK(!pthread_create(&thread, NULL, nothing, NULL) && !pthread_join(thread, NULL));
        printf("the last thread has ended the program\n");
}

/* Ends last, because it joins the main thread and all others. */
static void *last(void *main_thread)
{
        pthread_t thread[SHORT_LIVED];
        pthread_attr_t attr;
        nova_word_t cpu = 0;

        CHECK(!pthread_join(main_thread, NULL));
        pthread_attr_init(&attr);
        for (int i = 0; i < SHORT_LIVED; i++) {
                cpu = next_cpu(cpu);
                pthread_attr_setcpu_np(&attr, cpu);
                CHECK(!pthread_create(&thread[i], &attr, nothing, NULL));
        }
        for (int i = 0; i < SHORT_LIVED; i++)
                CHECK(!pthread_join(thread[i], NULL));
        printf("the program lives without its main thread\n");
        return NULL;
}

int main(void)
{
        struct nova_thread_attr wrong = NOVA_THREAD_ATTR_INITIALIZER;
        pthread_t thread;

        /* Threads that cannot begin do not count. */
        wrong.stack_bytes = SIZE_MAX / 4;
        CHECK(nova_thread_create(&thread, &wrong, nothing, NULL) == EAGAIN);
        CHECK(!atexit(at_exit));
        CHECK(!pthread_create(&thread, NULL, last, pthread_self()) && !pthread_detach(thread));
        pthread_exit(NULL);
}
