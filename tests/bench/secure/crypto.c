/* SPDX-License-Identifier: BSD-2-Clause */
/* The ultravisor's cryptography for one page, as `nova bench secure` counts it. */
#include <stdio.h>
#include <string.h>

#include "crypto.h"
#include "marks.h"

#define PAGE 4096u

static uint8_t plain[PAGE], sealed[PAGE], opened[PAGE];

static size_t count_up(void *to, size_t bytes)
{
        static uint8_t next;

        for (size_t i = 0; i < bytes; i++)
                ((uint8_t *)to)[i] = next++;
        return bytes;
}

/* Adds pages to a sum, as for a part of an image. The beginning and the end are not counted. */
static void hash(void)
{
        uint8_t digest[CRYPTO_DIGEST_BYTES];
        struct crypto_sha256 sum;

        crypto_sha256_begin(&sum);
        for (unsigned i = 0; i < SECURE_ROUNDS; i++) {
                SECTION_BEGIN(SECURE_HASH);
                crypto_sha256_add(&sum, plain, PAGE);
                SECTION_BEGIN(SECURE_NONE);
        }
        crypto_sha256_end(&sum, digest);
}

static bool cipher(struct crypto_gcm *gcm, unsigned round)
{
        const uint8_t nonce[CRYPTO_NONCE_BYTES] = {(uint8_t)round};
        const uint64_t label[3] = {round};
        enum crypto_result result[2];
        uint8_t tag[CRYPTO_TAG_BYTES];

        SECTION_BEGIN(SECURE_SEAL);
        result[0] = crypto_gcm_seal(gcm, nonce, label, sizeof(label), plain, PAGE, sealed, tag);
        SECTION_BEGIN(SECURE_OPEN);
        result[1] = crypto_gcm_open(gcm, nonce, label, sizeof(label), sealed, PAGE, tag, opened);
        SECTION_BEGIN(SECURE_NONE);
        return result[0] == CRYPTO_OK && result[1] == CRYPTO_OK && !memcmp(plain, opened, PAGE);
}

int main(void)
{
        static const uint8_t key[CRYPTO_KEY_BYTES] = {1};
        struct crypto_gcm gcm;
        bool good;

        count_up(plain, sizeof(plain));
        good = crypto_init(count_up) == CRYPTO_OK && crypto_gcm_begin(&gcm, key) == CRYPTO_OK;
        hash();
        for (unsigned i = 0; i < SECURE_ROUNDS && good; i++)
                good = cipher(&gcm, i);
        if (good)
                printf("the operations are over\n");
        return !good;
}
