/* SPDX-License-Identifier: BSD-2-Clause */
/* Cryptography of the ultravisor, by mbedTLS (see crypto.h). */
#include "crypto.h"

#include <pthread.h>
#include <string.h>

#include "mbedtls/ctr_drbg.h"
#include "mbedtls/ecp.h"
#include "mbedtls/gcm.h"
#include "mbedtls/hkdf.h"
#include "mbedtls/platform_util.h"
#include "mbedtls/sha256.h"

#define KEY_BITS (CRYPTO_KEY_BYTES * 8)

static struct {
        pthread_mutex_t lock; /* protects `drbg` */
        mbedtls_ctr_drbg_context drbg;
        size_t (*source)(void *to, size_t bytes);
} generator = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Translates a status of mbedTLS. */
static enum crypto_result result(int status)
{
        switch (status) {
        case 0:
                return CRYPTO_OK;
        case MBEDTLS_ERR_MPI_ALLOC_FAILED:
        case MBEDTLS_ERR_ECP_ALLOC_FAILED:
        case MBEDTLS_ERR_CIPHER_ALLOC_FAILED:
        case MBEDTLS_ERR_MD_ALLOC_FAILED:
                return CRYPTO_NO_MEMORY;
        default:
                return CRYPTO_BAD;
        }
}

static int read_source(void *context, unsigned char *to, size_t bytes)
{
        (void)context;
        return generator.source(to, bytes) == bytes ? 0
                                                    : MBEDTLS_ERR_CTR_DRBG_ENTROPY_SOURCE_FAILED;
}

enum crypto_result crypto_init(size_t (*source)(void *to, size_t bytes))
{
        generator.source = source;
        mbedtls_ctr_drbg_free(&generator.drbg);
        mbedtls_ctr_drbg_init(&generator.drbg);
        return result(mbedtls_ctr_drbg_seed(&generator.drbg, read_source, NULL, NULL, 0));
}

enum crypto_result crypto_random(void *to, size_t bytes)
{
        unsigned char *at = to;
        int status = 0;

        pthread_mutex_lock(&generator.lock);
        while (bytes && !status) {
                const size_t part =
                        bytes < MBEDTLS_CTR_DRBG_MAX_REQUEST ? bytes : MBEDTLS_CTR_DRBG_MAX_REQUEST;

                status = mbedtls_ctr_drbg_random(&generator.drbg, at, part);
                at += part;
                bytes -= part;
        }
        pthread_mutex_unlock(&generator.lock);
        return result(status);
}

/* The random generator, in the form that mbedTLS expects. */
static int random_bytes(void *context, unsigned char *to, size_t bytes)
{
        (void)context;
        return crypto_random(to, bytes) == CRYPTO_OK ? 0 : MBEDTLS_ERR_ECP_RANDOM_FAILED;
}

static mbedtls_sha256_context *sha256_of(struct crypto_sha256 *sum)
{
        _Static_assert(sizeof(mbedtls_sha256_context) <= sizeof(*sum), "it has enough space");
        return (mbedtls_sha256_context *)sum->space;
}

void crypto_sha256_begin(struct crypto_sha256 *sum)
{
        mbedtls_sha256_init(sha256_of(sum));
        (void)mbedtls_sha256_starts_ret(sha256_of(sum), 0); /* fails only in other configurations */
}

void crypto_sha256_add(struct crypto_sha256 *sum, const void *data, size_t bytes)
{
        (void)mbedtls_sha256_update_ret(sha256_of(sum), data, bytes);
}

void crypto_sha256_end(struct crypto_sha256 *sum, uint8_t digest[CRYPTO_DIGEST_BYTES])
{
        (void)mbedtls_sha256_finish_ret(sha256_of(sum), digest);
        mbedtls_sha256_free(sha256_of(sum));
}

void crypto_sha256_all(const void *data, size_t bytes, uint8_t digest[CRYPTO_DIGEST_BYTES])
{
        struct crypto_sha256 sum;

        crypto_sha256_begin(&sum);
        crypto_sha256_add(&sum, data, bytes);
        crypto_sha256_end(&sum, digest);
}

static mbedtls_gcm_context *gcm_of(struct crypto_gcm *gcm)
{
        _Static_assert(sizeof(mbedtls_gcm_context) <= sizeof(*gcm), "it has enough space");
        return (mbedtls_gcm_context *)gcm->space;
}

enum crypto_result crypto_gcm_begin(struct crypto_gcm *gcm, const uint8_t key[CRYPTO_KEY_BYTES])
{
        int status;

        mbedtls_gcm_init(gcm_of(gcm));
        status = mbedtls_gcm_setkey(gcm_of(gcm), MBEDTLS_CIPHER_ID_AES, key, KEY_BITS);
        if (status)
                mbedtls_gcm_free(gcm_of(gcm));
        return result(status);
}

