/* SPDX-License-Identifier: BSD-2-Clause */
/* Registers of virtio devices on PCI (see novavmm/virtio.h); Virtual I/O Device Specification 1.2,
 * 4.1. */
#include "device/virtio.h"

#include <stddef.h>
#include <string.h>

#define VENDOR       0x1af4
#define PRODUCT_BASE 0x1040
#define SUBSYSTEM    0x00401af4u
#define REVISION     1u

#define COMMAND_NO_INTERRUPT 0x0400u
#define STATUS_CAPABILITIES  0x00100000u
#define INTERRUPT_PIN_A      0x0100u

/* BAR 0: a page for each structure. */
#define PAGE_BITS   12
#define AT_COMMON   0x0000u
#define AT_ISR      0x1000u
#define AT_CONFIG   0x2000u
#define AT_NOTIFY   0x3000u
#define NOTIFY_STEP 4u

#define NOTIFY_BYTES (NOTIFY_STEP * NOVA_VIRTIO_QUEUES)

/* BAR 1: the notification registers at ports. */
#define PORT_BAR 1
#define PORTS    16u

/* Capabilities: their positions in the configuration space, their ID and their kinds. */
#define CAPABILITY_VENDOR 0x09u
#define CAPABILITY_COMMON 1u
#define CAPABILITY_NOTIFY 2u
#define CAPABILITY_ISR    3u
#define CAPABILITY_CONFIG 4u
#define CAPABILITY_PCI    5u
#define FIRST_CAPABILITY  0x40u
#define PORT_CAPABILITY   0xb0u
#define COMMON_BYTES      56u

/* The window to the BARs in the configuration space: its BAR, offset, length and data registers. */
#define WINDOW_AT     0x84u
#define WINDOW_BAR    ((WINDOW_AT + 4) / 4)
#define WINDOW_OFFSET ((WINDOW_AT + 8) / 4)
#define WINDOW_LENGTH ((WINDOW_AT + 12) / 4)
#define WINDOW_DATA   ((WINDOW_AT + 16) / 4)

/* Common registers. */
#define OFFERED_HALF  0
#define OFFERED       4
#define ACCEPTED_HALF 8
#define ACCEPTED      12
#define MSIX_CONFIG   16
#define QUEUES        18
#define STATUS        20
#define GENERATION    21
#define QUEUE_SELECT  22
#define QUEUE_SIZE    24
#define QUEUE_MSIX    26
#define QUEUE_ENABLE  28
#define QUEUE_NOTIFY  30
#define QUEUE_ADDRESS 32

#define STATUS_INTERRUPT 0x80000u /* in the upper half of NOVA_VPCI_COMMAND */

#define STATUS_BITS                                                             \
        (NOVA_VIRTIO_ACKNOWLEDGE | NOVA_VIRTIO_DRIVER | NOVA_VIRTIO_DRIVER_OK | \
         NOVA_VIRTIO_FEATURES_OK | NOVA_VIRTIO_FAILED)

/* Drives the pin, and shows the state of the interrupt in the status of the PCI function, where
 * drivers without messages look for it (VIRTIO 1.2, 4.1.4.5.1). */
static void drive(struct nova_virtio *virtio)
{
        uint32_t *const status = &virtio->pci.config[NOVA_VPCI_COMMAND];

        *status = virtio->isr ? *status | STATUS_INTERRUPT : *status & ~STATUS_INTERRUPT;
        nova_line_set(&virtio->irq,
                      virtio->isr && !novavmm_virtio_has_messages(virtio) &&
                              !(virtio->pci.config[NOVA_VPCI_COMMAND] & COMMAND_NO_INTERRUPT));
}

void novavmm_virtio_interrupt(struct nova_virtio *virtio, uint8_t cause, uint16_t vector)
{
        if (novavmm_virtio_has_messages(virtio)) {
                novavmm_virtio_message(virtio, vector);
                return;
        }
        virtio->isr |= cause;
        drive(virtio);
}

bool nova_virtio_ready(const struct nova_virtio *virtio)
{
        return virtio->status & NOVA_VIRTIO_DRIVER_OK &&
               !(virtio->status & NOVA_VIRTIO_NEEDS_RESET);
}

