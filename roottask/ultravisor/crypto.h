/* SPDX-License-Identifier: BSD-2-Clause */
/* Cryptography of the ultravisor; crypto.c is the only user of mbedTLS. */
#ifndef ULTRAVISOR_CRYPTO_H
#define ULTRAVISOR_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CRYPTO_KEY_BYTES    32u
#define CRYPTO_NONCE_BYTES  12u
#define CRYPTO_TAG_BYTES    16u
#define CRYPTO_DIGEST_BYTES 32u

enum crypto_result {
        CRYPTO_OK,
        CRYPTO_BAD,       /* the input is wrong: its tag does not match, or a key has no secret */
        CRYPTO_NO_MEMORY, /* no memory is left in the heap */
};

/* A SHA-256 sum in progress. It uses no memory of the heap. */
struct crypto_sha256 {
        uint64_t space[14];
};

/* A key of AES-256-GCM. */
struct crypto_gcm {
        uint64_t space[64];
};

/* Seeds the random generator. Must be called before all other functions, and before the program has
 * a second thread. @param source returns the number of random bytes that it has written;
 * crypto_random() calls it again from time to time.
 * @return CRYPTO_OK, or CRYPTO_BAD if the source has too few bytes */
enum crypto_result crypto_init(size_t (*source)(void *to, size_t bytes));

/* Writes random bytes. Threads may call it at the same time. @return CRYPTO_OK, or CRYPTO_BAD if
 * the source of random bytes has failed */
enum crypto_result crypto_random(void *to, size_t bytes);

void crypto_sha256_begin(struct crypto_sha256 *sum);
void crypto_sha256_add(struct crypto_sha256 *sum, const void *data, size_t bytes);
/* Ends a sum, and wipes it. */
void crypto_sha256_end(struct crypto_sha256 *sum, uint8_t digest[CRYPTO_DIGEST_BYTES]);
void crypto_sha256_all(const void *data, size_t bytes, uint8_t digest[CRYPTO_DIGEST_BYTES]);

/* Prepares a key. @return CRYPTO_OK; CRYPTO_NO_MEMORY, after which crypto_gcm_end() is not
 * needed */
enum crypto_result crypto_gcm_begin(struct crypto_gcm *gcm, const uint8_t key[CRYPTO_KEY_BYTES]);
/* Encrypts @p bytes from @p in to @p out, which may be one buffer, and authenticates them together
 * with the @p with_bytes bytes at @p with. A nonce may be used only once with each key. */
enum crypto_result crypto_gcm_seal(struct crypto_gcm *gcm, const uint8_t nonce[CRYPTO_NONCE_BYTES],
                                   const void *with, size_t with_bytes, const void *in,
                                   size_t bytes, void *out, uint8_t tag[CRYPTO_TAG_BYTES]);
/* Decrypts. @return CRYPTO_OK; CRYPTO_BAD if the tag is wrong; then @p out is filled with 0 */
enum crypto_result crypto_gcm_open(struct crypto_gcm *gcm, const uint8_t nonce[CRYPTO_NONCE_BYTES],
                                   const void *with, size_t with_bytes, const void *in,
                                   size_t bytes, const uint8_t tag[CRYPTO_TAG_BYTES], void *out);
/* Wipes and frees a key. */
void crypto_gcm_end(struct crypto_gcm *gcm);

/* Computes the public key of a private one (X25519). */
enum crypto_result crypto_public(const uint8_t key[CRYPTO_KEY_BYTES],
                                 uint8_t public_key[CRYPTO_KEY_BYTES]);
/* Computes the secret that a private key and the public key of another pair share (X25519).
 * @return CRYPTO_OK; CRYPTO_BAD if the public key is one of the few without a secret */
enum crypto_result crypto_shared(const uint8_t key[CRYPTO_KEY_BYTES],
                                 const uint8_t public_key[CRYPTO_KEY_BYTES],
                                 uint8_t secret[CRYPTO_KEY_BYTES]);
/* Derives @p bytes of key material from a secret (HKDF with SHA-256). */
enum crypto_result crypto_derive(const void *salt, size_t salt_bytes, const void *secret,
                                 size_t secret_bytes, const void *info, size_t info_bytes,
                                 void *out, size_t bytes);

/* Compares bytes in a time that does not depend on their values. */
bool crypto_equal(const void *a, const void *b, size_t bytes);
/* Overwrites a secret. */
void crypto_wipe(void *data, size_t bytes);

#endif
