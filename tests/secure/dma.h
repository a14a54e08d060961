/* SPDX-License-Identifier: BSD-2-Clause */
/* The service `device` of the test `dma`: DMA of a device to and from any address. */
#ifndef NOVA_TESTS_SECURE_DMA_H
#define NOVA_TESTS_SECURE_DMA_H

#include <stdint.h>

#include "ask.h"

#define DMA_READ    0 /* word 1: address; answer: the 32 bits there */
#define DMA_WRITE   1 /* word 1: address, word 2: 32 bits, which are also the answer */
#define DMA_NOTHING 0x5e471e15u

/* Lets the device read or write. @return the answer, DMA_NOTHING after an error */
static inline uint32_t dma_ask(struct nova_session *device, nova_word_t how, nova_word_t address,
                               nova_word_t value)
{
        const nova_word_t words[] = {how, address, value};
        nova_word_t answer;

        return ask(device, words, 3, &answer, 1) ? (uint32_t)answer : DMA_NOTHING;
}

#endif