void nova_virtio_break(struct nova_virtio *virtio, const char *cause)
{
        virtio->status |= NOVA_VIRTIO_NEEDS_RESET;
        if (virtio->status & NOVA_VIRTIO_DRIVER_OK)
                novavmm_virtio_interrupt(virtio, ISR_CONFIG, virtio->error_vector);
        if (virtio->complain && !virtio->complained) {
                virtio->complained = true; /* only once, so that a guest cannot fill the log */
                virtio->complain(virtio->context, virtio->kind->name, cause);
        }
}

static void reset(struct nova_virtio *virtio)
{
        virtio->status = virtio->isr = 0;
        virtio->accepted = 0;
        virtio->accepts_unknown = false;
        virtio->offered_half = virtio->accepted_half = 0;
        virtio->queue_selected = 0;
        virtio->again = virtio->unfinished = virtio->late = false;
        virtio->error_vector = NO_VECTOR;
        virtio->pending = 0;
        memset(virtio->queue, 0, sizeof(virtio->queue));
        for (unsigned i = 0; i < virtio->kind->queues; i++) {
                virtio->queue[i].size = NOVA_VIRTIO_QUEUE_SIZE;
                virtio->queue[i].vector = NO_VECTOR;
        }
        drive(virtio);
        if (virtio->kind->reset)
                virtio->kind->reset(virtio);
}

/* Returns true if the driver's features are valid: all of them were offered, and VERSION_1 is among
 * them. */
static bool agreed(const struct nova_virtio *virtio)
{
        return !(virtio->accepted & ~virtio->offered) && !virtio->accepts_unknown &&
               virtio->accepted & NOVA_VIRTIO_VERSION_1;
}

/* Writes the status: bits can only be added, and 0 resets the device. */
static void set_status(struct nova_virtio *virtio, uint8_t value)
{
        uint8_t added = value & STATUS_BITS & (uint8_t)~virtio->status;

        if (!value) {
                reset(virtio);
                return;
        }
        if (added & NOVA_VIRTIO_FEATURES_OK && !agreed(virtio))
                added &= (uint8_t)~NOVA_VIRTIO_FEATURES_OK;
        if (!((virtio->status | added) & NOVA_VIRTIO_FEATURES_OK))
                added &= (uint8_t)~NOVA_VIRTIO_DRIVER_OK;
        virtio->status |= added;
        /* Processes chains that the driver put into queues before it was ready. */
        for (unsigned i = 0; added & NOVA_VIRTIO_DRIVER_OK && i < virtio->kind->queues; i++)
                if (nova_virtio_waiting(virtio, i))
                        virtio->kind->notify(virtio, i);
}

static void accept(struct nova_virtio *virtio, uint32_t value)
{
        const unsigned shift = 32 * (virtio->accepted_half & 1);

        if (virtio->status & NOVA_VIRTIO_FEATURES_OK)
                return;
        if (virtio->accepted_half > 1)
                virtio->accepts_unknown |= value != 0;
        else
                virtio->accepted = (virtio->accepted & ~((uint64_t)UINT32_MAX << shift)) |
                                   (uint64_t)value << shift;
}

static struct nova_virtio_queue *selected(struct nova_virtio *virtio)
{
        return virtio->queue_selected < virtio->kind->queues
                       ? &virtio->queue[virtio->queue_selected]
                       : NULL;
}

/* Reads a register of the selected queue; @p queue is NULL if there is no queue with that
 * number. */
static uint64_t get_queue(const struct nova_virtio *virtio, const struct nova_virtio_queue *queue,
                          uint64_t at, unsigned bytes)
{
        if (at == QUEUE_MSIX)
                return queue ? queue->vector : NO_VECTOR;
        if (!queue)
                return 0;
        switch (at) {
        case QUEUE_SIZE:
                return queue->size;
        case QUEUE_ENABLE:
                return queue->enabled;
        case QUEUE_NOTIFY:
                return virtio->queue_selected;
        default:
                if (at < QUEUE_ADDRESS || at % 4 || (bytes == 8 && at % 8))
                        return UINT64_MAX;
                return queue->address[(at - QUEUE_ADDRESS) / 8] >> 8 * (at % 8);
        }
}

