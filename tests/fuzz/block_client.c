/* SPDX-License-Identifier: BSD-2-Clause */
/* A client of a hostile block service, which writes arbitrary data into the ring and gives
 * arbitrary answers. Each result must belong to a request in flight, and a read must not write
 * beyond the requested blocks, in the block size that the program knows. */
#include <stdlib.h>
#include <string.h>

#include "client_rings.h"
#include "service/client/block.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct nova_block *block;
/* Block size and identity of the disk that the service stated when the session was opened. */
static uint32_t block_bytes;
static uint64_t identity;
static struct nova_block_range present, wanted; /* restrictions of the session */
static bool changes;                            /* the program restricts the session */
static bool same;           /* since the session was opened, the service has named the first disk */
static bool in_flight[256]; /* indexed by the cookie of a request */

static void answer(unsigned long operation, void *words, size_t bytes)
{
        struct nova_block_info *const about = words;

        memset(words, 0, bytes);
        if (operation != NOVA_BLOCK_INFO)
                return;
        about->blocks = 1000;
        about->block_bytes = rings_take() == 0xfe ? rings_take_word() : 512u << (rings_take() & 3);
        about->segments = rings_take_word();
        about->request_max = rings_take_word();
        about->identity = about->request_max >> 28;
        same = about->identity == identity;
}

/* Records the restriction of a session. The ring and a claim must come after the restriction that
 * the program wants, because it may have given the ring's pages to another program. A range of the
 * first disk must not reach another disk, which may be smaller. */
static void called(const struct nova_message *message)
{
        struct nova_block_range range;

        if (message->operation == NOVA_OPERATION_OPEN) {
                memset(&present, 0, sizeof(present));
                same = false;
        }
        if (message->operation == NOVA_BLOCK_ATTACH || message->operation == NOVA_BLOCK_CLAIM)
                require(!memcmp(&present, &wanted, sizeof(present)));
        if (message->operation != NOVA_BLOCK_RESTRICT)
                return;
        require(changes || same);
        memcpy(&range, message->words, sizeof(range));
        present.first += range.first;
        present.count = range.count;
        if (range.requests && (!present.requests || range.requests < present.requests))
                present.requests = range.requests;
        present.read_only |= range.read_only;
        if (changes)
                wanted = present;
}

static void act(void)
{
        rings_write(&block->ring->head, NOVA_BLOCK_ENTRIES);
}

static void check(void)
{
        unsigned requests = 0;

        for (unsigned i = 0; i < 256; i++)
                requests += in_flight[i];
        require(block->used == requests && block->lost <= block->used);
        require(block->used <= NOVA_BLOCK_ENTRIES &&
                nova_block_get_info(block)->block_bytes == block_bytes &&
                nova_block_get_info(block)->identity == identity);
}

static void submit(void)
{
        struct nova_block_segment segments[NOVA_BLOCK_SEGMENTS];
        const uint8_t kind = rings_take();
        struct nova_block_request request = {.operation = NOVA_BLOCK_READ + kind % 4,
                                             .block = rings_take_word(),
                                             .segment_count = kind / 4 % (NOVA_BLOCK_SEGMENTS + 2),
                                             .segments = segments};
        uint8_t cookie = kind;

        for (unsigned i = 0; i < NOVA_BLOCK_SEGMENTS; i++)
                segments[i] = (struct nova_block_segment){i * 4096, 512};
        if (kind & 1)
                segments[0].offset = rings_take_word();
        while (in_flight[cookie])
                cookie++;
        request.cookie = &in_flight[cookie];
        in_flight[cookie] = !nova_block_submit(block, &request, 1);
}

static void reap(bool waits)
{
        struct nova_block_result result;
        const int error =
                waits ? nova_block_wait(block, &result, 1) : nova_block_reap(block, &result);

        if (error)
                return;
        require((bool *)result.cookie >= in_flight && (bool *)result.cookie < in_flight + 256);
        require(*(bool *)result.cookie);
        *(bool *)result.cookie = false;
}

/* Reads or writes some blocks. The memory ends with the last block. */
static void transfer_all(bool writes)
{
        const uint32_t count = rings_take() % 40;
        char *const memory = calloc(count + 1, block_bytes);
        char *const blocks = memory + block_bytes;

        if (writes)
                nova_block_write(block, rings_take_word(), count, blocks);
        else
                nova_block_read(block, rings_take_word(), count, blocks);
        free(memory);
}

static void ask(void)
{
        const uint8_t kind = rings_take();
        const struct nova_block_range range = {rings_take(), 1 + rings_take(), kind / 4,
                                               kind >> 1 & 1};

        if (kind & 1) {
                changes = true;
                nova_block_restrict(block, &range);
                changes = false;
        } else
                nova_block_claim(block, rings_take() & 1 ? NOVA_BLOCK_READS : NOVA_BLOCK_WRITES);
}

static void run_step(void)
{
        switch (rings_take() % 16) {
        case 0:
        case 1:
                submit();
                break;
        case 2:
        case 3:
                reap(false);
                break;
        case 4:
                reap(true);
                break;
        case 5:
        case 6:
                transfer_all(rings_take() & 1);
                break;
        case 7:
                if (!nova_block_reopen(block))
                        require(!memcmp(&present, &wanted, sizeof(present)));
                break;
        case 8:
                nova_block_flush(block);
                break;
        case 9:
                ask();
                break;
        case 10:
                nova_block_mute(block);
                nova_block_unmute(block);
                break;
        default:
                act();
                break;
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const struct rings_service service = {
                .magic = NOVA_BLOCK_MAGIC, .answer = answer, .called = called, .act = act};

        rings_begin(&service, data, size);
        memset(in_flight, 0, sizeof(in_flight));
        memset(&present, 0, sizeof(present));
        memset(&wanted, 0, sizeof(wanted));
        if (nova_block_open(&block, "disk", NULL, (rings_take() & 15u) << 12)) {
                rings_end();
                return 0;
        }
        block_bytes = nova_block_get_info(block)->block_bytes;
        identity = nova_block_get_info(block)->identity;
        while (rings_has_input()) {
                run_step();
                check();
        }
        nova_block_close(block);
        rings_end();
        return 0;
}
