/* SPDX-License-Identifier: BSD-2-Clause */
/* Fuzzes the virtio devices of guests with a driver that accesses their registers, interrupt
 * messages and configuration spaces, and writes anything to their queues. The devices must access
 * only the guest's memory and their disks, send only messages of their table and frames of valid
 * sizes, and report at most one error. */
#include <stdlib.h>
#include <string.h>

#include "novart/internet_sum.h"
#include "novavmm/virtio_block.h"
#include "novavmm/virtio_console.h"
#include "novavmm/virtio_net.h"
#include "novavmm/virtio_random.h"

#define RAM_BYTES  0x8000u
#define DISK_BYTES (8u * NOVA_SECTOR)
#define WINDOW     0xe0000000u
#define PORTS      0xc000u
#define DEVICES    5u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct nova_virtio_block block, stored;
static struct nova_virtio_console console;
static struct nova_virtio_random entropy;
static struct nova_virtio_net card;
static struct nova_virtio *const device[DEVICES] = {&block.virtio, &console.virtio, &entropy.virtio,
                                                    &stored.virtio, &card.virtio};
static struct nova_vpci pci;
static unsigned complaints;

static void complain(void *context, const char *name, const char *cause)
{
        (void)context;
        if (!strlen(name) || !strlen(cause) || ++complaints > DEVICES)
                abort();
}

static void send(void *context, uint8_t byte)
{
        (void)context;
        (void)byte;
}

static size_t source(void *context, void *to, size_t bytes)
{
        (void)context;
        memset(to, 0x5a, bytes);
        return bytes;
}

/* The store of the second disk: steps wait until the input ends one of them. */
static uint8_t buffer[NOVA_VIRTIO_BLOCK_REQUESTS * NOVA_VIRTIO_BLOCK_STEP];
static struct nova_virtio_block_step steps[NOVA_VIRTIO_BLOCK_REQUESTS];
static uint32_t waiting; /* bit n: request n has a step */

static void start_step(void *context, const struct nova_virtio_block_step *step)
{
        const struct nova_virtio_block_store *const of = stored.store;

        (void)context;
        if (step->request >= NOVA_VIRTIO_BLOCK_REQUESTS ||
            (step->bytes > of->step_bytes && step->operation != NOVA_VIRTIO_BLOCK_DISCARD) ||
            step->bytes % of->block_bytes || step->offset % of->block_bytes ||
            step->offset > of->bytes || step->bytes > of->bytes - step->offset)
                abort();
        steps[step->request] = *step;
        waiting |= 1u << step->request;
}

static void kick(void *context)
{
        (void)context;
}

static bool check(void *context, const struct nova_virtio_block_step *step)
{
        (void)context;
        return !(step->offset & 512);
}

static const struct nova_virtio_block_store store = {
        .bytes = DISK_BYTES,
        .block_bytes = NOVA_SECTOR,
        .step_bytes = 2 * NOVA_SECTOR,
        .has_cache = true,
        .has_discard = true,
        .buffer = buffer,
        .start = start_step,
        .kick = kick,
        .check = check,
};

/* Ends a step, or starts all of them again. */
static void answer(unsigned number)
{
        number %= NOVA_VIRTIO_BLOCK_REQUESTS + 1;
        if (number == NOVA_VIRTIO_BLOCK_REQUESTS) {
                waiting = 0;
                nova_virtio_block_restart(&stored);
        } else if (waiting >> number & 1) {
                waiting &= ~(1u << number);
                nova_virtio_block_done(&stored, number, number & 1);
        }
}

/* The cable of the card, which has room for some frames. Each frame gets memory of its own, so that
 * a write outside of it is found. */
static uint8_t *frame;
static unsigned room;

static void *prepare(void *context)
{
        (void)context;
        free(frame);
        frame = room ? malloc(NOVA_VIRTIO_NET_FRAME_MAX) : NULL;
        return frame;
}

static void send_frame(void *context, size_t bytes)
{
        (void)context;
        if (!frame || !room-- || bytes < NOVA_VIRTIO_NET_FRAME_MIN ||
            bytes > NOVA_VIRTIO_NET_FRAME_MAX)
                abort();
}

