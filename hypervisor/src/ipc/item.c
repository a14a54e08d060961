/* SPDX-License-Identifier: BSD-2-Clause */
/* Typed items (see item.h). Progress is kept in the sending EC; its partner stays blocked. */
#include "ipc/item.h"

#include "arch/x86/cpu.h"
#include "lib/bits.h"
#include "object/pd.h"
#include "object/reclaim.h"
#include "sched/schedule.h"
#include "space/space.h"

/* A CRD whose base is taken modulo SEL; on x86-32 none is larger. */
#define OBJECT_CRD_MASK (((word_t)1 << (NOVA_SEL_ORDER + NOVA_CRD_BASE_SHIFT) % NOVA_WORD_BITS) - 1)

void item_transfer_begin(struct ec *self, struct ec *to, unsigned items)
{
        struct transfer *transfer = &self->transfer;

        /* The delegation is written when it begins. */
        transfer->to = to;
        transfer->item = 0;
        transfer->items = items;
        transfer->under_way = false;
        transfer->aborted = false;
}

/* Whether this message is the answer to a page fault: memory around the address only. */
static bool is_event_reply(const struct ec *self)
{
        const struct ec *to = self->transfer.to;

        return to == self->caller && self->caller_kind == CALLER_EVENT;
}

static nova_crd_t delegate_window(const struct ec *self)
{
        const struct ec *to = self->transfer.to;

        if (!is_event_reply(self))
                return load_once(to->utcb->delegate_window);
        return nova_crd(NOVA_CRD_MEM, to->event_qual[1] >> PAGE_BITS & ~(word_t)0x7fffffff,
                        NOVA_CRD_ORDER_MASK, NOVA_PERM_ALL);
}

/* Ranges of ports keep their place: the one that lies inside the other, or nothing. */
static bool intersect(nova_crd_t crd, nova_crd_t window, struct delegation *d, unsigned *order)
{
        const unsigned outer = (unsigned)max_word(nova_crd_order(crd), nova_crd_order(window));
        const word_t a = nova_crd_base(crd), b = nova_crd_base(window);

        *order = (unsigned)min_word(nova_crd_order(crd), nova_crd_order(window));
        d->from = d->to = align_down(nova_crd_order(crd) <= nova_crd_order(window) ? a : b, *order);
        return align_down(a, outer) == align_down(b, outer);
}

/* Source and destination of memory and objects: the larger range is cut by the hotspot's bits. */
static void disambiguate(nova_crd_t crd, nova_crd_t window, word_t hotspot, struct delegation *d,
                         unsigned *order)
{
        const unsigned send = nova_crd_order(crd), receive = nova_crd_order(window);
        const word_t from = align_down(nova_crd_base(crd), send);
        const word_t to = align_down(nova_crd_base(window), receive);
        const word_t low = ((word_t)1 << max_word(send, receive)) - 1;

        *order = (unsigned)min_word(send, receive);
        const word_t bits = align_down(hotspot & low, *order);
        d->from = send > receive ? from | bits : from;
        d->to = send < receive ? to | bits : to;
}

/* Cuts a range at the end of its space; object selectors wrap modulo SEL. */
static void clip(struct delegation *d, unsigned type, unsigned order)
{
        const word_t limit = space_limit(type);

        d->count = (word_t)1 << order;
        if (type == NOVA_CRD_OBJ) {
                d->from &= limit - 1;
                d->to &= limit - 1;
        }
        const word_t top = max_word(d->from, d->to);
        d->count = top >= limit ? 0 : min_word(d->count, limit - top);
}

/* Decodes a delegate item; the CRD that its receiver sees. 0: refused. */
static nova_crd_t delegate_begin(struct ec *self, nova_crd_t crd, word_t flags)
{
        struct delegation *d = &self->transfer.delegation;
        const nova_crd_t window = delegate_window(self);
        const unsigned type = nova_crd_type(crd);
        const unsigned perms = nova_crd_perms(crd) & nova_crd_perms(window);
        unsigned order;

        if (type == NOVA_CRD_NULL || type != nova_crd_type(window) || !perms)
                return 0;
        d->perms = (uint8_t)perms;
        d->attr = (uint8_t)((flags & NOVA_ITEM_G ? MAPPING_GUEST : 0) |
                            (flags & NOVA_ITEM_D ? MAPPING_DMA : 0));
        d->at = d->fill = d->fill_end = 0;
        d->failed = false;
        if (type == NOVA_CRD_IO) {
                if (!intersect(crd, window, d, &order))
                        return 0;
        } else {
                disambiguate(crd, window, flags >> NOVA_ITEM_HOTSPOT_SHIFT, d, &order);
        }
        clip(d, type, order);
        const bool host = flags & NOVA_ITEM_H && self->pd->is_root;
        d->source = pd_space(host ? &kernel_pd : self->pd, type);
        d->target = pd_space(self->transfer.to->pd, type);
        return nova_crd(type, d->to, order, perms);
}

static nova_crd_t translate(const struct ec *self, nova_crd_t crd)
{
        const struct ec *to = self->transfer.to;
        nova_crd_t window = is_event_reply(self) ? 0 : load_once(to->utcb->translate_window);
        const unsigned type = nova_crd_type(crd);

        if (type == NOVA_CRD_NULL || type != nova_crd_type(window))
                return 0;
        if (type == NOVA_CRD_OBJ && NOVA_SEL_ORDER + NOVA_CRD_BASE_SHIFT < NOVA_WORD_BITS) {
                crd &= OBJECT_CRD_MASK;
                window &= OBJECT_CRD_MASK;
        }
        return mapping_translate(pd_space(self->pd, type), crd, pd_space(to->pd, type), window);
}

/* Writes the receiver's copy of an item. The answer to an event has none. */
static void result(struct ec *self, unsigned index, nova_crd_t crd, word_t flags)
{
        struct nova_utcb *utcb = self->transfer.to->utcb;

        if (is_event_reply(self))
                return;
        utcb->word[index] = crd;
        utcb->word[index + 1] = flags & NOVA_ITEM_FLAGS_MASK;
}

/* One step of the present item; true when the item is done. */
static bool item_step(struct ec *self)
{
        struct transfer *transfer = &self->transfer;
        const unsigned index = nova_utcb_item_index(transfer->item);
        const word_t flags = load_once(self->utcb->word[index + 1]);
        const nova_crd_t crd = load_once(self->utcb->word[index]);

        if (!transfer->under_way) {
                if (!(flags & NOVA_ITEM_DELEGATE)) {
                        result(self, index, translate(self, crd), flags);
                        return true;
                }
                const nova_crd_t received = delegate_begin(self, crd, flags);
                result(self, index, received, flags);
                if (!received)
                        return true;
                transfer->under_way = true;
        }
        enum step_result step = delegation_step(&transfer->delegation);
        if (step == STEP_FAILED && self->cpu->dying) {
                object_reap(); /* gives memory back, and names */
                return transfer->aborted;
        }
        if (step == STEP_FAILED && reclaim_wait() && !transfer->aborted)
                step = delegation_step(&transfer->delegation);
        if (step == STEP_FAILED && !transfer->aborted)
                result(self, index, 0, flags);
        transfer->under_way = step == STEP_AGAIN;
        return step != STEP_AGAIN;
}

void item_transfer(struct ec *self, continuation_t cont)
{
        struct transfer *transfer = &self->transfer;

        while (!transfer->aborted && transfer->item < transfer->items) {
                if (item_step(self))
                        transfer->item++;
                leave_if_ended(self);
                if (transfer->item < transfer->items)
                        preemption_point(self, cont);
        }
        transfer->to = NULL;
}
