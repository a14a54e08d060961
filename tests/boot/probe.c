/* SPDX-License-Identifier: BSD-2-Clause */
/* A roottask that reports what the kernel gave it: its image, CPUs, memory and modules. */
#include <nova/console.h>
#include <nova/nova.h>
#include <nova/root.h>

#define DATA_SIZE 5000

static struct nova_root root;
static struct nova_console console;

static unsigned char bss[DATA_SIZE];
static unsigned char data[DATA_SIZE] = {[0] = 0x11, [DATA_SIZE - 1] = 0x22};

/* Checks that the kernel has loaded the image correctly. This is the first check. */
static bool image_is_whole(void)
{
        unsigned char found = 0;

        for (unsigned i = 0; i < DATA_SIZE; i++)
                found |= bss[i];
        for (unsigned i = 1; i < DATA_SIZE - 1; i++)
                found |= data[i];
        return !found && data[0] == 0x11 && data[DATA_SIZE - 1] == 0x22;
}

static uint64_t sum_of_available(const struct nova_hip *hip)
{
        struct nova_hip_mem mem;
        uint64_t sum = 0;

        for (unsigned i = 0; nova_hip_get_mem(hip, i, &mem); i++)
                if (mem.type == NOVA_MEM_AVAILABLE)
                        sum += mem.size;
        return sum;
}

static void say_modules(const struct nova_hip *hip)
{
        struct nova_hip_mem mem;

        for (unsigned i = 1; nova_hip_get_module(hip, i, &mem); i++) {
                const char *text = nova_root_map(&root, mem.aux, 256, NOVA_MEM_R);

                nova_printf(&console, "module %u: %u bytes, %s\n", i, (unsigned)mem.size,
                            text ? text : "no command line");
        }
}

/* Checks that memory listed as available can be requested, and keeps what is written to it. */
static bool memory_works(void)
{
        volatile nova_word_t *page = nova_root_alloc(&root, 0);

        if (!page || *page)
                return false;
        *page = 0x5a5a;
        return *page == 0x5a5a;
}

int nova_main(const struct nova_hip *hip, nova_word_t cpu)
{
        const bool whole = image_is_whole();

        if (nova_root_init(&root, hip, cpu) != NOVA_SUCCESS || !nova_console_init(&console, &root))
                return 1;

        nova_printf(&console, "page %s\n", nova_hip_valid(hip) ? "valid" : "broken");
        nova_printf(&console, "image %s\n", whole ? "whole" : "damaged");
        nova_printf(&console, "cpus %u\n", nova_hip_cpu_count(hip));
        nova_printf(&console, "memory %u MiB\n", (unsigned)(sum_of_available(hip) >> 20));
        say_modules(hip);
        nova_printf(&console, "frames %s\n", memory_works() ? "work" : "fail");
        nova_printf(&console, "end\n");
        nova_exit(0);
}
