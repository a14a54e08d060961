/* SPDX-License-Identifier: BSD-2-Clause */
/* Machines that cannot be made: each refusal has its errno value and a message of its own,
 * allocates nothing, and lets the next machine be made. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "novart/page.h"
#include "novart/selector.h"
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

/* With arguments: the errno value with which a small machine is refused, and the remedy. */
int main(int argc, char **argv)
{
        bool good;

        if (argc > 2) {
                good = make(&small, strcmp(argv[1], "EACCES") ? EAGAIN : EACCES);
                return !(good && strstr(vm.why, argv[2]));
        }
        good = make_all(); /* allocations of the first machines stay */

        const size_t pages = nova_page_free_count(), selectors = nova_sel_used();

        good &= make_all() && pages == nova_page_free_count() && selectors == nova_sel_used();
        printf("%s\n", good ? "All were refused as expected." : "Not as expected.");
        return !good;
}
