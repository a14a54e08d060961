/* SPDX-License-Identifier: BSD-2-Clause */
/* The child's side of requests about PCI functions. */
#include "novart/parent_pci.h"

#include <errno.h>
#include <string.h>

#include "child/parent_call.h"
#include "nova/crd.h"
#include "nova/utcb.h"
#include "novart/thread.h"

struct pci_question {
        enum nova_parent_pci_kind kind;
        uint64_t first, bytes;
};

static void put_wide(struct nova_utcb *utcb, uint64_t number)
{
        nova_utcb_put(utcb, (uint32_t)number);
        nova_utcb_put(utcb, (nova_word_t)(number >> 32));
}

static int call(void *context, size_t page, nova_crd_t window)
{
        const struct pci_question *const question = context;
        struct nova_utcb *const utcb = novart_parent_call_begin(NOVA_PARENT_PCI);

        nova_utcb_put(utcb, question->kind);
        nova_utcb_put(utcb, page);
        put_wide(utcb, question->first);
        put_wide(utcb, question->bytes);
        return novart_parent_call_send(utcb, window);
}

int nova_parent_pci_describe(unsigned number, struct nova_parent_pci_device *device)
{
        struct pci_question question = {NOVA_PARENT_PCI_DEVICE, 0, 0};
        const int error = call(&question, number, 0);
        const struct nova_utcb *const utcb = nova_thread_utcb();

        if (error)
                return error;
        if (nova_utcb_word_count(utcb) < 1 + sizeof(*device) / sizeof(nova_word_t))
                return EIO;
        memcpy(device, &utcb->word[1], sizeof(*device));
        device->name[sizeof(device->name) - 1] = 0;
        return 0;
}

int nova_parent_pci_memory(uint64_t address, size_t bytes, void **memory)
{
        struct pci_question question = {NOVA_PARENT_PCI_MEMORY, address, bytes};

        return novart_parent_call_fetch(bytes, call, &question, memory);
}

int nova_parent_pci_obstacle(enum nova_parent_pci_kind kind, uint64_t first, uint64_t count,
                             uint64_t *begin)
{
        struct pci_question question = {NOVA_PARENT_PCI_OBSTACLE, first, count};
        const int error = call(&question, kind, 0);
        const struct nova_utcb *const utcb = nova_thread_utcb();

        if (error)
                return error;
        if (nova_utcb_word_count(utcb) < 4)
                return EIO;
        *begin = (uint64_t)utcb->word[3] << 32 | (uint32_t)utcb->word[2];
        return utcb->word[1] ? EACCES : 0;
}

int nova_parent_pci_ports(uint16_t first, unsigned count)
{
        struct pci_question question = {NOVA_PARENT_PCI_PORTS, first, count};
        const int error = call(&question, 0, nova_crd_all(NOVA_CRD_IO));

        if (error)
                return error;
        return novart_parent_call_arrived(NOVA_CRD_IO, first) ? 0 : ENOMEM;
}

int nova_parent_pci_gsi(unsigned gsi, nova_sel_t sel)
{
        struct pci_question question = {NOVA_PARENT_PCI_GSI, gsi, 0};
        const int error = call(&question, 0, nova_crd_obj(sel, 0, NOVA_PERM_ALL));

        if (error)
                return error;
        return novart_parent_call_arrived(NOVA_CRD_OBJ, sel) ? 0 : ENOMEM;
}

int nova_parent_pci_quiet(unsigned number, bool quiet)
{
        struct pci_question question = {NOVA_PARENT_PCI_QUIET, quiet, 0};

        return call(&question, number, 0);
}

int nova_parent_pci_watch(nova_sel_t sel)
{
        struct nova_utcb *const utcb = novart_parent_call_begin(NOVA_PARENT_PCI);

        nova_utcb_put(utcb, NOVA_PARENT_PCI_WATCH);
        nova_utcb_delegate(utcb, nova_crd_obj(sel, 0, NOVA_SM_UP), 0, 0);
        return novart_parent_call_send(utcb, 0);
}