static uint64_t get_common(struct nova_virtio *virtio, uint64_t at, unsigned bytes)
{
        if (at >= COMMON_BYTES)
                return UINT64_MAX;
        switch (at) {
        case OFFERED_HALF:
                return virtio->offered_half;
        case OFFERED:
                return virtio->offered_half > 1 ? 0 : virtio->offered >> 32 * virtio->offered_half;
        case ACCEPTED_HALF:
                return virtio->accepted_half;
        case ACCEPTED:
                return virtio->accepted_half > 1 ? 0
                                                 : virtio->accepted >> 32 * virtio->accepted_half;
        case MSIX_CONFIG:
                return virtio->error_vector;
        case QUEUES:
                return virtio->kind->queues;
        case STATUS:
                return virtio->status;
        case GENERATION: /* the configuration never changes */
                return 0;
        case QUEUE_SELECT:
                return virtio->queue_selected;
        default:
                return get_queue(virtio, selected(virtio), at, bytes);
        }
}

static void put_address(struct nova_virtio_queue *queue, uint64_t at, unsigned bytes,
                        uint64_t value)
{
        uint64_t *const address = &queue->address[(at - QUEUE_ADDRESS) / 8];

        if (bytes == 8 && at % 8 == 0)
                *address = value;
        else if (bytes == 4 && at % 8 == 0)
                *address = (*address & ~(uint64_t)UINT32_MAX) | (uint32_t)value;
        else if (bytes == 4 && at % 8 == 4)
                *address = (uint32_t)*address | value << 32;
}

/* Writes a register of the selected queue. An enabled queue stays unchanged until the reset, except
 * for the number of its message. */
static void put_queue(struct nova_virtio *virtio, uint64_t at, unsigned bytes, uint64_t value)
{
        struct nova_virtio_queue *const queue = selected(virtio);

        if (queue && at == QUEUE_MSIX)
                queue->vector = novavmm_virtio_vector(virtio, value);
        if (!queue || queue->enabled)
                return;
        if (at == QUEUE_SIZE)
                queue->size = (uint16_t)value;
        else if (at == QUEUE_ENABLE && (uint16_t)value == 1)
                novavmm_virtio_queue_enable(virtio, virtio->queue_selected);
        else if (at >= QUEUE_ADDRESS)
                put_address(queue, at, bytes, value);
}

static void put_common(struct nova_virtio *virtio, uint64_t at, unsigned bytes, uint64_t value)
{
        if (at >= COMMON_BYTES)
                return;
        switch (at) {
        case OFFERED_HALF:
                virtio->offered_half = (uint32_t)value;
                break;
        case ACCEPTED_HALF:
                virtio->accepted_half = (uint32_t)value;
                break;
        case ACCEPTED:
                accept(virtio, (uint32_t)value);
                break;
        case STATUS:
                set_status(virtio, (uint8_t)value);
                break;
        case MSIX_CONFIG:
                virtio->error_vector = novavmm_virtio_vector(virtio, value);
                break;
        case QUEUE_SELECT:
                virtio->queue_selected = (uint16_t)value;
                break;
        default:
                put_queue(virtio, at, bytes, value);
        }
}

static uint64_t get_isr(struct nova_virtio *virtio)
{
        const uint8_t isr = virtio->isr;

        virtio->isr = 0;
        drive(virtio);
        return isr;
}

static uint64_t get_config(const struct nova_virtio *virtio, uint64_t at, unsigned bytes)
{
        uint64_t value = 0;

        if (at < sizeof(virtio->config) && bytes <= sizeof(virtio->config) - at)
                memcpy(&value, virtio->config + at, bytes);
        return value;
}

/* Gives the device a turn. A string instruction may notify it many times in one exit, while other
 * virtual CPUs add chains. A device that pauses continues at its own time. */
static void notify(struct nova_virtio *virtio, uint64_t at)
{
        const unsigned queue = (unsigned)(at / NOTIFY_STEP);

        if (queue >= virtio->kind->queues || !virtio->queue[queue].enabled ||
            !nova_virtio_ready(virtio))
                return;
        virtio->notifications++;
        if (virtio->unfinished)
                return;
        if (virtio->turned) {
                nova_virtio_pause(virtio);
                return;
        }
        virtio->turned = virtio->one_turn;
        virtio->kind->notify(virtio, queue);
}

void nova_virtio_pause(struct nova_virtio *virtio)
{
        virtio->again = virtio->unfinished = true;
        if (virtio->look_soon)
                virtio->look_soon(virtio->context);
}

