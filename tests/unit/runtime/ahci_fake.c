/* SPDX-License-Identifier: BSD-2-Clause */
/* Parts of the driver `ahci`, of the block service and of the runtime, as the driver sees them. */
#include "ahci_fake.h"

#include <stdlib.h>
#include <string.h>

#include "ahci/controller.h"
#include "block/server.h"
#include "driver_fake.h"
#include "ring/driver.h"

uint32_t fake_looks, fake_busy;

static struct ahci_table tables[AHCI_SLOTS];
static struct block_request requests[AHCI_SLOTS];
static const struct block_device *device;
static enum ahci_event event;

_Static_assert(FAKE_SLOTS == AHCI_SLOTS && FAKE_COMMAND_BLOCKS == AHCI_RANGES * AHCI_RANGE_MAX,
               "numbers in the header");

void fake_reset(void)
{
        char name[] = "ahci";

        if (!device)
                fake_driver_start(name);
        fake_looks = 1;
        fake_busy = 0;
        memset(requests, 0, sizeof(requests));
}

void fake_start(unsigned number, enum fake_operation operation, uint32_t blocks)
{
        static const enum nova_block_operation operations[] = {
                [FAKE_READ] = NOVA_BLOCK_READ,
                [FAKE_WRITE] = NOVA_BLOCK_WRITE,
                [FAKE_FLUSH] = NOVA_BLOCK_FLUSH,
                [FAKE_DISCARD] = NOVA_BLOCK_DISCARD,
        };

        requests[number].number = number;
        requests[number].operation = operations[operation];
        requests[number].blocks = blocks;
        block_advance(&requests[number]);
        device->start(&requests[number]);
        device->kick();
}

void fake_end_commands(bool failed)
{
        event = failed ? AHCI_FAILED : AHCI_GOOD;
        fake_busy = 0;
        fake_driver_interrupt();
}

uint32_t fake_stamp(unsigned number)
{
        return requests[number].stamp;
}

const char *ahci_open(struct ahci *ahci, const char *name)
{
        (void)name;
        ahci->slots = AHCI_SLOTS;
        ahci->queued = true;
        ahci->memory = (char *)tables;
        ahci->disk = (struct ahci_disk){
                .blocks = 1ull << 40, .block_bytes = 512, .cache = true, .discard = true};
        return NULL;
}

bool ahci_reaches(const struct ahci *ahci, uint64_t address, size_t bytes)
{
        (void)ahci, (void)address, (void)bytes;
        return true;
}

struct ahci_table *ahci_table(const struct ahci *ahci, unsigned slot)
{
        (void)ahci;
        return &tables[slot];
}

void ahci_set_slot(const struct ahci *ahci, unsigned slot, unsigned pieces, bool write)
{
        (void)ahci, (void)slot, (void)pieces, (void)write;
}

void ahci_send(const struct ahci *ahci, uint32_t slots, bool queued)
{
        (void)ahci, (void)queued;
        fake_busy |= slots;
        for (unsigned i = 0; i < AHCI_SLOTS; i++)
                if (slots & 1u << i)
                        fake_sent(i);
}

enum ahci_event ahci_acknowledge(const struct ahci *ahci, uint32_t *active)
{
        (void)ahci;
        *active = fake_busy;
        return event;
}

const char *ahci_restart(const struct ahci *ahci)
{
        (void)ahci;
        return NULL;
}

void ahci_stop(const struct ahci *ahci)
{
        (void)ahci;
}

int block_service_start(const struct block_device *of)
{
        device = of;
        return 0;
}

void block_advance(struct block_request *request)
{
        request->stamp = fake_looks;
}

void block_pause(struct block_request *request)
{
        request->stamp = 0;
}

void block_end(struct block_request *request, int error)
{
        request->stamp = 0;
        fake_ended(request->number, error);
}

void block_serve(void)
{
        device->kick();
}
