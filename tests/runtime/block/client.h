/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts that clients of block services in tests have in common. */
#ifndef NOVA_TEST_BLOCK_CLIENT_H
#define NOVA_TEST_BLOCK_CLIENT_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Returns the next pseudo-random number below a limit. The state begins with any number. */
static inline uint32_t random_number(uint32_t *state, uint32_t below)
{
        *state = *state * 1664525 + 1013904223;
        return (uint32_t)((uint64_t)*state * below >> 32);
}

/* Ends the program with a sentence about an errno value. */
static inline _Noreturn void die(const char *what, int error)
{
        printf("%s: %s\n", what, strerror(error));
        exit(1);
}

#endif
