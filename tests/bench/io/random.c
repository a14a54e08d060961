/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads pages of a large file of the service `files`, on a disk with FAT16, at random places. Each
 * page of the file begins with its number. */
#include "io.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PAGES_BITS 14 /* 64 MiB */

static char data[IO_BYTES] __attribute__((aligned(IO_BYTES)));

/* Returns the number of the next page, in an order that is the same in each run. Only the upper
 * bits of a linear congruential generator are random. */
static uint32_t next_page(void)
{
        static uint32_t state = 1;

        state = state * 1664525 + 1013904223;
        return state >> (32 - PAGES_BITS);
}

/* Returns the number of bytes read. */
static int read_page(int file, uint32_t page)
{
        if (lseek(file, (off_t)page * IO_BYTES, SEEK_SET) < 0)
                return 0;
        return (int)read(file, data, sizeof(data));
}

int main(void)
{
        const int file = open("/data", O_RDONLY);

        for (unsigned i = 0; i < IO_WARM + IO_ALONE; i++) {
                const uint32_t page = next_page();
                uint32_t number = 0;
                int count;

                if (i >= IO_WARM)
                        IO_MARK(IO_OP_RANDOM);
                count = read_page(file, page);
                if (i >= IO_WARM)
                        IO_MARK(IO_OP_NONE);
                memcpy(&number, data, sizeof(number));
                if (count != IO_BYTES || number != page) {
                        printf("page %u: %d bytes, number %u\n", (unsigned)page, count,
                               (unsigned)number);
                        return 1;
                }
        }
        printf("clients that have read: 1\n");
        return 0;
}
