/* SPDX-License-Identifier: BSD-2-Clause */
/* Resets and starts an 82574. The section numbers are those of its data sheet.
 *
 * The switch gives its clients addresses that the card does not have, so the card receives the
 * frames for all addresses. */
#include "controller.h"

#include "nova/arch/mmio.h"
#include "novart/selector.h"
#include "novart/time.h"
#include "ring/claim.h"

#define CAPABILITY_MSIX 0x11
#define MSIX_ENABLED    0x8000 /* bit of the control word of MSI-X */
#define MS              1000000

/* Registers (10.1.2) and their bits. */
#define CTRL             0x0000
#define CTRL_NO_MASTER   (1u << 2)
#define CTRL_LINK_UP     (1u << 6)
#define CTRL_RESET       (1u << 26)
#define STATUS           0x0008
#define STATUS_LINK      (1u << 1)
#define STATUS_MASTER    (1u << 19)
#define EEC              0x0010
#define EEC_READ         (1u << 9) /* the card has read its settings */
#define CTRL_EXT         0x0018
#define CTRL_EXT_DRIVER  (1u << 28) /* firmware leaves the card to a driver */
#define CTRL_EXT_MSIX    (1u << 31) /* clears causes in the way that MSI-X needs */
#define ICR              0x00c0
#define IMS              0x00d0
#define IMC              0x00d8
#define IVAR             0x00e4
#define RCTL             0x0100
#define RCTL_ENABLE      (1u << 1)
#define RCTL_ALL_UNICAST (1u << 3)
#define RCTL_ALL_GROUPS  (1u << 4)
#define RCTL_BROADCAST   (1u << 15)
#define RCTL_NO_CHECKSUM (1u << 26) /* frames lose their checksum; buffers have 2048 bytes */
#define TCTL             0x0400
#define TCTL_ENABLE      (1u << 1)
#define TCTL_PAD         (1u << 3)     /* pad frames of less than 64 bytes */
#define TCTL_COLLISIONS  (0xfu << 4)   /* number of attempts to send a frame */
#define TCTL_DISTANCE    (0x3fu << 12) /* bytes within which a collision is noticed */
#define TIPG             0x0410
#define TIPG_COPPER      0x00602008 /* gaps between frames */
#define RDBAL            0x2800     /* address of the receive queue; TDBAL: of the transmit queue */
#define RDTR             0x2820     /* delays of interrupts */
#define RADV             0x282c
#define TDBAL            0x3800
#define TXDCTL           0x3828
#define TXDCTL_RESERVED  (1u << 22) /* must be 1 */
#define TXDCTL_COUNT     (1u << 24) /* thresholds count descriptors */
#define TARC0            0x3840
#define RAL              0x5400
#define RAH              0x5404
#define RAH_VALID        (1u << 31)
#define GCR              0x5b00
#define GCR2             0x5b64
#define REGISTER_BYTES   0x6000 /* the registers that the driver uses are below this offset */

/* Bits that the driver must clear or set, because the card's settings may contain other values. The
 * bits of GCR and GCR2 avoid faults of the card in the power saving of its link. */
#define CTRL_CLEAR     (1u << 29)
#define CTRL_EXT_CLEAR (1u << 23)
#define CTRL_EXT_SET   (1u << 22)
#define TARC0_CLEAR    (0xfu << 27)
#define TARC0_SET      (1u << 26)
#define GCR_SET        (1u << 22 | 1u << 27)
#define GCR2_SET       (1u << 0)

/* Offsets from RDBAL and TDBAL. */
#define BASE_HIGH 4
#define LENGTH    8
#define HEAD      16
#define TAIL      24

/* Causes of interrupts (10.2.4.1): with MSI-X each queue has a cause. */
#define CAUSE_SENT       (1u << 0)
#define CAUSE_LINK       (1u << 2)
#define CAUSE_RECEIVED   (1u << 7)
#define CAUSE_RECEIVED_X (1u << 20)
#define CAUSE_SENT_X     (1u << 22)
#define CAUSE_OTHER_X    (1u << 24)
#define CAUSES           (CAUSE_SENT | CAUSE_LINK | CAUSE_RECEIVED)
#define CAUSES_X         (CAUSE_RECEIVED_X | CAUSE_SENT_X | CAUSE_OTHER_X | CAUSE_LINK)

