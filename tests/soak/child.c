/* SPDX-License-Identifier: BSD-2-Clause */
/* A child of the soak. Its argument says how it ends. */
#include <stdlib.h>
#include <string.h>

#include "novart/time.h"

int main(int argc, char **argv)
{
        const char *const deed = argc > 1 ? argv[1] : "";
        static void *memory; /* only the end of the program frees it */

        memory = malloc(20000);
        if (memory)
                memset(memory, 1, 20000);
        if (!strcmp(deed, "fault"))
                *(volatile int *)0x1234 = 1;
        if (!strcmp(deed, "sleep"))
                nova_sleep(UINT64_MAX / 4);
        while (!strcmp(deed, "spin"))
                (void)*(char *volatile *)argv;
        return 7;
}
