/* SPDX-License-Identifier: BSD-2-Clause */
/* Resets a controller, and finds, starts and restarts the port of a disk. */
#include "controller.h"

#include <string.h>

#include "nova/arch/mmio.h"
#include "novart/selector.h"
#include "novart/time.h"
#include "ring/claim.h"

/* Registers. AHCI 1.3.1, 3.1 */
#define CAP   0x00
#define GHC   0x04
#define IS    0x08
#define PI    0x0c
#define CAP2  0x24
#define BOHC  0x28
#define PORTS 0x100

#define CAP_SLOTS(cap) (((cap) >> 8 & 0x1f) + 1)
#define CAP_QUEUE      0x40000000
#define CAP_WIDE       0x80000000
#define CAP2_HANDOFF   0x1
#define BOHC_FIRMWARE  0x1
#define BOHC_DRIVER    0x2
#define GHC_RESET      0x1
#define GHC_INTERRUPTS 0x2
#define GHC_AHCI       0x80000000

/* Registers of a port. AHCI 1.3.1, 3.3 */
#define PORT_BYTES   0x80
#define PORT_LIST    0x00
#define PORT_FIS     0x08
#define PORT_CAUSE   0x10
#define PORT_ENABLED 0x14
#define PORT_COMMAND 0x18
#define PORT_TASK    0x20
#define PORT_KIND    0x24
#define PORT_LINK    0x28
#define PORT_CONTROL 0x2c
#define PORT_ERRORS  0x30
#define PORT_ACTIVE  0x34
#define PORT_ISSUE   0x38

#define CAUSE_DONE       0x0000000f /* a FIS of any kind has arrived */
#define CAUSE_PIECE      0x00000020
#define CAUSE_CHANGE     0x00400040 /* there is another disk, or none */
#define CAUSE_FAILURE    0x79000000
#define COMMAND_START    0x0001
#define COMMAND_POWER    0x0006 /* power of the disk and of its motor */
#define COMMAND_FIS      0x0010
#define COMMAND_FIS_RUNS 0x4000
#define COMMAND_RUNS     0x8000
#define TASK_BUSY        0x88
#define KIND_DISK        0x00000101
#define LINK_MASK        0xf
#define LINK_FOUND       0x1 /* a device is connected, but does not communicate yet */
#define LINK_READY       0x3
#define CONTROL_AWAKE    0x300 /* the link does not sleep */
#define CONTROL_RESET    0x301

/* An entry of the command list. */
struct header {
        uint16_t flags, pieces;
        uint32_t bytes; /* written by the controller */
        uint64_t table, reserved[2];
};

#define FIS_WORDS    5
#define HEADER_WRITE 0x40

/* The memory: list, received FISes, description of the disk; then the tables. */
#define PAGE        4096u
#define FIS_AT      1024u
#define IDENTITY_AT 2048u
#define MEMORY      (PAGE + AHCI_SLOTS * sizeof(struct ahci_table))

#define MS          1000000ull
#define RESET_NS    (1000 * MS)
#define FIRMWARE_NS (2000 * MS)
#define STOP_NS     (500 * MS)
#define STEP_NS     (20 * MS)
#define SETTLE_NS   (100 * MS) /* a link that has found no device by then is empty */
#define LINK_NS     (1000 * MS)
#define READY_NS    (25000 * MS) /* the motor may have to start; the watchdog waits longer */
#define IDENTIFY_NS (5000 * MS)

static uint32_t get(const struct ahci *ahci, unsigned offset)
{
        return nova_mmio_read32(ahci->registers + offset);
}

static void put(const struct ahci *ahci, unsigned offset, uint32_t value)
{
        nova_mmio_write32(ahci->registers + offset, value);
}

static uint32_t get_port(const struct ahci *ahci, unsigned offset)
{
        return get(ahci, ahci->port + offset);
}

static void put_port(const struct ahci *ahci, unsigned offset, uint32_t value)
{
        put(ahci, ahci->port + offset, value);
}

