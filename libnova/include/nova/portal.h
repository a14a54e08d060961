/* SPDX-License-Identifier: BSD-2-Clause */
/* Entry points in C for portals of local threads and for global threads. The addresses of the C
 * function and of its argument lie at the top of the thread's stack, so two assembly stubs serve
 * all threads. */
#ifndef NOVA_PORTAL_H
#define NOVA_PORTAL_H

#include <stddef.h>

#include "nova/abi/utcb.h"
#include "nova/library.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Serves one request. The reply is sent when the handler returns.
 *
 * The content of the UTCB at the return is the reply. At the entry, the UTCB contains the words and
 * typed items of the request. Each typed item has the range that arrived and the sender's flags. If
 * the handler leaves the items in the UTCB, the reply sends them back: the caller gets capabilities
 * of this program, or, if this program is the roottask and an item has the flag H, resources of the
 * microhypervisor. So begin each reply with nova_utcb_clear(), or with nova_utcb_event_reply() in a
 * handler of events.
 *
 * @param portal   selector at which the portal was created; it distinguishes the portals of the
 *                 thread
 * @param utcb     the request; at the return, the reply
 * @param argument the argument of nova_portal_stack()
 */
typedef void nova_portal_handler(nova_sel_t portal, struct nova_utcb *utcb, void *argument);

/** Body of a global thread. When it returns, the thread sleeps for ever. */
typedef void nova_thread_function(void *argument);

/** Top of a local thread's stack, read by nova_portal_entry. */
struct nova_portal_frame {
        nova_portal_handler *handler; /**< function that serves requests */
        struct nova_utcb *utcb;       /**< UTCB of the thread */
        void *argument;               /**< argument of that function */
        nova_word_t unused;           /* keeps the stack aligned to 16 bytes */
};

/** Top of a global thread's stack, read by nova_thread_entry. */
struct nova_thread_frame {
        nova_thread_function *function; /**< body of the thread */
        void *argument;                 /**< argument of that function */
        nova_word_t unused[2];
};

/** Entry point of portals whose thread has a stack from nova_portal_stack(): the ip of
 * nova_create_pt(). */
NOVA_LIBRARY_ENTRY void nova_portal_entry(void);

/** Entry point of global threads with a stack from nova_thread_stack(): the ip in the reply to
 * STARTUP. */
NOVA_LIBRARY_ENTRY void nova_thread_entry(void);

/** The address of a function or object as a word for hypercalls and messages. */
#define NOVA_ADDRESS(thing) ((nova_word_t)(thing))

/** Computes the top of @p stack, which has @p bytes. @return the end of the stack, rounded down to
 * a multiple of 16, so that the frame below it is aligned */
static inline nova_word_t nova_stack_top(void *stack, size_t bytes)
{
        return ((nova_word_t)stack + bytes) & ~(nova_word_t)15;
}

/**
 * Prepares the stack of a local thread that serves portals with @p handler.
 *
 * The stub restores the stack pointer for each request, so the stack does not grow. All portals of
 * an EC may use nova_portal_entry, because the handler receives the portal's selector.
 * @code
 * static unsigned char stack[4096];
 * void serve(nova_sel_t portal, struct nova_utcb *message, void *argument);
 *
 * const nova_word_t page = nova_root_utcb(&root);
 * const nova_word_t sp =
 *         nova_portal_stack(stack, sizeof(stack), serve, (struct nova_utcb *)page, NULL);
 *
 * status = nova_create_ec(ec, NOVA_SEL_ROOT_PD, page, cpu, sp, 0, 0);
 * if (status == NOVA_SUCCESS)
 *         status = nova_create_pt(pt, NOVA_SEL_ROOT_PD, ec, 0, NOVA_ADDRESS(nova_portal_entry));
 * @endcode
 * @param stack memory for the exclusive use of this thread
 * @param bytes its size, at least 1024
 * @param utcb  address of the thread's UTCB, passed to the handler
 * @param argument passed to @p handler
 * @return the stack pointer for nova_create_ec()
 */
static inline nova_word_t nova_portal_stack(void *stack, size_t bytes, nova_portal_handler *handler,
                                            struct nova_utcb *utcb, void *argument)
{
        struct nova_portal_frame *frame =
                (struct nova_portal_frame *)nova_stack_top(stack, bytes) - 1;

        frame->handler = handler;
        frame->utcb = utcb;
        frame->argument = argument;
        return NOVA_ADDRESS(frame);
}

/**
 * Prepares a @p stack of @p bytes for a global thread that runs @p function with @p argument.
 *
 * The reply to its STARTUP event must set ip = nova_thread_entry and MTD bit EIP only, which keeps
 * the stack pointer.
 * @code
 * static unsigned char stack[4096];
 * void work(void *argument);
 *
 * const nova_word_t sp = nova_thread_stack(stack, sizeof(stack), work, NULL);
 *
 * status = nova_create_ec(ec, NOVA_SEL_ROOT_PD, nova_root_utcb(&root), cpu, sp, 512,
 *                         NOVA_EC_GLOBAL);
 * if (status == NOVA_SUCCESS)
 *         status = nova_create_sc(sc, NOVA_SEL_ROOT_PD, ec, nova_qpd(10000, 1));
 *
 * // The handler of its STARTUP event, at selector 512 + NOVA_EXC_STARTUP, replies:
 * utcb->state.ip = NOVA_ADDRESS(nova_thread_entry);
 * nova_utcb_event_reply(utcb, NOVA_MTD_EIP);
 * @endcode
 * @return the stack pointer for nova_create_ec()
 */
static inline nova_word_t nova_thread_stack(void *stack, size_t bytes,
                                            nova_thread_function *function, void *argument)
{
        struct nova_thread_frame *frame =
                (struct nova_thread_frame *)nova_stack_top(stack, bytes) - 1;

        frame->function = function;
        frame->argument = argument;
        return NOVA_ADDRESS(frame);
}

NOVA_STATIC_ASSERT(sizeof(struct nova_portal_frame) == 4 * sizeof(nova_word_t), "aligned stack");
NOVA_STATIC_ASSERT(sizeof(struct nova_thread_frame) == 4 * sizeof(nova_word_t), "aligned stack");

#ifdef __cplusplus
}
#endif

#ifdef NOVA_HEADER_ONLY
#include "nova/inline/portal.h"
#endif

#endif
