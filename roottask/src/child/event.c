/* SPDX-License-Identifier: BSD-2-Clause */
/* Events of children that reach the parent: the start of the first thread, and events for which the
 * child has no handler. */
#include <stdio.h>
#include <string.h>

#include "child/child.h"
#include "nova/event.h"
#include "nova/utcb.h"

void novart_child_report(struct nova_child *child, struct nova_fault_report *report)
{
        struct nova_symbols symbols;

        novart_child_write_rest(child);
        memset(report->program, 0, sizeof(report->program));
        strncpy(report->program, child->name, sizeof(report->program));
        nova_symbols_init(&symbols, child->elf.image, child->elf.bytes);
        nova_fault_print(report, &symbols);
}

/* Starts the first thread, or continues with the items that did not fit into the first answer. */
static void answer_begin(struct nova_child *child, struct nova_utcb *utcb)
{
        nova_utcb_event_reply(utcb, child->begun ? 0 : NOVA_MTD_EIP);
        utcb->state.ip = child->elf.entry;
        child->begun = true;
        novart_child_memory_send(&child->memory, utcb, CHILD_ITEMS_MAX);
}

static void answer_fault(struct nova_child *child, struct nova_utcb *utcb, unsigned event,
                         nova_word_t cpu)
{
        struct nova_fault_report report;

        nova_fault_fill(&report, &utcb->state, event, (unsigned)cpu);
        nova_utcb_event_reply(utcb, 0);
        novart_child_report(child, &report);
        if (event == NOVA_EXC_PF && !(utcb->state.qual[0] & 1) &&
            novart_child_memory_has(&child->memory, (nova_word_t)utcb->state.qual[1]))
                printf("%s: too little kernel memory is left in its account to map its memory.\n",
                       child->name);
        novart_child_end(child, NOVA_FAULT_STATUS + (int)event);
}

void novart_child_serve_event(struct nova_child *child, struct nova_utcb *utcb, unsigned event,
                              bool main, nova_word_t cpu)
{
        const bool more = child->memory.next_map < child->memory.maps;
        const unsigned words = nova_utcb_word_count(utcb);

        /* A program can also call the portal, with fewer words. The report must not contain words
         * of earlier messages. */
        if (words < NOVA_UTCB_STATE_WORDS)
                memset(&utcb->word[words], 0,
                       (NOVA_UTCB_STATE_WORDS - words) * sizeof(*utcb->word));
        if (main &&
            ((event == NOVA_EXC_STARTUP && !child->begun) || (event == NOVA_EXC_PF && more)))
                answer_begin(child, utcb);
        else
                answer_fault(child, utcb, event, cpu);
        /* For the reply to an event, the kernel ignores the number of untyped words. But a program
         * can also call the portal. With the number 0, it gets no words of earlier messages. */
        utcb->items = nova_utcb_items(0, nova_utcb_item_count(utcb));
}
