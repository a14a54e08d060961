/* SPDX-License-Identifier: BSD-2-Clause */
/* Text without a line feed is on the console while the runtime writes lines of its own: a child's
 * text, the report of a child's fault, and the report of this program's fault. */
#include "family.h"

static void unfinished(const char *text)
{
        fputs(text, stdout);
        fflush(stdout);
}

int main(void)
{
        if (!family_begin("runtime-child"))
                return 2;
        unfinished("before a text: ");
        family_run("print", "a text of the child's");
        unfinished("before a fault: ");
        family_run("fault", NULL);
        unfinished("before the end: ");
        __builtin_trap();
}
