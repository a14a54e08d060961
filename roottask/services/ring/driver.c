/* SPDX-License-Identifier: BSD-2-Clause */
/* Starts the thread that waits for a device's interrupts. */
#include "driver.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nova/hypercall.h"
#include "novart/program.h"
#include "novart/thread.h"
#include "serve.h"

static nova_sel_t semaphore;
static void (*handle_interrupt)(void);

void driver_fail(const char *sentence)
{
        puts(sentence);
        exit(1);
}

void driver_refuse(const char *sentence)
{
        puts(sentence);
        exit(NOVA_EXIT_FINAL);
}

static void *wait_for_interrupts(void *argument)
{
        (void)argument;
        while (nova_sm_down(semaphore) == NOVA_SUCCESS && serve_lock()) {
                handle_interrupt();
                serve_unlock();
        }
        return NULL;
}

void driver_run(int error, nova_sel_t interrupt, void (*handle)(void))
{
        const struct nova_thread_attr attr = {.name = "interrupt", .cpu = nova_program.cpu};
        struct nova_thread *thread;

        semaphore = interrupt;
        handle_interrupt = handle;
        if (error == EINVAL)
                driver_refuse("argument 2, the name of the service, is empty or too long.");
        if (error == EACCES)
                driver_refuse(strerror(error)); /* init has printed the reason */
        if (!error)
                error = nova_thread_create(&thread, &attr, wait_for_interrupts, NULL);
        if (error)
                driver_fail(strerror(error));
        nova_service_sleep();
}
