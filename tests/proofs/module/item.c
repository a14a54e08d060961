/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads items with arbitrary content, at each place of a message, and transfers them through
 * arbitrary windows. The functions that delegate and translate are stubs, which check selectors and
 * permissions. */
#include "../plain.h"

#include "ipc/item.c"

#include "../driver.h"

struct pd kernel_pd;

bool object_delegate(struct object_space *source, word_t from, struct object_space *target,
                     word_t to, unsigned perms)
{
        (void)source;
        (void)target;
        /*@ assert from_inside: from <= SELECTOR_MASK; */
        /*@ assert to_inside: to <= SELECTOR_MASK; */
        /*@ assert perms_inside: 0 < perms <= NOVA_PERM_ALL; */
        return any_bool();
}

nova_crd_t object_translate(const struct object_space *sender, nova_crd_t crd,
                            const struct object_space *receiver, nova_crd_t window)
{
        (void)sender;
        (void)crd;
        (void)receiver;
        (void)window;
        return any_word();
}

nova_crd_t delegation_at_once(struct pd *from, struct pd *to, nova_crd_t crd, word_t flags,
                              nova_crd_t window, unsigned attr)
{
        (void)from;
        (void)to;
        (void)crd;
        (void)flags;
        (void)window;
        (void)attr;
        return any_word();
}

nova_crd_t delegation_begin(struct pd *from, struct pd *to, nova_crd_t crd, word_t flags,
                            nova_crd_t window, struct delegation *delegation)
{
        (void)delegation;
        return delegation_at_once(from, to, crd, flags, window, 0);
}

nova_crd_t translation_find(struct space *sender, nova_crd_t crd, struct space *receiver,
                            nova_crd_t window)
{
        (void)sender;
        (void)crd;
        (void)receiver;
        (void)window;
        return any_word();
}

struct space *pd_space(struct pd *pd, unsigned type)
{
        static struct space space;

        (void)pd;
        /*@ assert type: NOVA_CRD_NULL < type <= NOVA_CRD_OBJ; */
        return &space;
}

void leave_if_ended(struct ec *self)
{
        (void)self;
}

int main(void)
{
        static struct nova_utcb sent, received;
        static struct ec self, to;
        static struct pd from_pd, to_pd;

        self.pd = &from_pd;
        to.pd = &to_pd;
        self.utcb = &sent;
        to.utcb = &received;
        Frama_C_make_unknown((char *)&sent, sizeof(sent));
        Frama_C_make_unknown((char *)&received, sizeof(received));
        to.event_qual[1] = any_word();
        to.receive_limit = any_u32();
        item_limit(&to, any_word());
        item_at_once(&self, &to);
        item_answers_at_once(&self, &to);
        item_transfer_begin(&self, &to, any_bool(), NOVA_UTCB_TYPED_MAX);
        self.transfer.item = Frama_C_unsigned_int_interval(0, NOVA_UTCB_TYPED_MAX - 1);
        self.transfer.aborted = any_bool();
        item_begin(&self);
        item_refuse(&self);
        return 0;
}
