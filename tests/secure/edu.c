/* SPDX-License-Identifier: BSD-2-Clause */
/* A driver for QEMU's device edu that lets the device access any address (dma.h). */
#include <stdio.h>

#include "dma.h"
#include "novart/page.h"
#include "novart/service.h"
#include "novart/service/pci_device.h"
#include "novart/time.h"

/* Numbers of the device's 32-bit registers. */
#define FROM    (0x80 / 4)
#define TO      (0x88 / 4)
#define COUNT   (0x90 / 4)
#define COMMAND (0x98 / 4)

#define START     1
#define TO_MEMORY 2
#define BUFFER    0x40000 /* address of the device's own memory, as the device numbers it */
#define SOON_NS   1000000

static struct nova_pci_device *edu;
static volatile uint32_t *registers, *word;
static uint64_t word_address; /* address of the word that the program and the device share */

static void transfer(uint64_t from, uint64_t to, uint32_t command)
{
        registers[FROM] = (uint32_t)from;
        registers[TO] = (uint32_t)to;
        registers[COUNT] = sizeof(*word);
        registers[COMMAND] = command | START;
        while (registers[COMMAND] & START)
                nova_sleep(SOON_NS);
}

static void put(uint32_t value)
{
        *word = value;
        transfer(word_address, BUFFER, 0);
}

static int serve(struct nova_request *request)
{
        if (request->word[0] == DMA_WRITE) {
                put((uint32_t)request->word[2]);
                transfer(BUFFER, request->word[1], TO_MEMORY);
        } else {
                put(DMA_NOTHING);
                transfer(request->word[1], BUFFER, 0);
        }
        *word = 0;
        transfer(BUFFER, word_address, TO_MEMORY);
        nova_request_answer(request, *word);
        return 0;
}

static bool open_device(void)
{
        volatile void *memory;
        struct nova_dma dma;
        size_t bytes;

        if (nova_pci_claim(&edu, "edu") || nova_pci_map(edu, 0, &memory, &bytes) ||
            nova_pci_quiet(edu) || nova_pci_master(edu, true) ||
            nova_dma_alloc(sizeof(*word), &dma))
                return false;
        registers = memory;
        word = dma.memory;
        word_address = nova_pci_address(edu, &dma);
        return true;
}

int main(void)
{
        static const struct nova_service_operation operations[] = {{serve, 3, 3, false}};
        const struct nova_service_config config = {
                .name = "device", .operations = operations, .operation_count = 1};

        if (!open_device() || nova_service_start(NULL, &config)) {
                printf("The device cannot be used.\n");
                return 1;
        }
        nova_service_sleep();
}
