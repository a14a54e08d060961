/* SPDX-License-Identifier: BSD-2-Clause */
/* A client that reads and writes while its service ends again and again. Each block that it writes
 * carries its number and a version. Arguments: service, session's arguments, first block of the
 * partition on the disk, and the number of ends to wait for. Prints a checksum of the versions;
 * disk.py compares it with the checksum of the versions that it finds on the disk. */
#include <errno.h>

#include "client.h"
#include "nova/hypercall.h"
#include "novart/service/block.h"

#define SLOTS      16
#define BLOCKS_MAX 1024
#define WORDS      128
#define FLUSH_STEP 64          /* one of FLUSH_STEP requests is a flush */
#define MARK       0x80000000u /* the highest bit of a written block's words */

/* A request. It keeps its block until it has succeeded. */
struct slot {
        enum nova_block_operation operation;
        uint32_t block;
        uint32_t version; /* version that is written, or that a read must find */
        struct nova_block_segment segment;
        bool used;
};

static struct nova_block *disk;
static struct slot slots[SLOTS];
static uint32_t version[BLOCKS_MAX]; /* last acknowledged version; 0: never written */
static bool in_use[BLOCKS_MAX];
static uint32_t blocks, origin, seed = 1;
static unsigned ends, done;
static char *pool;

static uint32_t word_of(uint32_t block, uint32_t number, unsigned index)
{
        if (!number)
                return (origin + block) * WORDS + index;
        if (index == 0)
                return MARK | (origin + block);
        return index == 1 ? MARK | number : MARK | ((origin + block) * WORDS + index + number * 7);
}

static bool is_version(const uint32_t *word, uint32_t block, uint32_t number)
{
        for (unsigned i = 0; i < WORDS; i++)
                if (word[i] != word_of(block, number, i))
                        return false;
        return true;
}

static void choose(struct slot *slot)
{
        static unsigned chosen;

        slot->used = true;
        if (++chosen % FLUSH_STEP == 0) {
                slot->operation = NOVA_BLOCK_FLUSH;
                return;
        }
        do
                slot->block = random_number(&seed, blocks);
        while (in_use[slot->block]);
        in_use[slot->block] = true;
        slot->operation = random_number(&seed, 3) ? NOVA_BLOCK_WRITE : NOVA_BLOCK_READ;
        slot->version = version[slot->block] + (slot->operation == NOVA_BLOCK_WRITE);
}

static int submit(struct slot *slot)
{
        const bool flush = slot->operation == NOVA_BLOCK_FLUSH;
        const struct nova_block_request request = {.operation = slot->operation,
                                                   .block = flush ? 0 : slot->block,
                                                   .segment_count = flush ? 0 : 1,
                                                   .segments = &slot->segment,
                                                   .cookie = slot};
        uint32_t *word = (uint32_t *)(pool + slot->segment.offset);

        for (unsigned i = 0; i < WORDS; i++)
                word[i] = slot->operation == NOVA_BLOCK_WRITE
                                  ? word_of(slot->block, slot->version, i)
                                  : 0;
        return nova_block_submit(disk, &request, 1);
}

/* Handles a request that has succeeded. A read must return the acknowledged version, unless the
 * service has ended: zero pages then replace the pages of the pool. */
static void finish(struct slot *slot)
{
        const uint32_t *word = (const uint32_t *)(pool + slot->segment.offset);

        if (slot->operation == NOVA_BLOCK_READ) {
                const bool same = is_version(word, slot->block, slot->version);

                if (nova_block_check(disk, slot->segment.offset, 512))
                        return; /* the request is submitted again */
                if (!same)
                        die("a read", EILSEQ);
        }
        if (slot->operation != NOVA_BLOCK_FLUSH) {
                version[slot->block] = slot->version;
                in_use[slot->block] = false;
        }
        slot->used = false;
        done++;
}

/* Opens the session again. Requests in flight end with EIO. */
static void reopen(void)
{
        int error;

        ends++;
        do
                error = nova_block_reopen(disk);
        while (error == ECONNRESET);
        if (error)
                die("reopen", error);
}

/* Waits until a request has ended. A request that failed is submitted again. */
static void step(void)
{
        struct nova_block_result result;
        int error = nova_block_wait(disk, &result, NOVA_FOREVER);

        if (!error) {
                struct slot *slot = (struct slot *)result.cookie;

                if (result.error && result.error != EIO)
                        die("request", result.error);
                if (!result.error)
                        finish(slot);
                if (slot->used)
                        error = submit(slot);
        }
        while (error == ECONNRESET) {
                bool flying[SLOTS] = {false};

                reopen();
                error = 0;
                /* every request that was in flight has a result now */
                while (!error && nova_block_reap(disk, &result) == 0)
                        flying[(struct slot *)result.cookie - slots] = true;
                for (unsigned i = 0; i < SLOTS && !error; i++)
                        if (slots[i].used || flying[i])
                                error = submit(&slots[i]);
        }
        if (error)
                die("step", error);
}

static void run(unsigned wanted)
{
        while (ends < wanted) {
                for (unsigned i = 0; i < SLOTS; i++) {
                        if (slots[i].used)
                                continue;
                        choose(&slots[i]);
                        if (submit(&slots[i]) == ECONNRESET)
                                break; /* step() submits it */
                }
                step();
        }
        for (;;) {
                unsigned used = 0;

                for (unsigned i = 0; i < SLOTS; i++)
                        used += slots[i].used;
                if (!used)
                        return;
                step();
        }
}

static void check_all(void)
{
        static uint32_t word[WORDS];

        for (uint32_t i = 0; i < blocks; i++) {
                const int error = nova_block_read(disk, i, 1, word);

                if (error)
                        die("the last read", error);
                if (!is_version(word, i, version[i]))
                        die("the last read", EILSEQ);
        }
}

/* Prints the versions that the disk must have. */
static void tell_versions(void)
{
        uint32_t sum = 0;

        for (uint32_t i = 0; i < blocks; i++)
                sum = sum * 1664525 + version[i] + 1;
        printf("%u blocks from %u have versions with the sum %08x\n", (unsigned)blocks,
               (unsigned)origin, (unsigned)sum);
}

int main(int argc, char **argv)
{
        size_t bytes;
        int error;

        if (argc < 5)
                return 1;
        error = nova_block_open(&disk, argv[1], argv[2], 0x4000);
        if (error)
                die("open", error);
        origin = (uint32_t)strtoul(argv[3], NULL, 10);
        blocks = (uint32_t)nova_block_get_info(disk)->blocks;
        if (blocks > BLOCKS_MAX)
                blocks = BLOCKS_MAX;
        pool = (char *)nova_block_pool(disk, &bytes);
        for (unsigned i = 0; i < SLOTS; i++)
                slots[i].segment = (struct nova_block_segment){512 * i, 512};
        seed = origin;
        run((unsigned)strtoul(argv[4], NULL, 10));
        error = nova_block_flush(disk);
        if (error)
                die("flush", error);
        check_all();
        tell_versions();
        printf("%u requests and %u ends, nothing acknowledged is lost\n", done, ends);
        return 0;
}
