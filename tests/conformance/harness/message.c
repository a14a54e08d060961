/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages with typed items, and work done in the context of other threads. */
#include "internal.h"

static void call_empty(struct thread *t)
{
        self->utcb->items = 0;
        EXPECT_EQ(hc_call(t->pt, 0), NOVA_SUCCESS);
}

void windows(struct thread *t, nova_crd_t translate, nova_crd_t delegate)
{
        t->win_t = translate;
        t->win_d = delegate;
        if (t->child) {
                call_empty(t);
        } else {
                t->utcb->translate_window = translate;
                t->utcb->delegate_window = delegate;
        }
}

static word_t call_with_item(struct nova_utcb *u, nova_sel_t pt, nova_crd_t crd, word_t upper)
{
        u->word[nova_utcb_item_index(0)] = crd;
        u->word[nova_utcb_item_index(0) + 1] = upper;
        u->items = nova_utcb_items(0, 1);
        return hc_call(pt, 0);
}

nova_crd_t send(struct thread *t, nova_crd_t crd, word_t upper)
{
        EXPECT_EQ(call_with_item(self->utcb, t->pt, crd, upper), NOVA_SUCCESS);
        return t->rx_item[0];
}

struct remote_send {
        nova_sel_t pt;
        nova_crd_t crd;
        word_t upper, status;
};

static void do_send(struct thread *t)
{
        struct remote_send *s = t->arg;
        s->status = call_with_item(t->utcb, s->pt, s->crd, s->upper);
        t->utcb->items = 0;
}

nova_crd_t send_from(struct thread *from, nova_sel_t pt, struct thread *t, nova_crd_t crd,
                     word_t upper)
{
        static struct remote_send s;
        s = (struct remote_send){pt, crd, upper, 0};
        remote(from, do_send, &s);
        EXPECT_EQ(s.status, NOVA_SUCCESS);
        return t->rx_item[0];
}

static nova_crd_t window_for(nova_crd_t crd, nova_sel_t dst)
{
        return nova_crd(nova_crd_type(crd), dst, nova_crd_order(crd), NOVA_PERM_ALL);
}

nova_crd_t give(struct thread *t, nova_crd_t crd, nova_sel_t dst)
{
        windows(t, 0, window_for(crd, dst));
        return send(t, crd, NOVA_ITEM_DELEGATE);
}

nova_crd_t give_self(nova_crd_t crd, nova_sel_t dst)
{
        return give(mirror, crd, dst);
}

nova_crd_t request(nova_crd_t crd, nova_sel_t dst)
{
        windows(mirror, 0, window_for(crd, dst));
        return send(mirror, crd, NOVA_ITEM_DELEGATE | NOVA_ITEM_H);
}

char *memory(unsigned order)
{
        word_t frame;
        if (!frame_alloc(order, &frame))
                NOT_RAISED("no unused memory");
        const word_t page = page_alloc(order);
        EXPECT(request(mem(frame, order, NOVA_MEM_RWX), page) != 0);
        return (char *)(page << NOVA_PAGE_BITS);
}

word_t remote(struct thread *t, thread_fn *fn, void *arg)
{
        t->fn = fn;
        t->arg = arg;
        call_empty(t);
        return t->value[7];
}

static void do_hypercall(struct thread *t)
{
        t->value[7] = hypercall(t->arg);
}

word_t remote_hypercall(struct thread *t, struct args *args)
{
        static struct args shared;
        shared = *args;
        remote(t, do_hypercall, &shared);
        *args = shared;
        return args->a1;
}

word_t remote_sm(struct thread *t, nova_sel_t sm, word_t flags)
{
        struct args a = {nova_hypercall_id(NOVA_SM_CTRL, flags, sm), 0, 0, 0, 0};
        return remote_hypercall(t, &a);
}

nova_crd_t remote_look(struct thread *t, unsigned type, nova_sel_t sel)
{
        struct args a = {nova_hypercall_id(NOVA_LOOKUP, 0, 0), nova_crd(type, sel, 0, 0), 0, 0, 0};
        remote_hypercall(t, &a);
        return a.a2;
}

static void do_read(struct thread *t)
{
        t->value[7] = (word_t)probe_read((void *)t->value[6]);
}

static void do_write(struct thread *t)
{
        t->value[7] = (word_t)probe_write((void *)t->value[6], t->value[5]);
}

static void do_in(struct thread *t)
{
        t->value[7] = (word_t)probe_in(t->value[6]);
}

static void do_exec(struct thread *t)
{
        t->exec_target = t->value[6];
        t->value[7] = (word_t)probe_exec((void *)t->value[6]);
        t->exec_target = 0;
}

int remote_read(struct thread *t, word_t address)
{
        t->value[6] = address;
        return (int)remote(t, do_read, NULL);
}

int remote_write(struct thread *t, word_t address, word_t value)
{
        t->value[6] = address;
        t->value[5] = value;
        return (int)remote(t, do_write, NULL);
}

int remote_in(struct thread *t, word_t port)
{
        t->value[6] = port;
        return (int)remote(t, do_in, NULL);
}

int remote_exec(struct thread *t, word_t address)
{
        t->value[6] = address;
        return (int)remote(t, do_exec, NULL);
}
