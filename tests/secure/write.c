/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes blobs for tests (see write.h) in the format of docs/manual/secure-format.md. */
#include "write.h"

#include <string.h>

static void put32(uint8_t *at, uint32_t value)
{
        memcpy(at, &value, sizeof(value));
}

static bool seal_once(const uint8_t *key, const uint8_t *nonce, const void *with, size_t with_bytes,
                      const void *in, size_t bytes, uint8_t *out)
{
        struct crypto_gcm gcm;
        bool good;

        if (crypto_gcm_begin(&gcm, key) != CRYPTO_OK)
                return false;
        good = crypto_gcm_seal(&gcm, nonce, with, with_bytes, in, bytes, out, out + bytes) ==
               CRYPTO_OK;
        crypto_gcm_end(&gcm);
        return good;
}

/* Writes the row of one machine: identity, public key, encrypted key, tag. */
static bool write_row(uint8_t *row, const uint8_t *blob, const uint8_t *key,
                      const uint8_t public_key[CRYPTO_KEY_BYTES])
{
        uint8_t own[CRYPTO_KEY_BYTES], secret[CRYPTO_KEY_BYTES], salt[64], derived[44], with[44];

        crypto_sha256_all(public_key, CRYPTO_KEY_BYTES, row);
        if (crypto_random(own, sizeof(own)) != CRYPTO_OK ||
            crypto_public(own, row + 32) != CRYPTO_OK ||
            crypto_shared(own, public_key, secret) != CRYPTO_OK)
                return false;
        memcpy(salt, row + 32, 32);
        memcpy(salt + 32, public_key, 32);
        memcpy(with, blob, 12);
        memcpy(with + 12, row, 32);
        return crypto_derive(salt, sizeof(salt), secret, sizeof(secret), "nova sealed image 1", 19,
                             derived, sizeof(derived)) == CRYPTO_OK &&
               seal_once(derived, derived + 32, with, sizeof(with), key, 32, row + 64);
}

size_t write_blob(uint8_t *blob, const uint8_t *plain, size_t bytes,
                  const uint8_t (*public_key)[CRYPTO_KEY_BYTES], unsigned machines)
{
        const size_t head = SEAL_HEADER_BYTES + machines * SEAL_MACHINE_BYTES;
        uint8_t key[CRYPTO_KEY_BYTES];

        memset(blob, 0, head);
        memcpy(blob, "NOVABLOB", 8);
        put32(blob + 8, 1);
        put32(blob + 12, (uint32_t)(head + bytes + CRYPTO_TAG_BYTES));
        put32(blob + 16, machines);
        put32(blob + 20, (uint32_t)bytes);
        if (crypto_random(key, sizeof(key)) != CRYPTO_OK ||
            crypto_random(blob + 24, CRYPTO_NONCE_BYTES) != CRYPTO_OK)
                return 0;
        for (unsigned i = 0; i < machines; i++)
                if (!write_row(blob + SEAL_HEADER_BYTES + i * SEAL_MACHINE_BYTES, blob, key,
                               public_key[i]))
                        return 0;
        if (!seal_once(key, blob + 24, blob, head, plain, bytes, blob + head))
                return 0;
        return head + bytes + CRYPTO_TAG_BYTES;
}
