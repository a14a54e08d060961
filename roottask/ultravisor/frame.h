/* SPDX-License-Identifier: BSD-2-Clause */
/* Secure memory: frames of 4 KiB, and blocks of 512 frames for large pages. A free frame is filled
 * with 0. The caller serializes all calls. */
#ifndef ULTRAVISOR_FRAME_H
#define ULTRAVISOR_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_BYTES 4096u
#define FRAME_BLOCK 512u /* frames of a block */
#define FRAME_NONE  UINT32_MAX

struct frames {
        uint8_t *base;    /* address of frame 0, a multiple of the size of a block */
        uint32_t count;   /* number of frames, whole blocks */
        uint32_t free;    /* number of free frames */
        uint32_t hint;    /* block in which a frame may be free */
        uint64_t *in_use; /* bit n: frame n is in use */
        uint16_t *left;   /* free frames of each block */
};

/* Makes a pool of free frames out of zero-filled memory. @return false if no memory is left */
bool frame_init(struct frames *frames, void *base, uint32_t count);

/* Takes a frame, if possible from a block that has other frames in use.
 * @return its number, or FRAME_NONE */
uint32_t frame_take(struct frames *frames);

/* Takes all frames of a block. @return the number of the first one, or FRAME_NONE */
uint32_t frame_take_block(struct frames *frames);

/* Fills a frame with 0 and frees it. */
void frame_give(struct frames *frames, uint32_t frame);

static inline uint8_t *frame_address(const struct frames *frames, uint32_t frame)
{
        return frames->base + (size_t)frame * FRAME_BYTES;
}

#endif
