/* SPDX-License-Identifier: BSD-2-Clause */
/* A disk in memory. */
#ifndef NOVART_RAM_DISK_DISK_H
#define NOVART_RAM_DISK_DISK_H

#include <stdbool.h>
#include <stddef.h>

/* Properties of a disk, and faults for tests. */
struct ram_disk {
        const char *name;     /* name of the service */
        char *memory;         /* the blocks */
        size_t bytes;         /* size of the blocks in bytes, a multiple of block_bytes */
        unsigned block_bytes; /* 512 to 4096 */
        unsigned depth;       /* maximum number of requests at once */
        unsigned hold; /* number of later requests that end before the first one; 0: the first one
                        * ends at once */
        unsigned crash_after; /* number of requests before one that crashes the program; 0: none */
        unsigned hang_after;  /* number of requests that are served; 0: all */
        unsigned loop_after;  /* number of requests before one during which the service loops for
                               * ever, with its lock held; 0: none */
        unsigned timeout_ms;  /* time until a hanging disk ends the program; 0: never */
        bool read_only;
};

/* Starts the service.
 * @return 0 or an errno value */
int ram_disk_start(const struct ram_disk *of);

#endif