enum crypto_result crypto_gcm_seal(struct crypto_gcm *gcm, const uint8_t nonce[CRYPTO_NONCE_BYTES],
                                   const void *with, size_t with_bytes, const void *in,
                                   size_t bytes, void *out, uint8_t tag[CRYPTO_TAG_BYTES])
{
        return result(mbedtls_gcm_crypt_and_tag(gcm_of(gcm), MBEDTLS_GCM_ENCRYPT, bytes, nonce,
                                                CRYPTO_NONCE_BYTES, with, with_bytes, in, out,
                                                CRYPTO_TAG_BYTES, tag));
}

enum crypto_result crypto_gcm_open(struct crypto_gcm *gcm, const uint8_t nonce[CRYPTO_NONCE_BYTES],
                                   const void *with, size_t with_bytes, const void *in,
                                   size_t bytes, const uint8_t tag[CRYPTO_TAG_BYTES], void *out)
{
        return result(mbedtls_gcm_auth_decrypt(gcm_of(gcm), bytes, nonce, CRYPTO_NONCE_BYTES, with,
                                               with_bytes, tag, CRYPTO_TAG_BYTES, in, out));
}

void crypto_gcm_end(struct crypto_gcm *gcm)
{
        mbedtls_gcm_free(gcm_of(gcm));
}

/* Reads a private key, of which X25519 uses 251 bits (RFC 7748, 5). */
static int read_scalar(mbedtls_mpi *scalar, const uint8_t key[CRYPTO_KEY_BYTES])
{
        uint8_t used[CRYPTO_KEY_BYTES];
        int status;

        memcpy(used, key, sizeof(used));
        used[0] &= 0xf8;
        used[CRYPTO_KEY_BYTES - 1] &= 0x7f;
        used[CRYPTO_KEY_BYTES - 1] |= 0x40;
        status = mbedtls_mpi_read_binary_le(scalar, used, sizeof(used));
        mbedtls_platform_zeroize(used, sizeof(used));
        return status;
}

/* Multiplies a point by a private key. @param point NULL: the curve's base point */
static enum crypto_result multiply(const uint8_t key[CRYPTO_KEY_BYTES], const uint8_t *point,
                                   uint8_t out[CRYPTO_KEY_BYTES])
{
        mbedtls_ecp_group group;
        mbedtls_ecp_point from, to;
        mbedtls_mpi scalar;
        int status;

        mbedtls_ecp_group_init(&group);
        mbedtls_ecp_point_init(&from);
        mbedtls_ecp_point_init(&to);
        mbedtls_mpi_init(&scalar);
        status = mbedtls_ecp_group_load(&group, MBEDTLS_ECP_DP_CURVE25519);
        if (!status)
                status = read_scalar(&scalar, key);
        if (!status)
                status = point ? mbedtls_ecp_point_read_binary(&group, &from, point,
                                                               CRYPTO_KEY_BYTES)
                               : mbedtls_ecp_copy(&from, &group.G);
        if (!status)
                status = mbedtls_ecp_mul(&group, &to, &scalar, &from, random_bytes, NULL);
        if (!status)
                status = mbedtls_mpi_write_binary_le(&to.X, out, CRYPTO_KEY_BYTES);
        mbedtls_mpi_free(&scalar);
        mbedtls_ecp_point_free(&to);
        mbedtls_ecp_point_free(&from);
        mbedtls_ecp_group_free(&group);
        return result(status);
}

enum crypto_result crypto_public(const uint8_t key[CRYPTO_KEY_BYTES],
                                 uint8_t public_key[CRYPTO_KEY_BYTES])
{
        return multiply(key, NULL, public_key);
}

enum crypto_result crypto_shared(const uint8_t key[CRYPTO_KEY_BYTES],
                                 const uint8_t public_key[CRYPTO_KEY_BYTES],
                                 uint8_t secret[CRYPTO_KEY_BYTES])
{
        static const uint8_t none[CRYPTO_KEY_BYTES];
        const enum crypto_result done = multiply(key, public_key, secret);

        if (done == CRYPTO_OK && crypto_equal(secret, none, sizeof(none)))
                return CRYPTO_BAD;
        return done;
}

enum crypto_result crypto_derive(const void *salt, size_t salt_bytes, const void *secret,
                                 size_t secret_bytes, const void *info, size_t info_bytes,
                                 void *out, size_t bytes)
{
        return result(mbedtls_hkdf(mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), salt, salt_bytes,
                                   secret, secret_bytes, info, info_bytes, out, bytes));
}

bool crypto_equal(const void *a, const void *b, size_t bytes)
{
        const volatile uint8_t *const left = a, *const right = b;
        uint8_t differ = 0;

        for (size_t i = 0; i < bytes; i++)
                differ |= left[i] ^ right[i];
        return !differ;
}

void crypto_wipe(void *data, size_t bytes)
{
        mbedtls_platform_zeroize(data, bytes);
}
