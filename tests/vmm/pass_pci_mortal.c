/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes the service pci crash a moment after a function has become a bus master. Linked into the
 * service, with --wrap=device_command. */
#include "device.h"
#include "novart/thread.h"
#include "novart/time.h"
#include "registers.h"

#define MOMENT_NS 300000000 /* the function does DMA meanwhile */

void __real_device_command(const struct device *device, uint32_t set, uint32_t clear);
void __wrap_device_command(const struct device *device, uint32_t set, uint32_t clear);

static void *crash(void *argument)
{
        (void)argument;
        nova_sleep(MOMENT_NS);
        __builtin_trap();
}

void __wrap_device_command(const struct device *device, uint32_t set, uint32_t clear)
{
        static const struct nova_thread_attr attr = {.name = "death", .cpu = NOVA_CPU_SELF};
        static struct nova_thread *thread;

        __real_device_command(device, set, clear);
        if (set & COMMAND_MASTER && !thread && nova_thread_create(&thread, &attr, crash, NULL))
                __builtin_trap();
}
