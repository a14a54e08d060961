/* SPDX-License-Identifier: BSD-2-Clause */
/* Default replies to events: start-up, the image of child PDs, probes; any other event fails the
 * case. */
#include "internal.h"

#define IMAGE_BEGIN  0x400000
#define IMAGE_PIECES 48

extern char __image_end[]; /* defined by the linker script */

/* Delegates the piece of the image that holds the address, and the pieces after it. */
bool event_answer_image(struct nova_utcb *u, word_t address)
{
        word_t page = address >> NOVA_PAGE_BITS;
        const word_t end = page_of(__image_end);
        unsigned n = 0;

        if (address < IMAGE_BEGIN || address >= (word_t)__image_end)
                return false;
        while (page < end && n < IMAGE_PIECES) {
                const nova_crd_t crd = look(NOVA_CRD_MEM, page);
                if (!crd)
                        break;
                const word_t base = nova_crd_base(crd);
                u->word[nova_utcb_item_index(n)] = crd;
                u->word[nova_utcb_item_index(n) + 1] = item_upper(NOVA_ITEM_DELEGATE, base);
                page = base + ((word_t)1 << nova_crd_order(crd));
                n++;
        }
        u->state.mtd = 0;
        u->items = nova_utcb_items(1, n);
        return true;
}

static void answer_state(struct nova_utcb *u, nova_mtd_t mtd)
{
        u->state.mtd = mtd;
        u->items = nova_utcb_items(NOVA_UTCB_STATE_WORDS, 0);
}

static bool in_probe(const struct thread *t, word_t ip)
{
        return (ip >= (word_t)probe_begin && ip <= (word_t)probe_end) ||
               (t->exec_target && ip == t->exec_target);
}

static void answer_stray(struct thread *t, unsigned n, struct nova_utcb *u)
{
        case_stray_event(t, n, &u->state);
        if (t == self) {
                u->state.ip = (word_t)case_abort;
                u->state.sp = ((u->state.sp - 512) & ~(word_t)15) - STACK_ENTRY_GAP;
        } else {
                u->state.ip = (word_t)reply_now;
                u->state.sp = t->sp;
        }
        answer_state(u, NOVA_MTD_EIP | NOVA_MTD_ESP);
}

static void answer(struct thread *t, unsigned n, struct nova_utcb *u)
{
        const word_t address = (word_t)u->state.qual[1];

        if (n == NOVA_EXC_STARTUP) {
                u->state.ip = (word_t)global_entry;
                answer_state(u, NOVA_MTD_EIP);
        } else if (n == NOVA_EXC_RECALL) {
                answer_state(u, 0);
        } else if (n == NOVA_EXC_PF && t->child && t->event_count < 64 &&
                   event_answer_image(u, address)) {
                return;
        } else if (in_probe(t, u->state.ip)) {
                u->state.ip = (word_t)probe_failed;
                u->state.flags &= ~(word_t)0x100;
                answer_state(u, n == NOVA_EXC_DB ? NOVA_MTD_EIP | NOVA_MTD_EFL : NOVA_MTD_EIP);
        } else {
                answer_stray(t, n, u);
        }
}

void event_serve(struct thread *keeper, word_t portal)
{
        struct thread *t = thread_of_event(portal);
        struct nova_utcb *u = keeper->utcb;
        if (!t) {
                u->items = 0;
                return;
        }
        const unsigned n = (unsigned)(portal - t->events);
        t->event_portal = portal;
        t->event_items = u->items;
        t->state = u->state;
        t->event = n;
        t->event_count++;
        if (!t->on_event || !t->on_event(t, n, u))
                answer(t, n, u);
}
