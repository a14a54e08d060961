/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests of the child that holds the configuration space of PCI (<novart/parent_pci.h>). */
#include <errno.h>
#include <string.h>

#include "child/request.h"
#include "nova/utcb.h"
#include "novart/selector.h"

static uint64_t wide(const nova_word_t word[2])
{
        return (uint64_t)word[1] << 32 | (uint32_t)word[0];
}

static int give_device(struct request *request, const struct nova_child_pci *question)
{
        nova_word_t words[sizeof(question->device) / sizeof(nova_word_t)];

        _Static_assert(sizeof(words) == sizeof(question->device), "whole words");
        memcpy(words, &question->device, sizeof(words));
        return nova_utcb_put_words(request->utcb, words, sizeof(words) / sizeof(*words)) ? 0 : EIO;
}

static int give_memory(struct request *request, const struct nova_child_pci *question)
{
        const nova_word_t pages = (nova_word_t)(question->bytes >> NOVA_PAGE_BITS);

        if (request->word[2] >= pages)
                return EINVAL;
        nova_utcb_put(request->utcb, 0);
        novart_request_give_pages(request, (nova_word_t)question->memory >> NOVA_PAGE_BITS, pages,
                                  request->word[2], NOVA_MEM_R | NOVA_MEM_W);
        return 0;
}

static int give_obstacle(struct request *request, const struct nova_child_pci *question)
{
        nova_utcb_put(request->utcb, question->taken);
        nova_utcb_put(request->utcb, (uint32_t)question->first);
        nova_utcb_put(request->utcb, (nova_word_t)(question->first >> 32));
        return 0;
}

/* The parent keeps the window, which has received the semaphore. The server gets another window. */
static int take_watch(struct request *request, struct nova_child_pci *question)
{
        const struct nova_child_grants *const grants = &request->child->grants;

        if (request->item == NOVA_SEL_NONE)
                return EINVAL;
        question->sel = request->server->window;
        if (novart_child_server_renew_window(request->server))
                return ENOMEM;

        const int error = grants->pci(grants->context, question);

        if (error)
                nova_sel_release(question->sel, NOVA_PARENT_SERVICE_ORDER);
        request->item = NOVA_SEL_NONE;
        return error;
}

int novart_serve_pci(struct request *request)
{
        const struct nova_child_grants *const grants = &request->child->grants;
        struct nova_child_pci question = {
                .kind = (unsigned)request->word[1],
                .number = request->word[2],
                .first = wide(&request->word[3]),
                .bytes = wide(&request->word[5]),
        };

        if (question.kind == NOVA_PARENT_PCI_GSI)
                question.number = request->word[3];

        if (!grants->pci)
                return EACCES;
        if (question.kind == NOVA_PARENT_PCI_WATCH)
                return take_watch(request, &question);

        const int error = grants->pci(grants->context, &question);

        if (error)
                return error;
        switch (question.kind) {
        case NOVA_PARENT_PCI_DEVICE:
                return give_device(request, &question);
        case NOVA_PARENT_PCI_MEMORY:
                return give_memory(request, &question);
        case NOVA_PARENT_PCI_PORTS:
                novart_request_give_ports(request, (nova_word_t)question.first,
                                          (nova_word_t)question.bytes);
                return 0;
        case NOVA_PARENT_PCI_GSI:
                novart_request_give_semaphore(request, question.sel);
                return 0;
        case NOVA_PARENT_PCI_QUIET:
                return 0;
        case NOVA_PARENT_PCI_OBSTACLE:
                return give_obstacle(request, &question);
        default:
                return EINVAL;
        }
}