/* All causes send message 0: those of queue 0 of each direction, and the others. The top bit makes
 * each sent frame a cause. */
#define IVAR_ALL (1u << 3 | 1u << 11 | 1u << 19 | 1u << 31)

#define RESET_TRIES 100 /* one per millisecond */
#define PHY_NS      (25 * MS)

static uint32_t get(const struct e1000e *card, unsigned reg)
{
        return nova_mmio_read32(card->registers + reg);
}

static void put(const struct e1000e *card, unsigned reg, uint32_t value)
{
        nova_mmio_write32(card->registers + reg, value);
}

/* Waits until the masked bits of a register have a value. @return true if they do */
static bool wait_for(const struct e1000e *card, unsigned reg, uint32_t mask, uint32_t value)
{
        for (unsigned i = 0; i < RESET_TRIES && (get(card, reg) & mask) != value; i++)
                nova_sleep(MS);
        return (get(card, reg) & mask) == value;
}

/* A former driver may have started the card, so the card is first kept from beginning further
 * accesses to memory (5.2.3.3). If that fails, the reset ends the accesses. */
bool e1000e_reset(struct e1000e *card)
{
        put(card, IMC, UINT32_MAX);
        put(card, RCTL, 0);
        put(card, TCTL, 0);
        put(card, CTRL, get(card, CTRL) | CTRL_NO_MASTER);
        wait_for(card, STATUS, STATUS_MASTER, 0);
        put(card, CTRL, get(card, CTRL) | CTRL_RESET);
        nova_sleep(MS);
        if (!wait_for(card, CTRL, CTRL_RESET, 0) || !wait_for(card, EEC, EEC_READ, EEC_READ))
                return false;
        nova_sleep(PHY_NS); /* the card sets up its PHY, and no register shows when it is done */
        put(card, IMC, UINT32_MAX);
        (void)get(card, ICR);
        return true;
}

/* Reads the address that the card has loaded from its settings. */
static void read_address(struct e1000e *card)
{
        const uint32_t low = get(card, RAL), high = get(card, RAH);

        if (!(high & RAH_VALID))
                return;
        for (unsigned i = 0; i < 4; i++)
                card->address[i] = (uint8_t)(low >> 8 * i);
        card->address[4] = (uint8_t)high;
        card->address[5] = (uint8_t)(high >> 8);
}

static void change(const struct e1000e *card, unsigned reg, uint32_t clear, uint32_t set)
{
        put(card, reg, (get(card, reg) & ~clear) | set);
}

static void set_queue(const struct e1000e *card, unsigned base, uint64_t device,
                      struct e1000e_queue *queue)
{
        put(card, base, (uint32_t)device);
        put(card, base + BASE_HIGH, (uint32_t)(device >> 32));
        put(card, base + LENGTH, E1000E_QUEUE_BYTES);
        put(card, base + HEAD, e1000e_queue_head(queue));
        put(card, base + TAIL, e1000e_queue_head(queue));
}

void e1000e_start(struct e1000e *card)
{
        e1000e_queue_renew(&card->receive);
        e1000e_queue_renew(&card->transmit);
        change(card, CTRL, CTRL_NO_MASTER | CTRL_CLEAR, CTRL_LINK_UP);
        change(card, CTRL_EXT, CTRL_EXT_CLEAR,
               CTRL_EXT_SET | CTRL_EXT_DRIVER | (card->msix ? CTRL_EXT_MSIX : 0));
        change(card, TARC0, TARC0_CLEAR, TARC0_SET);
        change(card, GCR, 0, GCR_SET);
        change(card, GCR2, 0, GCR2_SET);
        put(card, RDTR, 0);
        put(card, RADV, 0);
        set_queue(card, RDBAL, card->receive_device, &card->receive);
        set_queue(card, TDBAL, card->transmit_device, &card->transmit);
        card->receive_tail = e1000e_queue_head(&card->receive);
        card->transmit_tail = e1000e_queue_head(&card->transmit);
        put(card, TXDCTL, TXDCTL_RESERVED | TXDCTL_COUNT);
        put(card, TIPG, TIPG_COPPER);
        put(card, TCTL, TCTL_ENABLE | TCTL_PAD | TCTL_COLLISIONS | TCTL_DISTANCE);
        put(card, RCTL,
            RCTL_ENABLE | RCTL_ALL_UNICAST | RCTL_ALL_GROUPS | RCTL_BROADCAST | RCTL_NO_CHECKSUM);
        if (card->msix)
                put(card, IVAR, IVAR_ALL);
        put(card, IMS, card->msix ? CAUSES_X : CAUSES);
        e1000e_publish(card);
}

