/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest that uses memory of its image and of a slot that its monitor has added, together more
 * than the secure memory. */
#ifndef NOVA_TESTS_SECURE_ADDED_H
#define NOVA_TESTS_SECURE_ADDED_H

#include "drive.h"

#define ADDED_PAGE  4096u
#define ADDED_FIRST 0x300000u /* after the image's parts */
#define ADDED       0x800000u /* the slot begins where the image's memory ends, ... */
#define ADDED_BYTES 0x300000u /* ... and has far more pages than one search tries to move out */
#define ADDED_SLOT  31u
#define ADDED_COUNT ((ADDED + ADDED_BYTES - ADDED_FIRST) / ADDED_PAGE)

/* Writes a number to each page. */
static void added_write(void)
{
        for (uint32_t at = ADDED_FIRST; at < ADDED + ADDED_BYTES; at += ADDED_PAGE)
                guest(PROBE_WRITE, at, at ^ 0x5a5a5a5a);
}

/* Returns the number of pages whose number is right. */
static unsigned added_count(void)
{
        unsigned count = 0;

        for (uint32_t at = ADDED_FIRST; at < ADDED + ADDED_BYTES; at += ADDED_PAGE)
                count += guest(PROBE_READ, at, 0) == (at ^ 0x5a5a5a5a);
        return count;
}

#endif