/* Waits until some bits of a register have a value. */
static bool wait_for(const struct ahci *ahci, unsigned offset, uint32_t mask, uint32_t value,
                     uint64_t ns)
{
        const uint64_t limit = nova_deadline_in(ns);

        while ((get(ahci, offset) & mask) != value) {
                if (nova_rdtsc() > limit)
                        return false;
                nova_sleep(MS);
        }
        return true;
}

bool ahci_reaches(const struct ahci *ahci, uint64_t address, size_t bytes)
{
        return ahci->wide || address + bytes <= 1ull << 32;
}

struct ahci_table *ahci_table(const struct ahci *ahci, unsigned slot)
{
        return (struct ahci_table *)(ahci->memory + PAGE) + slot;
}

void ahci_set_slot(const struct ahci *ahci, unsigned slot, unsigned pieces, bool write)
{
        ((struct header *)ahci->memory)[slot] =
                (struct header){.flags = (uint16_t)(FIS_WORDS | (write ? HEADER_WRITE : 0)),
                                .pieces = (uint16_t)pieces,
                                .table = ahci->device + PAGE + slot * sizeof(struct ahci_table)};
}

void ahci_send(const struct ahci *ahci, uint32_t slots, bool queued)
{
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        if (queued)
                put_port(ahci, PORT_ACTIVE, slots);
        put_port(ahci, PORT_ISSUE, slots);
}

/* The controller sets the cause of a failure before it ends the command, so the cause is read again
 * after the slots. */
enum ahci_event ahci_acknowledge(const struct ahci *ahci, uint32_t *active)
{
        uint32_t cause = get_port(ahci, PORT_CAUSE);

        put_port(ahci, PORT_CAUSE, cause);
        put(ahci, IS, get(ahci, IS));
        *active = get_port(ahci, PORT_ISSUE) | get_port(ahci, PORT_ACTIVE);
        cause |= get_port(ahci, PORT_CAUSE);
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        if (cause & CAUSE_CHANGE)
                return AHCI_GONE;
        return cause & CAUSE_FAILURE ? AHCI_FAILED : AHCI_GOOD;
}

static bool stop_port(const struct ahci *ahci)
{
        const unsigned offset = ahci->port + PORT_COMMAND;

        put(ahci, offset, get(ahci, offset) & ~(uint32_t)COMMAND_START);
        if (!wait_for(ahci, offset, COMMAND_RUNS, 0, STOP_NS))
                return false;
        put(ahci, offset, get(ahci, offset) & ~(uint32_t)COMMAND_FIS);
        return wait_for(ahci, offset, COMMAND_FIS_RUNS, 0, STOP_NS);
}

static void put_address(const struct ahci *ahci, unsigned offset, uint64_t address)
{
        put_port(ahci, offset, (uint32_t)address);
        put_port(ahci, offset + 4, (uint32_t)(address >> 32));
}

/* Starts a stopped port. The reset of the link also ends the error state of the disk's queue. */
static const char *start_port(const struct ahci *ahci)
{
        put_address(ahci, PORT_LIST, ahci->device);
        put_address(ahci, PORT_FIS, ahci->device + FIS_AT);
        put_port(ahci, PORT_ERRORS, UINT32_MAX);
        put_port(ahci, PORT_COMMAND, get_port(ahci, PORT_COMMAND) | COMMAND_FIS);
        put_port(ahci, PORT_CONTROL, CONTROL_RESET);
        nova_sleep(2 * MS);
        put_port(ahci, PORT_CONTROL, CONTROL_AWAKE);
        if (!wait_for(ahci, ahci->port + PORT_LINK, LINK_MASK, LINK_READY, LINK_NS))
                return "the disk does not answer after a reset of its port.";
        put_port(ahci, PORT_ERRORS, UINT32_MAX);
        if (!wait_for(ahci, ahci->port + PORT_TASK, TASK_BUSY, 0, READY_NS))
                return "the disk does not become ready.";
        /* The link may have changed once more while the disk was getting ready. Two causes follow
         * bits of the errors. */
        put_port(ahci, PORT_ERRORS, UINT32_MAX);
        put_port(ahci, PORT_CAUSE, UINT32_MAX);
        put_port(ahci, PORT_COMMAND, get_port(ahci, PORT_COMMAND) | COMMAND_START);
        return NULL;
}

