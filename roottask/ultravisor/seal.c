/* SPDX-License-Identifier: BSD-2-Clause */
/* Opens the blob of a sealed image (see seal.h). sdk/lib/nova/seal_blob.py makes the same checks in
 * the same order, so that both refuse a blob for the same reason. */
#include "seal.h"

#include <string.h>

#define PAGE 4096u

#define BLOB_MAGIC     "NOVABLOB"
#define KEY_MAGIC      "NOVA-MACHINE-KEY"
#define INFO           "nova sealed image 1"
#define MAGIC_BYTES    8u
#define KEY_FILE_MAGIC 16u

/* Fields of the header. */
#define VERSION_AT  8u
#define LENGTH_AT   12u
#define MACHINES_AT 16u
#define CONTENT_AT  20u
#define NONCE_AT    24u
#define RESERVED_AT 36u

/* Fields of a machine's row. */
#define IDENTITY_AT 0u
#define PUBLIC_AT   32u
#define KEY_AT      64u
#define KEY_TAG_AT  96u

/* Fields of the decrypted part. */
#define FLAGS_AT        0u
#define VCPUS_AT        4u
#define MEMORY_AT       8u
#define ENTRY_AT        16u
#define PARAMS_AT       24u
#define TABLES_AT       32u
#define PARTS_AT        40u
#define SECRETS_AT      44u
#define PHRASE_BYTES_AT 48u
#define SECRET_BYTES_AT 52u
#define BLOB_AT         56u
#define FLAG_DEBUG      1u
#define FLAG_VECTOR_128 2u
#define FLAGS           (FLAG_DEBUG | FLAG_VECTOR_128)

/* Fields of a part. */
#define PART_KIND_AT     0u
#define PART_RESERVED_AT 4u
#define PART_ADDRESS_AT  8u
#define PART_BYTES_AT    16u
#define PART_DIGEST_AT   24u

/* Public part of a blob. */
struct header {
        uint32_t machines, content;
        const uint8_t *nonce;
};

static uint16_t get16(const uint8_t *at)
{
        uint16_t value;

        memcpy(&value, at, sizeof(value));
        return value;
}

static uint32_t get32(const uint8_t *at)
{
        uint32_t value;

        memcpy(&value, at, sizeof(value));
        return value;
}

static uint64_t get64(const uint8_t *at)
{
        uint64_t value;

        memcpy(&value, at, sizeof(value));
        return value;
}

/* Returns @p refusal if an operation failed, SEAL_NO_MEMORY if it lacked memory, SEAL_OK if it
 * succeeded. */
static enum seal_status failed(enum crypto_result result, enum seal_status refusal)
{
        switch (result) {
        case CRYPTO_OK:
                return SEAL_OK;
        case CRYPTO_NO_MEMORY:
                return SEAL_NO_MEMORY;
        default:
                return refusal;
        }
}

bool seal_read_key(const void *file, size_t bytes, uint8_t key[CRYPTO_KEY_BYTES])
{
        if (bytes != SEAL_KEY_FILE_BYTES || memcmp(file, KEY_MAGIC, KEY_FILE_MAGIC) != 0)
                return false;
        memcpy(key, (const uint8_t *)file + KEY_FILE_MAGIC, CRYPTO_KEY_BYTES);
        return true;
}

static enum seal_status read_header(const uint8_t *blob, size_t bytes, struct header *header)
{
        uint64_t length;

        if (bytes < MAGIC_BYTES || memcmp(blob, BLOB_MAGIC, MAGIC_BYTES) != 0)
                return SEAL_NO_BLOB;
        if (bytes < SEAL_HEADER_BYTES)
                return SEAL_CUT_OFF;
        if (get32(blob + VERSION_AT) != SEAL_FORMAT)
                return SEAL_VERSION;
        header->machines = get32(blob + MACHINES_AT);
        header->content = get32(blob + CONTENT_AT);
        header->nonce = blob + NONCE_AT;
        if (!header->machines || header->machines > SEAL_MACHINES_MAX)
                return SEAL_MACHINES;
        if (header->content < SEAL_FIXED_BYTES || header->content > SEAL_CONTENT_MAX)
                return SEAL_CONTENT;
        if (get32(blob + RESERVED_AT))
                return SEAL_RESERVED;
        length = SEAL_HEADER_BYTES + (uint64_t)header->machines * SEAL_MACHINE_BYTES +
                 header->content + CRYPTO_TAG_BYTES;
        if (get32(blob + LENGTH_AT) != length)
                return SEAL_LENGTHS;
        return length > bytes ? SEAL_CUT_OFF : SEAL_OK;
}

