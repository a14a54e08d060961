/* SPDX-License-Identifier: BSD-2-Clause */
/* The program `virtio-blk`: a driver for virtio block devices (VIRTIO 1.2, 5.2). Arguments: the
 * name of the device in the description (default: `disk`), and the name of the service. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "block/identity.h"
#include "block/server.h"
#include "novart/program.h"
#include "novart/time.h"
#include "ring/claim.h"
#include "ring/dma.h"
#include "ring/driver.h"
#include "virtio/pci.h"

/* Features. */
#define READ_ONLY  (1ull << 5)
#define BLOCK_SIZE (1ull << 6)
#define SEG_MAX    (1ull << 2)
#define SIZE_MAX_  (1ull << 1)
#define FLUSH      (1ull << 9)
#define DISCARD    (1ull << 13)

/* Offsets in the configuration. */
#define CONFIG_CAPACITY    0
#define CONFIG_SIZE_MAX    8
#define CONFIG_SEG_MAX     12
#define CONFIG_BLOCK_SIZE  20
#define CONFIG_DISCARD_MAX 36

/* Types of requests, and their status. */
#define TYPE_READ     0
#define TYPE_WRITE    1
#define TYPE_FLUSH    4
#define TYPE_SERIAL   8
#define TYPE_DISCARD  11
#define STATUS_GOOD   0
#define STATUS_NEVER  0xff /* the device has not written a status */
#define SECTOR        512
#define DEPTH_MAX     128
#define TIMEOUT_NS    10000000000
#define DISCARD_BYTES 16
#define SERIAL_BYTES  20
#define READ_MS       750 /* time limit of the read that shows whether the device works */

/* The data that the device reads and writes in addition to the data of a request. */
struct slot {
        uint32_t type, reserved;
        uint64_t sector;
        uint64_t discard_sector;
        uint32_t discard_count, discard_flags;
        volatile uint8_t status;
        uint8_t serial[SERIAL_BYTES];
        uint8_t fill[11];
};

static struct virtio virtio;
static struct queue queue;
static struct slot *slots;
static uint64_t slots_device;
static struct block_request *requests[DEPTH_MAX]; /* by number */
static struct block_device device = {.name = "virtio-blk", .timeout_ns = TIMEOUT_NS};
static uint32_t discard_max;          /* blocks of one command */
static uint32_t discarded[DEPTH_MAX]; /* number of blocks whose discard was sent, by request */

static uint32_t block_sectors(void)
{
        return device.info.block_bytes / SECTOR;
}

/* Sets the part of a discard that comes next. */
static void set_discard(struct slot *slot, const struct block_request *request)
{
        uint32_t *done = &discarded[request->number];
        const uint32_t rest = request->blocks - *done;
        const uint32_t count = rest < discard_max ? rest : discard_max;

        slot->discard_sector = (request->block + *done) * block_sectors();
        slot->discard_count = count * block_sectors();
        slot->discard_flags = 0;
        slot->sector = 0;
        *done += count;
}

/* Sets the slot's header, except for the type. @return the type */
static uint32_t set_header(struct slot *slot, const struct block_request *request)
{
        slot->status = STATUS_NEVER;
        slot->reserved = 0;
        slot->sector = request->block * block_sectors();
        switch (request->operation) {
        case NOVA_BLOCK_READ:
                return TYPE_READ;
        case NOVA_BLOCK_WRITE:
                return TYPE_WRITE;
        case NOVA_BLOCK_FLUSH:
                slot->sector = 0;
                return TYPE_FLUSH;
        default:
                set_discard(slot, request);
                return TYPE_DISCARD;
        }
}

static void send(struct block_request *request)
{
        const unsigned number = request->number;
        const uint64_t at = slots_device + number * sizeof(struct slot);
        struct slot *slot = &slots[number];
        struct queue_part part[QUEUE_PARTS];
        unsigned count = 0;

        slot->type = set_header(slot, request);
        part[count++] = (struct queue_part){at, offsetof(struct slot, discard_sector), false};
        if (slot->type == TYPE_DISCARD)
                part[count++] = (struct queue_part){at + offsetof(struct slot, discard_sector),
                                                    DISCARD_BYTES, false};
        for (unsigned i = 0; i < request->segment_count; i++)
                part[count++] = (struct queue_part){
                        request->pool->device + request->segment[i].offset,
                        request->segment[i].bytes, request->operation == NOVA_BLOCK_READ};
        part[count++] = (struct queue_part){at + offsetof(struct slot, status), 1, true};
        requests[number] = request;
        queue_add(&queue, number, part, count);
}

static void start(struct block_request *request)
{
        if (request->operation == NOVA_BLOCK_FLUSH && !(device.info.flags & NOVA_BLOCK_HAS_CACHE)) {
                block_end(request, 0);
                return;
        }
        discarded[request->number] = 0;
        send(request);
}

