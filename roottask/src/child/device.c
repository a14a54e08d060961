/* SPDX-License-Identifier: BSD-2-Clause */
/* Modules and devices for children: memory, ports and interrupts that the parent grants by name. */
#include <errno.h>

#include "child/request.h"
#include "nova/crd.h"
#include "nova/hip.h"
#include "nova/utcb.h"
#include "novart/region.h"
#include "novart/selector.h"

/* In the child, each page has the same offset in the window as in the range. */
void novart_request_give_pages(struct request *request, nova_word_t first, nova_word_t pages,
                               nova_word_t page, unsigned perms)
{
        struct nova_crd_range range = {NOVA_CRD_MEM, perms, first + page, page, pages - page};
        nova_crd_t crd;
        nova_sel_t hotspot;

        /* The words of the answer precede its items. */
        nova_utcb_put(request->utcb, 0);

        const unsigned given = nova_utcb_word_count(request->utcb) - 1;

        for (unsigned i = 0; i < CHILD_ITEMS_MAX && nova_crd_next(&range, &crd, &hotspot); i++)
                nova_utcb_delegate(request->utcb, crd, hotspot, 0);
        request->utcb->word[given] = pages - page - range.count;
}

int novart_serve_module(struct request *request)
{
        const struct nova_child_grants *const grants = &request->child->grants;
        const nova_word_t page = request->word[1];
        const void *data;
        size_t bytes;

        if (!novart_request_name(request, 2))
                return EINVAL;
        if (!grants->module || grants->module(grants->context, request->name, &data, &bytes))
                return ENOENT;

        const nova_word_t pages = (bytes + NOVA_PAGE_SIZE - 1) >> NOVA_PAGE_BITS;
        /* A program that may have children must be able to delegate executable memory to them. */
        const unsigned perms = request->child->flags & NOVA_CHILD_MAY_HAVE_CHILDREN
                                       ? NOVA_MEM_R | NOVA_MEM_X
                                       : NOVA_MEM_R;

        if (page >= pages)
                return EINVAL;
        nova_utcb_put(request->utcb, bytes);
        novart_request_give_pages(request, (nova_word_t)data >> NOVA_PAGE_BITS, pages, page, perms);
        return 0;
}

static void put_number(struct nova_utcb *utcb, uint64_t number)
{
        nova_utcb_put(utcb, (uint32_t)number);
        nova_utcb_put(utcb, (nova_word_t)(number >> 32));
}

void novart_request_give_ports(struct request *request, nova_word_t first, nova_word_t count)
{
        struct nova_crd_range range = {NOVA_CRD_IO, NOVA_IO_A, first, first, count};
        nova_crd_t crd;

        while (nova_crd_next(&range, &crd, NULL))
                nova_utcb_delegate(request->utcb, crd, 0, 0);
}

void novart_request_give_semaphore(struct request *request, nova_sel_t sel)
{
        nova_utcb_delegate(request->utcb, nova_crd_obj(sel, 0, NOVA_SM_UP | NOVA_SM_DN), 0, 0);
}

int novart_serve_device(struct request *request)
{
        const struct nova_child_grants *const grants = &request->child->grants;
        struct nova_child_device device = {.kind = (unsigned)request->word[1]};

        if (!novart_request_name(request, 4))
                return EINVAL;
        if (!grants->device ||
            grants->device(grants->context, request->name, (unsigned)request->word[2], &device))
                return ENOENT;

        const nova_word_t pages = (nova_word_t)((device.last - device.first) >> NOVA_PAGE_BITS) + 1;

        nova_utcb_put(request->utcb, 0);
        nova_utcb_put(request->utcb, 0);
        put_number(request->utcb, device.first);
        put_number(request->utcb, device.last);
        switch (device.kind) {
        case NOVA_PARENT_PORTS:
                novart_request_give_ports(request, (nova_word_t)device.first,
                                          (nova_word_t)(device.last - device.first + 1));
                return 0;
        case NOVA_PARENT_INTERRUPT:
        case NOVA_PARENT_CONSOLE:
                novart_request_give_semaphore(request, device.sel);
                return 0;
        case NOVA_PARENT_MEMORY:
                if (request->word[3] >= pages)
                        return EINVAL;
                novart_request_give_pages(request, (nova_word_t)device.memory >> NOVA_PAGE_BITS,
                                          pages, request->word[3], NOVA_MEM_R | NOVA_MEM_W);
                request->utcb->word[2] = request->utcb->word[7];
                return 0;
        default:
                return EINVAL;
        }
}
