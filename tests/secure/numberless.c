/* SPDX-License-Identifier: BSD-2-Clause */
/* Linked to the ultravisor, this makes the program ultravisor-numberless, whose CPU has random
 * bytes for keys, but none for the guests' calls H_RANDOM. */
#include "crypto.h"

enum crypto_result __real_crypto_random(void *to, size_t bytes);
enum crypto_result __wrap_crypto_random(void *to, size_t bytes);

enum crypto_result __wrap_crypto_random(void *to, size_t bytes)
{
        return bytes == sizeof(uint64_t) ? CRYPTO_BAD : __real_crypto_random(to, bytes);
}
