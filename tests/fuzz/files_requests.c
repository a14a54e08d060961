/* SPDX-License-Identifier: BSD-2-Clause */
/* Hostile clients of the service `files`: any messages, in any order, with memory that they revoke,
 * while memory is short. Each client has a folder; a file outside of all folders must keep its
 * data, which no client may read. No access may leave the disk, and the number of accesses must
 * have a bound, also in one call, for which the other clients wait. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "files/cache.h"
#include "files/server.h"
#include "nova/crd.h"
#include "novart/page.h"
#include "novart/parent.h"
#include "novart/service/block.h"
#include "service.h"

#define STEP     8       /* bytes of a step; its text follows them */
#define SMALL    96      /* sectors of the small disk, which is full soon */
#define LARGE    4096    /* sectors of the large disk, on which files can have large gaps */
#define ACCESSES 2000000 /* maximum number during one input */
#define CALL     400     /* maximum number during one call */
#define SECRET   "\xa7nobody may read this" /* begins with a rare byte */
#define PIECES   4                          /* pieces of the cache */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);

/* The disks. An input uses one of them. */
static struct disk {
        const uint32_t sectors;
        uint8_t image[LARGE * 512], first_image[LARGE * 512];
        bool written[LARGE];
} disks[] = {{.sectors = SMALL}, {.sectors = LARGE}};
static struct disk *disk = disks;
static unsigned accesses;
static unsigned allocations_left; /* the allocation that fails; 0: none */
static struct volume disk_volume, archive_volume;
static bool disk_fails;
static bool gives_up; /* the client does not repeat its RENAME */

static struct grant grants[] = {
        {.client = "client0", .volume = &disk_volume, .folder = "a"},
        {.client = "client1", .volume = &disk_volume, .folder = "b"},
        {.client = "client2", .volume = &disk_volume, .folder = "a", .read_only = true},
        {.client = "client3", .volume = &archive_volume},
};

static bool has_memory(void)
{
        return !allocations_left || --allocations_left;
}

void *__wrap_malloc(size_t bytes)
{
        return has_memory() ? __real_malloc(bytes) : NULL;
}

void *__wrap_calloc(size_t count, size_t bytes)
{
        return has_memory() ? __real_calloc(count, bytes) : NULL;
}

int nova_block_open(struct nova_block **block, const char *service, const char *partition,
                    size_t pool_bytes)
{
        (void)service, (void)partition, (void)pool_bytes;
        *block = NULL;
        return 0;
}

void nova_block_close(struct nova_block *block)
{
        (void)block;
}

const struct nova_block_info *nova_block_get_info(const struct nova_block *block)
{
        static struct nova_block_info info;

        (void)block;
        info = (struct nova_block_info){.blocks = disk->sectors, .block_bytes = 512};
        return &info;
}

int nova_block_claim(struct nova_block *block, unsigned flags)
{
        (void)block, (void)flags;
        return 0;
}

static void check(uint64_t first, uint32_t count)
{
        require(count && first < disk->sectors && count <= disk->sectors - first &&
                accesses++ < ACCESSES);
}

int nova_block_read(struct nova_block *block, uint64_t first, uint32_t count, void *to)
{
        (void)block;
        check(first, count);
        memcpy(to, disk->image + first * 512, count * (size_t)512);
        return disk_fails ? EIO : 0;
}

int nova_block_write(struct nova_block *block, uint64_t first, uint32_t count, const void *from)
{
        (void)block;
        check(first, count);
        if (!disk_fails) {
                memcpy(disk->image + first * 512, from, count * (size_t)512);
                memset(disk->written + first, true, count);
        }
        return disk_fails ? EIO : 0;
}

int nova_block_flush(struct nova_block *block)
{
        (void)block;
        return 0;
}

/* Returns an archive with two files as the module. */
int nova_parent_module(const char *name, const void **memory, size_t *bytes)
{
        static uint8_t archive[6 * 512];
        static const char *const names[] = {"x", "a/y"};

        (void)name;
        memset(archive, 0, sizeof(archive));
        for (unsigned i = 0; i < 2; i++) {
                uint8_t *const block = archive + i * 1024;
                unsigned sum = 0;

                strcpy((char *)block, names[i]);
                memcpy(block + 124, "00000000005", 11);
                memcpy(block + 257, "ustar", 5);
                block[156] = '0';
                memset(block + 148, ' ', 8);
                for (unsigned k = 0; k < 512; k++)
                        sum += block[k];
                for (unsigned k = 0; k < 6; k++)
                        block[148 + k] = (uint8_t)('0' + (sum >> 3 * (5 - k) & 7));
                block[154] = 0;
                memcpy(block + 512, "text.", 5);
        }
        *memory = archive;
        *bytes = sizeof(archive);
        return 0;
}

