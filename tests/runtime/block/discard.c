/* SPDX-License-Identifier: BSD-2-Clause */
/* A client that discards blocks, alone and together with other requests. disk.py checks the disk.
 * Argument: the service. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "novart/service/block.h"

#define BESIDE 8 /* discards in flight at once, each of 32 blocks */

static struct nova_block *disk;

static void require(const char *what, int error, int wanted)
{
        if (error == wanted)
                return;
        printf("%s: %s\n", what, strerror(error));
        exit(1);
}

static bool is_block(const uint32_t *word, uint32_t number)
{
        for (unsigned i = 0; i < 128; i++)
                if (word[i] != number * 128 + i)
                        return false;
        return true;
}

/* Has discards, reads, writes and flushes in flight at the same time. The writes write the data
 * that the blocks have already. */
static void discard_beside(void)
{
        const uint32_t count = 4 * BESIDE;
        struct nova_block_segment segment[4 * BESIDE];
        struct nova_block_request request[4 * BESIDE] = {{0}};
        struct nova_block_result result;
        size_t bytes;
        char *pool = nova_block_pool(disk, &bytes);

        require("read", nova_block_read(disk, 8, BESIDE, pool + 512 * BESIDE), 0);
        for (unsigned i = 0; i < count; i++) {
                static const enum nova_block_operation operations[] = {
                        NOVA_BLOCK_DISCARD, NOVA_BLOCK_READ, NOVA_BLOCK_WRITE, NOVA_BLOCK_FLUSH};
                const enum nova_block_operation operation = operations[i % 4];
                const unsigned n = i / 4;

                segment[i] =
                        (struct nova_block_segment){512 * (n + (i % 4 == 2 ? BESIDE : 0)), 512};
                request[i] = (struct nova_block_request){
                        .operation = operation,
                        .block = operation == NOVA_BLOCK_DISCARD ? 256 + 32 * n
                                 : operation == NOVA_BLOCK_FLUSH ? 0
                                                                 : 8 + n,
                        .blocks = operation == NOVA_BLOCK_DISCARD ? 32 : 0,
                        .segment_count = i % 4 == 1 || i % 4 == 2,
                        .segments = &segment[i],
                        .cookie = &request[i],
                };
        }
        require("submit", nova_block_submit(disk, request, count), 0);
        for (unsigned i = 0; i < count; i++) {
                require("wait", nova_block_wait(disk, &result, NOVA_FOREVER), 0);
                require("a request beside others", result.error, 0);
        }
        for (unsigned n = 0; n < BESIDE; n++)
                require("content", is_block((uint32_t *)(pool + 512 * n), 8 + n) ? 0 : EILSEQ, 0);
}

int main(int argc, char **argv)
{
        const struct nova_block_range range = {.first = 900, .count = 100};
        const struct nova_block_range closed = {.first = 0, .count = 50, .read_only = 1};
        static uint32_t word[128];

        require("open", nova_block_open(&disk, argc > 1 ? argv[1] : "", NULL, 0x10000), 0);
        if (!(nova_block_get_info(disk)->flags & NOVA_BLOCK_HAS_DISCARD))
                require("discard", ENOTSUP, 0);
        require("discard", nova_block_discard(disk, 64, 128), 0);
        discard_beside();
        require("discard", nova_block_discard(disk, 512, 376), 0);
        require("a read of a discarded block", nova_block_read(disk, 600, 1, word), 0);
        require("beyond the end", nova_block_discard(disk, 1000, 25), ENXIO);
        require("no block", nova_block_discard(disk, 0, 0), EINVAL);
        require("restrict", nova_block_restrict(disk, &range), 0);
        require("discard in a part", nova_block_discard(disk, 4, 16), 0);
        require("beyond the part", nova_block_discard(disk, 90, 11), ENXIO);
        require("restrict", nova_block_restrict(disk, &closed), 0);
        require("read-only", nova_block_discard(disk, 0, 1), EROFS);
        nova_block_close(disk);
        printf("blocks were discarded\n");
        return 0;
}
