/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds the structures of a virtio device, agrees on features and starts it. */
#include "pci.h"

#include "nova/arch/mmio.h"
#include "novart/selector.h"
#include "novart/time.h"

#define CAPABILITY_VENDOR 0x09
#define CAPABILITY_MSIX   0x11
#define MSIX_ENABLED      0x8000 /* bit of the control word of MSI-X */
#define CAPABILITIES      48     /* maximum number of capabilities of a function */

/* Kinds of structures, and the number of bytes of the common structure that the driver uses. */
enum { COMMON = 1, NOTIFY = 2, ISR = 3, CONFIG = 4 };
#define COMMON_BYTES 56

/* Offsets in the common structure. */
#define DEVICE_FEATURE_SELECT 0
#define DEVICE_FEATURE        4
#define DRIVER_FEATURE_SELECT 8
#define DRIVER_FEATURE        12
#define CONFIG_VECTOR         16
#define STATUS                20
#define GENERATION            21
#define QUEUE_SELECT          22
#define QUEUE_SIZE            24
#define QUEUE_VECTOR          26
#define QUEUE_ENABLE          28
#define QUEUE_NOTIFY          30
#define QUEUE_DESCRIPTORS     32
#define QUEUE_AVAILABLE       40
#define QUEUE_USED            48

#define STATUS_ACKNOWLEDGE 1
#define STATUS_DRIVER      2
#define STATUS_READY       4
#define STATUS_FEATURES    8

#define NO_VECTOR   0xffff
#define BARS        6
#define RESET_TRIES 1000 /* reads of the status after a reset, one per ms */
#define READ_TRIES  100  /* attempts to read a configuration that changes meanwhile */

static void put64(volatile uint8_t *at, uint64_t value)
{
        nova_mmio_write32(at, (uint32_t)value);
        nova_mmio_write32(at + 4, (uint32_t)(value >> 32));
}

/* The mapped registers of a function. */
struct bars {
        volatile void *memory[BARS];
        size_t bytes[BARS];
};

/* Returns the address of a structure in the registers, and stores its length. Returns NULL if the
 * registers cannot be mapped, or if the structure is misaligned or lies outside of them. */
static volatile uint8_t *place(struct virtio *virtio, struct bars *bars, unsigned kind, unsigned at,
                               size_t *length)
{
        static const uint8_t align[] = {[COMMON] = 4, [NOTIFY] = 2, [ISR] = 1, [CONFIG] = 4};
        uint32_t bar, offset, bytes;

        if (nova_pci_config_read(virtio->pci, at + 4, 1, &bar) || bar >= BARS ||
            nova_pci_config_read(virtio->pci, at + 8, 4, &offset) ||
            nova_pci_config_read(virtio->pci, at + 12, 4, &bytes))
                return NULL;
        if (!bars->memory[bar] &&
            nova_pci_map(virtio->pci, bar, &bars->memory[bar], &bars->bytes[bar]))
                return NULL;
        if (offset % align[kind] || offset > bars->bytes[bar] || bytes > bars->bytes[bar] - offset)
                return NULL;
        *length = bytes;
        return (volatile uint8_t *)bars->memory[bar] + offset;
}

/* Takes the first structure of each kind that lies inside the registers. The list of a faulty
 * device may have no end. */
static bool find_structures(struct virtio *virtio)
{
        struct bars bars = {{NULL}, {0}};
        unsigned at = 0;
        size_t length;
        uint32_t kind;

        for (unsigned left = CAPABILITIES;
             left && nova_pci_capability(virtio->pci, CAPABILITY_VENDOR, &at) == 0; left--) {
                volatile uint8_t *found;

                if (nova_pci_config_read(virtio->pci, at + 3, 1, &kind) || kind < COMMON ||
                    kind > CONFIG)
                        continue;
                found = place(virtio, &bars, kind, at, &length);
                if (!found)
                        continue;
                if (kind == COMMON && !virtio->common && length >= COMMON_BYTES)
                        virtio->common = found;
                if (kind == ISR && !virtio->isr && length)
                        virtio->isr = found;
                if (kind == CONFIG && !virtio->config) {
                        virtio->config = found;
                        virtio->config_bytes = length;
                }
                if (kind == NOTIFY && !virtio->notify &&
                    !nova_pci_config_read(virtio->pci, at + 16, 4, &virtio->notify_step)) {
                        virtio->notify = found;
                        virtio->notify_bytes = length;
                }
        }
        return virtio->common && virtio->notify && virtio->isr && virtio->config;
}