const char *ahci_restart(const struct ahci *ahci)
{
        return stop_port(ahci) ? start_port(ahci) : "the port cannot be stopped.";
}

/* Resets the controller, which stops all ports. On some controllers this clears the register in
 * which firmware has written the implemented ports. */
static bool reset(const struct ahci *ahci)
{
        const uint32_t implemented = get(ahci, PI);

        put(ahci, GHC, GHC_AHCI);
        put(ahci, GHC, GHC_AHCI | GHC_RESET);
        if (!wait_for(ahci, GHC, GHC_RESET, 0, RESET_NS))
                return false;
        put(ahci, GHC, GHC_AHCI);
        if (!get(ahci, PI))
                put(ahci, PI, implemented);
        return true;
}

void ahci_stop(const struct ahci *ahci)
{
        reset(ahci);
}

/* Asks the disk for its properties, without interrupts. */
static const char *identify(struct ahci *ahci)
{
        const uint64_t limit = nova_deadline_in(IDENTIFY_NS);
        uint16_t words[AHCI_WORDS];
        uint32_t active = 1;
        const char *wrong;

        ahci_set_command(ahci_table(ahci, 0), AHCI_IDENTIFY, 0, 0, 0);
        ahci_add_piece(ahci_table(ahci, 0), 0, ahci->device + IDENTITY_AT, sizeof(words));
        ahci_set_slot(ahci, 0, 1, false);
        ahci_send(ahci, 1, false);
        while (active & 1) {
                if (ahci_acknowledge(ahci, &active) != AHCI_GOOD || nova_rdtsc() > limit)
                        return "the disk does not report its properties.";
                nova_sleep(MS / 10);
        }
        memcpy(words, ahci->memory + IDENTITY_AT, sizeof(words));
        wrong = ahci_read_identity(words, &ahci->disk);
        ahci->unsupported = wrong;
        return wrong;
}

/* Turns on the disks at the implemented ports. @return a bitmap of these ports */
static uint32_t power_ports(struct ahci *ahci, size_t bytes)
{
        const uint32_t implemented = get(ahci, PI);
        uint32_t ports = 0;

        for (unsigned i = 0; i < 32 && PORTS + (i + 1) * PORT_BYTES <= bytes; i++) {
                if (!(implemented & 1u << i))
                        continue;
                ahci->port = PORTS + i * PORT_BYTES;
                put_port(ahci, PORT_COMMAND, get_port(ahci, PORT_COMMAND) | COMMAND_POWER);
                ports |= 1u << i;
        }
        return ports;
}

/* Returns a bitmap of the ports in @p ports whose links are in a state. */
static uint32_t ports_with(struct ahci *ahci, uint32_t ports, uint32_t state)
{
        uint32_t found = 0;

        for (unsigned i = 0; i < 32; i++) {
                ahci->port = PORTS + i * PORT_BYTES;
                if (ports & 1u << i && (get_port(ahci, PORT_LINK) & LINK_MASK) == state)
                        found |= 1u << i;
        }
        return found;
}

/* Starts the first port in @p ports that has a disk. Sets @p wrong to NULL, or to a sentence about
 * an error. @return false: other ports may have a disk */
static bool start_first(struct ahci *ahci, uint32_t ports, const char **wrong)
{
        for (unsigned i = 0; i < 32; i++) {
                const char *sentence;

                if (!(ports & 1u << i))
                        continue;
                ahci->port = PORTS + i * PORT_BYTES;
                sentence = ahci_restart(ahci);
                if (sentence || get_port(ahci, PORT_KIND) == KIND_DISK)
                        *wrong = sentence;
                if (!*wrong)
                        return true;
                if (!stop_port(ahci)) {
                        *wrong = "a port cannot be stopped.";
                        return true;
                }
        }
        return false;
}

