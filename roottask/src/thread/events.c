/* SPDX-License-Identifier: BSD-2-Clause */
/* The program's own event portals, one set for each CPU on which it has threads. */
#include "memory/fault.h"
#include "nova/crd.h"
#include "nova/event.h"
#include "nova/hypercall.h"
#include "nova/utcb.h"
#include "novart/selector.h"
#include "thread/handler.h"
#include "thread/thread.h"

#define EVENTS_ORDER  5
#define STARTUP_STACK 0x800
#define NO_EVENTS     NOVA_SEL_NONE

/* A set that is not 0 is complete. */
static nova_sel_t events[NOVA_CPU_MAX];
static struct nova_mutex mutex;

/* A new thread's first event: where it begins. Its stack pointer is what create_ec was given. */
static void startup(nova_sel_t portal, struct nova_utcb *utcb, void *argument)
{
        (void)portal;
        (void)argument;
        utcb->state.ip = NOVA_ADDRESS(nova_thread_entry);
        nova_utcb_event_reply(utcb, NOVA_MTD_EIP);
}

static nova_sel_t make(nova_word_t cpu)
{
        const nova_sel_t base = nova_sel_alloc(EVENTS_ORDER);
        struct nova_handler *handler;

        if (base == NOVA_SEL_NONE)
                return NO_EVENTS;
        if (handler_create(&handler, cpu, "startup", startup, NULL, STARTUP_STACK,
                           fault_events(cpu)))
                goto free_selectors;
        if (nova_handler_portal(handler, base + NOVA_EXC_STARTUP, 0) || fault_fill(cpu, base))
                goto destroy_handler;
        return base;

destroy_handler:
        nova_handler_destroy(handler);
free_selectors:
        nova_sel_release(base, EVENTS_ORDER);
        return NO_EVENTS;
}

nova_sel_t nova_event_base(nova_word_t cpu)
{
        nova_sel_t base = __atomic_load_n(&events[cpu], __ATOMIC_ACQUIRE);

        if (base)
                return base;
        nova_mutex_lock(&mutex);
        base = events[cpu];
        if (!base) {
                base = make(cpu);
                if (base != NO_EVENTS)
                        __atomic_store_n(&events[cpu], base, __ATOMIC_RELEASE);
        }
        nova_mutex_unlock(&mutex);
        return base;
}