void *nova_page_alloc(unsigned order)
{
        return aligned_alloc(NOVA_PAGE_SIZE, (size_t)NOVA_PAGE_SIZE << order);
}

/* Makes a FAT12 file system with two folders and a file. */
static void make_image(void)
{
        static const uint8_t start[] = {0xeb, 0, 0x90, 'N', 'O', 'V', 'A', 0, 0, 0, 0, 0, 2, 1};
        const uint32_t cluster = disk->sectors == LARGE ? 8 : 1; /* sectors */
        const uint32_t table = (disk->sectors / cluster * 3 / 2 + 511) / 512;
        uint8_t *const image = disk->image;
        const char *sentence;
        struct files_node *root, *node;
        size_t done;

        memcpy(image, start, sizeof(start));
        image[13] = (uint8_t)cluster;
        image[14] = 1;
        image[16] = 2;
        image[17] = 32;
        image[19] = disk->sectors & 0xff;
        image[20] = (uint8_t)(disk->sectors >> 8);
        image[21] = 0xf8;
        image[22] = (uint8_t)table;
        image[510] = 0x55;
        image[511] = 0xaa;
        for (unsigned i = 0; i < 2; i++)
                memset(image + (1 + i * table) * 512, 0xff, 3);
        require(!volume_open_blocks(&disk_volume, &sentence));
        require(!files_fat.root(disk_volume.system, &root));
        for (unsigned i = 0; i < 3; i++) {
                static const char *const names[] = {"a", "b", "secret"};

                require(!files_fat.create(root, names[i], i < 2, &node));
                if (i == 2)
                        require(!files_fat.write(node, 0, SECRET, sizeof(SECRET), &done));
                files_fat.release(node);
        }
        files_fat.release(root);
        files_fat.unmount(disk_volume.system);
        memcpy(disk->first_image, image, sizeof(disk->image));
}

/* Chooses a disk, and removes what earlier inputs have written to it. */
static void begin_disk(unsigned number)
{
        disk = &disks[number];
        for (uint32_t i = 0; i < disk->sectors; i++)
                if (disk->written[i])
                        memcpy(disk->image + i * 512, disk->first_image + i * 512, 512);
        memset(disk->written, false, sizeof(disk->written));
}

/* Ends the test if the secret has changed, or a file or a folder has been lost. */
static void check_secret(void)
{
        char text[sizeof(SECRET)] = "";
        struct files_node *root, *node;
        size_t done = 0;

        require(!files_fat.root(disk_volume.system, &root));
        require(!files_fat.lookup(root, "secret", &node));
        require(!files_fat.read(node, 0, text, sizeof(text), &done));
        require(done == sizeof(text) && !memcmp(text, SECRET, sizeof(text)));
        files_fat.release(node);
        files_fat.release(root);
}

static bool has_secret(const void *memory, size_t bytes)
{
        const char *at = memory;
        const char *const end = at + bytes;

        while ((at = memchr(at, SECRET[0], (size_t)(end - at))) != NULL) {
                if ((size_t)(end - at) >= sizeof(SECRET) - 1 &&
                    !memcmp(at, SECRET, sizeof(SECRET) - 1))
                        return true;
                at++;
        }
        return false;
}

/* Checks that the memory that clients share does not contain the secret either. */
static void check_shares(void)
{
        for (unsigned i = 0; i < CLIENT_SESSIONS; i++)
                require(!client_share(i) ||
                        !has_secret(client_share(i), NOVA_FILES_SHARE_PAGES * NOVA_PAGE_SIZE));
}

/* Writes a path. Each byte of the text selects one of the parts, or is a character itself. */
static size_t write_path(char *to, const uint8_t *text, size_t bytes, size_t room)
{
        static const char *const parts[] = {"",
                                            "x",
                                            "y",
                                            "/",
                                            "..",
                                            ".",
                                            "/../",
                                            "a",
                                            "secret",
                                            "b",
                                            "/x",
                                            "z/",
                                            "long name of a file",
                                            "X",
                                            "~1",
                                            "\xc3\xa4"};
        size_t length = 0;

        for (size_t i = 0; i < bytes; i++) {
                const bool is_part = text[i] < sizeof(parts) / sizeof(parts[0]);
                const char *const part = is_part ? parts[text[i]] : (const char *)&text[i];
                const size_t part_bytes = is_part && text[i] ? strlen(part) : 1;

                if (length + part_bytes >= room)
                        break;
                memcpy(to + length, part, part_bytes);
                length += part_bytes;
        }
        return length;
}

