/* SPDX-License-Identifier: BSD-2-Clause */
/* Allocates small pieces of memory until there is no more. */
#include <stdio.h>
#include <stdlib.h>

int main(void)
{
        unsigned long kib = 0;

        while (malloc(4000))
                kib += 4;
        printf("%lu KiB\n", kib);
        return 0;
}
