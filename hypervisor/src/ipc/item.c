/* SPDX-License-Identifier: BSD-2-Clause */
/* Typed items (see item.h). Progress is kept in the sending EC; its partner stays blocked. */
#include "ipc/item.h"

#include "ipc/translation.h"
#include "object/pd.h"
#include "object/reclaim.h"
#include "sched/cpu.h"
#include "sched/schedule.h"
#include "space/object_mapping.h"
#include "space/space.h"

/* Returns an item of an EC's message: its CRD, then its flags and hotspot. */
static word_t *item_words(const struct ec *ec, word_t item)
{
        return ec->utcb->word + NOVA_UTCB_WORDS - 2 * (item + 1);
}

void item_limit(struct ec *ec, word_t bytes)
{
        store_once(ec->receive_limit, bytes < UINT32_MAX ? (uint32_t)bytes + 1 : 0);
        store_once(ec->items_at_once, bytes >= ITEM_AT_ONCE_BYTES);
}

void item_transfer_begin(struct ec *self, struct ec *to, bool is_answer, unsigned items)
{
        struct transfer *transfer = &self->transfer;

        /* item_delegate_begin() initialises the delegation. */
        transfer->to = to;
        transfer->item = 0;
        transfer->items = items;
        transfer->under_way = false;
        transfer->aborted = false;
        transfer->is_answer = is_answer;
        transfer->left = is_answer ? 0 : load_once(to->receive_limit);
}

/* Returns the delegation window. For the answer to an event, it is the memory near the event's
 * address. */
static always_inline nova_crd_t item_delegate_window(const struct ec *to, bool is_answer)
{
        if (!is_answer)
                return load_once(to->utcb->delegate_window);
        return nova_crd(NOVA_CRD_MEM, to->event_qual[1] >> PAGE_BITS & ~(word_t)0x7fffffff,
                        NOVA_CRD_ORDER_MASK, NOVA_PERM_ALL);
}

/* Transfers an item that delegates one capability for an object. */
static always_inline bool item_delegate_object(const struct ec *self, const struct ec *to,
                                               nova_crd_t crd, word_t flags, nova_crd_t window,
                                               word_t *copy)
{
        const unsigned perms = nova_crd_perms(crd & window);
        const word_t sel =
                range_selector_in(window, flags >> NOVA_ITEM_HOTSPOT_SHIFT) & SELECTOR_MASK;

        if (nova_crd_order(crd) || !perms || flags & NOVA_ITEM_H)
                return false;
        copy[0] = nova_crd(NOVA_CRD_OBJ, sel, 0, perms);
        return object_delegate(&self->pd->object_space, nova_crd_base(crd) & SELECTOR_MASK,
                               &to->pd->object_space, sel, perms);
}

/* Transfers an item that delegates memory or ports, if one step is enough. Returns false for all
 * other items. Mail may end self while TLBs are flushed. */
static __attribute__((noinline)) bool item_delegate_range(struct ec *self, const struct ec *to,
                                                          nova_crd_t crd, word_t flags,
                                                          nova_crd_t window, unsigned attr,
                                                          word_t *copy)
{
        copy[0] = delegation_at_once(self->pd, to->pd, crd, flags, window, attr);
        return copy[0];
}

bool item_at_once(struct ec *self, const struct ec *to)
{
        const word_t *word = item_words(self, 0);
        const nova_crd_t crd = load_once(word[0]);
        const word_t flags = load_once(word[1]);
        word_t *copy = item_words(to, 0);

        copy[1] = flags & NOVA_ITEM_FLAGS_MASK;
        if (!(flags & NOVA_ITEM_DELEGATE)) {
                const nova_crd_t window = load_once(to->utcb->translate_window);
                if (nova_crd_type(crd & window) != NOVA_CRD_OBJ)
                        return false;
                copy[0] = object_translate(&self->pd->object_space, crd, &to->pd->object_space,
                                           window);
                return true;
        }
        const nova_crd_t window = item_delegate_window(to, false);
        if (nova_crd_type(crd & window) == NOVA_CRD_OBJ)
                return item_delegate_object(self, to, crd, flags, window, copy);
        const unsigned attr = load_once(to->receive_limit) ? MAPPING_WHOLE : 0;
        return item_delegate_range(self, to, crd, flags, window, attr, copy);
}

bool item_answers_at_once(struct ec *self, const struct ec *to)
{
        const word_t *word = item_words(self, 0);
        const word_t flags = load_once(word[1]);
        word_t no_copy;

        return flags & NOVA_ITEM_DELEGATE &&
               item_delegate_range(self, to, load_once(word[0]), flags,
                                   item_delegate_window(to, true), 0, &no_copy);
}