static void publish(const struct e1000e *card, unsigned base, const struct e1000e_queue *queue,
                    uint32_t *tail)
{
        if (*tail == e1000e_queue_tail(queue))
                return;
        *tail = e1000e_queue_tail(queue);
        __atomic_thread_fence(__ATOMIC_SEQ_CST); /* the descriptors are written before the tail */
        put(card, base + TAIL, *tail);
}

void e1000e_publish(struct e1000e *card)
{
        publish(card, RDBAL, &card->receive, &card->receive_tail);
        publish(card, TDBAL, &card->transmit, &card->transmit_tail);
}

/* Without MSI-X, a read of the register clears the causes and lowers the pin. With MSI-X, a write
 * of ones clears the causes. A request that ends afterwards causes another interrupt. */
void e1000e_acknowledge(struct e1000e *card)
{
        if (card->msix)
                put(card, ICR, CAUSES_X);
        else
                (void)get(card, ICR);
}

bool e1000e_has_link(const struct e1000e *card)
{
        return get(card, STATUS) & STATUS_LINK;
}

static const char *get_interrupt(struct e1000e *card)
{
        unsigned got, at = 0;
        uint32_t control = 0;

        card->interrupt = nova_sel_alloc(0);
        if (card->interrupt == NOVA_SEL_NONE)
                return "no selector is left.";
        if (nova_pci_interrupts(card->pci, 1, &card->interrupt, &got) || !got)
                return "the device has no interrupt.";
        if (nova_pci_capability(card->pci, CAPABILITY_MSIX, &at) == 0)
                nova_pci_config_read(card->pci, at + 2, 2, &control);
        card->msix = control & MSIX_ENABLED;
        return NULL;
}

static const char *make_queues(struct e1000e *card)
{
        struct nova_dma dma;
        char *memory;

        if (nova_dma_alloc((size_t)2 * E1000E_QUEUE_BYTES, &dma))
                return "there is no memory for the queues; write `grants dma` and a larger "
                       "`memory`.";
        memory = (char *)dma.memory;
        card->receive.descriptors = (volatile uint32_t *)memory;
        card->transmit.descriptors = (volatile uint32_t *)(memory + E1000E_QUEUE_BYTES);
        card->receive_device = nova_pci_address(card->pci, &dma);
        card->transmit_device = card->receive_device + E1000E_QUEUE_BYTES;
        e1000e_queue_init(&card->receive);
        e1000e_queue_init(&card->transmit);
        return NULL;
}

const char *e1000e_open(struct e1000e *card, const char *name)
{
        static const struct driver_kind kind = {
                "an Intel 82574 network card (8086:10d3 or 8086:10f6)",
                0x8086,
                {0x10d3, 0x10f6},
                0};
        volatile void *registers;
        const char *wrong;
        size_t bytes;

        driver_claim(&card->pci, name, &kind);
        if (nova_pci_map(card->pci, 0, &registers, &bytes) || bytes < REGISTER_BYTES)
                return "the function has no registers of an 82574.";
        card->registers = (volatile uint8_t *)registers;
        wrong = get_interrupt(card);
        if (!wrong)
                wrong = make_queues(card);
        if (wrong)
                return wrong;
        if (!e1000e_reset(card))
                return "the card cannot be reset.";
        /* The card's accesses for a former driver have ended, so that driver's memory can be used
         * again. */
        if (nova_pci_quiet(card->pci) || nova_pci_master(card->pci, true))
                return "the device cannot access memory.";
        read_address(card);
        return NULL;
}
