/* SPDX-License-Identifier: BSD-2-Clause */
/* Waits for a key between the screens, if the tour's own command line asks for that. */
#include "tour.h"

#define WORD      "pause"
#define LENGTH    (sizeof(WORD) - 1)
#define KEY_CTRLC 3

/* Returns true if the command line ends with the word. Reads it up to the end of its first page,
 * which is all that is mapped. */
static bool asked_for(const struct nova_hip *hip)
{
        struct nova_hip_mem mem;
        size_t matched = 0;

        if (!nova_hip_get_module(hip, 0, &mem) || !mem.aux)
                return false;

        const char *text = nova_root_map(&root, mem.aux, 1, NOVA_MEM_R);
        const size_t room = NOVA_PAGE_SIZE - mem.aux % NOVA_PAGE_SIZE;

        for (size_t i = 0; text && i < room && text[i]; i++)
                if (text[i] == ' ')
                        matched = 1; /* the blank before the word matches, too */
                else if (matched && matched <= LENGTH && text[i] == WORD[matched - 1])
                        matched++;
                else
                        matched = 0;
        return matched == LENGTH + 1;
}

bool pause_is_end(void)
{
        static enum { UNKNOWN, ASKED, NOT_ASKED } state;
        int key;

        if (state == UNKNOWN)
                state = asked_for(root.hip) ? ASKED : NOT_ASKED;
        if (state == NOT_ASKED)
                return false;
        while (nova_console_get(&console) >= 0)
                continue;
        say("\n-- q ends, any other key continues --");
        while ((key = nova_console_get(&console)) < 0)
                __asm__ volatile("pause");
        say("\r                                      \r");
        return key == 'q' || key == KEY_CTRLC;
}