/* Looks for new chains. Called after each exit while requests are in flight; usually there is no
 * new chain. */
void nova_virtio_look(struct nova_virtio *virtio)
{
        bool moved = virtio->unfinished;

        virtio->unfinished = false;
        if (!(virtio->again || moved) || !nova_virtio_ready(virtio))
                return;
        for (unsigned i = 0; i < virtio->kind->queues; i++)
                moved |= novavmm_virtio_queue_moved(&virtio->queue[i]);
        if (!moved)
                return;
        virtio->again = false;
        for (unsigned i = 0; i < virtio->kind->queues; i++)
                if (virtio->queue[i].enabled && nova_virtio_ready(virtio))
                        virtio->kind->notify(virtio, i);
}

uint64_t nova_virtio_get(void *context, uint64_t offset, unsigned bytes)
{
        struct nova_virtio *const virtio = context;
        const uint64_t at = offset & ((1u << PAGE_BITS) - 1);

        switch (offset - at) {
        case AT_COMMON:
                return get_common(virtio, at, bytes);
        case AT_ISR:
                return at ? 0 : get_isr(virtio);
        case AT_CONFIG:
                return get_config(virtio, at, bytes);
        case AT_MESSAGES:
                return novavmm_virtio_message_get(virtio, at, bytes);
        case AT_PENDING:
                return novavmm_virtio_pending_get(virtio, at);
        default:
                return 0;
        }
}

void nova_virtio_put(void *context, uint64_t offset, unsigned bytes, uint64_t value)
{
        struct nova_virtio *const virtio = context;
        const uint64_t at = offset & ((1u << PAGE_BITS) - 1);

        if (offset - at == AT_COMMON)
                put_common(virtio, at, bytes, value);
        else if (offset - at == AT_NOTIFY)
                notify(virtio, at);
        else if (offset - at == AT_MESSAGES)
                novavmm_virtio_message_put(virtio, at, bytes, value);
}

/* Writes a port of BAR 1: only the notification registers are there. */
static void put_port(void *context, uint64_t offset, unsigned bytes, uint64_t value)
{
        (void)bytes;
        (void)value;
        notify(context, offset);
}

/* Returns true if the window in the configuration space is valid: it shows 1, 2 or 4 bytes at an
 * aligned offset of a BAR. */
static bool window(const struct nova_virtio *virtio, uint32_t *offset, unsigned *bytes)
{
        const uint32_t *const config = virtio->pci.config;
        const unsigned bar = config[WINDOW_BAR] & 0xff;
        const uint32_t end = bar == PORT_BAR ? PORTS : NOVA_VIRTIO_BAR_BYTES;

        *offset = config[WINDOW_OFFSET];
        *bytes = config[WINDOW_LENGTH];
        return bar <= PORT_BAR && (*bytes == 1 || *bytes == 2 || *bytes == 4) && *offset < end &&
               !(*offset & (*bytes - 1));
}

static bool is_port(const struct nova_virtio *virtio)
{
        return (virtio->pci.config[WINDOW_BAR] & 0xff) == PORT_BAR;
}

static void refresh(void *context, unsigned reg)
{
        struct nova_virtio *const virtio = context;
        uint32_t offset;
        unsigned bytes;

        if (reg == WINDOW_DATA && window(virtio, &offset, &bytes))
                virtio->pci.config[reg] =
                        is_port(virtio) ? UINT32_MAX
                                        : (uint32_t)nova_virtio_get(virtio, offset, bytes);
}

static void changed(void *context, unsigned reg)
{
        struct nova_virtio *const virtio = context;
        uint32_t offset;
        unsigned bytes;

        if (reg == NOVA_VPCI_COMMAND || reg == MESSAGE_CONTROL)
                drive(virtio);
        if (reg == MESSAGE_CONTROL)
                novavmm_virtio_unmasked(virtio);
        if (reg != WINDOW_DATA || !window(virtio, &offset, &bytes))
                return;

        const uint32_t value = virtio->pci.config[reg];

        if (is_port(virtio))
                put_port(virtio, offset, bytes, value);
        else
                nova_virtio_put(virtio, offset, bytes,
                                bytes == 4 ? value : value & ((1u << 8 * bytes) - 1));
}

