/* SPDX-License-Identifier: BSD-2-Clause */
/* Entry points in C for portals of local threads and for global threads. What a thread is to do
 * stands at the top of its stack, so that two assembly stubs serve all threads. */
#ifndef NOVA_PORTAL_H
#define NOVA_PORTAL_H

#include <stddef.h>

#include "nova/abi/utcb.h"
#include "nova/library.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Serves one request; the reply is sent when it returns.
 *
 * @param portal   selector with which the portal was created, which distinguishes several portals
 * @param utcb     the message; what it holds at the return is the reply
 * @param argument as given to nova_portal_stack()
 */
typedef void nova_portal_handler(nova_sel_t portal, struct nova_utcb *utcb, void *argument);

/** Body of a global thread. When it returns, the thread sleeps for ever. */
typedef void nova_thread_function(void *argument);

/** Top of a local thread's stack, read by nova_portal_entry. */
struct nova_portal_frame {
        nova_portal_handler *handler; /**< what serves */
        struct nova_utcb *utcb;
        void *argument;     /**< handed to it */
        nova_word_t unused; /* keeps the stack aligned to 16 bytes */
};

/** Top of a global thread's stack, read by nova_thread_entry. */
struct nova_thread_frame {
        nova_thread_function *function; /**< what runs */
        void *argument;                 /**< handed to it */
        nova_word_t unused[2];
};

/** Where portals of threads with a nova_portal_stack() enter: the ip of nova_create_pt(). */
NOVA_LIBRARY_ENTRY void nova_portal_entry(void);

/** Where global threads with a nova_thread_stack() begin: the ip in the reply to STARTUP. */
NOVA_LIBRARY_ENTRY void nova_thread_entry(void);

/** The address of a function or object as the word that hypercalls and messages take. */
#define NOVA_ADDRESS(thing) ((nova_word_t)(thing))

/** @return the end of a @p stack of so many @p bytes, rounded down so that what follows below is
 *  aligned to 16 bytes */
static inline nova_word_t nova_stack_top(void *stack, size_t bytes)
{
        return ((nova_word_t)stack + bytes) & ~(nova_word_t)15;
}

/**
 * Prepare the stack of a local thread that serves portals with @p handler.
 *
 * The stub restores the stack pointer for each request, so nothing piles up. Portals of one EC
 * may all enter at nova_portal_entry: the handler sees which it was.
 * @param stack memory that nobody else uses
 * @param bytes its size, at least 1024
 * @param utcb  where the thread's UTCB is, handed to the handler
 * @param argument handed to @p handler
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
 * Prepare the stack, of so many @p bytes, of a global thread that runs @p function with
 * @p argument.
 *
 * Its STARTUP event must be answered with ip = nova_thread_entry and MTD bit EIP only, which keeps
 * the stack pointer.
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

NOVA_STATIC_ASSERT(sizeof(struct nova_portal_frame) == 4 * sizeof(nova_word_t), "portal.S");
NOVA_STATIC_ASSERT(sizeof(struct nova_thread_frame) == 4 * sizeof(nova_word_t), "portal.S");

#ifdef __cplusplus
}
#endif

#ifdef NOVA_HEADER_ONLY
#include "nova/inline/portal.h"
#endif

#endif