/* Finds the first port with a disk, and starts it. First waits until each link is up or empty, so
 * that each start of the driver finds the same disk. Without a disk, waits up to a second for
 * further links. */
static const char *find_disk(struct ahci *ahci, size_t bytes)
{
        const char *wrong = "no port has a disk.";
        uint32_t left = power_ports(ahci, bytes);

        for (uint64_t ns = STEP_NS; left && ns <= LINK_NS; ns += STEP_NS) {
                uint32_t ready;

                nova_sleep(STEP_NS);
                ready = ports_with(ahci, left, LINK_READY);
                if (ns < LINK_NS && ready != left &&
                    (ns < SETTLE_NS || ports_with(ahci, left, LINK_FOUND)))
                        continue;
                if (start_first(ahci, ready, &wrong))
                        break;
                left &= ~ready;
        }
        return wrong;
}

static const char *prepare(struct ahci *ahci)
{
        const uint32_t cap = get(ahci, CAP);
        struct nova_dma dma;

        if (nova_dma_alloc(MEMORY, &dma))
                return "there is no memory for commands; write `grants dma` and a larger `memory`.";
        ahci->memory = (char *)dma.memory;
        ahci->device = nova_pci_address(ahci->pci, &dma);
        ahci->slots = CAP_SLOTS(cap);
        ahci->wide = cap & CAP_WIDE;
        ahci->queued = cap & CAP_QUEUE;
        if (!ahci_reaches(ahci, ahci->device, MEMORY))
                return "the controller cannot use addresses of 64 bits.";
        if (get(ahci, CAP2) & CAP2_HANDOFF) {
                put(ahci, BOHC, get(ahci, BOHC) | BOHC_DRIVER);
                wait_for(ahci, BOHC, BOHC_FIRMWARE, 0, FIRMWARE_NS);
        }
        if (!reset(ahci))
                return "the controller cannot be reset.";
        return nova_pci_quiet(ahci->pci) || nova_pci_master(ahci->pci, true)
                       ? "the device cannot access memory."
                       : NULL;
}

static const char *start_disk(struct ahci *ahci, size_t bytes)
{
        const char *wrong = find_disk(ahci, bytes);

        if (!wrong)
                wrong = identify(ahci);
        if (wrong)
                return wrong;
        ahci->queued = ahci->queued && ahci->disk.depth;
        if (ahci->queued && ahci->disk.depth < ahci->slots)
                ahci->slots = ahci->disk.depth;
        put_port(ahci, PORT_ENABLED, CAUSE_DONE | CAUSE_PIECE | CAUSE_CHANGE | CAUSE_FAILURE);
        put(ahci, GHC, GHC_AHCI | GHC_INTERRUPTS);
        return NULL;
}

const char *ahci_open(struct ahci *ahci, const char *name)
{
        static const struct driver_kind kind = {
                "an AHCI controller (class 0x010601)", 0, {0}, 0x010601};
        volatile void *registers;
        const char *wrong;
        unsigned got;
        size_t bytes;

        driver_claim(&ahci->pci, name, &kind);
        if (nova_pci_map(ahci->pci, 5, &registers, &bytes) || bytes < PORTS + PORT_BYTES)
                return "the function has no registers of an AHCI controller.";
        ahci->registers = (volatile uint8_t *)registers;
        ahci->interrupt = nova_sel_alloc(0);
        if (ahci->interrupt == NOVA_SEL_NONE ||
            nova_pci_interrupts(ahci->pci, 1, &ahci->interrupt, &got) || !got)
                return "the device has no interrupt.";
        wrong = prepare(ahci);
        if (!wrong) {
                wrong = start_disk(ahci, bytes);
                if (wrong)
                        ahci_stop(ahci);
        }
        return wrong;
}