/* A capability for a structure in a BAR. */
struct capability {
        uint8_t at, next, kind, bar;
        uint32_t offset, bytes;
};

/* Two capabilities name the notification registers. A driver takes the first one that it can use.
 * The ports come first, because the exit of a write to memory costs twice as much. */
static const struct capability capabilities[] = {
        {FIRST_CAPABILITY, 0x50, CAPABILITY_COMMON, 0, AT_COMMON, COMMON_BYTES},
        {0x50, 0x60, CAPABILITY_ISR, 0, AT_ISR, 1},
        {0x60, PORT_CAPABILITY, CAPABILITY_CONFIG, 0, AT_CONFIG, NOVA_VIRTIO_CONFIG},
        {PORT_CAPABILITY, 0x70, CAPABILITY_NOTIFY, PORT_BAR, 0, NOTIFY_BYTES},
        {0x70, WINDOW_AT, CAPABILITY_NOTIFY, 0, AT_NOTIFY, NOTIFY_BYTES},
        {WINDOW_AT, 0, CAPABILITY_PCI, 0, 0, 0},
};

static void add_capability(uint32_t *config, const struct capability *capability)
{
        const unsigned kind = capability->kind;
        const unsigned size = kind == CAPABILITY_NOTIFY || kind == CAPABILITY_PCI ? 20 : 16;
        uint32_t *const to = &config[capability->at / 4];

        to[0] = CAPABILITY_VENDOR | (uint32_t)capability->next << 8 | size << 16 | kind << 24;
        to[1] = capability->bar;
        to[2] = capability->offset;
        to[3] = capability->bytes;
        if (kind == CAPABILITY_NOTIFY)
                to[4] = NOTIFY_STEP;
}

/* Returns the PCI class: network, mass storage, communication, or the class for all others. */
static uint32_t class_code(enum nova_virtio_kind kind)
{
        switch (kind) {
        case NOVA_VIRTIO_NET:
                return 0x020000;
        case NOVA_VIRTIO_BLOCK:
                return 0x018000;
        case NOVA_VIRTIO_CONSOLE:
                return 0x078000;
        default:
                return 0xff0000;
        }
}

static void make_configuration(struct nova_virtio *virtio)
{
        struct nova_vpci_device *const pci = &virtio->pci;

        nova_vpci_identify(pci, VENDOR, (uint16_t)(PRODUCT_BASE + virtio->kind->kind),
                           class_code(virtio->kind->kind));
        pci->config[2] |= REVISION;
        pci->config[NOVA_VPCI_COMMAND] |= STATUS_CAPABILITIES;
        pci->config[NOVA_VPCI_SUBSYSTEM] = SUBSYSTEM;
        pci->config[NOVA_VPCI_CAPABILITIES] = FIRST_CAPABILITY;
        pci->config[NOVA_VPCI_INTERRUPT] = INTERRUPT_PIN_A;
        pci->writable[NOVA_VPCI_INTERRUPT] = 0xff;
        for (unsigned i = 0; i < sizeof(capabilities) / sizeof(*capabilities); i++)
                add_capability(pci->config, &capabilities[i]);
        pci->writable[WINDOW_BAR] = 0xff;
        pci->writable[WINDOW_OFFSET] = pci->writable[WINDOW_LENGTH] = UINT32_MAX;
        pci->writable[WINDOW_DATA] = UINT32_MAX;
        pci->changed = changed;
        pci->refresh = refresh;
        pci->context = virtio;
        pci->memory_read = nova_virtio_get;
        pci->memory_write = nova_virtio_put;
        pci->port_write = put_port;
        nova_vpci_set_memory(pci, 0, NOVA_VIRTIO_BAR_BYTES);
        nova_vpci_set_ports(pci, 0, PORTS);
}

_Static_assert(NOTIFY_BYTES <= PORTS, "a register for each queue");

void nova_virtio_init(struct nova_virtio *virtio, const struct nova_virtio_class *kind,
                      const struct nova_guest_memory *memory)
{
        memset(virtio, 0, sizeof(*virtio));
        virtio->kind = kind;
        virtio->memory = memory;
        virtio->offered = kind->features | NOVA_VIRTIO_VERSION_1;
        make_configuration(virtio);
        reset(virtio);
}
