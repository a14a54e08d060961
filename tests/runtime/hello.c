/* SPDX-License-Identifier: BSD-2-Clause */
/* The smallest program with the C library. */
#include <stdio.h>

int main(int argc, char **argv)
{
        printf("Hello, world %d!\n", 41 + argc);
        return argv[argc] ? 1 : 0;
}
