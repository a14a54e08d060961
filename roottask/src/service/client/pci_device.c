/* SPDX-License-Identifier: BSD-2-Clause */
/* Client stub of the service pci for drivers. */
#include "novart/service/pci_device.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "nova/crd.h"
#include "nova/hypercall.h"
#include "novart/region.h"
#include "novart/thread.h"
#include "novart/time.h"

#define WORDS_MAX      (1 + NOVA_WORDS_OF(sizeof(struct nova_pci_function)))
#define AGAIN_NS       1000000 /* time between two checks whether a reset is done */
#define RESET_MAX      5000    /* number of these checks */
#define REG_STATUS     0x06
#define REG_CAPABILITY 0x34
#define STATUS_LIST    0x10
#define FIRST          0x40
#define STEPS_MAX      48 /* capabilities that fit into 192 bytes */

struct nova_pci_device {
        struct nova_session *session;
        struct nova_pci_function function;
        unsigned flags;
        void *memory[NOVA_PCI_BARS]; /* regions; NULL: not mapped */
};

/* Sends up to three words. The answer has `count` words, or the result is EPROTO. */
static int call(const struct nova_pci_device *device, nova_word_t operation,
                const nova_word_t *words, unsigned word_count, nova_crd_t window,
                nova_word_t *answer, unsigned count)
{
        struct nova_message message = {.operation = operation,
                                       .words = words,
                                       .word_count = word_count,
                                       .window = window,
                                       .answer = answer,
                                       .answer_max = count};
        const int error = nova_session_call(device->session, &message);

        return error ? error : message.answer_count < count ? EPROTO : 0;
}

static bool has_arrived(unsigned type, nova_sel_t sel)
{
        nova_crd_t crd = nova_crd(type, sel, 0, NOVA_PERM_ALL);

        return nova_lookup(&crd) == NOVA_SUCCESS && nova_crd_type(crd) == type;
}

int nova_pci_claim(struct nova_pci_device **device, const char *name)
{
        struct nova_pci_device *const own = calloc(1, sizeof(*own));
        nova_word_t answer[WORDS_MAX];
        int error = own ? nova_session_open(&own->session, "pci", name) : ENOMEM;

        if (error) {
                free(own);
                return error;
        }
        error = call(own, NOVA_PCI_OWN, NULL, 0, 0, answer, WORDS_MAX);
        if (error) {
                nova_pci_release(own);
                return error;
        }
        own->flags = (unsigned)answer[0];
        memcpy(&own->function, &answer[1], sizeof(own->function));
        *device = own;
        return 0;
}

void nova_pci_release(struct nova_pci_device *device)
{
        nova_session_close(device->session);
        for (unsigned i = 0; i < NOVA_PCI_BARS; i++)
                if (device->memory[i])
                        nova_region_free(device->memory[i]);
        free(device);
}

const struct nova_pci_function *nova_pci_describe(const struct nova_pci_device *device)
{
        return &device->function;
}

unsigned nova_pci_flags(const struct nova_pci_device *device)
{
        return device->flags;
}

/* Returns the order of the largest naturally aligned block of pages that begins at a page. */
static unsigned block_order(nova_word_t page, nova_word_t pages)
{
        unsigned order = 0;

        while (!(page >> order & 1) && page + ((nova_word_t)2 << order) <= pages)
                order++;
        return order;
}

static int map_pages(const struct nova_pci_device *device, unsigned bar, nova_word_t to,
                     nova_word_t pages)
{
        for (nova_word_t page = 0; page < pages;) {
                const unsigned order = block_order(page, pages);
                const nova_word_t words[] = {bar, page, order};
                nova_word_t answer[2] = {0, 0};
                const int error =
                        call(device, NOVA_PCI_MAP, words, 3,
                             nova_crd_mem(to + page, order, NOVA_MEM_R | NOVA_MEM_W), answer, 2);

                if (error)
                        return error;
                if (answer[0] > pages - page || answer[1] > (nova_word_t)1 << order ||
                    !(answer[0] + answer[1]))
                        return EPROTO;
                if (answer[1] && !has_arrived(NOVA_CRD_MEM, to + page + answer[1] - 1))
                        return ENOMEM;
                page += answer[0] + answer[1];
        }
        return 0;
}

static int map_bar(struct nova_pci_device *device, unsigned bar, size_t bytes)
{
        const size_t pages = (bytes + NOVA_PAGE_SIZE - 1) / NOVA_PAGE_SIZE;
        void *const memory = nova_region_reserve(pages * NOVA_PAGE_SIZE);

        if (!memory)
                return ENOMEM;

        const int error = map_pages(device, bar, (nova_word_t)memory >> NOVA_PAGE_BITS, pages);

        if (error)
                nova_region_free(memory);
        else
                device->memory[bar] = memory;
        return error;
}

