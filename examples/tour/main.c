/* SPDX-License-Identifier: BSD-2-Clause */
/* The tour: one screen per idea of the interface, then the end of the system. */
#include "tour.h"

static void (*const screen[SCREENS])(void) = {
        screen_platform, screen_call,  screen_delegation, screen_revoke,
        screen_pager,    screen_child, screen_time,       screen_cpus,
};

static void summary(void)
{
        say("\n== That was the tour ==================================================="
            "=====\n\n"
            "Five kinds of object made all of it: protection domains, execution contexts,\n"
            "scheduling contexts, portals and semaphores, named by capabilities. Pagers,\n"
            "drivers and virtual machines are programs like this one.\n\n"
            "The tour ends the system with status 0.\n");
}

int nova_main(const struct nova_hip *hip, nova_word_t cpu)
{
        if (nova_root_init(&root, hip, cpu) != NOVA_SUCCESS || !nova_console_init(&console, &root))
                return 1;

        say("\nNOVA: a microhypervisor, shown by its first program, the roottask.\n");
        guard_start();
        for (unsigned i = 0; i < SCREENS; i++) {
                screen[i]();
                if (i + 1 < SCREENS && pause_is_end())
                        break;
        }
        summary();
        nova_exit(0);
}
