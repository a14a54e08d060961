/* SPDX-License-Identifier: BSD-2-Clause */
/* The smallest roottask: describes the machine and ends the system. */
#include <nova/console.h>
#include <nova/nova.h>
#include <nova/root.h>

static struct nova_root root;
static struct nova_console console;

static uint64_t free_ram(const struct nova_hip *hip)
{
        uint64_t cursor = 0, addr, size, sum = 0;

        while (nova_hip_next_free(hip, &cursor, &addr, &size))
                sum += size;
        return sum;
}

int nova_main(const struct nova_hip *hip, nova_word_t cpu)
{
        if (nova_root_init(&root, hip, cpu) != NOVA_SUCCESS || !nova_console_init(&console, &root))
                return 1;

        nova_printf(&console, "\nHello from CPU %zu of %u!\n", cpu, nova_hip_cpu_count(hip));
        nova_printf(&console, "The microhypervisor speaks version %u of its interface,\n",
                    hip->version);
        nova_printf(&console, "and %llu MiB of memory are free.\n",
                    (unsigned long long)free_ram(hip) >> 20);
        nova_exit(0);
}