/* Takes every second frame, whose checksum is open, as it is. */
static bool send_open(void *context, size_t bytes, uint32_t sum)
{
        const bool takes = room & 1;

        if (!nova_net_sum_is_valid(sum, (uint32_t)bytes))
                abort();
        if (takes)
                send_frame(context, bytes);
        return takes;
}

static const struct nova_virtio_net_cable cable = {prepare, send_frame, kick,
                                                   kick,    NULL,       send_open};

/* Gives the card frames of a stream of TCP, which it may join. A frame gets memory of its own, so
 * that a read outside of it is found. */
static void give_stream(unsigned number)
{
        static const uint8_t headers[NOVA_TCP_HEADERS_MIN] = {
                [12] = 8, 0, 0x45, [23] = 6, [34] = 4, 0, 0, 80, [46] = 0x50, 0x10};
        const unsigned data = 1 + 40 * (number >> 6);
        const size_t bytes = NOVA_TCP_HEADERS_MIN + data;

        for (unsigned i = 0; i <= (number >> 4 & 3); i++) {
                uint8_t *const in = calloc(1, bytes);
                uint16_t sum;

                if (!in)
                        break;
                memcpy(in, headers, sizeof(headers));
                in[17] = (uint8_t)(40 + data);
                in[41] = (uint8_t)(data * i);
                sum = (uint16_t)~nova_internet_sum(in + 14, 20);
                memcpy(in + 24, &sum, sizeof(sum));
                if (!nova_virtio_net_receive_more(&card, in, bytes, nova_net_sum_open(34, 16)) &&
                    !card.lacks_buffers)
                        abort();
                free(in);
        }
        nova_virtio_net_receive_end(&card);
}

/* Lets the card send frames, or gives it a frame or a stream. A frame that was refused may come
 * again. */
static void use_card(unsigned number)
{
        static const uint8_t in[NOVA_VIRTIO_NET_FRAME_MAX];
        const uint32_t sum = number & 4 ? nova_net_sum_open(20, 2) : number & 2;

        if (number & 1) {
                room = number & 15;
                nova_virtio_net_resume(&card);
        } else if (number & 8) {
                give_stream(number);
        } else if (!nova_virtio_net_receive_sum(&card, in, NOVA_VIRTIO_NET_FRAME_MIN + 5 * number,
                                                sum) &&
                   !card.lacks_buffers) {
                abort();
        }
}

/* Checks that a message is sent only if its mask is clear. */
static void send_message(void *context, uint64_t address, uint32_t value)
{
        const struct nova_virtio *const from = context;
        bool found = false;

        for (unsigned i = 0; i < NOVA_VIRTIO_MESSAGES; i++)
                found |= from->message[i][0] == (uint32_t)address &&
                         from->message[i][1] == (uint32_t)(address >> 32) &&
                         from->message[i][2] == value && !from->message[i][3];
        if (!found || address & 3)
                abort();
}

static void make(const struct nova_guest_memory *memory, uint8_t *disk)
{
        nova_vpci_init(&pci);
        nova_virtio_block_init(&block, memory, disk, DISK_BYTES, false);
        nova_virtio_console_init(&console, memory, send, NULL);
        nova_virtio_random_init(&entropy, memory, source, NULL);
        nova_virtio_block_init_store(&stored, memory, &store, 0);
        nova_virtio_net_init(&card, memory, (const uint8_t[]){2, 0, 0, 0, 0, 1}, &cable);
        room = 4;
        waiting = 0;
        for (unsigned i = 0; i < DEVICES; i++) {
                device[i]->complain = complain;
                nova_virtio_add_messages(device[i], send_message, device[i]);
                device[i]->pci.config[NOVA_VPCI_BAR] = WINDOW + i * NOVA_VIRTIO_BAR_BYTES;
                device[i]->pci.config[NOVA_VPCI_PORT_BAR] |= PORTS + 0x20 * i;
                nova_vpci_add(&pci, i + 1, &device[i]->pci);
        }
}

