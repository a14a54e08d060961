/* SPDX-License-Identifier: BSD-2-Clause */
/* Machines that cannot be made: each refusal has its errno value and a message of its own,
 * allocates nothing, and lets the next machine be made. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "novart/page.h"
#include "novart/selector.h"
#include "novavmm/pc.h"
#include "novavmm/virtio_random.h"
#include "novavmm/vm.h"

#define RAM (2u << 20)

static struct nova_vm vm;

static const struct {
        struct nova_vm_config config;
        int error;
} refused[] = {
        {{.name = "crowd", .memory = RAM, .vcpus = 9, .local_apic = true}, EINVAL},
        {{.name = "deaf", .memory = RAM, .vcpus = 2}, EINVAL},
        {{.name = "urgent", .memory = RAM, .priority = 300}, EINVAL},
        {{.name = "empty"}, EINVAL},
        {{.name = "high", .memory = (size_t)NOVA_GUEST_MEMORY_MAX + 1}, EINVAL},
        {{.name = "big", .memory = 1u << 30}, ENOMEM},
        {{.name = "poor", .memory = RAM, .kernel_memory = 1}, EINVAL},
        {{.name = "greedy", .memory = RAM, .kernel_memory = 1u << 30}, EAGAIN},
};

static struct nova_pc pc;
static const struct nova_vm_config small = {.name = "small", .memory = RAM};

static bool make(const struct nova_vm_config *config, int expected)
{
        const int error = nova_vm_create(&vm, config);

        if (error)
                printf("%s: %s.\n", config->name, nova_vm_why(&vm, error));
        else
                nova_vm_destroy(&vm);
        return error == expected;
}

static bool make_all(void)
{
        bool good = true;

        for (unsigned i = 0; i < sizeof(refused) / sizeof(*refused); i++)
                good &= make(&refused[i].config, refused[i].error);
        return make(&small, 0) && good;
}

static void ignore(void *device, uint64_t now)
{
        (void)device, (void)now;
}

static size_t no_bytes(void *device, void *to, size_t bytes)
{
        (void)device, (void)to, (void)bytes;
        return 0;
}

/* Returns true if a machine whose alarms are all in use refuses a virtio device each time. */
static bool refuses_device(void)
{
        static struct nova_alarm alarm[NOVA_VM_ALARMS];
        static struct nova_virtio_random device;
        unsigned used = 0, refused_devices = 0;

        if (nova_vm_create(&vm, &small) || nova_pc_create(&pc, &vm))
                return false;
        do
                alarm[used] = (struct nova_alarm){NOVA_NEVER, ignore, NULL};
        while (!nova_vm_add_alarm(&vm, &alarm[used]) && ++used < NOVA_VM_ALARMS);
        nova_virtio_random_init(&device, &vm.memory, no_bytes, NULL);
        for (unsigned i = 0; i < 2; i++)
                refused_devices += nova_pc_add_virtio(&pc, 1, &device.virtio) == ENOSPC;
        nova_pc_destroy(&pc);
        nova_vm_destroy(&vm);
        return used && used < NOVA_VM_ALARMS && refused_devices == 2;
}

/* Takes all selectors but one range of 2^order. */
static void take_selectors(unsigned order)
{
        const nova_sel_t range = nova_sel_alloc(order);

        while (nova_sel_alloc(0) != NOVA_SEL_NONE)
                ;
        if (range != NOVA_SEL_NONE)
                nova_sel_free(range, order);
}

/* With arguments: the errno value with which a small machine is refused, and a part of the reason.
 * A third argument is the order of the only range of selectors that is free. */
int main(int argc, char **argv)
{
        bool good;

        if (argc > 3)
                take_selectors((unsigned)strtoul(argv[3], NULL, 10));
        if (argc > 2) {
                good = make(&small, strcmp(argv[1], "EACCES") ? EAGAIN : EACCES);
                return !(good && strstr(vm.why, argv[2]));
        }
        good = refuses_device() && make_all(); /* allocations of the first machines stay */

        const size_t pages = nova_page_free_count(), selectors = nova_sel_used();

        good &= make_all() && pages == nova_page_free_count() && selectors == nova_sel_used();
        printf("%s\n", good ? "All were refused as expected." : "Not as expected.");
        return !good;
}
