/* SPDX-License-Identifier: BSD-2-Clause */
/* A roottask that ends the run with the value END. The other values of END: -1: the run does not
 * end; -2: it ends by a fault that the roottask cannot handle; -3: by returning 5; -4: by returning
 * before the roottask has the I/O ports that end the run; -5: by switching the machine off; -6: by
 * resetting it. */
#include <nova/console.h>
#include <nova/nova.h>
#include <nova/root.h>

static struct nova_root root;
static struct nova_console console;

int nova_main(const struct nova_hip *hip, nova_word_t cpu)
{
#if END == -4
        return (int)(nova_hip_cpu_count(hip) + cpu);
#endif
        if (nova_root_init(&root, hip, cpu) != NOVA_SUCCESS || !nova_console_init(&console, &root))
                return 1;

        nova_printf(&console, "ready\n");
#if END >= 0
        nova_exit(END);
#elif END == -3
        return 5;
#elif END == -5
        nova_printf(&console, "status %u\n", nova_machine(NOVA_EXT_MACHINE_OFF));
        nova_exit(1);
#elif END == -6
        nova_machine(NOVA_EXT_MACHINE_RESET);
        nova_exit(1);
#else
#if END == -2
        *(volatile int *)0x1234 = 0;
#endif
        for (;;)
                __asm__ volatile("pause");
#endif
}