static void kick(void)
{
        if (queue_publish(&queue))
                virtio_notify(&virtio, 0);
}

/* Returns the error of a request that the device has completed. The device reports @p bytes as
 * written. Some devices do not count the byte of the status. */
static int result_of(const struct block_request *request, uint32_t bytes)
{
        if (slots[request->number].status != STATUS_GOOD)
                return EIO;
        return request->operation == NOVA_BLOCK_READ &&
                               bytes < request->blocks * device.info.block_bytes
                       ? EIO
                       : 0;
}

/* Ends a request, or sends the rest of a discard. */
static void finish(struct block_request *request, uint32_t bytes)
{
        const int error = result_of(request, bytes);

        if (!error && request->operation == NOVA_BLOCK_DISCARD &&
            discarded[request->number] < request->blocks) {
                block_advance(request);
                send(request);
        } else {
                block_end(request, error);
        }
}

/* Ends all requests that the device has completed. */
static void drain(void)
{
        unsigned number;
        uint32_t bytes;

        do {
                enum queue_answer answer;

                while ((answer = queue_take(&queue, &number, &bytes)) == QUEUE_TAKEN)
                        finish(requests[number], bytes);
                if (answer == QUEUE_BROKEN) {
                        virtio_reset(&virtio);
                        driver_fail("the device completes a request that it does not have.");
                }
        } while (!queue_arm(&queue));
}

/* Serves the device and the clients until the queue is empty, at most QUEUE_LOOKS times. */
static void handle_interrupt(void)
{
        unsigned looks = 0;

        if (virtio.pin)
                virtio_acknowledge(&virtio);
        do {
                drain();
                block_serve();
        } while (++looks < QUEUE_LOOKS && !queue_is_taken(&queue));
}

/* Reads the properties. The device may report any values. */
static void read_properties(void)
{
        const uint64_t sectors = virtio_config(&virtio, CONFIG_CAPACITY, 8);
        const uint32_t size = (uint32_t)virtio_config(&virtio, CONFIG_BLOCK_SIZE, 4);
        const uint32_t segments = (uint32_t)virtio_config(&virtio, CONFIG_SEG_MAX, 4);
        const uint32_t bytes = (uint32_t)virtio_config(&virtio, CONFIG_SIZE_MAX, 4);
        struct nova_block_info *info = &device.info;

        info->block_bytes = virtio.features & BLOCK_SIZE ? size : SECTOR;
        if (info->block_bytes < SECTOR || info->block_bytes > NOVA_PAGE_SIZE ||
            (info->block_bytes & (info->block_bytes - 1)))
                driver_refuse("the size of a block is not 512, 1024, 2048 or 4096.");
        info->blocks = sectors / (info->block_bytes / SECTOR);
        if (!info->blocks || sectors > UINT64_MAX / SECTOR)
                driver_refuse("the disk has no blocks, or too many.");
        info->segments = virtio.features & SEG_MAX && segments < NOVA_BLOCK_SEGMENTS
                                 ? segments
                                 : NOVA_BLOCK_SEGMENTS;
        if (!info->segments)
                info->segments = 1;
        info->request_max = 0x100000 / info->block_bytes;
        if (virtio.features & SIZE_MAX_ && bytes < 0x100000)
                info->request_max = bytes / info->block_bytes;
        if (!info->request_max)
                driver_refuse("the device accepts only segments that are smaller than a block.");
        discard_max = (uint32_t)virtio_config(&virtio, CONFIG_DISCARD_MAX, 4) / block_sectors();
        info->flags =
                (virtio.features & READ_ONLY ? (uint32_t)NOVA_BLOCK_READ_ONLY : 0) |
                (virtio.features & FLUSH ? (uint32_t)NOVA_BLOCK_HAS_CACHE : 0) |
                (virtio.features & DISCARD && discard_max ? (uint32_t)NOVA_BLOCK_HAS_DISCARD : 0);
}

/* Makes the queue. Its memory also has the slots, and one block for check_device(). */
static void make_queue(void)
{
        unsigned size = virtio_queue_size(&virtio, 0), slot_offset;
        struct nova_dma dma;

        if (size < QUEUE_PARTS || size & (size - 1))
                driver_refuse("the device's queue is too small, or not a power of two.");
        queue.size = size < DEPTH_MAX ? size : DEPTH_MAX;
        queue.indirect = virtio.features & VIRTIO_INDIRECT;
        queue.events = virtio.features & VIRTIO_EVENTS;
        queue.span = queue.indirect ? 1 : QUEUE_PARTS;
        queue.depth = queue.size / queue.span;
        slot_offset = (unsigned)((queue_bytes(&queue) + 63) & ~(size_t)63);
        if (nova_dma_alloc(slot_offset + queue.depth * sizeof(struct slot) +
                                   device.info.block_bytes,
                           &dma))
                driver_fail("there is no memory for the queue; write `grants dma` and a larger "
                            "`memory`.");
        queue.memory = (char *)dma.memory;
        queue.device = nova_pci_address(virtio.pci, &dma);
        queue_init(&queue);
        slots = (struct slot *)(queue.memory + slot_offset);
        slots_device = queue.device + slot_offset;
        device.depth = queue.depth;
}

