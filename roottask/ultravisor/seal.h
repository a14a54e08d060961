/* SPDX-License-Identifier: BSD-2-Clause */
/* The blob of a sealed image: the policy of a secure VM, its parts and its secrets, encrypted for
 * the machines that may run it. docs/manual/secure-format.md describes each byte, and
 * sdk/lib/nova/seal_blob.py writes it. */
#ifndef ULTRAVISOR_SEAL_H
#define ULTRAVISOR_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto.h"

#define SEAL_FORMAT         1u /* version */
#define SEAL_MACHINES_MAX   16u
#define SEAL_PARTS_MAX      16u
#define SEAL_SECRETS_MAX    16u
#define SEAL_NAME_MAX       31u
#define SEAL_VALUE_MAX      4096u
#define SEAL_PHRASE_MAX     512u
#define SEAL_VCPUS_MAX      64u
#define SEAL_MEMORY_UNIT    0x200000u
#define SEAL_MEMORY_MAX     0xc0000000u
#define SEAL_KEY_FILE_BYTES 48u /* size of machine.key */

/* Sizes in bytes of the parts of a blob. */
#define SEAL_HEADER_BYTES  40u
#define SEAL_MACHINE_BYTES 112u
#define SEAL_FIXED_BYTES   64u
#define SEAL_PART_BYTES    56u
#define SEAL_SECRET_BYTES  4u
#define SEAL_CONTENT_MAX                                                         \
        (SEAL_FIXED_BYTES + SEAL_PARTS_MAX * SEAL_PART_BYTES + SEAL_PHRASE_MAX + \
         SEAL_SECRETS_MAX * (SEAL_SECRET_BYTES + SEAL_NAME_MAX + SEAL_VALUE_MAX))

/* Sizes in bytes of the areas of the guest's memory for the largest blob, and for the page tables
 * and the descriptor table that the ultravisor makes. */
#define SEAL_ROOM_BYTES   0x11000u
#define SEAL_TABLES_BYTES 0x8000u

/* Reasons to refuse a blob: name, status of UV_ESM, the rest of a sentence. */
#define SEAL_STATUS_ROWS(ROW)                                                                      \
        ROW(OK, SUCCESS, "the blob is in order")                                                   \
        ROW(NO_MEMORY, RETRY, "there is not enough memory to open the blob")                       \
        ROW(NO_BLOB, PARAMETER, "there is no blob")                                                \
        ROW(CUT_OFF, PERMISSION, "the blob is cut off")                                            \
        ROW(VERSION, PERMISSION, "the blob has another version")                                   \
        ROW(MACHINES, PERMISSION, "the blob has no machine or too many of them")                   \
        ROW(CONTENT, PERMISSION, "the encrypted part of the blob is too short or too long")        \
        ROW(RESERVED, PERMISSION, "a reserved field of the blob is not 0")                         \
        ROW(LENGTHS, PERMISSION, "the lengths in the blob do not agree")                           \
        ROW(NO_KEY, NO_KEY, "the image is not sealed for this machine")                            \
        ROW(KEY_DAMAGED, PERMISSION, "the blob's key for this machine is damaged")                 \
        ROW(DAMAGED, PERMISSION, "the blob is damaged")                                            \
        ROW(POLICY, PERMISSION,                                                                    \
            "the policy has an unknown bit, or a wrong number of virtual CPUs or bytes of memory") \
        ROW(PARTS, PERMISSION, "the image has no part or too many of them")                        \
        ROW(SECRETS, PERMISSION, "the image has too many secrets")                                 \
        ROW(PHRASE, PERMISSION, "the phrase is too long")                                          \
        ROW(PART, PERMISSION,                                                                      \
            "a part is empty, of unknown kind, not made of whole pages, or outside the memory")    \
        ROW(OVERLAP, PERMISSION, "two parts overlap or are out of order")                          \
        ROW(PLACE, PERMISSION, "the place of the blob or of the page tables is not free")          \
        ROW(ENTRY, PERMISSION, "the entry is not in the kernel")                                   \
        ROW(PARAMS, PERMISSION, "the boot parameters are not a part of one page")                  \
        ROW(SECRET, PERMISSION, "a secret has a wrong name or length")

#define SEAL_STATUS_NAME(name, status, sentence) SEAL_##name,
enum seal_status { SEAL_STATUS_ROWS(SEAL_STATUS_NAME) };
#undef SEAL_STATUS_NAME

/* Kinds of parts. */
enum seal_kind {
        SEAL_START = 1,
        SEAL_KERNEL,
        SEAL_INITRD,
        SEAL_BOOT_PARAMS,
        SEAL_COMMAND_LINE,
        SEAL_ACPI,
};

/* A range of the guest's memory in whole pages, and the SHA-256 sum of its content. */
struct seal_part {
        enum seal_kind kind;
        uint64_t address, bytes;
        uint8_t digest[CRYPTO_DIGEST_BYTES];
};

/* A secret of the guest. Both pointers point into `plain` of struct seal. */
struct seal_secret {
        const uint8_t *name, *value;
        size_t name_bytes, value_bytes;
};

/* An opened blob. */
struct seal {
        bool debug;      /* the debug registers are the guest's */
        bool vector_128; /* the VMM may send vector 128 */
        unsigned vcpus;  /* maximum number of virtual CPUs */
        uint64_t memory;
        uint64_t entry;  /* guest-physical address of the first instruction in secure mode */
        uint64_t params; /* guest-physical address of the boot parameters */
        uint64_t tables; /* guest-physical address of SEAL_TABLES_BYTES for the ultravisor */
        uint64_t blob;   /* guest-physical address of the blob; UV_ESM must be called with it */
        unsigned parts;  /* number of parts, sorted by address, without overlap */
        struct seal_part part[SEAL_PARTS_MAX];
        const uint8_t *phrase; /* points into `plain` */
        size_t phrase_bytes;
        unsigned secrets;
        struct seal_secret secret[SEAL_SECRETS_MAX];
        uint8_t plain[SEAL_CONTENT_MAX]; /* the decrypted part of the blob */
};

/* Reads the private key out of the file machine.key. @return false if the file has another format
 */
bool seal_read_key(const void *file, size_t bytes, uint8_t key[CRYPTO_KEY_BYTES]);

/* Opens a blob with the private key of this machine, and checks all of it. No other program may
 * change the blob meanwhile: copy it first. @param bytes number of bytes that are readable at
 * @p blob, which may exceed the size of the blob
 * @return SEAL_OK, or the first reason to refuse it; then @p seal contains no secret */
enum seal_status seal_open(struct seal *seal, const uint8_t key[CRYPTO_KEY_BYTES],
                           const uint8_t *blob, size_t bytes);

/* Checks the decrypted part, the first @p bytes of `plain`, and fills in the other fields. For
 * seal_open() and tests. */
enum seal_status seal_read_plain(struct seal *seal, size_t bytes);

/* Returns true if the sum of a part equals @p digest, the sum of its content in secure memory. */
bool seal_matches(const struct seal_part *part, const uint8_t digest[CRYPTO_DIGEST_BYTES]);

/* Finds a secret by its name. @return NULL if there is none */
const struct seal_secret *seal_find_secret(const struct seal *seal, const void *name, size_t bytes);

/* Wipes an opened blob. */
void seal_wipe(struct seal *seal);

/* Returns a status as the rest of a sentence. */
const char *seal_sentence(enum seal_status status);
/* Returns the name of a status, such as "NO_KEY". */
const char *seal_name(enum seal_status status);
/* Returns the name of the status of UV_ESM, such as "U_NO_KEY". */
const char *seal_u_name(enum seal_status status);

#endif
