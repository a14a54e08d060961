/* SPDX-License-Identifier: BSD-2-Clause */
/* The driver's end of a pair of NVMe queues (NVM Express 1.4, 4), and lists of pages. The
 * controller may write anything to their memory, so the driver relies only on its own copies. */
#ifndef NOVART_NVME_QUEUE_H
#define NOVART_NVME_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NVME_PAGE      4096u
#define NVME_QUEUE_MAX 128 /* entries of a queue */

/* A command. */
struct nvme_command {
        uint8_t opcode, flags;
        uint16_t id;
        uint32_t space;
        uint64_t reserved, metadata;
        uint64_t page[2]; /* PRP entries */
        uint32_t word[6]; /* command dwords 10 to 15 */
};

struct nvme_queue {
        struct nvme_command *commands; /* `size` entries, in memory that the device reads */
        volatile uint32_t *completions;
        unsigned size;
        unsigned tail, head; /* next entries of the commands and of the completions */
        unsigned busy_count;
        bool phase; /* phase bit of new completions; initially true */
        bool busy[NVME_QUEUE_MAX];
};

/* Appends a command, whose id is set here.
 * @return the id, or -1: the queue is full */
int nvme_queue_add(struct nvme_queue *queue, const struct nvme_command *command);

enum nvme_answer { NVME_EMPTY, NVME_TAKEN, NVME_BROKEN };

/* Takes a completion. NVME_BROKEN: it names a command that is not in flight. */
enum nvme_answer nvme_queue_take(struct nvme_queue *queue, unsigned *id, unsigned *status);

/* Describes memory in a command. All pieces except the first begin at a page boundary, and all
 * except the last end at one. */
struct nvme_pages {
        struct nvme_command *command;
        uint64_t *list;       /* room for entries, which does not cross a page */
        uint64_t list_device; /* its address for the controller */
        unsigned count;       /* number of entries so far, including the first */
        unsigned most;        /* number of entries that fit */
        uint64_t end;         /* address after the last piece */
};

/* Adds a piece.
 * @return false: it does not fit, and nothing has changed */
bool nvme_pages_add(struct nvme_pages *pages, uint64_t address, uint32_t bytes);

#endif