int nova_pci_map(struct nova_pci_device *device, unsigned bar, volatile void **registers,
                 size_t *bytes)
{
        const struct nova_pci_bar *const range =
                &device->function.bar[bar < NOVA_PCI_BARS ? bar : 0];
        const size_t offset = (size_t)(range->base % NOVA_PAGE_SIZE);
        int error = 0;

        if (bar >= NOVA_PCI_BARS || !range->size || range->flags & NOVA_PCI_BAR_PORTS)
                return ENOENT;
        if (range->size > SIZE_MAX / 2)
                return ENOMEM;
        if (!device->memory[bar])
                error = map_bar(device, bar, offset + (size_t)range->size);
        if (error)
                return error;
        *registers = (char *)device->memory[bar] + offset;
        *bytes = (size_t)range->size;
        return 0;
}

int nova_pci_ports(struct nova_pci_device *device, unsigned bar, uint16_t *first)
{
        const nova_word_t words[] = {bar};
        nova_word_t answer[2];
        const int error =
                call(device, NOVA_PCI_PORTS, words, 1, nova_crd_all(NOVA_CRD_IO), answer, 2);

        if (error)
                return error;
        *first = (uint16_t)answer[0];
        return has_arrived(NOVA_CRD_IO, *first) ? 0 : ENOMEM;
}

int nova_pci_interrupts(struct nova_pci_device *device, unsigned wanted, const nova_sel_t *sels,
                        unsigned *got)
{
        const nova_word_t words[] = {wanted, nova_thread_cpu()};
        nova_word_t count = 0;
        int error = call(device, NOVA_PCI_INTERRUPTS, words, 2, 0, &count, 1);

        *got = 0;
        if (!error && count > wanted)
                error = EPROTO;
        for (nova_word_t i = 0; i < count && !error; i++) {
                error = call(device, NOVA_PCI_VECTOR, &i, 1,
                             nova_crd_obj(sels[i], 0, NOVA_PERM_ALL), NULL, 0);
                if (!error && !has_arrived(NOVA_CRD_OBJ, sels[i]))
                        error = ENOMEM;
        }
        if (!error)
                *got = (unsigned)count;
        return error;
}

int nova_pci_config_read(struct nova_pci_device *device, unsigned offset, unsigned bytes,
                         uint32_t *value)
{
        return nova_pci_read(device->session, device->function.address, offset, bytes, value);
}

int nova_pci_config_write(struct nova_pci_device *device, unsigned offset, unsigned bytes,
                          uint32_t value)
{
        const nova_word_t words[] = {offset, bytes, value};

        return call(device, NOVA_PCI_WRITE, words, 3, 0, NULL, 0);
}

int nova_pci_capability(struct nova_pci_device *device, unsigned id, unsigned *at)
{
        uint32_t value = 0;
        unsigned next;
        int error = nova_pci_config_read(device, REG_STATUS, 2, &value);

        if (!error && !(value & STATUS_LIST))
                return ENOENT;
        if (!error)
                error = nova_pci_config_read(device, *at ? *at + 1 : REG_CAPABILITY, 1, &value);
        for (unsigned i = 0; i < STEPS_MAX && !error; i++) {
                next = value & 0xfc;
                if (next < FIRST)
                        return ENOENT;
                error = nova_pci_config_read(device, next, 2, &value);
                if (!error && (value & 0xff) == id) {
                        *at = next;
                        return 0;
                }
                value >>= 8;
        }
        return error ? error : ENOENT;
}

int nova_pci_master(struct nova_pci_device *device, bool on)
{
        uint32_t command = 0;
        int error = nova_pci_config_read(device, NOVA_PCI_COMMAND, 2, &command);

        command = on ? command | NOVA_PCI_COMMAND_MASTER : command & ~NOVA_PCI_COMMAND_MASTER;
        if (!error)
                error = nova_pci_config_write(device, NOVA_PCI_COMMAND, 2, command);
        return error;
}

uint64_t nova_pci_address(const struct nova_pci_device *device, const struct nova_dma *dma)
{
        return device->flags & NOVA_PCI_CONFINED ? (uintptr_t)dma->memory : dma->phys;
}

int nova_pci_reset(struct nova_pci_device *device)
{
        int error = call(device, NOVA_PCI_RESET, NULL, 0, 0, NULL, 0);

        for (unsigned i = 0; i < RESET_MAX && !error; i++) {
                nova_sleep(AGAIN_NS);
                error = call(device, NOVA_PCI_RESET_DONE, NULL, 0, 0, NULL, 0);
                if (error != EAGAIN)
                        return error;
                error = 0;
        }
        return error ? error : ETIMEDOUT;
}

int nova_pci_quiet(struct nova_pci_device *device)
{
        return call(device, NOVA_PCI_QUIET, NULL, 0, 0, NULL, 0);
}

int nova_pci_assign(struct nova_pci_device *device, nova_sel_t pd)
{
        struct nova_message message = {.operation = NOVA_PCI_ASSIGN,
                                       .item_count = 1,
                                       .items = {nova_crd_obj(pd, 0, NOVA_PD_EC)}};

        return nova_session_call(device->session, &message);
}
