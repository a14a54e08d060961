/* SPDX-License-Identifier: BSD-2-Clause */
/* Prints the first two lines of standard input. */
#include <stdio.h>
#include <string.h>

int main(void)
{
        char line[100];

        puts("ready"); /* so that input does not come before the port is initialised */
        for (unsigned i = 0; i < 2 && fgets(line, sizeof(line), stdin); i++) {
                line[strcspn(line, "\r\n")] = 0;
                printf("got <%s>\n", line);
        }
        return 0;
}