/* Decrypts with a key that is used once. */
static enum crypto_result open_once(const uint8_t key[CRYPTO_KEY_BYTES],
                                    const uint8_t nonce[CRYPTO_NONCE_BYTES], const void *with,
                                    size_t with_bytes, const uint8_t *in, size_t bytes, void *out)
{
        struct crypto_gcm gcm;
        enum crypto_result result = crypto_gcm_begin(&gcm, key);

        if (result != CRYPTO_OK)
                return result;
        result = crypto_gcm_open(&gcm, nonce, with, with_bytes, in, bytes, in + bytes, out);
        crypto_gcm_end(&gcm);
        return result;
}

/* Decrypts the blob's key in the row of this machine. */
static enum crypto_result unwrap(const uint8_t *blob, const uint8_t *row,
                                 const uint8_t key[CRYPTO_KEY_BYTES],
                                 const uint8_t public_key[CRYPTO_KEY_BYTES],
                                 uint8_t blob_key[CRYPTO_KEY_BYTES])
{
        uint8_t secret[CRYPTO_KEY_BYTES], derived[CRYPTO_KEY_BYTES + CRYPTO_NONCE_BYTES];
        uint8_t salt[2 * CRYPTO_KEY_BYTES], with[LENGTH_AT + CRYPTO_DIGEST_BYTES];
        enum crypto_result result;

        memcpy(salt, row + PUBLIC_AT, CRYPTO_KEY_BYTES);
        memcpy(salt + CRYPTO_KEY_BYTES, public_key, CRYPTO_KEY_BYTES);
        memcpy(with, blob, LENGTH_AT); /* magic and version */
        memcpy(with + LENGTH_AT, row + IDENTITY_AT, CRYPTO_DIGEST_BYTES);
        result = crypto_shared(key, row + PUBLIC_AT, secret);
        if (result == CRYPTO_OK)
                result = crypto_derive(salt, sizeof(salt), secret, sizeof(secret), INFO,
                                       sizeof(INFO) - 1, derived, sizeof(derived));
        if (result == CRYPTO_OK)
                result = open_once(derived, derived + CRYPTO_KEY_BYTES, with, sizeof(with),
                                   row + KEY_AT, CRYPTO_KEY_BYTES, blob_key);
        crypto_wipe(secret, sizeof(secret));
        crypto_wipe(derived, sizeof(derived));
        return result;
}

/* Finds the row of the machine with the private key @p key, and decrypts the blob's key. */
static enum seal_status find_key(const uint8_t *blob, const struct header *header,
                                 const uint8_t key[CRYPTO_KEY_BYTES],
                                 uint8_t blob_key[CRYPTO_KEY_BYTES])
{
        const uint8_t *row = blob + SEAL_HEADER_BYTES;
        uint8_t public_key[CRYPTO_KEY_BYTES], identity[CRYPTO_DIGEST_BYTES];
        enum seal_status status = failed(crypto_public(key, public_key), SEAL_NO_KEY);

        if (status != SEAL_OK)
                return status;
        crypto_sha256_all(public_key, sizeof(public_key), identity);
        for (uint32_t i = 0; i < header->machines; i++, row += SEAL_MACHINE_BYTES)
                if (!memcmp(row + IDENTITY_AT, identity, sizeof(identity)))
                        return failed(unwrap(blob, row, key, public_key, blob_key),
                                      SEAL_KEY_DAMAGED);
        return SEAL_NO_KEY;
}

static enum seal_status read_part(struct seal_part *part, const uint8_t *at, uint64_t memory)
{
        const uint32_t kind = get32(at + PART_KIND_AT);

        part->address = get64(at + PART_ADDRESS_AT);
        part->bytes = get64(at + PART_BYTES_AT);
        memcpy(part->digest, at + PART_DIGEST_AT, sizeof(part->digest));
        if (kind < SEAL_START || kind > SEAL_ACPI || get32(at + PART_RESERVED_AT))
                return SEAL_PART;
        part->kind = (enum seal_kind)kind;
        if (!part->bytes || part->bytes % PAGE || part->address % PAGE)
                return SEAL_PART;
        if (part->bytes > memory || part->address > memory - part->bytes)
                return SEAL_PART;
        return SEAL_OK;
}

