/* SPDX-License-Identifier: BSD-2-Clause */
/* Local threads that serve portals. */
#include "thread/handler.h"

#include <errno.h>

#include "nova/crd.h"
#include "nova/extension.h"
#include "nova/hypercall.h"
#include "nova/utcb.h"
#include "novart/error.h"
#include "novart/program.h"
#include "thread/thread.h"

/* Returns the last selector of a handler's block: the portal through which the handler is asked to
 * end itself. A revocation of the EC would not end the handler while any program has a portal to
 * the EC. */
static nova_sel_t end_portal(const struct nova_handler *handler)
{
        return handler->thread.ec + 3;
}

/* Clears flag H of a message's items, in which the kernel keeps the sender's flags. If the
 * handler's function left an item in the answer, the kernel would take it for the root's own
 * request. */
static void disarm(struct nova_utcb *utcb)
{
        for (unsigned i = 0; i < nova_utcb_item_count(utcb); i++)
                utcb->word[nova_utcb_item_index(i) + 1] &= ~(nova_word_t)NOVA_ITEM_H;
}

/* Serves a request on the handler's stack. */
static void serve(nova_sel_t portal, struct nova_utcb *utcb, void *argument)
{
        struct nova_handler *const handler = argument;

        if (!handler->ready) {
                nova_thread_tls((nova_word_t)handler);
                handler->ready = true;
        }
        if (portal == end_portal(handler))
                nova_thread_exit();
        if (nova_utcb_typed(utcb->items) && nova_program_is_root())
                disarm(utcb);
        handler->function(portal, utcb, handler->argument);
}

int novart_handler_create(struct nova_handler **handler, nova_word_t cpu, const char *name,
                          nova_portal_handler *function, void *argument, size_t stack_bytes,
                          nova_sel_t events)
{
        if (novart_thread_cpu(&cpu))
                return EINVAL;

        struct nova_handler *const new = (struct nova_handler *)novart_thread_block_create(
                stack_bytes, sizeof(struct nova_handler), name, cpu);

        if (!new)
                return EAGAIN;
        new->function = function;
        new->argument = argument;

        struct nova_thread *const thread = &new->thread;
        const nova_word_t sp =
                nova_portal_stack(thread->stack, thread->stack_bytes, serve, thread->utcb, new);

        if (nova_create_ec(thread->ec, nova_program.pd, (nova_word_t)thread->utcb, cpu, sp,
                           events == NOVA_SEL_NONE ? 0 : events, 0) != NOVA_SUCCESS) {
                novart_thread_block_destroy(thread);
                return EAGAIN;
        }
        novart_thread_tell_name(thread);
        *handler = new;
        return 0;
}

int nova_handler_create(struct nova_handler **handler, nova_word_t cpu, const char *name,
                        nova_portal_handler *function, void *argument)
{
        if (novart_thread_cpu(&cpu))
                return EINVAL;

        const nova_sel_t events = nova_event_base(cpu);

        if (events == NOVA_SEL_NONE)
                return EAGAIN;
        return novart_handler_create(handler, cpu, name, function, argument, NOVA_HANDLER_STACK,
                                     events);
}

int nova_handler_portal(struct nova_handler *handler, nova_sel_t portal, nova_mtd_t mtd)
{
        return nova_errno_of(nova_create_pt(portal, nova_program.pd, handler->thread.ec, mtd,
                                            NOVA_ADDRESS(nova_portal_entry)));
}

struct nova_utcb *nova_handler_utcb(struct nova_handler *handler)
{
        return handler->thread.utcb;
}

struct nova_thread *nova_handler_thread(struct nova_handler *handler)
{
        return &handler->thread;
}

nova_sel_t nova_handler_ec(struct nova_handler *handler)
{
        return handler->thread.ec;
}

void novart_handler_limit(struct nova_handler *handler, nova_word_t bytes)
{
        nova_ec_receive(handler->thread.ec, bytes);
}

int novart_handler_prepare_end(struct nova_handler *handler)
{
        return nova_handler_portal(handler, end_portal(handler), 0) ? EAGAIN : 0;
}

void novart_handler_end(struct nova_handler *handler)
{
        /* The call fails, because the callee ends while it serves the call. */
        nova_call(end_portal(handler), 0);
}

static void *end(void *argument)
{
        novart_handler_end((struct nova_handler *)argument);
        return NULL;
}

static int end_on_its_cpu(struct nova_handler *handler)
{
        struct nova_thread_attr attr = NOVA_THREAD_ATTR_INITIALIZER;
        struct nova_thread *thread;

        attr.name = "end";
        attr.cpu = handler->thread.cpu;
        attr.stack_bytes = NOVA_THREAD_STACK_MIN;

        const int error = nova_thread_create(&thread, &attr, end, handler);

        return error ? error : nova_thread_join(thread, NULL);
}

void nova_handler_discard(struct nova_handler *handler)
{
        novart_thread_block_destroy(&handler->thread);
}

int nova_handler_destroy(struct nova_handler *handler)
{
        int error = 0;

        if (novart_handler_prepare_end(handler))
                return EAGAIN;
        if (handler->thread.cpu == nova_thread_cpu())
                novart_handler_end(handler);
        else
                error = end_on_its_cpu(handler);
        if (error) {
                nova_revoke(nova_crd_obj(end_portal(handler), 0, NOVA_PERM_ALL), NOVA_REVOKE_SR);
                return EAGAIN;
        }
        novart_thread_block_destroy(&handler->thread);
        return 0;
}
