/* SPDX-License-Identifier: BSD-2-Clause */
/* The driver for QEMU's device edu: a register that computes, an interrupt, and DMA. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nova/arch/mmio.h"
#include "nova/nova.h"
#include "novart/page.h"
#include "novart/program.h"
#include "novart/selector.h"
#include "novart/service/pci_device.h"
#include "novart/time.h"

/* Numbers of the device's 32-bit registers. */
#define FACTORIAL   (0x08 / 4)
#define STATUS      (0x20 / 4)
#define RAISE       (0x60 / 4)
#define CAUSE       (0x24 / 4)
#define ACKNOWLEDGE (0x64 / 4)
#define DMA_FROM    (0x80 / 4)
#define DMA_TO      (0x88 / 4)
#define DMA_COUNT   (0x90 / 4)
#define DMA_COMMAND (0x98 / 4)

#define STATUS_BUSY   0x01
#define DMA_START     0x01
#define DMA_TO_MEMORY 0x02
#define DMA_INTERRUPT 0x04
#define EDU_BUFFER    0x40000 /* address of the device's own memory, as the device numbers it */

#define BYTES 256

static struct nova_pci_device *edu;
static volatile uint32_t *registers;
static nova_sel_t interrupt;

static void check(const char *what, int error)
{
        if (!error)
                return;
        printf("%s: %s\n", what, strerror(error));
        exit(EXIT_FAILURE);
}

static uint32_t get(unsigned reg)
{
        return nova_mmio_read32(&registers[reg]);
}

static void put(unsigned reg, uint32_t value)
{
        nova_mmio_write32(&registers[reg], value);
}

static void claim(void)
{
        const int error = nova_pci_claim(&edu, "edu");

        if (error == ENODEV) {
                puts("the machine has no edu device; add it with: nova run -- -device edu,"
                     "dma_mask=0xffffffff");
                exit(NOVA_EXIT_FINAL); /* a restart would not help */
        }
        check("the device cannot be claimed", error);

        const struct nova_pci_function *const found = nova_pci_describe(edu);

        if (found->vendor == 0x1234 && found->device == 0x11e8)
                return;
        printf("the device is %04x:%04x of class 0x%06x, not an edu (1234:11e8); correct its 'id' "
               "in the description\n",
               found->vendor, found->device, (unsigned)found->class_code);
        exit(NOVA_EXIT_FINAL);
}

static void get_resources(void)
{
        volatile void *memory;
        size_t bytes;
        unsigned got;

        check("the registers cannot be mapped", nova_pci_map(edu, 0, &memory, &bytes));
        registers = memory;

        /* A former driver may have left a transfer in progress. The transfer ends by itself, and it
         * accesses no memory while the function is not a bus master. */
        while (get(DMA_COMMAND) & DMA_START)
                nova_sleep(1000000);
        put(ACKNOWLEDGE, get(CAUSE));
        check("the device cannot be reported as quiet", nova_pci_quiet(edu));

        interrupt = nova_sel_alloc(0);
        check("the interrupt cannot be allocated", nova_pci_interrupts(edu, 1, &interrupt, &got));
}

/* Sleeps until the device raises its interrupt, and returns the cause. */
static uint32_t wait_for_interrupt(void)
{
        uint32_t cause;

        /* the pin may be high for another reason, or still because of the last interrupt */
        do {
                if (nova_sm_down(interrupt) != NOVA_SUCCESS)
                        check("the wait for an interrupt failed", EIO);
                cause = get(CAUSE);
                put(ACKNOWLEDGE, cause);
        } while (!cause);
        return cause;
}

static void transfer(uint64_t from, uint64_t to, uint32_t command)
{
        put(DMA_FROM, (uint32_t)from);
        put(DMA_TO, (uint32_t)to);
        put(DMA_COUNT, BYTES);
        put(DMA_COMMAND, command | DMA_START | DMA_INTERRUPT);
        wait_for_interrupt();
}

/* Sends memory to the device and fetches it back into other memory. */
static void move(void)
{
        struct nova_dma dma;

        check("memory for DMA cannot be allocated", nova_dma_alloc(2 * BYTES, &dma));

        char *const here = dma.memory, *const there = here + BYTES;
        const uint64_t address = nova_pci_address(edu, &dma);

        for (unsigned i = 0; i < BYTES; i++)
                here[i] = (char)(i * 7 + 1);
        transfer(address, EDU_BUFFER, 0);
        transfer(EDU_BUFFER, address + BYTES, DMA_TO_MEMORY);
        puts(memcmp(here, there, BYTES) ? "the memory differs" : "the memory came back");
        nova_dma_free(&dma);
}

int main(int argc, char **argv)
{
        claim();
        get_resources();

        put(FACTORIAL, 10);
        while (get(STATUS) & STATUS_BUSY)
                nova_sleep(1000000);
        printf("10! = %u\n", (unsigned)get(FACTORIAL));

        /* only a bus master can send messages and do DMA */
        if (nova_pci_flags(edu) & NOVA_PCI_MASTER)
                check("the device cannot become a bus master", nova_pci_master(edu, true));
        put(RAISE, 0x1234);
        printf("interrupt for %x\n", (unsigned)wait_for_interrupt());
        if (nova_pci_flags(edu) & NOVA_PCI_MASTER)
                move();
        else
                puts("there is no DMA without 'grants dma' in the section of this program");
        /* with 'arguments crash' in the description, the driver crashes; init starts it again */
        if (argc > 1 && strcmp(argv[1], "crash") == 0)
                abort();
        nova_pci_release(edu);
        return 0;
}
