/* SPDX-License-Identifier: BSD-2-Clause */
/* The ultravisor's cryptography gives known answers, and refuses changed input. Runs on the host,
 * and in a booted system with the library as it is built for the ultravisor. */
#include <stdlib.h>
#include <string.h>

#include "../runtime/tap.h"
#include "answers.h"
#include "crypto.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct bytes {
        uint8_t data[512];
        size_t count;
};

/* Gives the test's bytes in place of random ones, which only blind the computation of X25519. */
static size_t count_up(void *to, size_t bytes)
{
        static uint8_t next;

        for (size_t i = 0; i < bytes; i++)
                ((uint8_t *)to)[i] = next++;
        return bytes;
}

static size_t give_nothing(void *to, size_t bytes)
{
        (void)to;
        (void)bytes;
        return 0;
}

static unsigned digit(char c)
{
        return c <= '9' ? (unsigned)(c - '0') : (unsigned)(c - 'a') + 10;
}

static struct bytes read_hex(const char *text)
{
        struct bytes found = {.count = strlen(text) / 2};

        for (size_t i = 0; i < found.count && i < sizeof(found.data); i++)
                found.data[i] = (uint8_t)(digit(text[2 * i]) << 4 | digit(text[2 * i + 1]));
        return found;
}

static bool is_equal(const void *data, const struct bytes *wanted)
{
        return !memcmp(data, wanted->data, wanted->count);
}

static bool seals(unsigned i)
{
        const struct bytes key = read_hex(gcm_answers[i].key);
        const struct bytes nonce = read_hex(gcm_answers[i].nonce);
        const struct bytes plain = read_hex(gcm_answers[i].plain);
        const struct bytes with = read_hex(gcm_answers[i].with);
        const struct bytes sealed = read_hex(gcm_answers[i].sealed);
        const struct bytes tag = read_hex(gcm_answers[i].tag);
        struct crypto_gcm gcm;
        uint8_t out[512], out_tag[CRYPTO_TAG_BYTES];
        bool good = crypto_gcm_begin(&gcm, key.data) == CRYPTO_OK;

        good = good && crypto_gcm_seal(&gcm, nonce.data, with.data, with.count, plain.data,
                                       plain.count, out, out_tag) == CRYPTO_OK;
        good = good && is_equal(out, &sealed) && is_equal(out_tag, &tag);
        good = good && crypto_gcm_open(&gcm, nonce.data, with.data, with.count, sealed.data,
                                       sealed.count, tag.data, out) == CRYPTO_OK;
        crypto_gcm_end(&gcm);
        return good && is_equal(out, &plain);
}

/* Returns true if a message is refused that differs in one bit of its tag, nonce, content or
 * associated data. */
static bool refuses(unsigned i)
{
        struct bytes part[] = {read_hex(gcm_answers[i].nonce), read_hex(gcm_answers[i].with),
                               read_hex(gcm_answers[i].sealed), read_hex(gcm_answers[i].tag)};
        const struct bytes key = read_hex(gcm_answers[i].key);
        struct crypto_gcm gcm;
        uint8_t out[512];
        bool good = crypto_gcm_begin(&gcm, key.data) == CRYPTO_OK;

        for (unsigned n = 0; n < COUNT(part); n++)
                for (size_t bit = 0; bit < 8 * part[n].count; bit += 7) {
                        part[n].data[bit / 8] ^= 1u << bit % 8;
                        good = good && crypto_gcm_open(&gcm, part[0].data, part[1].data,
                                                       part[1].count, part[2].data, part[2].count,
                                                       part[3].data, out) == CRYPTO_BAD;
                        part[n].data[bit / 8] ^= 1u << bit % 8;
                }
        crypto_gcm_end(&gcm);
        return good;
}

static bool each_gcm(bool (*holds)(unsigned i))
{
        bool good = true;

        for (unsigned i = 0; i < COUNT(gcm_answers); i++)
                good = holds(i) && good;
        return good;
}

/* Returns true if decrypted bytes with a wrong tag do not stay in the caller's memory. */
static bool gives_nothing_out(void)
{
        const struct bytes key = read_hex(gcm_answers[COUNT(gcm_answers) - 1].key);
        const uint8_t nonce[CRYPTO_NONCE_BYTES] = {0}, in[64] = {1}, none[64] = {0};
        const uint8_t tag[CRYPTO_TAG_BYTES] = {0};
        struct crypto_gcm gcm;
        uint8_t out[64];
        bool good = crypto_gcm_begin(&gcm, key.data) == CRYPTO_OK;

        memset(out, 0xaa, sizeof(out));
        good = good &&
               crypto_gcm_open(&gcm, nonce, NULL, 0, in, sizeof(in), tag, out) == CRYPTO_BAD;
        crypto_gcm_end(&gcm);
        return good && !memcmp(out, none, sizeof(out));
}