static uint64_t place_of(uint8_t byte)
{
        if (byte >= 0xf8)
                return UINT64_MAX - (byte & 3) * 0x10000 - (byte >> 2 & 1);
        if (byte >= 0xf0)
                return UINT64_C(0xfffffff0) << (byte & 7);
        return byte >= 0xe8 ? UINT64_C(0x40000) * (byte & 7) : byte * UINT64_C(97);
}

/* Sends a request, and repeats it while the service fills a gap or copies a file. A client may give
 * up a copy. No call may take long. */
static void request(unsigned session, unsigned operation, const nova_word_t *words, unsigned count,
                    struct client_answer *answer)
{
        unsigned calls = 0;

        do {
                const unsigned before = accesses;

                client_call(session, NOVA_OPERATION_FIRST + operation, words, count, NULL, answer);
                require(accesses - before <= CALL);
        } while (answer->error == EINPROGRESS && !gives_up &&
                 ++calls < LARGE * 512 / FILES_GROW_MAX);
        require(gives_up || answer->error != EINPROGRESS);
}

/* Performs a step. Its bytes: operation, session, first word, place, bytes, offset in shared
 * memory, flags, length of the text. @return bytes of the text */
static size_t run_step(const uint8_t *step, size_t left)
{
        static nova_word_t words[NOVA_MESSAGE_WORDS];
        static const uint8_t before[] = {1, 0, 0, 4, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0};
        static const uint8_t counts[] = {0, 1, 4, 0, 5, 5, 0, 1, 3, 0, 0, 0, 3, 1, 4};
        const unsigned operation = step[0] % 16, session = step[1] % CLIENT_SESSIONS;
        const size_t text = step[7] % 32u < left ? step[7] % 32u : left;
        const uint64_t place = place_of(step[3]);
        struct client_answer answer;
        unsigned count;
        size_t length;

        if (operation == 15 || !client_is_open(session)) {
                if (step[2] & 1)
                        client_deliver();
                if (!client_is_open(session))
                        client_open(session, "", 0);
                else if (step[2] & 2)
                        client_call(session, NOVA_OPERATION_CLOSE, "", 0, NULL, &answer);
                return text;
        }
        memset(words, 0, sizeof(words));
        words[0] = step[2];
        words[1] = place & UINT32_MAX;
        words[2] = place >> 32;
        words[3] = step[4] == 0xff ? UINTPTR_MAX : step[4] * 33u;
        words[4] = step[5] == 0xff ? UINTPTR_MAX : step[5] * 257u;
        length = write_path((char *)&words[before[operation]], step + STEP, text, 600);
        count = counts[operation];
        if (!count) {
                count = before[operation] + (unsigned)NOVA_WORDS_OF(length + 1);
                if (operation == 3 && words[3] < 600 && count < 4 + NOVA_WORDS_OF(words[3]))
                        count = 4 + (unsigned)NOVA_WORDS_OF(words[3]);
        }
        allocations_left = step[6] & 1 ? 1 + (step[6] >> 4) : 0;
        disk_fails = (step[6] & 0xe) == 2;
        gives_up = operation == 11 && step[2] & 1;
        client_revoke((step[6] & 0xe) == 4);
        request(session, operation, words, count, &answer);
        allocations_left = 0;
        disk_fails = false;
        require(!has_secret(answer.word, answer.words * sizeof(answer.word[0])));
        require(operation || (uint8_t)words[before[0]] || answer.error); /* OPEN needs a path */
        return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static bool made;
        const char *sentence;

        accesses = 0;
        if (!made) {
                for (disk = disks; disk < disks + 2; disk++)
                        make_image();
                require(cache_create(PIECES * NOVA_FILES_VIEW_BYTES));
                require(!volume_open_module(&archive_volume, "archive", &sentence));
                made = true;
        }
        begin_disk(size && data[0] & 0x80);
        require(!volume_open_blocks(&disk_volume, &sentence));
        require(!files_service_start(grants, sizeof(grants) / sizeof(grants[0])));
        while (size >= STEP) {
                const size_t bytes = STEP + run_step(data, size - STEP);

                data += bytes;
                size -= bytes;
        }
        check_shares();
        client_end();
        check_secret();
        files_fat.unmount(disk_volume.system);
        return 0;
}