/* Notifies a device of a chain, by a register in memory or by a port. */
static void notify(const struct nova_virtio *to, unsigned queue, bool port)
{
        if (port)
                nova_vpci_port_write(&pci, (to->pci.config[NOVA_VPCI_PORT_BAR] & ~3u) + 4 * queue,
                                     2, 0);
        else
                nova_vpci_memory_write(&pci, to->pci.config[NOVA_VPCI_BAR] + 0x3000 + 4 * queue, 2,
                                       0);
}

static void put(const struct nova_virtio *to, unsigned at, unsigned bytes, uint64_t value)
{
        nova_vpci_memory_write(&pci, to->pci.config[NOVA_VPCI_BAR] + at, bytes, value);
}

/* Performs the steps of a correct driver that start a device, so that the rest of the input meets a
 * working one. */
static void start(const struct nova_virtio *to, uint32_t features)
{
        put(to, 20, 1, 0);
        put(to, 20, 1, NOVA_VIRTIO_ACKNOWLEDGE | NOVA_VIRTIO_DRIVER);
        put(to, 8, 4, 0);
        put(to, 12, 4, features & (uint32_t)to->offered);
        put(to, 8, 4, 1);
        put(to, 12, 4, 1);
        put(to, 20, 1, NOVA_VIRTIO_FEATURES_OK);
        for (unsigned i = 0; i < to->kind->queues; i++) {
                put(to, 22, 2, i);
                put(to, 24, 2, 8);
                for (unsigned part = 0; part < 3; part++)
                        put(to, 32 + 8 * part, 8, 0x400 * i + 0x100 * part);
                put(to, 26, 2, i + 1);
                put(to, 28, 2, 1);
        }
        put(to, 20, 1, NOVA_VIRTIO_DRIVER_OK);
}

/* Executes one step, which names an action, a device, an address and data. @return bytes of input
 * used */
static size_t step(uint8_t *ram, const uint8_t *data, size_t size)
{
        uint8_t in[8] = {0};
        uint64_t value = 0;

        memcpy(in, data, size < sizeof(in) ? size : sizeof(in));
        memcpy(&value, in + 4, 4);
        value |= value << 32;

        struct nova_virtio *const to = device[in[1] % DEVICES];
        const unsigned at = in[2] | (unsigned)in[3] << 8, bytes = 1u << (in[0] >> 4 & 3);

        switch (in[0] & 7) {
        case 0:
                put(to, at, bytes, value);
                break;
        case 1:
                nova_vpci_memory_read(&pci, WINDOW + at, bytes);
                nova_vpci_port_read(&pci, at, bytes);
                break;
        case 2: /* the guest's memory, where queues begin */
                memcpy(ram + at % (RAM_BYTES / 8 - bytes), &value, bytes);
                break;
        case 3:
                nova_vpci_write(&pci, 0xcf8, 4, 0x80000000 | (at & 0x3ffc));
                nova_vpci_write(&pci, 0xcfc, bytes > 4 ? 4 : bytes, value);
                nova_vpci_read(&pci, 0xcfc, 4);
                break;
        case 4:
                start(to, at & 1 ? UINT32_MAX : at & 2 ? 1u << 29 : 0);
                break;
        case 5:
                if (in[0] & 8)
                        answer(in[2]);
                else if (in[1] % DEVICES == 4)
                        use_card(in[2]);
                else
                        nova_virtio_console_receive(&console, in, sizeof(in));
                break;
        case 6: /* a descriptor, and a chain that begins there */
                memcpy(ram + 0x400 * (in[1] >> 7) + 16 * (at & 7), data + 4,
                       size > 20  ? 16
                       : size > 4 ? size - 4
                                  : 0);
                return 20;
        default:
                notify(to, at & 1, at & 2);
                nova_virtio_look(device[in[4] % DEVICES]);
                break;
        }
        return sizeof(in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        uint8_t *const ram = calloc(1, RAM_BYTES), *const disk = calloc(1, DISK_BYTES);
        const struct nova_guest_memory memory = {.base = ram, .bytes = RAM_BYTES};

        if (ram && disk) {
                complaints = 0;
                make(&memory, disk);
                for (size_t at = 0; at < size;)
                        at += step(ram, data + at, size - at);
        }
        free(frame);
        frame = NULL;
        free(ram);
        free(disk);
        return 0;
}
