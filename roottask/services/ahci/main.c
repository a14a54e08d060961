/* SPDX-License-Identifier: BSD-2-Clause */
/* The program `ahci`: a driver for SATA disks. Arguments: the name of the device in the description
 * (default: `disk`), and the name of the service.
 *
 * A request's number is the slot of its command. A flush or a discard cannot go through the disk's
 * queue, so it waits until the disk has no other command, and later requests wait for it. */
#include <errno.h>

#include "block/server.h"
#include "controller.h"
#include "ring/dma.h"
#include "ring/driver.h"

#define TIMEOUT_NS   30000000000 /* the motor may have to start, or the disk writes a full cache */
#define TRANSFER     0x40000     /* maximum number of bytes of a request */
#define RESTARTS_MAX 16          /* maximum restarts of the port without a successful command */

_Static_assert(NOVA_BLOCK_SEGMENTS <= AHCI_PIECES, "a request is one command");

static struct ahci ahci;
static struct block_device device = {.name = "ahci", .timeout_ns = TIMEOUT_NS};
static struct block_request *first, **last = &first; /* requests that have not been sent to the
                                                      * disk */
static struct block_request *owner[AHCI_SLOTS];
static uint32_t discarded[AHCI_SLOTS]; /* number of blocks for which a slot's discards were sent */
static uint32_t busy, added;           /* bitmaps of slots: with commands, and with commands not
                                        * sent yet */
static bool alone;                     /* the command that the disk is executing is not a read or a
                                        * write */
static unsigned restarts;

static bool is_alone(const struct block_request *request)
{
        return request->operation == NOVA_BLOCK_FLUSH || request->operation == NOVA_BLOCK_DISCARD;
}

static void set_discard(const struct block_request *request)
{
        const unsigned slot = request->number;
        struct ahci_table *table = ahci_table(&ahci, slot);
        const uint64_t ranges = ahci.device + (uint64_t)((char *)table->range - ahci.memory);

        discarded[slot] += ahci_set_discard(table, request->block + discarded[slot],
                                            request->blocks - discarded[slot]);
        ahci_add_piece(table, 0, ranges, sizeof(table->range));
        ahci_set_slot(&ahci, slot, 1, true);
}

static void set_transfer(const struct block_request *request)
{
        const bool write = request->operation == NOVA_BLOCK_WRITE;
        struct ahci_table *table = ahci_table(&ahci, request->number);

        ahci_set_transfer(table, write, ahci.queued, request->number, request->block,
                          request->blocks);
        for (unsigned i = 0; i < request->segment_count; i++)
                ahci_add_piece(table, i, request->pool->device + request->segment[i].offset,
                               request->segment[i].bytes);
        ahci_set_slot(&ahci, request->number, request->segment_count, write);
}

static void send(struct block_request *request)
{
        block_advance(request);
        if (request->operation == NOVA_BLOCK_DISCARD) {
                set_discard(request);
        } else if (request->operation == NOVA_BLOCK_FLUSH) {
                ahci_set_command(ahci_table(&ahci, request->number), AHCI_FLUSH, 0, 0, 0);
                ahci_set_slot(&ahci, request->number, 0, false);
        } else {
                set_transfer(request);
        }
        owner[request->number] = request;
        busy |= 1u << request->number;
        added |= 1u << request->number;
        alone = is_alone(request);
}

/* Appends a request to those that wait. */
static void enqueue(struct block_request *request)
{
        block_pause(request);
        request->next = NULL;
        *last = request;
        last = &request->next;
}

/* Sends all commands that may be sent now. */
static void send_waiting(void)
{
        while (first && (!busy || (!alone && !is_alone(first)))) {
                struct block_request *request = first;

                first = request->next;
                if (!first)
                        last = &first;
                send(request);
        }
}

static void start(struct block_request *request)
{
        if (request->operation == NOVA_BLOCK_FLUSH && !ahci.disk.cache) {
                block_end(request, 0);
                return;
        }
        discarded[request->number] = 0;
        enqueue(request);
        send_waiting();
}

static void kick(void)
{
        if (added)
                ahci_send(&ahci, added, ahci.queued && !alone);
        added = 0;
}

/* Handles the end of a command. The rest of a discard is sent after all requests that wait: a
 * client that discards many blocks must not delay the others. */
static void finish(unsigned slot, int error)
{
        struct block_request *request = owner[slot];

        busy &= ~(1u << slot);
        if (!error && request->operation == NOVA_BLOCK_DISCARD && discarded[slot] < request->blocks)
                enqueue(request);
        else
                block_end(request, error);
}

static void finish_all(uint32_t slots, int error)
{
        for (unsigned slot = 0; slot < AHCI_SLOTS; slot++)
                if (slots & 1u << slot)
                        finish(slot, error);
}

/* Ends the requests in flight after the port has stopped, because the disk then writes no more
 * data. */
static void recover(void)
{
        const char *wrong =
                restarts++ < RESTARTS_MAX ? ahci_restart(&ahci) : "the port fails again and again.";

        if (wrong) {
                ahci_stop(&ahci);
                driver_fail(wrong);
        }
        added = 0;
        finish_all(busy, EIO);
}

static void drain(void)
{
        const uint32_t sent = busy & ~added;
        uint32_t active;

        switch (ahci_acknowledge(&ahci, &active)) {
        case AHCI_GONE:
                ahci_stop(&ahci);
                driver_fail("the disk was disconnected.");
        case AHCI_FAILED:
                recover();
                break;
        case AHCI_GOOD:
                if (sent & ~active)
                        restarts = 0;
                finish_all(sent & ~active, 0);
        }
        send_waiting();
}

static void handle_interrupt(void)
{
        drain();
        block_serve();
}

/* Allocates a pool that the controller can access. */
static int alloc(struct share_pool *pool)
{
        const int error = dma_alloc(pool);

        if (error || ahci_reaches(&ahci, pool->device, pool->bytes))
                return error;
        dma_release(pool);
        return ENOMEM;
}

static void describe(void)
{
        const struct ahci_disk *disk = &ahci.disk;

        device.info = (struct nova_block_info){
                .blocks = disk->blocks,
                .block_bytes = disk->block_bytes,
                .flags = (disk->cache ? (uint32_t)NOVA_BLOCK_HAS_CACHE : 0) |
                         (disk->discard ? (uint32_t)NOVA_BLOCK_HAS_DISCARD : 0),
                .segments = NOVA_BLOCK_SEGMENTS,
                .request_max = TRANSFER / disk->block_bytes,
                .identity = disk->identity};
        device.depth = ahci.slots;
        device.start = start;
        device.kick = kick;
        device.source = (struct share_source){alloc, dma_release};
        dma_use(ahci.pci);
}

int main(int argc, char **argv)
{
        const char *wrong;

        if (argc > 2)
                device.name = argv[2];
        wrong = ahci_open(&ahci, argc > 1 ? argv[1] : "disk");
        if (wrong)
                (ahci.unsupported ? driver_refuse : driver_fail)(wrong);
        describe();
        driver_run(block_service_start(&device), ahci.interrupt, handle_interrupt);
}
