/* SPDX-License-Identifier: BSD-2-Clause */
/* Allocates small pieces of memory until there is no more. */
#include <stdio.h>
#include <stdlib.h>

int main(void)
{
        unsigned long kib = 0;
        void **last = NULL; /* each piece contains the address of the previous one */

        for (void **piece; (piece = malloc(4000)); kib += 4) {
                *piece = last;
                last = piece;
        }
        printf("%lu KiB\n", kib);
        while (last) {
                void **const before = *last;

                free(last);
                last = before;
        }
        return 0;
}