static void start_device(void)
{
        const char *wrong = virtio_start(&virtio, &queue, 1);

        if (wrong)
                driver_fail(wrong);
}

/* Resets and starts the device, which has not answered in time. So the device forgets the
 * request. */
static void start_again(void)
{
        const char *wrong = virtio_renew(&virtio);

        if (wrong)
                driver_fail(wrong);
        queue_init(&queue);
        start_device();
}

/* Sends a request for @p bytes bytes to the address @p data, before the service starts. Returns
 * false if the device has not completed the request in time, and thus still has it. */
static bool request_early(uint32_t type, uint64_t data, uint32_t bytes, unsigned limit_ms)
{
        const struct queue_part part[] = {
                {slots_device, offsetof(struct slot, discard_sector), false},
                {data, bytes, true},
                {slots_device + offsetof(struct slot, status), 1, true}};
        enum queue_answer answer = QUEUE_EMPTY;
        unsigned number;
        uint32_t done;

        memset(slots, 0, sizeof(*slots));
        slots->type = type;
        slots->status = STATUS_NEVER;
        queue_add(&queue, 0, part, sizeof(part) / sizeof(*part));
        kick();
        for (unsigned ms = 0; answer == QUEUE_EMPTY && ms < limit_ms; ms++) {
                answer = queue_take(&queue, &number, &done);
                if (answer == QUEUE_EMPTY)
                        nova_sleep(1000000);
        }
        if (answer == QUEUE_BROKEN) {
                virtio_reset(&virtio);
                driver_fail("the device completes a request that it does not have.");
        }
        return answer == QUEUE_TAKEN;
}

/* Reads the first block. An error is an answer, too. Ends the program if there is no answer. */
static void check_device(void)
{
        const uint64_t block = slots_device + queue.depth * sizeof(struct slot);

        if (request_early(TYPE_READ, block, device.info.block_bytes, READ_MS))
                return;
        virtio_reset(&virtio);
        driver_fail("the device answers no request.");
}

/* Requests the serial number. Returns false if the device answers reads, but not this request. A
 * device may not know the request, or may be slow at this moment. Sessions with a disk cannot
 * continue if a restarted driver does not get its number. So the driver waits long for it, requests
 * it again if the device answers a read, and ends if it does not: init then starts the driver
 * again. All limits together are less than the 5 s for which clients wait. */
static bool request_serial(void)
{
        static const unsigned limit_ms[] = {2000, 500};
        const uint64_t serial = slots_device + offsetof(struct slot, serial);

        for (unsigned i = 0; i < sizeof(limit_ms) / sizeof(*limit_ms); i++) {
                if (request_early(TYPE_SERIAL, serial, SERIAL_BYTES, limit_ms[i]))
                        return true;
                start_again();
                check_device();
        }
        return false;
}

/* Finds the identity. It is 0 if the device has no serial number, or does not report it. */
static void find_identity(void)
{
        static const uint8_t none[SERIAL_BYTES];
        uint8_t serial[SERIAL_BYTES];

        device.info.identity = 0;
        if (!request_serial())
                return;
        memcpy(serial, slots->serial, sizeof(serial));
        if (slots->status == STATUS_GOOD && memcmp(serial, none, sizeof(serial)) != 0)
                device.info.identity =
                        block_identity_add(BLOCK_IDENTITY_BEGIN, serial, sizeof(serial));
}

int main(int argc, char **argv)
{
        static const struct driver_kind kind = {
                "a virtio disk (1af4:1042 or 1af4:1001)", 0x1af4, {0x1042, 0x1001}, 0};
        const char *wrong;

        if (argc > 2)
                device.name = argv[2];
        driver_claim(&virtio.pci, argc > 1 ? argv[1] : "disk", &kind);
        wrong = virtio_open(&virtio, READ_ONLY | BLOCK_SIZE | SEG_MAX | SIZE_MAX_ | FLUSH |
                                             DISCARD | VIRTIO_INDIRECT | VIRTIO_EVENTS);
        if (wrong)
                (virtio.unsupported ? driver_refuse : driver_fail)(wrong);
        read_properties();
        make_queue();
        start_device();
        find_identity();
        device.start = start;
        device.kick = kick;
        device.source = (struct share_source){dma_alloc, dma_release};
        dma_use(virtio.pci);
        driver_run(block_service_start(&device), virtio.interrupt, handle_interrupt);
}
