/* SPDX-License-Identifier: BSD-2-Clause */
/* Parts of the driver `virtio-blk`, of the block service and of the runtime, as the driver sees
 * them. */
#include "virtio_blk_fake.h"

#include <stdlib.h>
#include <string.h>

#include "block/server.h"
#include "driver_fake.h"
#include "novart/time.h"
#include "ring/claim.h"
#include "ring/dma.h"
#include "ring/driver.h"
#include "virtio/pci.h"

#define PENDING      (-1)
#define READ         0 /* types of requests */
#define SERIAL       8
#define SERIAL_BYTES 20
#define BLOCK_BYTES  512
#define MOST_NS      4000000000 /* maximum time of a start; clients wait 5 s for the service */

static _Alignas(4096) char memory[0x10000];
static const struct block_device *disk;
static uint64_t status_at; /* address of the status of the request in flight */
static uint32_t written;
static bool done;
static int result;
static const char *disk_serial;
static unsigned silent;     /* number of requests for the serial number without an answer */
static uint32_t unanswered; /* bit n: the device does not answer request n */
static uint64_t slept;      /* time in ns that the driver has slept */
static uint64_t delay;      /* time in ns that the device takes for a request */
static uint64_t answer_at;  /* time of the answer, measured as `slept` */
/* Progress of a driver whose device has not answered a request. */
static enum { ANSWERS, SILENT, RESET, EMPTY } silence;

int fake_read(uint32_t blocks, uint32_t bytes, int status)
{
        static struct share_pool pool;
        struct block_request request = {.operation = NOVA_BLOCK_READ,
                                        .blocks = blocks,
                                        .segment_count = 1,
                                        .segment = {{0, blocks * 512}},
                                        .pool = &pool};
        char name[] = "virtio-blk";

        if (!disk)
                fake_driver_start(name);
        if (!disk)
                abort();
        result = PENDING;
        disk->start(&request);
        if (status >= 0)
                *(uint8_t *)status_at = (uint8_t)status;
        written = bytes;
        done = true;
        fake_driver_interrupt();
        return result;
}

uint64_t fake_identity(const char *serial)
{
        char name[] = "virtio-blk";

        disk = NULL;
        disk_serial = serial;
        fake_driver_start(name);
        return disk->info.identity;
}

/* Starts the driver with a device that does not answer the requests of `silent` and `unanswered`.
 * @return the driver's last sentence */
static const char *try_start(const char *serial)
{
        char name[] = "virtio-blk";
        const char *sentence;

        disk = NULL;
        disk_serial = serial;
        silence = ANSWERS;
        slept = 0;
        sentence = fake_driver_try(name);
        silent = 0;
        unanswered = 0;
        delay = answer_at = 0;
        if (slept > MOST_NS)
                abort();
        return sentence;
}

uint64_t fake_silent(unsigned requests, const char *serial)
{
        silent = requests;
        if (try_start(serial) || silence != EMPTY)
                abort();
        return disk->info.identity;
}

uint64_t fake_stalled(uint32_t requests, const char *serial)
{
        const char *sentence;

        unanswered = requests;
        sentence = try_start(serial);
        if (!sentence && silence != EMPTY && silence != ANSWERS)
                abort();
        silence = ANSWERS;
        return sentence ? FAKE_FAILED : disk->info.identity;
}

uint64_t fake_slow(uint64_t ns, const char *serial)
{
        delay = ns;
        return fake_stalled(0, serial);
}

const char *virtio_renew(struct virtio *virtio)
{
        (void)virtio;
        done = false;
        silence = RESET;
        return NULL;
}

const char *virtio_open(struct virtio *virtio, uint64_t wanted)
{
        virtio->features = wanted & VIRTIO_INDIRECT;
        return NULL;
}

unsigned virtio_queue_size(struct virtio *virtio, unsigned index)
{
        (void)virtio, (void)index;
        return 128;
}

uint64_t virtio_config(const struct virtio *virtio, size_t offset, unsigned bytes)
{
        (void)virtio, (void)bytes;
        return offset ? 0 : 1000;
}

void nova_sleep(uint64_t ns)
{
        slept += ns;
}

size_t queue_bytes(const struct queue *queue)
{
        (void)queue;
        return 0x1000;
}

void queue_init(struct queue *queue)
{
        (void)queue;
        if (silence == RESET)
                silence = EMPTY;
}

static bool is_answered(uint32_t type)
{
        const bool is_stalled = unanswered & 1;

        unanswered >>= 1;
        if (type != SERIAL || !silent)
                return !is_stalled;
        silent--;
        return false;
}

/* Answers a request that the driver makes before it offers the disk: for the serial number, or a
 * read of the first block, which fails. */
static void answer_first(const struct queue_part *parts, unsigned count)
{
        const uint32_t type = *(uint32_t *)parts[0].address;

        if ((type != SERIAL && type != READ) || count != 3 || !parts[1].device_writes ||
            parts[1].bytes != (type == READ ? BLOCK_BYTES : SERIAL_BYTES))
                abort();
        if (silence == SILENT || silence == RESET) /* the device has another request */
                abort();
        if (!is_answered(type)) {
                silence = SILENT;
                return;
        }
        if (type == READ) {
                memset((void *)parts[1].address, 0xff, BLOCK_BYTES);
                *(uint8_t *)status_at = 1;
        } else {
                if (disk_serial)
                        memcpy((void *)parts[1].address, disk_serial, SERIAL_BYTES);
                *(uint8_t *)status_at = disk_serial ? 0 : 2;
        }
        written = parts[1].bytes + 1;
        done = true;
}

void queue_add(struct queue *queue, unsigned number, const struct queue_part *parts, unsigned count)
{
        (void)queue, (void)number;
        status_at = parts[count - 1].address;
        answer_at = slept + delay;
        if (!disk)
                answer_first(parts, count);
}

bool queue_publish(struct queue *queue)
{
        (void)queue;
        return false;
}

enum queue_answer queue_take(struct queue *queue, unsigned *number, uint32_t *bytes)
{
        (void)queue;
        *number = 0;
        *bytes = written;
        if (!done || slept < answer_at)
                return QUEUE_EMPTY;
        done = false;
        return QUEUE_TAKEN;
}

bool queue_arm(struct queue *queue)
{
        (void)queue;
        return true;
}

bool queue_is_taken(const struct queue *queue)
{
        (void)queue;
        return true;
}

int nova_dma_alloc(size_t bytes, struct nova_dma *dma)
{
        if (bytes > sizeof(memory))
                abort();
        dma->memory = memory;
        return 0;
}

uint64_t nova_pci_address(const struct nova_pci_device *device, const struct nova_dma *dma)
{
        (void)device;
        return (uintptr_t)dma->memory;
}

void driver_claim(struct nova_pci_device **pci, const char *name, const struct driver_kind *kind)
{
        (void)pci, (void)name, (void)kind;
}

int block_service_start(const struct block_device *of)
{
        disk = of;
        return 0;
}

void block_advance(struct block_request *request)
{
        (void)request;
}

void block_end(struct block_request *request, int error)
{
        (void)request;
        result = error;
}

void block_serve(void)
{
}