static enum seal_status read_parts(struct seal *seal)
{
        uint64_t end = 0;

        for (unsigned i = 0; i < seal->parts; i++) {
                struct seal_part *const part = &seal->part[i];
                const uint8_t *const at = seal->plain + SEAL_FIXED_BYTES + i * SEAL_PART_BYTES;
                const enum seal_status status = read_part(part, at, seal->memory);

                if (status != SEAL_OK)
                        return status;
                if (part->address < end)
                        return SEAL_OVERLAP;
                end = part->address + part->bytes;
        }
        return SEAL_OK;
}

/* Returns true if a range begins at a page boundary, lies in the guest's memory, and overlaps no
 * part. */
static bool is_free(const struct seal *seal, uint64_t address, uint64_t bytes)
{
        if (address % PAGE || bytes > seal->memory || address > seal->memory - bytes)
                return false;
        for (unsigned i = 0; i < seal->parts; i++) {
                const struct seal_part *const part = &seal->part[i];

                if (part->address < address + bytes && address < part->address + part->bytes)
                        return false;
        }
        return true;
}

static bool is_in_kernel(const struct seal *seal, uint64_t address)
{
        for (unsigned i = 0; i < seal->parts; i++) {
                const struct seal_part *const part = &seal->part[i];

                if (part->kind == SEAL_KERNEL && address >= part->address &&
                    address - part->address < part->bytes)
                        return true;
        }
        return false;
}

/* Returns true if exactly one part has boot parameters, and this part is the page at `params`. */
static bool has_params(const struct seal *seal)
{
        unsigned found = 0;

        for (unsigned i = 0; i < seal->parts; i++) {
                const struct seal_part *const part = &seal->part[i];

                if (part->kind != SEAL_BOOT_PARAMS)
                        continue;
                if (part->address != seal->params || part->bytes != PAGE)
                        return false;
                found++;
        }
        return found == 1;
}

static enum seal_status check_places(const struct seal *seal)
{
        if (!is_free(seal, seal->blob, SEAL_ROOM_BYTES) ||
            !is_free(seal, seal->tables, SEAL_TABLES_BYTES))
                return SEAL_PLACE;
        if (seal->tables < seal->blob + SEAL_ROOM_BYTES &&
            seal->blob < seal->tables + SEAL_TABLES_BYTES)
                return SEAL_PLACE;
        if (!is_in_kernel(seal, seal->entry))
                return SEAL_ENTRY;
        return has_params(seal) ? SEAL_OK : SEAL_PARAMS;
}

static bool is_name(const uint8_t *name, size_t bytes)
{
        static const char others[] = "._-";

        for (size_t i = 0; i < bytes; i++) {
                const uint8_t c = name[i];
                const bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');

                if (!letter && !(c >= '0' && c <= '9') && !memchr(others, c, sizeof(others) - 1))
                        return false;
        }
        return bytes >= 1 && bytes <= SEAL_NAME_MAX;
}

/* Reads a secret from the @p left bytes at @p at. @return its size, 0 if it is refused */
static size_t read_secret(struct seal *seal, const uint8_t *at, size_t left)
{
        struct seal_secret *const secret = &seal->secret[seal->secrets];

        if (left < SEAL_SECRET_BYTES)
                return 0;
        secret->name_bytes = get16(at);
        secret->value_bytes = get16(at + 2);
        secret->name = at + SEAL_SECRET_BYTES;
        secret->value = secret->name + secret->name_bytes;
        if (secret->value_bytes > SEAL_VALUE_MAX ||
            secret->name_bytes + secret->value_bytes > left - SEAL_SECRET_BYTES ||
            !is_name(secret->name, secret->name_bytes) ||
            seal_find_secret(seal, secret->name, secret->name_bytes))
                return 0;
        seal->secrets++;
        return SEAL_SECRET_BYTES + secret->name_bytes + secret->value_bytes;
}

static enum seal_status read_secrets(struct seal *seal, unsigned count, const uint8_t *at,
                                     size_t left)
{
        for (unsigned i = 0; i < count; i++) {
                const size_t used = read_secret(seal, at, left);

                if (!used)
                        return SEAL_SECRET;
                at += used;
                left -= used;
        }
        return left ? SEAL_SECRET : SEAL_OK;
}

static enum seal_status read_policy(struct seal *seal)
{
        const uint8_t *const plain = seal->plain;
        const uint32_t flags = get32(plain + FLAGS_AT);

