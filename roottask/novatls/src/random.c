/* SPDX-License-Identifier: BSD-2-Clause */
/* Gives mbedTLS random bytes of the CPU. There is no other source and no fixed seed: without RDRAND
 * there are no keys. */
#include "novart/random.h"
#include "mbedtls/entropy.h"
#include "mbedtls/entropy_poll.h"

int mbedtls_hardware_poll(void *data, unsigned char *output, size_t len, size_t *olen)
{
        (void)data;
        *olen = nova_random(output, len);
        return *olen ? 0 : MBEDTLS_ERR_ENTROPY_SOURCE_FAILED;
}
