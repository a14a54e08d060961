/* SPDX-License-Identifier: BSD-2-Clause */
/* The ones' complement sum for checksums of IP, TCP and UDP (see novart/internet_sum.h). */
#include "novart/internet_sum.h"

#include <string.h>

#define STEP 16 /* number of words that the assembly below adds */

/* Returns the sum of STEP words. C cannot express that an addition also adds the carry of the
 * previous addition. */
static uintptr_t sum_step(uintptr_t sum, const uintptr_t (*words)[STEP])
{
        __asm__("add 0*%c2(%1), %0\n\tadc 1*%c2(%1), %0\n\tadc 2*%c2(%1), %0\n\t"
                "adc 3*%c2(%1), %0\n\tadc 4*%c2(%1), %0\n\tadc 5*%c2(%1), %0\n\t"
                "adc 6*%c2(%1), %0\n\tadc 7*%c2(%1), %0\n\tadc 8*%c2(%1), %0\n\t"
                "adc 9*%c2(%1), %0\n\tadc 10*%c2(%1), %0\n\tadc 11*%c2(%1), %0\n\t"
                "adc 12*%c2(%1), %0\n\tadc 13*%c2(%1), %0\n\tadc 14*%c2(%1), %0\n\t"
                "adc 15*%c2(%1), %0\n\tadc $0, %0"
                : "+r"(sum)
                : "r"(words), "i"(sizeof(sum)), "m"(*words)
                : "cc");
        return sum;
}

/* Returns the sum of the last 0 to 7 bytes, read as numbers of 4, 2 and 1 bytes. */
static uint64_t read_rest(const char *at, unsigned bytes)
{
        uint64_t all = 0;
        uint32_t four;
        uint16_t two;

        if (bytes & 4) {
                memcpy(&four, at, sizeof(four));
                all = four;
        }
        if (bytes & 2) {
                memcpy(&two, at + (bytes & 4), sizeof(two));
                all += two;
        }
        return bytes & 1 ? all + (uint8_t)at[bytes - 1] : all;
}

uint16_t nova_internet_sum(const void *data, size_t bytes)
{
        const char *at = data;
        uintptr_t sum = 0, word;
        uint64_t all;

        for (; bytes >= STEP * sizeof(word); bytes -= STEP * sizeof(word)) {
                sum = sum_step(sum, (const void *)at);
                at += STEP * sizeof(word);
        }
        for (; bytes >= sizeof(word); bytes -= sizeof(word)) {
                memcpy(&word, at, sizeof(word));
                sum += word;
                sum += sum < word;
                at += sizeof(word);
        }
        all = (uint64_t)(uint32_t)sum + (uint32_t)((uint64_t)sum >> 32) +
              read_rest(at, (unsigned)bytes);
        all = (uint32_t)all + (all >> 32);
        all = (all & UINT16_MAX) + (all >> 16);
        all = (all & UINT16_MAX) + (all >> 16);
        return (uint16_t)((all & UINT16_MAX) + (all >> 16));
}