        seal->debug = flags & FLAG_DEBUG;
        seal->vector_128 = flags & FLAG_VECTOR_128;
        seal->vcpus = get32(plain + VCPUS_AT);
        seal->memory = get64(plain + MEMORY_AT);
        seal->entry = get64(plain + ENTRY_AT);
        seal->params = get64(plain + PARAMS_AT);
        seal->tables = get64(plain + TABLES_AT);
        seal->blob = get64(plain + BLOB_AT);
        if (flags & ~FLAGS || !seal->vcpus || seal->vcpus > SEAL_VCPUS_MAX)
                return SEAL_POLICY;
        if (!seal->memory || seal->memory % SEAL_MEMORY_UNIT || seal->memory > SEAL_MEMORY_MAX)
                return SEAL_POLICY;
        return SEAL_OK;
}

enum seal_status seal_read_plain(struct seal *seal, size_t bytes)
{
        const uint8_t *const plain = seal->plain;
        const uint32_t parts = get32(plain + PARTS_AT), secrets = get32(plain + SECRETS_AT);
        const uint32_t phrase = get32(plain + PHRASE_BYTES_AT);
        const uint64_t secret_bytes = get32(plain + SECRET_BYTES_AT);
        enum seal_status status = read_policy(seal);
        size_t at;

        if (status != SEAL_OK)
                return status;
        if (!parts || parts > SEAL_PARTS_MAX)
                return SEAL_PARTS;
        if (secrets > SEAL_SECRETS_MAX)
                return SEAL_SECRETS;
        if (phrase > SEAL_PHRASE_MAX)
                return SEAL_PHRASE;
        at = SEAL_FIXED_BYTES + parts * SEAL_PART_BYTES;
        if (at + phrase + secret_bytes != bytes)
                return SEAL_LENGTHS;
        seal->parts = parts;
        seal->secrets = 0;
        seal->phrase = plain + at;
        seal->phrase_bytes = phrase;
        status = read_parts(seal);
        if (status == SEAL_OK)
                status = check_places(seal);
        if (status == SEAL_OK)
                status = read_secrets(seal, secrets, plain + at + phrase, secret_bytes);
        return status;
}

enum seal_status seal_open(struct seal *seal, const uint8_t key[CRYPTO_KEY_BYTES],
                           const uint8_t *blob, size_t bytes)
{
        uint8_t blob_key[CRYPTO_KEY_BYTES];
        struct header header;
        enum seal_status status = read_header(blob, bytes, &header);
        size_t at;

        memset(seal, 0, sizeof(*seal));
        if (status != SEAL_OK)
                return status;
        at = SEAL_HEADER_BYTES + header.machines * SEAL_MACHINE_BYTES;
        status = find_key(blob, &header, key, blob_key);
        if (status == SEAL_OK)
                status = failed(open_once(blob_key, header.nonce, blob, at, blob + at,
                                          header.content, seal->plain),
                                SEAL_DAMAGED);
        crypto_wipe(blob_key, sizeof(blob_key));
        if (status == SEAL_OK)
                status = seal_read_plain(seal, header.content);
        if (status != SEAL_OK)
                seal_wipe(seal);
        return status;
}

bool seal_matches(const struct seal_part *part, const uint8_t digest[CRYPTO_DIGEST_BYTES])
{
        return crypto_equal(part->digest, digest, CRYPTO_DIGEST_BYTES);
}

const struct seal_secret *seal_find_secret(const struct seal *seal, const void *name, size_t bytes)
{
        for (unsigned i = 0; i < seal->secrets; i++)
                if (seal->secret[i].name_bytes == bytes &&
                    !memcmp(seal->secret[i].name, name, bytes))
                        return &seal->secret[i];
        return NULL;
}

void seal_wipe(struct seal *seal)
{
        crypto_wipe(seal, sizeof(*seal));
}

#define TEXTS(name, status, sentence) {#name, "U_" #status, sentence},
static const struct {
        const char *name, *u_name, *sentence;
} texts[] = {SEAL_STATUS_ROWS(TEXTS)};
#undef TEXTS

const char *seal_sentence(enum seal_status status)
{
        return texts[status].sentence;
}

const char *seal_name(enum seal_status status)
{
        return texts[status].name;
}

const char *seal_u_name(enum seal_status status)
{
        return texts[status].u_name;
}