static bool hashes(void)
{
        bool good = true;

        for (unsigned i = 0; i < COUNT(sha256_answers); i++) {
                const struct bytes data = read_hex(sha256_answers[i].data);
                const struct bytes wanted = read_hex(sha256_answers[i].digest);
                uint8_t digest[CRYPTO_DIGEST_BYTES];

                crypto_sha256_all(data.data, data.count, digest);
                good = is_equal(digest, &wanted) && good;
        }
        return good;
}

/* Returns true if the hash of a million letters a, in pieces of changing size, is right. */
static bool hashes_in_pieces(void)
{
        const struct bytes wanted =
                read_hex("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
        struct crypto_sha256 sum;
        uint8_t piece[200], digest[CRYPTO_DIGEST_BYTES];
        size_t left = 1000000, size = 0;

        memset(piece, 'a', sizeof(piece));
        crypto_sha256_begin(&sum);
        for (; left; left -= size) {
                size = size % sizeof(piece) + 1;
                if (size > left)
                        size = left;
                crypto_sha256_add(&sum, piece, size);
        }
        crypto_sha256_end(&sum, digest);
        return is_equal(digest, &wanted);
}

static bool derives(void)
{
        bool good = true;

        for (unsigned i = 0; i < COUNT(hkdf_answers); i++) {
                const struct bytes secret = read_hex(hkdf_answers[i].secret);
                const struct bytes salt = read_hex(hkdf_answers[i].salt);
                const struct bytes info = read_hex(hkdf_answers[i].info);
                const struct bytes wanted = read_hex(hkdf_answers[i].derived);
                uint8_t out[512];

                good = crypto_derive(salt.data, salt.count, secret.data, secret.count, info.data,
                                     info.count, out, wanted.count) == CRYPTO_OK &&
                       is_equal(out, &wanted) && good;
        }
        return good;
}

static bool agrees(void)
{
        bool good = true;

        for (unsigned i = 0; i < COUNT(x25519_answers); i++) {
                const struct bytes key = read_hex(x25519_answers[i].key);
                const struct bytes point = read_hex(x25519_answers[i].point);
                const struct bytes wanted = read_hex(x25519_answers[i].secret);
                uint8_t secret[CRYPTO_KEY_BYTES];

                good = crypto_shared(key.data, point.data, secret) == CRYPTO_OK &&
                       is_equal(secret, &wanted) && good;
        }
        return good;
}

static bool makes_public(void)
{
        const unsigned last = COUNT(x25519_answers) - 1; /* the point 9, the base point */
        const struct bytes key = read_hex(x25519_answers[last].key);
        const struct bytes wanted = read_hex(x25519_answers[last].secret);
        uint8_t found[CRYPTO_KEY_BYTES];

        return crypto_public(key.data, found) == CRYPTO_OK && is_equal(found, &wanted);
}

static bool refuses_points(void)
{
        const struct bytes key = read_hex(x25519_answers[0].key);
        bool good = true;

        for (unsigned i = 0; i < COUNT(x25519_refused); i++) {
                const struct bytes point = read_hex(x25519_refused[i]);
                uint8_t secret[CRYPTO_KEY_BYTES];

                good = crypto_shared(key.data, point.data, secret) == CRYPTO_BAD && good;
        }
        return good;
}

static bool is_random(void)
{
        static uint8_t a[5000], b[5000];

        return crypto_random(a, sizeof(a)) == CRYPTO_OK &&
               crypto_random(b, sizeof(b)) == CRYPTO_OK && memcmp(a, b, sizeof(a)) != 0 &&
               memcmp(a, a + 2500, 2500) != 0;
}

int main(void)
{
        check(crypto_init(give_nothing) == CRYPTO_BAD, "a source without bytes is refused");
        check(crypto_init(count_up) == CRYPTO_OK, "the generator is seeded");
        check(is_random(), "random bytes of any number differ");
        check(each_gcm(seals), "AES-256-GCM seals and opens the messages of CAVS");
        check(each_gcm(refuses), "AES-256-GCM refuses a changed bit");
        check(gives_nothing_out(), "a message that is refused leaves zeroes");
        check(hashes(), "SHA-256 gives the sums of CAVS");
        check(hashes_in_pieces(), "SHA-256 gives the sum of a million letters");
        check(derives(), "HKDF gives the keys of RFC 5869");
        check(agrees(), "X25519 gives the secrets of RFC 7748");
        check(makes_public(), "X25519 gives a public key");
        check(refuses_points(), "X25519 refuses points of small order");
        return tap_end();
}
