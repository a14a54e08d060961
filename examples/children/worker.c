/* SPDX-License-Identifier: BSD-2-Clause */
/* A child. It is an ordinary program. Its output and its exit status go to its parent. */
#include <stdio.h>
#include <string.h>

__attribute__((noinline)) static void write_to_nowhere(void)
{
        *(volatile int *)0x1000 = 1;
}

static void spin(void)
{
        for (volatile unsigned i = 0;; i++)
                ;
}

int main(int argc, char **argv)
{
        const char *const deed = argc > 1 ? argv[1] : "";

        puts("I have begun");
        if (strcmp(deed, "fault") == 0)
                write_to_nowhere();
        if (strcmp(deed, "spin") == 0)
                spin();
        return strcmp(deed, "fail") == 0 ? 3 : 0;
}
