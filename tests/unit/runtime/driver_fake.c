/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of the runtime that all drivers under test call in the same way (see driver_fake.h). */
#include "driver_fake.h"

#include <setjmp.h>
#include <stdbool.h>
#include <stdlib.h>

#include "driver_main.h"
#include "ring/dma.h"
#include "ring/driver.h"

static jmp_buf running;
static void (*handle_interrupt)(void);
static bool may_fail;
static const char *reason; /* sentence of the last driver_fail() */

void fake_driver_start(char *name)
{
        char *arguments[] = {name, NULL};

        if (setjmp(running) == 0)
                driver_main(1, arguments);
}

const char *fake_driver_try(char *name)
{
        reason = NULL;
        may_fail = true;
        fake_driver_start(name);
        may_fail = false;
        return reason;
}

void fake_driver_interrupt(void)
{
        handle_interrupt();
}

void driver_run(int error, nova_sel_t interrupt, void (*handle)(void))
{
        (void)error, (void)interrupt;
        handle_interrupt = handle;
        longjmp(running, 1);
}

void driver_fail(const char *sentence)
{
        if (!may_fail)
                abort();
        reason = sentence;
        longjmp(running, 1);
}

void driver_refuse(const char *sentence)
{
        (void)sentence;
        abort();
}

void dma_use(const struct nova_pci_device *pci)
{
        (void)pci;
}

int dma_alloc(struct share_pool *pool)
{
        (void)pool;
        return 0;
}

void dma_release(struct share_pool *pool)
{
        (void)pool;
}
