/* SPDX-License-Identifier: BSD-2-Clause */
/* The program `nvme`: a driver for NVMe disks. Arguments: the name of the device in the description
 * (default: `disk`), and the name of the service.
 *
 * A request becomes one command if each segment but the first begins, and each segment but the last
 * ends, at a page boundary. Otherwise it becomes several commands, and ends with the last of
 * them. */
#include <errno.h>
#include <string.h>

#include "block/server.h"
#include "controller.h"
#include "ring/dma.h"
#include "ring/driver.h"

/* I/O commands. NVM Express 1.4, 6 */
#define FLUSH      0x00
#define WRITE      0x01
#define READ       0x02
#define DATASET    0x09
#define DEALLOCATE 0x4

#define DEPTH       64
#define TIMEOUT_NS  10000000000
#define LIST_PAGES  128 /* entries of a list: 256 KiB in 13 segments have fewer */
#define RANGE_BYTES 16

/* The driver's data about a request. */
struct flight {
        struct block_request *request;
        unsigned segment, blocks; /* number of blocks for which commands were sent */
        unsigned commands;        /* number of commands in flight */
        int error;
        struct flight *next; /* next request in the list of requests with more commands to send */
};

static struct nvme nvme;
static struct block_device device = {.name = "nvme", .depth = DEPTH, .timeout_ns = TIMEOUT_NS};
static struct flight flights[DEPTH], *first, **last = &first;
static struct flight *owner[NVME_QUEUE_MAX]; /* request of each command */
static char *lists; /* list of pages, or range to discard, of each request */
static uint64_t lists_device;
static bool added; /* the controller has not been notified of all commands */

#define LIST_BYTES (LIST_PAGES * sizeof(uint64_t))

/* Takes as many segments into a command as fit together. @return the number of their blocks */
static uint32_t add_segments(struct flight *flight, struct nvme_command *command)
{
        const struct block_request *request = flight->request;
        const size_t at = request->number * LIST_BYTES;
        struct nvme_pages pages = {.command = command,
                                   .list = (uint64_t *)(lists + at),
                                   .list_device = lists_device + at,
                                   .most = LIST_PAGES};
        uint32_t bytes = 0;

        /* A list is in use until its command has completed, so a second command waits for the
         * completion. */
        while (flight->segment < request->segment_count) {
                const struct nova_block_segment *segment = &request->segment[flight->segment];

                if (!nvme_pages_add(&pages, request->pool->device + segment->offset,
                                    segment->bytes))
                        break;
                bytes += segment->bytes;
                flight->segment++;
        }
        return bytes / device.info.block_bytes;
}

static void set_range(struct flight *flight, struct nvme_command *command)
{
        const struct block_request *request = flight->request;
        const size_t at = request->number * LIST_BYTES;
        const uint32_t range[2] = {0, request->blocks};

        memcpy(lists + at, range, sizeof(range));
        memcpy(lists + at + sizeof(range), &request->block, sizeof(request->block));
        command->opcode = DATASET;
        command->page[0] = lists_device + at;
        command->word[1] = DEALLOCATE;
        flight->blocks = request->blocks;
}

static void set_transfer(struct flight *flight, struct nvme_command *command)
{
        const uint64_t block = flight->request->block + flight->blocks;
        const uint32_t blocks = add_segments(flight, command);

        command->opcode = flight->request->operation == NOVA_BLOCK_READ ? READ : WRITE;
        command->word[0] = (uint32_t)block;
        command->word[1] = (uint32_t)(block >> 32);
        command->word[2] = blocks - 1;
        flight->blocks += blocks;
}

/* Sends the next command of a request. @return false: the queue is full */
static bool send(struct flight *flight)
{
        struct nvme_command command = {.space = nvme.space};
        int id;

        if (nvme.io.busy_count + 1 >= nvme.io.size)
                return false;
        block_advance(flight->request);
        switch (flight->request->operation) {
        case NOVA_BLOCK_FLUSH:
                command.opcode = FLUSH;
                break;
        case NOVA_BLOCK_DISCARD:
                set_range(flight, &command);
                break;
        default:
                set_transfer(flight, &command);
        }
        id = nvme_queue_add(&nvme.io, &command);
        owner[id] = flight;
        flight->commands++;
        added = true;
        return true;
}

/* Sends the commands that wait for a free entry of the queue. */
static void send_waiting(void)
{
        while (first && send(first)) {
                first = first->next;
                if (!first)
                        last = &first;
        }
}

static void enqueue(struct flight *flight)
{
        block_pause(flight->request);
        flight->next = NULL;
        *last = flight;
        last = &flight->next;
        send_waiting();
}

static void start(struct block_request *request)
{
        struct flight *flight = &flights[request->number];

        if (request->operation == NOVA_BLOCK_FLUSH && !nvme.cache) {
                block_end(request, 0);
                return;
        }
        *flight = (struct flight){.request = request};
        enqueue(flight);
}

static void kick(void)
{
        if (added)
                nvme_ring_commands(&nvme);
        added = false;
}

/* Handles the completion of a command. */
static void finish(unsigned id, unsigned status)
{
        struct flight *flight = owner[id];

        flight->commands--;
        if (status)
                flight->error = EIO;
        if (!flight->error && flight->segment < flight->request->segment_count)
                enqueue(flight);
        else
                block_end(flight->request, flight->error);
}

static void drain(void)
{
        enum nvme_answer answer;
        unsigned id, status;
        bool some = false;

        while ((answer = nvme_queue_take(&nvme.io, &id, &status)) == NVME_TAKEN) {
                finish(id, status);
                some = true;
        }
        if (answer == NVME_BROKEN) {
                nvme_stop(&nvme);
                driver_fail("the controller completes a command that it does not have.");
        }
        if (some)
                nvme_ring_completions(&nvme);
        send_waiting();
}

static void handle_interrupt(void)
{
        drain();
        block_serve();
}

static void describe(void)
{
        struct nova_dma dma;

        if (nova_dma_alloc(DEPTH * LIST_BYTES, &dma))
                driver_fail("there is no memory for lists of pages; write a larger `memory`.");
        lists = (char *)dma.memory;
        lists_device = nova_pci_address(nvme.pci, &dma);
        device.info = (struct nova_block_info){
                .blocks = nvme.blocks,
                .block_bytes = nvme.block_bytes,
                .flags = (nvme.read_only ? (uint32_t)NOVA_BLOCK_READ_ONLY : 0) |
                         (nvme.cache ? (uint32_t)NOVA_BLOCK_HAS_CACHE : 0) |
                         (nvme.discard ? (uint32_t)NOVA_BLOCK_HAS_DISCARD : 0),
                .segments = NOVA_BLOCK_SEGMENTS,
                .request_max = nvme.transfer_max / nvme.block_bytes,
                .identity = nvme.identity};
        device.start = start;
        device.kick = kick;
        device.source = (struct share_source){dma_alloc, dma_release};
        dma_use(nvme.pci);
}

int main(int argc, char **argv)
{
        const char *wrong;

        if (argc > 2)
                device.name = argv[2];
        wrong = nvme_open(&nvme, argc > 1 ? argv[1] : "disk");
        if (wrong)
                (nvme.unsupported ? driver_refuse : driver_fail)(wrong);
        describe();
        driver_run(block_service_start(&device), nvme.interrupt, handle_interrupt);
}
