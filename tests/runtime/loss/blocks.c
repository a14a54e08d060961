/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes blocks in rounds. After a round it flushes, and then writes the round's number to block 0:
 * after that, all blocks of the round must survive a loss of power. Argument: the service. */
#include <string.h>

#include "../block/client.h"
#include "novart/service/block.h"

#define ROUNDS       64
#define SLOTS        16
#define WORDS        128
#define BLOCKS       512
#define MAGIC        0x4c6f7373u
#define BLOCKS_ROUND 40 /* maximum number of blocks of a round */

static struct nova_block *disk;
static struct nova_block_segment segment[SLOTS];
static bool slot_used[SLOTS];
static unsigned flying;
static uint32_t seed = 18;

static void wait_one(void)
{
        struct nova_block_result result;
        int error = nova_block_wait(disk, &result, NOVA_FOREVER);

        if (!error)
                error = result.error;
        if (error)
                die("a write", error);
        slot_used[(bool *)result.cookie - slot_used] = false;
        flying--;
}

/* Submits a write of a block. The data contains the numbers of the block and of the round. */
static void submit(uint32_t block, uint32_t round)
{
        size_t bytes;
        unsigned slot = 0;
        uint32_t *word;
        int error;

        if (flying == SLOTS)
                wait_one();
        while (slot_used[slot])
                slot++;
        word = (uint32_t *)((char *)nova_block_pool(disk, &bytes) + segment[slot].offset);
        word[0] = MAGIC;
        word[1] = block;
        word[2] = round;
        for (unsigned i = 3; i < WORDS; i++)
                word[i] = block * WORDS + i + round * 7;

        const struct nova_block_request request = {.operation = NOVA_BLOCK_WRITE,
                                                   .block = block,
                                                   .segment_count = 1,
                                                   .segments = &segment[slot],
                                                   .cookie = &slot_used[slot]};

        error = nova_block_submit(disk, &request, 1);
        if (error)
                die("submit", error);
        slot_used[slot] = true;
        flying++;
}

/* Writes each block at most once, so that no two writes of one block are in flight. */
static void write_round(uint32_t round)
{
        const uint32_t count = 1 + random_number(&seed, BLOCKS_ROUND);
        const uint32_t first = random_number(&seed, BLOCKS),
                       step = 1 + 2 * random_number(&seed, BLOCKS / 2);
        int error;

        for (uint32_t i = 0; i < count; i++)
                submit(1 + (first + i * step) % BLOCKS, round);
        while (flying)
                wait_one();
        error = nova_block_flush(disk);
        if (error)
                die("flush", error);
        submit(0, round);
        wait_one();
}

int main(int argc, char **argv)
{
        int error;

        if (argc < 2)
                return 1;
        error = nova_block_open(&disk, argv[1], NULL, 0x4000);
        if (error)
                die("open", error);
        for (unsigned i = 0; i < SLOTS; i++)
                segment[i] = (struct nova_block_segment){512 * i, 512};
        for (uint32_t round = 1; round <= ROUNDS; round++)
                write_round(round);
        printf("%u rounds are flushed\n", ROUNDS);
        return 0;
}
