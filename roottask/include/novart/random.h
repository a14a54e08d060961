/* SPDX-License-Identifier: BSD-2-Clause */
/* Random bytes of the CPU. */
#ifndef NOVART_RANDOM_H
#define NOVART_RANDOM_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Returns true if the CPU has RDRAND, and it works. There is no other source of random bytes,
 * because the timing of instructions can be guessed, especially in an emulator. */
bool nova_random_available(void);

/**
 * Fills memory with random bytes that cannot be guessed, for keys. Does not block.
 *
 * @code
 * unsigned char key[32];
 *
 * if (nova_random(key, sizeof(key)) != sizeof(key))
 *         puts("this CPU has no RDRAND, or no random bytes at the moment");
 * @endcode
 * @param to    the memory
 * @param bytes its size
 * @return number of bytes; fewer if the CPU has no more at the moment, 0 without RDRAND
 */
size_t nova_random(void *to, size_t bytes);

#ifdef __cplusplus
}
#endif

#endif
