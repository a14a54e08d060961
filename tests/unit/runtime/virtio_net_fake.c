/* SPDX-License-Identifier: BSD-2-Clause */
/* Parts of the driver `virtio-net`, of the network service and of the runtime, as the driver sees
 * them. */
#include "virtio_net_fake.h"

#include <stdlib.h>

#include "driver_fake.h"
#include "net/server.h"
#include "ring/claim.h"
#include "ring/dma.h"
#include "ring/driver.h"
#include "virtio-net/frames.h"
#include "virtio/pci.h"

#define ENDLESS 1000000 /* requests after which the test gives up */

unsigned fake_received, fake_sent;

static _Alignas(4096) char memory[0x100000];
static const struct net_service *service;
static struct frames *frames_of_driver;
static enum fake_ring rings[FRAMES_QUEUES];

bool fake_serve(enum fake_ring receive, enum fake_ring transmit)
{
        static struct net_port port = {.attached = true};
        char name[] = "virtio-net";

        if (!service)
                fake_driver_start(name);
        if (!service)
                abort();
        frames_init(frames_of_driver);
        rings[FRAMES_RECEIVE] = receive;
        rings[FRAMES_TRANSMIT] = transmit;
        fake_received = fake_sent = 0;
        return service->serve(&port);
}

static int take(enum fake_ring ring, unsigned *count)
{
        if (ring == FAKE_EMPTY)
                return EAGAIN;
        if (++*count > ENDLESS)
                abort();
        return ring == FAKE_GOOD ? 0 : EINVAL;
}

int net_take_receive(struct net_port *port, struct nova_net_entry *entry)
{
        (void)port, (void)entry;
        return take(rings[FRAMES_RECEIVE], &fake_received);
}

int net_take_transmit(struct net_port *port, struct nova_net_entry *entry)
{
        (void)port, (void)entry;
        return take(rings[FRAMES_TRANSMIT], &fake_sent);
}

int net_service_start(const struct net_service *of)
{
        service = of;
        return 0;
}

void net_complete_transmit(struct net_port *port, uint32_t tag, int error)
{
        (void)port, (void)tag, (void)error;
}

void net_complete_receive(struct net_port *port, uint32_t tag, uint32_t bytes, uint32_t sum)
{
        (void)port, (void)tag, (void)bytes, (void)sum;
}

void net_serve(void)
{
}

bool net_address_is_valid(const uint8_t *address)
{
        (void)address;
        return true;
}

size_t frames_header_bytes(const struct frames *frames, unsigned index)
{
        (void)frames, (void)index;
        return 0x1000;
}

void frames_init(struct frames *frames)
{
        frames_of_driver = frames;
        for (unsigned i = 0; i < FRAMES_QUEUES; i++)
                frames->free_count[i] = frames->queue[i].depth;
}

void frames_add(struct frames *frames, unsigned index, const struct frames_request *request,
                uint64_t device)
{
        (void)request, (void)device;
        frames->free_count[index]--;
}

enum queue_answer frames_take(struct frames *frames, unsigned index, struct frames_end *end)
{
        (void)frames, (void)index, (void)end;
        return QUEUE_EMPTY;
}

size_t queue_bytes(const struct queue *queue)
{
        (void)queue;
        return 0x1000;
}

bool queue_publish(struct queue *queue)
{
        (void)queue;
        return false;
}

bool queue_arm(struct queue *queue)
{
        (void)queue;
        return true;
}

void queue_disarm(struct queue *queue)
{
        (void)queue;
}

bool queue_is_taken(const struct queue *queue)
{
        (void)queue;
        return true;
}

bool queue_is_done(const struct queue *queue)
{
        (void)queue;
        return true;
}

const char *virtio_open(struct virtio *virtio, uint64_t wanted)
{
        virtio->features = wanted & VIRTIO_EVENTS;
        virtio->features |= 1ull << 5; /* the card has an address */
        return NULL;
}

const char *virtio_renew(struct virtio *virtio)
{
        (void)virtio;
        return NULL;
}

unsigned virtio_queue_size(struct virtio *virtio, unsigned index)
{
        (void)virtio, (void)index;
        return 64;
}

uint64_t virtio_config(const struct virtio *virtio, size_t offset, unsigned bytes)
{
        (void)virtio, (void)offset, (void)bytes;
        return 0;
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

uint32_t watchdog_stamp(void)
{
        return 1;
}

uint32_t watchdog_age(uint32_t stamp)
{
        (void)stamp;
        return 0;
}

nova_sel_t serve_doorbell(void)
{
        return 0;
}

void driver_claim(struct nova_pci_device **pci, const char *name, const struct driver_kind *kind)
{
        (void)pci, (void)name, (void)kind;
}
