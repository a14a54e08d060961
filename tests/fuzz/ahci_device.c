/* SPDX-License-Identifier: BSD-2-Clause */
/* A hostile AHCI controller with a hostile disk for our driver. Its registers, the FISes and the
 * disk's description of itself have arbitrary content. The driver must return, and accept only
 * properties that the rest of the driver can work with. */
#include <stddef.h>
#include <string.h>

#include "ahci/controller.h"
#include "device.h"

#define HEAD     8     /* bytes of the input before its steps */
#define IDENTITY 2048u /* the place of the description in the driver's memory */
#define PORTS    0x100u
#define PORT     0x80u

#define BAR 5 /* number of the base address register of the registers */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t *input; /* the first bytes of the input */

/* Returns the address of a port's command list. */
static uint64_t list_of(unsigned port)
{
        return device_reg(BAR, port) | (uint64_t)device_reg(BAR, port + 4) << 32;
}

/* Writes the disk's description of itself, with some changed words. */
static void describe(uint8_t *identity, const uint8_t *step)
{
        static const uint16_t words[][2] = {{49, 0x300}, {75, 31},     {76, 0x100}, {83, 0x4400},
                                            {85, 0x20},  {87, 0x4000}, {100, 1000}, {169, 1}};

        memset(identity, 0, 512);
        for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++)
                memcpy(identity + 2 * words[i][0], &words[i][1], sizeof(words[i][1]));
        memcpy(identity + 2 * input[2], input + 3, 2);
        memcpy(identity + 2 * input[5], input + 6, 2);
        if (step[1])
                memcpy(identity + 2 * step[1], step + 4, 4);
}

/* Ends all commands of a port. */
static void execute(unsigned port, const uint8_t *step)
{
        uint8_t *const list = device_dma(list_of(port), 4096);
        const uint32_t slots = device_reg(BAR, port + 0x38);

        if (!list || !slots)
                return;
        for (unsigned slot = 0; slot < AHCI_SLOTS; slot++) {
                const uint8_t *const head = list + 32 * slot;
                struct ahci_table table;
                const void *from;
                uint64_t address;

                if (!(slots >> slot & 1))
                        continue;
                memcpy(&address, head + 8, sizeof(address));
                from = device_dma(address, sizeof(table)); /* earlier steps may have changed it */
                if (!from)
                        continue;
                memcpy(&table, from, sizeof(table));
                if (table.fis[2] == AHCI_IDENTIFY && table.piece[0].last == 511 &&
                    device_dma(table.piece[0].address, 512))
                        describe(device_dma(table.piece[0].address, 512), step);
        }
        device_set_reg(BAR, port + 0x38, 0);
        device_set_reg(BAR, port + 0x34, 0);
}

/* Behaves like a good controller: each link is up, and the port of the step has a disk. */
static void behave(const uint8_t *step)
{
        const unsigned ports = (unsigned)(device_function.bar[5].size - PORTS) / PORT;

        device_set_reg(BAR, 0x04, device_reg(BAR, 0x04) & ~1u);
        for (unsigned i = 0; i < ports && i < 32; i++) {
                const unsigned port = PORTS + i * PORT;
                const uint32_t command = device_reg(BAR, port + 0x18);

                device_set_reg(BAR, port + 0x10, 0);
                device_set_reg(BAR, port + 0x18,
                               (command & ~0xc000u) | (command & 1) << 15 | (command & 0x10) << 10);
                device_set_reg(BAR, port + 0x20, 0x50);
                device_set_reg(BAR, port + 0x24, i == step[2] % 4u ? 0x101 : 0xeb140101);
                device_set_reg(BAR, port + 0x28, 0x123);
                execute(port, step);
        }
}

void device_turn(const uint8_t *step)
{
        const unsigned place = PORTS * (step[2] & 1) + (step[1] & 0x7c);

        if (!device_memory(BAR) || (step[0] & 3) == 1)
                device_change(step);
        else if ((step[0] & 3) == 2)
                memcpy(device_memory(BAR) + place, step + 4, 4);
        else
                behave(step);
}

static void check(const struct ahci *ahci)
{
        const struct ahci_disk *const disk = &ahci->disk;

        require(ahci->port >= PORTS && ahci->port + PORT <= device_function.bar[5].size);
        require(ahci->slots >= 1 && ahci->slots <= AHCI_SLOTS);
        require(!ahci->queued || (disk->depth >= 1 && ahci->slots <= disk->depth));
        require(disk->blocks && disk->blocks <= UINT64_C(1) << 48);
        require(disk->block_bytes >= 512 && disk->block_bytes <= 4096);
        require(!(disk->block_bytes & (disk->block_bytes - 1)));
}

/* Sends commands, and finds out which of them have ended, while the device makes further steps. */
static void use(struct ahci *ahci, const uint8_t *data, size_t size)
{
        uint32_t active;

        for (; size >= 4; data += 4, size -= 4) {
                const unsigned slot = data[0] % ahci->slots;
                struct ahci_table *const table = ahci_table(ahci, slot);

                ahci_set_transfer(table, data[1] & 1, ahci->queued, slot, data[2], data[3]);
                ahci_add_piece(table, 0, ahci->device + IDENTITY, 512);
                ahci_set_slot(ahci, slot, 1, data[1] & 1);
                ahci_send(ahci, 1u << slot, ahci->queued);
                device_step();
                if (ahci_acknowledge(ahci, &active) != AHCI_GOOD && ahci_restart(ahci))
                        return;
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct ahci ahci;

        if (size < HEAD)
                return 0;
        memset(&ahci, 0, sizeof(ahci));
        input = data;
        device_begin(data + HEAD, size - HEAD);
        device_slept_max = UINT64_C(4000000000000); /* the driver may wait for each of 32 ports */
        device_function.bar[5] =
                (struct nova_pci_bar){.base = 0xfe000000, .size = 0x100u << (data[0] & 7)};
        device_fill = data[1];
        if (!ahci_open(&ahci, "disk")) {
                check(&ahci);
                use(&ahci, data + HEAD, size - HEAD);
                ahci_stop(&ahci);
        }
        nova_pci_release(ahci.pci);
        device_end();
        return 0;
}