static uint8_t status(const struct virtio *virtio)
{
        return nova_mmio_read8(virtio->common + STATUS);
}

static void add_status(struct virtio *virtio, uint8_t bit)
{
        nova_mmio_write8(virtio->common + STATUS, status(virtio) | bit);
}

void virtio_reset(struct virtio *virtio)
{
        nova_mmio_write8(virtio->common + STATUS, 0);
        for (unsigned i = 0; i < RESET_TRIES && status(virtio); i++)
                nova_sleep(1000000);
}

static uint64_t offered(struct virtio *virtio)
{
        uint64_t features;

        nova_mmio_write32(virtio->common + DEVICE_FEATURE_SELECT, 1);
        features = (uint64_t)nova_mmio_read32(virtio->common + DEVICE_FEATURE) << 32;
        nova_mmio_write32(virtio->common + DEVICE_FEATURE_SELECT, 0);
        return features | nova_mmio_read32(virtio->common + DEVICE_FEATURE);
}

static const char *agree(struct virtio *virtio, uint64_t wanted)
{
        const uint64_t all = offered(virtio);

        virtio->unsupported = true;
        if (!(all & VIRTIO_VERSION_1))
                return "the device is older than virtio 1.0.";
        if ((nova_pci_flags(virtio->pci) & NOVA_PCI_CONFINED) && !(all & VIRTIO_ACCESS_PLATFORM))
                return "the device does not use the machine's I/O MMU; give it iommu_platform=on.";
        virtio->unsupported = false;
        virtio->features =
                all & (wanted | VIRTIO_VERSION_1 | VIRTIO_ACCESS_PLATFORM | VIRTIO_ORDER_PLATFORM);
        nova_mmio_write32(virtio->common + DRIVER_FEATURE_SELECT, 0);
        nova_mmio_write32(virtio->common + DRIVER_FEATURE, (uint32_t)virtio->features);
        nova_mmio_write32(virtio->common + DRIVER_FEATURE_SELECT, 1);
        nova_mmio_write32(virtio->common + DRIVER_FEATURE, (uint32_t)(virtio->features >> 32));
        add_status(virtio, STATUS_FEATURES);
        return status(virtio) & STATUS_FEATURES ? NULL : "the device refuses the features.";
}

static const char *reset(struct virtio *virtio)
{
        virtio_reset(virtio);
        return status(virtio) ? "the device cannot be reset." : NULL;
}

static const char *greet(struct virtio *virtio, uint64_t wanted)
{
        add_status(virtio, STATUS_ACKNOWLEDGE);
        add_status(virtio, STATUS_DRIVER);
        return agree(virtio, wanted);
}

const char *virtio_open(struct virtio *virtio, uint64_t wanted)
{
        const char *wrong;

        virtio->unsupported = !find_structures(virtio);
        if (virtio->unsupported)
                return "the function is not a virtio device 1.0 or later.";
        wrong = reset(virtio);
        if (wrong)
                return wrong;
        /* The requests of a former driver have ended, so the memory of that driver can be used
         * again. */
        nova_pci_quiet(virtio->pci);
        return greet(virtio, wanted);
}

const char *virtio_renew(struct virtio *virtio)
{
        const char *wrong = reset(virtio);

        return wrong ? wrong : greet(virtio, virtio->features);
}

