/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes blobs for tests, in C and without the tool `nova seal`. */
#ifndef TESTS_SECURE_WRITE_H
#define TESTS_SECURE_WRITE_H

#include "seal.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Maximum size of a blob in bytes. */
#define WRITE_MAX \
        (SEAL_HEADER_BYTES + SEAL_MACHINES_MAX * SEAL_MACHINE_BYTES + SEAL_CONTENT_MAX + 16)

/* Encrypts @p bytes of content for machines.
 * @return size of the blob at @p blob, which has room for WRITE_MAX bytes; 0 on failure */
size_t write_blob(uint8_t *blob, const uint8_t *plain, size_t bytes,
                  const uint8_t (*public_key)[CRYPTO_KEY_BYTES], unsigned machines);

#ifdef __cplusplus
}
#endif

#endif
