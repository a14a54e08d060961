/* SPDX-License-Identifier: BSD-2-Clause */
/* Allocates secure memory (see frame.h). */
#include "frame.h"

#include <stdlib.h>
#include <string.h>

#define BITS 64u

bool frame_init(struct frames *frames, void *base, uint32_t count)
{
        const uint32_t blocks = count / FRAME_BLOCK;

        *frames = (struct frames){.base = base, .count = blocks * FRAME_BLOCK};
        frames->in_use = calloc(frames->count / BITS + 1, sizeof(uint64_t));
        frames->left = calloc(blocks + 1, sizeof(uint16_t));
        if (!frames->in_use || !frames->left)
                return false;
        for (uint32_t i = 0; i < blocks; i++)
                frames->left[i] = FRAME_BLOCK;
        frames->free = frames->count;
        return true;
}

static void set(struct frames *frames, uint32_t frame)
{
        frames->in_use[frame / BITS] |= UINT64_C(1) << frame % BITS;
        frames->left[frame / FRAME_BLOCK]--;
        frames->free--;
}

/* Searches the blocks in a circle, beginning at the hint. Returns the first block that has at least
 * @p least and at most @p most free frames, or FRAME_NONE. */
static uint32_t find_block(const struct frames *frames, unsigned least, unsigned most)
{
        const uint32_t blocks = frames->count / FRAME_BLOCK;

        for (uint32_t i = 0; i < blocks; i++) {
                const uint32_t block = (frames->hint + i) % blocks;

                if (frames->left[block] >= least && frames->left[block] <= most)
                        return block;
        }
        return FRAME_NONE;
}

uint32_t frame_take(struct frames *frames)
{
        uint32_t block = find_block(frames, 1, FRAME_BLOCK - 1);

        if (block == FRAME_NONE)
                block = find_block(frames, FRAME_BLOCK, FRAME_BLOCK);
        if (block == FRAME_NONE)
                return FRAME_NONE;
        frames->hint = block;
        for (uint32_t frame = block * FRAME_BLOCK;; frame += BITS) {
                const uint64_t free = ~frames->in_use[frame / BITS];

                if (!free)
                        continue;
                frame += (uint32_t)__builtin_ctzll(free);
                set(frames, frame);
                return frame;
        }
}

uint32_t frame_take_block(struct frames *frames)
{
        const uint32_t block = find_block(frames, FRAME_BLOCK, FRAME_BLOCK);

        if (block == FRAME_NONE)
                return FRAME_NONE;
        for (uint32_t i = 0; i < FRAME_BLOCK; i++)
                set(frames, block * FRAME_BLOCK + i);
        return block * FRAME_BLOCK;
}

void frame_give(struct frames *frames, uint32_t frame)
{
        memset(frame_address(frames, frame), 0, FRAME_BYTES);
        frames->in_use[frame / BITS] &= ~(UINT64_C(1) << frame % BITS);
        frames->left[frame / FRAME_BLOCK]++;
        frames->free++;
}
