/* SPDX-License-Identifier: BSD-2-Clause */
/* DMA of the edu device (see dma.h). */
#include "dma.h"

#define DMA_FROM   (0x80 / 4)
#define DMA_TO     (0x88 / 4)
#define DMA_COUNT  (0x90 / 4)
#define DMA_START  (0x98 / 4)
#define IS_MOVING  0x1
#define FROM_EDU   0x2
#define EDU_BUFFER 0x40000
#define MOVE_MS    100 /* maximum duration of a move */

static void move(struct edu edu, uint64_t from, uint64_t to, uint32_t command)
{
        edu.registers[DMA_FROM] = (uint32_t)from;
        edu.registers[DMA_TO] = (uint32_t)to;
        edu.registers[DMA_COUNT] = sizeof(uint32_t);
        edu.registers[DMA_START] = command | IS_MOVING;
        rest(MOVE_MS);
        for (unsigned i = 0; i < 100 && edu.registers[DMA_START] & IS_MOVING; i++)
                rest(10);
        EXPECT_EQ(edu.registers[DMA_START] & IS_MOVING, 0);
}

void edu_load(struct edu edu, uint64_t address)
{
        move(edu, address, EDU_BUFFER, 0);
}

void edu_store(struct edu edu, uint64_t address)
{
        move(edu, EDU_BUFFER, address, FROM_EDU);
}
