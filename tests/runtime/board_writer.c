/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes devices of the board write to an address that this program chooses: a timer of the HPET, by
 * its interrupt message, and QEMU's fw_cfg. Therefore no program of a system with secure guests has
 * these devices. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "nova/arch/port.h"
#include "novart/page.h"
#include "novart/parent.h"
#include "novart/time.h"

#define TRIES 1000

/* Registers of the HPET, and of a timer, in words of 32 bits. */
enum { GENERAL = 0x10 / 4, COUNTER = 0xf0 / 4, TIMER = 0x140 / 4 };
enum { CONTROL = 0, COMPARATOR = 2, DATA = 4, ADDRESS = 5 };
#define GENERAL_ON      0x1
#define CONTROL_ON      0x4
#define CONTROL_32      0x100 /* the timer has 32 bits */
#define CONTROL_MESSAGE 0x4000

/* fw_cfg: the offset of the port that takes the address of a command, and the fields of the
 * command. All numbers are big endian. */
#define LOADER_LOW  4
#define LOADER_READ 0x0a /* select a file, and read it; file 0 is a signature */
#define SIGNATURE   "QEMU"

static void start_timer(volatile uint32_t *hpet, uint32_t address, uint32_t word)
{
        volatile uint32_t *const timer = hpet + TIMER;

        hpet[GENERAL] = 0;
        timer[CONTROL] = 0;
        timer[DATA] = word;
        timer[ADDRESS] = address;
        timer[CONTROL] = CONTROL_MESSAGE | CONTROL_32 | CONTROL_ON;
        hpet[GENERAL] = GENERAL_ON;
        timer[COMPARATOR] = hpet[COUNTER] + 100000;
}

static void start_loader(uint16_t port, const struct nova_dma *dma, uint32_t address)
{
        const uint32_t command[4] = {__builtin_bswap32(LOADER_READ),
                                     __builtin_bswap32(sizeof(SIGNATURE) - 1), 0,
                                     __builtin_bswap32(address)};

        memcpy((char *)dma->memory + NOVA_PAGE_SIZE / 2, command, sizeof(command));
        nova_out32(port, 0);
        nova_out32((uint16_t)(port + LOADER_LOW),
                   __builtin_bswap32((uint32_t)dma->phys + NOVA_PAGE_SIZE / 2));
}

/* Reports whether a word arrives in memory. */
static int report(const char *device, const volatile uint32_t *word, uint32_t wanted)
{
        for (unsigned i = 0; i < TRIES && *word != wanted; i++)
                nova_sleep(1000000);
        printf("%s - the %s writes to memory\n", *word == wanted ? "ok" : "not ok", device);
        return *word != wanted;
}

int main(void)
{
        struct nova_dma dma;
        void *hpet;
        size_t bytes;
        uint16_t first, last;
        uint32_t signature;

        if (nova_parent_memory("clock", 0, &hpet, &bytes) ||
            nova_parent_ports("loader", 0, &first, &last) || nova_dma_alloc(NOVA_PAGE_SIZE, &dma))
                return 1;

        volatile uint32_t *const word = dma.memory;

        memcpy(&signature, SIGNATURE, sizeof(signature));
        word[0] = word[1] = 0;
        start_timer(hpet, (uint32_t)dma.phys, 0x600d1dea);
        start_loader(first, &dma, (uint32_t)dma.phys + sizeof(*word));
        return report("HPET", &word[0], 0x600d1dea) | report("loader", &word[1], signature);
}