unsigned virtio_queue_size(struct virtio *virtio, unsigned index)
{
        nova_mmio_write16(virtio->common + QUEUE_SELECT, (uint16_t)index);
        return nova_mmio_read16(virtio->common + QUEUE_SIZE);
}

static const char *start_interrupts(struct virtio *virtio)
{
        unsigned got, at = 0;
        uint32_t control = 0;

        if (virtio->has_interrupt)
                return NULL;
        virtio->interrupt = nova_sel_alloc(0);
        if (virtio->interrupt == NOVA_SEL_NONE)
                return "no selector is left.";
        if (nova_pci_interrupts(virtio->pci, 1, &virtio->interrupt, &got) || !got)
                return "the device has no interrupt.";
        if (nova_pci_master(virtio->pci, true))
                return "the device cannot access memory.";
        if (nova_pci_capability(virtio->pci, CAPABILITY_MSIX, &at) == 0)
                nova_pci_config_read(virtio->pci, at + 2, 2, &control);
        virtio->pin = !(control & MSIX_ENABLED);
        virtio->has_interrupt = true;
        return NULL;
}

static const char *add_queue(struct virtio *virtio, unsigned index, const struct queue *queue)
{
        volatile uint8_t *common = virtio->common;
        uint64_t notify;

        nova_mmio_write16(common + QUEUE_SELECT, (uint16_t)index);
        nova_mmio_write16(common + QUEUE_SIZE, (uint16_t)queue->size);
        nova_mmio_write16(common + QUEUE_VECTOR, virtio->pin ? NO_VECTOR : 0);
        if (!virtio->pin && nova_mmio_read16(common + QUEUE_VECTOR))
                return "the device refuses an interrupt for its queue.";
        put64(common + QUEUE_DESCRIPTORS, queue_descriptors(queue));
        put64(common + QUEUE_AVAILABLE, queue_available(queue));
        put64(common + QUEUE_USED, queue_used(queue));
        notify = (uint64_t)nova_mmio_read16(common + QUEUE_NOTIFY) * virtio->notify_step;
        if (notify % 2 || notify + 2 > virtio->notify_bytes)
                return "the queue's notification lies outside of the registers.";
        virtio->notify_offset[index] = (size_t)notify;
        nova_mmio_write16(common + QUEUE_ENABLE, 1);
        return NULL;
}

const char *virtio_start(struct virtio *virtio, const struct queue *queues, unsigned count)
{
        const char *wrong = start_interrupts(virtio);

        if (wrong)
                return wrong;
        nova_mmio_write16(virtio->common + CONFIG_VECTOR, NO_VECTOR);
        for (unsigned i = 0; i < count; i++) {
                wrong = add_queue(virtio, i, &queues[i]);
                if (wrong)
                        return wrong;
        }
        add_status(virtio, STATUS_READY);
        return NULL;
}

void virtio_notify(const struct virtio *virtio, unsigned index)
{
        nova_mmio_write16(virtio->notify + virtio->notify_offset[index], (uint16_t)index);
}

void virtio_acknowledge(const struct virtio *virtio)
{
        nova_mmio_read8(virtio->isr);
}

uint64_t virtio_config(const struct virtio *virtio, size_t offset, unsigned bytes)
{
        uint64_t value = 0;
        uint8_t before;

        if (offset + bytes > virtio->config_bytes)
                return 0;
        for (unsigned tries = 0; tries < READ_TRIES; tries++) {
                before = nova_mmio_read8(virtio->common + GENERATION);
                if (bytes == 1)
                        value = nova_mmio_read8(virtio->config + offset);
                else if (bytes == 2)
                        value = nova_mmio_read16(virtio->config + offset);
                else
                        value = nova_mmio_read32(virtio->config + offset);
                if (bytes == 8)
                        value |= (uint64_t)nova_mmio_read32(virtio->config + offset + 4) << 32;
                if (nova_mmio_read8(virtio->common + GENERATION) == before)
                        break;
        }
        return value;
}
