/* SPDX-License-Identifier: BSD-2-Clause */
/* A program whose main() ends only its own thread ends with its last thread. Daemons do not count,
 * and neither do the runtime's threads that serve children. */
#include <pthread.h>

#include "check.h"
#include "cpu.h"
#include "family.h"
#include "novart/sync.h"
#include "novart/thread.h"
#include "novart/time.h"

#define SHORT_LIVED 3

static void *nothing(void *argument)
{
        return argument;
}

/* Starts a thread while the program ends. The end of this thread does not end the program again. */
static void at_exit(void)
{
        pthread_t thread;

        CHECK(!pthread_create(&thread, NULL, nothing, NULL) && !pthread_join(thread, NULL));
        printf("the last thread has ended the program\n");
}

static void *sleep_for_ever(void *argument)
{
        nova_sleep(UINT64_MAX / 2);
        return argument;
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
        CHECK(family_run("return", "42") == 42);
        printf("the program lives without its main thread\n");
        return NULL;
}

int main(void)
{
        struct nova_thread_attr attr = NOVA_THREAD_ATTR_INITIALIZER;
        pthread_t thread;

        CHECK(family_begin("runtime-child"));
        attr.daemon = true;
        CHECK(!nova_thread_create(&thread, &attr, sleep_for_ever, NULL));
        CHECK(!atexit(at_exit));
        CHECK(!pthread_create(&thread, NULL, last, pthread_self()) && !pthread_detach(thread));
        pthread_exit(NULL);
}
