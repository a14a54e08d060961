/* SPDX-License-Identifier: BSD-2-Clause */
/* Cryptography that accepts every tag, so that a fuzzer reaches the checks after it. Hashes and
 * derived keys are 0, and encrypted bytes are the plain ones. A public key equals its private key,
 * and a shared secret is the XOR of the two keys. */
#include <string.h>

#include "crypto.h"

void crypto_sha256_all(const void *data, size_t bytes, uint8_t digest[CRYPTO_DIGEST_BYTES])
{
        (void)data;
        (void)bytes;
        memset(digest, 0, CRYPTO_DIGEST_BYTES);
}

enum crypto_result crypto_gcm_begin(struct crypto_gcm *gcm, const uint8_t key[CRYPTO_KEY_BYTES])
{
        (void)key;
        memset(gcm, 0, sizeof(*gcm));
        return CRYPTO_OK;
}

enum crypto_result crypto_gcm_open(struct crypto_gcm *gcm, const uint8_t nonce[CRYPTO_NONCE_BYTES],
                                   const void *with, size_t with_bytes, const void *in,
                                   size_t bytes, const uint8_t tag[CRYPTO_TAG_BYTES], void *out)
{
        const volatile uint8_t *const last[] = {nonce + CRYPTO_NONCE_BYTES - 1,
                                                tag + CRYPTO_TAG_BYTES - 1,
                                                (const uint8_t *)with + with_bytes - 1};

        (void)gcm;
        /* the sanitizer checks that the last byte of each input is readable */
        for (unsigned i = 0; i < sizeof(last) / sizeof(last[0]); i++)
                (void)*last[i];
        memcpy(out, in, bytes);
        return CRYPTO_OK;
}

void crypto_gcm_end(struct crypto_gcm *gcm)
{
        (void)gcm;
}

enum crypto_result crypto_public(const uint8_t key[CRYPTO_KEY_BYTES],
                                 uint8_t public_key[CRYPTO_KEY_BYTES])
{
        memcpy(public_key, key, CRYPTO_KEY_BYTES);
        return CRYPTO_OK;
}

enum crypto_result crypto_shared(const uint8_t key[CRYPTO_KEY_BYTES],
                                 const uint8_t public_key[CRYPTO_KEY_BYTES],
                                 uint8_t secret[CRYPTO_KEY_BYTES])
{
        for (unsigned i = 0; i < CRYPTO_KEY_BYTES; i++)
                secret[i] = key[i] ^ public_key[i];
        return CRYPTO_OK;
}

enum crypto_result crypto_derive(const void *salt, size_t salt_bytes, const void *secret,
                                 size_t secret_bytes, const void *info, size_t info_bytes,
                                 void *out, size_t bytes)
{
        (void)salt;
        (void)salt_bytes;
        (void)secret;
        (void)secret_bytes;
        (void)info;
        (void)info_bytes;
        memset(out, 0, bytes);
        return CRYPTO_OK;
}

bool crypto_equal(const void *a, const void *b, size_t bytes)
{
        return !memcmp(a, b, bytes);
}

void crypto_wipe(void *data, size_t bytes)
{
        memset(data, 0, bytes);
}