/* Begins a delegation. Returns the CRD that the receiver sees; 0: refused. */
static nova_crd_t item_delegate_begin(struct ec *self, nova_crd_t crd, word_t flags)
{
        struct transfer *transfer = &self->transfer;
        struct delegation *d = &transfer->delegation;
        const nova_crd_t window = item_delegate_window(transfer->to, transfer->is_answer);

        d->left = transfer->left;
        d->revocation = &self->revocation;
        self->grace_waits = false;
        return delegation_begin(self->pd, transfer->to->pd, crd, flags, window, d);
}

static nova_crd_t item_translate(const struct ec *self, nova_crd_t crd)
{
        const struct ec *to = self->transfer.to;
        const nova_crd_t window =
                self->transfer.is_answer ? 0 : load_once(to->utcb->translate_window);
        const unsigned type = nova_crd_type(crd);

        if (type == NOVA_CRD_NULL || type != nova_crd_type(window))
                return 0;
        return translation_find(pd_space(self->pd, type), crd, pd_space(to->pd, type), window);
}

/* Writes the receiver's copy of the present item. The answer to an event has no copy. */
static void item_result(const struct transfer *transfer, nova_crd_t crd, word_t flags)
{
        if (transfer->is_answer)
                return;
        word_t *word = item_words(transfer->to, transfer->item);
        word[0] = crd;
        word[1] = flags & NOVA_ITEM_FLAGS_MASK;
}

/* Translates, or begins to delegate. Returns true if the present item is done. */
static bool item_begin(struct ec *self)
{
        const word_t *word = item_words(self, self->transfer.item);
        const word_t flags = load_once(word[1]);
        const nova_crd_t crd = load_once(word[0]);

        if (!(flags & NOVA_ITEM_DELEGATE)) {
                const nova_crd_t image = item_translate(self, crd);

                leave_if_ended(self); /* a translation opens interrupt windows */
                item_result(&self->transfer, image, flags);
                return true;
        }
        const nova_crd_t received = item_delegate_begin(self, crd, flags);
        item_result(&self->transfer, received, flags);
        return !received;
}

/* Writes a null item for the receiver. The rest of the receiver's limit remains for the next
 * items. */
static cold_path void item_refuse(const struct ec *self)
{
        if (!self->transfer.aborted)
                item_result(&self->transfer, 0,
                            load_once(item_words(self, self->transfer.item)[1]));
}

/* Repeats a delegation that found no kernel memory, after memory was freed. If none was freed, the
 * receiver gets a null item. */
static __attribute__((noinline)) enum step_result item_step_again(struct ec *self)
{
        struct transfer *transfer = &self->transfer;
        enum step_result step = STEP_FAILED;

        if (self->cpu->dying) {
                object_reap(); /* frees mappings and tables at once */
                return STEP_AGAIN;
        }
        const enum reclaim_help help = reclaim_help(self);
        leave_if_ended(self); /* the thread that ended self may be using the delegation */
        if (help == RECLAIM_WAITS)
                return STEP_AGAIN;
        if (help == RECLAIM_DONE && !transfer->aborted)
                step = delegation_step(&transfer->delegation);
        leave_if_ended(self);
        if (step == STEP_FAILED)
                item_refuse(self);
        return step;
}

/* Returns true if the present item delegates objects under a limit while too many frames wait for
 * the grace period. If such an item exceeds the limit, the kernel frees the tables of the item.
 * These tables also wait for the grace period, and no account pays for them meanwhile. Other items
 * free no tables. */
static bool item_must_wait(const struct ec *self)
{
        return unlikely(reclaim_is_full(self->cpu)) && self->transfer.left &&
               self->transfer.delegation.source->type == NOVA_CRD_OBJ;
}

/* Does a step of the present item's delegation. Returns true if the item is done. */
static bool item_step(struct ec *self)
{
        if (item_must_wait(self)) {
                reclaim_wait_step(self);
                leave_if_ended(self);
                return false;
        }
        enum step_result step = delegation_step(&self->transfer.delegation);

        if (unlikely(step == STEP_FAILED))
                step = item_step_again(self);
        leave_if_ended(self);
        if (step == STEP_AGAIN)
                return false;
        if (unlikely(step == STEP_REFUSED))
                item_refuse(self);
        else
                self->transfer.left = self->transfer.delegation.left;
        return true;
}

void item_transfer(struct ec *self, continuation_t cont)
{
        struct transfer *transfer = &self->transfer;

        while (!transfer->aborted && transfer->item < transfer->items) {
                if (!transfer->under_way)
                        transfer->under_way = !item_begin(self);
                if (transfer->under_way)
                        transfer->under_way = !item_step(self);
                if (!transfer->under_way)
                        transfer->item++;
                if (transfer->item < transfer->items)
                        preemption_point(self, cont);
        }
        /* The partner has ended in the middle of a delegation. */
        while (unlikely(delegation_is_open(&transfer->delegation))) {
                delegation_finish_step(&transfer->delegation);
                leave_if_ended(self);
                preemption_point(self, cont);
        }
        transfer->to = NULL;
}
