/* SPDX-License-Identifier: BSD-2-Clause */
/* Fuzzes the reader of sealed images, with cryptography that accepts every tag: an opened blob
 * must be safe to use, and a refused one must leave no data. */
#include <stdlib.h>
#include <string.h>

#include "seal.h"

#define PAGE 4096u

/* Fields of a blob. */
#define LENGTH_AT       12u
#define MACHINES_AT     16u
#define CONTENT_AT      20u
#define PARTS_AT        40u /* of the content */
#define PHRASE_BYTES_AT 48u
#define SECRET_BYTES_AT 52u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

static uint32_t get32(const uint8_t *at)
{
        uint32_t value;

        memcpy(&value, at, sizeof(value));
        return value;
}

static void put32(uint8_t *at, size_t value)
{
        const uint32_t number = (uint32_t)value;

        memcpy(at, &number, sizeof(number));
}

/* Makes the lengths of a changed blob agree, which random changes hardly ever do. */
static void repair(uint8_t *data, size_t size)
{
        const size_t head =
                SEAL_HEADER_BYTES + (size_t)get32(data + MACHINES_AT) * SEAL_MACHINE_BYTES;
        const size_t least = head + SEAL_FIXED_BYTES + CRYPTO_TAG_BYTES;

        if (size < least)
                return;
        put32(data + LENGTH_AT, size);
        put32(data + CONTENT_AT, size - head - CRYPTO_TAG_BYTES);

        uint8_t *const content = data + head;
        const size_t used = (size_t)get32(content + PARTS_AT) * SEAL_PART_BYTES +
                            get32(content + PHRASE_BYTES_AT);

        if (used <= size - least)
                put32(content + SECRET_BYTES_AT, size - least - used);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
        size = LLVMFuzzerMutate(data, size, max_size);
        if (seed % 4 && size >= SEAL_HEADER_BYTES)
                repair(data, size);
        return size;
}

static void need(bool good)
{
        if (!good)
                abort();
}

static bool is_inside(const struct seal *seal, const uint8_t *data, size_t bytes)
{
        const size_t at = (size_t)(data - seal->plain);

        return data >= seal->plain && at <= sizeof(seal->plain) &&
               bytes <= sizeof(seal->plain) - at;
}

static bool is_range(const struct seal *seal, uint64_t at, uint64_t bytes)
{
        return at % PAGE == 0 && bytes % PAGE == 0 && bytes && at < seal->memory &&
               bytes <= seal->memory - at;
}

static void check_places(const struct seal *seal)
{
        uint64_t end = 0;

        need(is_range(seal, seal->blob, SEAL_ROOM_BYTES));
        need(is_range(seal, seal->tables, SEAL_TABLES_BYTES));
        for (unsigned i = 0; i < seal->parts; i++) {
                const struct seal_part *const part = &seal->part[i];

                need(is_range(seal, part->address, part->bytes) && part->address >= end);
                end = part->address + part->bytes;
                need(end <= seal->blob || part->address >= seal->blob + SEAL_ROOM_BYTES);
                need(end <= seal->tables || part->address >= seal->tables + SEAL_TABLES_BYTES);
        }
        need(seal->entry < seal->memory && is_range(seal, seal->params, PAGE));
}

static void check_policy(const struct seal *seal)
{
        const uint32_t flags = get32(seal->plain);

        need(flags < 4 && seal->debug == (flags & 1) && seal->vector_128 == flags >> 1);
        need(seal->vcpus && seal->vcpus <= SEAL_VCPUS_MAX);
}

static void check_secrets(const struct seal *seal)
{
        need(seal->secrets <= SEAL_SECRETS_MAX && seal->phrase_bytes <= SEAL_PHRASE_MAX);
        need(is_inside(seal, seal->phrase, seal->phrase_bytes));
        for (unsigned i = 0; i < seal->secrets; i++) {
                const struct seal_secret *const secret = &seal->secret[i];

                need(secret->name_bytes && secret->name_bytes <= SEAL_NAME_MAX);
                need(is_inside(seal, secret->name, secret->name_bytes));
                need(secret->value_bytes <= SEAL_VALUE_MAX);
                need(is_inside(seal, secret->value, secret->value_bytes));
                need(seal_find_secret(seal, secret->name, secret->name_bytes) == secret);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const uint8_t key[CRYPTO_KEY_BYTES];
        static struct seal seal, none;

        if (seal_open(&seal, key, data, size) == SEAL_OK) {
                need(seal.parts && seal.parts <= SEAL_PARTS_MAX);
                check_policy(&seal);
                check_places(&seal);
                check_secrets(&seal);
        } else {
                need(!memcmp(&seal, &none, sizeof(seal)));
        }
        return 0;
}
