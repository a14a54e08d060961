/* SPDX-License-Identifier: BSD-2-Clause */
/* Two threads and kernel semaphores: one thread produces numbers, the other consumes them. */
#include <stdio.h>
#include <stdlib.h>

#include "nova/nova.h"
#include "novart/program.h"
#include "novart/selector.h"
#include "novart/thread.h"
#include "novart/time.h"

#define NUMBERS 10
#define PLACES  2

/* Kernel semaphores. They count the available numbers and the free places. */
static nova_sel_t full, empty;
static int place[PLACES];

static void check(enum nova_status status, const char *what)
{
        if (status == NOVA_SUCCESS)
                return;
        printf("%s: %s\n", what, nova_status_name(status));
        exit(1);
}

static nova_sel_t make_semaphore(nova_word_t count)
{
        const nova_sel_t sm = nova_sel_alloc(0);

        check(nova_create_sm(sm, nova_program.pd, count), "create_sm");
        return sm;
}

static void *produce(void *argument)
{
        (void)argument;
        for (int i = 0; i < NUMBERS; i++) {
                check(nova_sm_down(empty), "down"); /* waits for a free place */
                place[i % PLACES] = i * i;
                check(nova_sm_up(full), "up");
        }
        return NULL;
}

int main(void)
{
        struct nova_thread *producer;

        full = make_semaphore(0);
        empty = make_semaphore(PLACES);
        if (nova_thread_create(&producer, NULL, produce, NULL))
                return 1;
        for (int i = 0; i < NUMBERS; i++) {
                check(nova_sm_down(full), "down"); /* waits for a number */
                printf("%d%c", place[i % PLACES], i < NUMBERS - 1 ? ' ' : '\n');
                check(nova_sm_up(empty), "up");
        }
        nova_thread_join(producer, NULL);

        /* The producer has finished, so a wait without a deadline would not end. */
        if (nova_sm_down_until(full, 0, nova_deadline_in(1000000)) == NOVA_COM_TIM)
                printf("nothing came for a millisecond\n");

        /* A thread that waits for a semaphore gets an error when the semaphore is destroyed. */
        nova_sel_release(full, 0);
        nova_sel_release(empty, 0);
        return 0;
}
