/* SPDX-License-Identifier: BSD-2-Clause */
/* Event portals: on each CPU one handler serves all events of the program's threads. Events of the
 * handler itself go to the parent or, in a root, to a second handler. */
#include <errno.h>

#include "fault/fault.h"
#include "memory/mapper.h"
#include "nova/crd.h"
#include "nova/event.h"
#include "nova/hypercall.h"
#include "novart/region.h"
#include "novart/selector.h"
#include "novart/sync.h"
#include "start/parent.h"
#include "thread/handler.h"
#include "thread/thread.h"

/* Order of a set of selectors: 2^5 = NOVA_HIP_EXC. */
#define EVENTS_ORDER 5

/* Sizes of stacks; the rest of their pages holds the threads' blocks. */
#define STACK     0x1400
#define OWN_STACK 0xa00

/* Size in bytes of the stack of a child's handler. The stack and the handler's block fit into a
 * page, because the parent formats the reports. */
#define CHILD_STACK 0x880

/* Groups of state that a report needs. */
#define MTD (NOVA_MTD_EXCEPTION | NOVA_MTD_R8_R15)

static struct {
        uint32_t ready; /* first selector of the CPU's set of portals, plus 1; 0: not complete */
        uint32_t own;   /* first selector of the set for the handler's own events; 0: none */
        struct nova_handler *handler;
} cpus[NOVA_CPU_MAX];
static struct nova_mutex mutex;

const struct nova_thread *novart_fault_handler_of(nova_word_t cpu)
{
        return &cpus[cpu].handler->thread;
}

static int make_handler(struct nova_handler **handler, nova_word_t cpu, const char *name,
                        nova_portal_handler *function, size_t stack, nova_sel_t events)
{
        int error = novart_handler_create(handler, cpu, name, function, (void *)cpu, stack, events);

        if (error)
                return error;

        /* No handler serves the pager's own page faults, so its stack is committed now. */
        error = nova_region_commit((*handler)->thread.stack, (*handler)->thread.stack_bytes);
        if (error)
                nova_handler_discard(*handler);
        return error;
}

/* Creates a portal for each event that the kernel sends. */
static int make_portals(struct nova_handler *handler, nova_sel_t base)
{
        static const unsigned char events[] = {
                NOVA_EXC_DE, NOVA_EXC_DB, NOVA_EXC_BP,      NOVA_EXC_OF,
                NOVA_EXC_BR, NOVA_EXC_UD, NOVA_EXC_TS,      NOVA_EXC_NP,
                NOVA_EXC_SS, NOVA_EXC_GP, NOVA_EXC_PF,      NOVA_EXC_MF,
                NOVA_EXC_AC, NOVA_EXC_XM, NOVA_EXC_STARTUP, NOVA_EXC_RECALL};
        int error = 0;

        for (unsigned i = 0; i < sizeof(events) && !error; i++)
                error = nova_handler_portal(handler, base + events[i],
                                            events[i] < NOVA_EXC_STARTUP ? MTD : 0);
        return error;
}

/* Returns the destination of the handler's own events. */
static nova_sel_t make_own(nova_word_t cpu)
{
        struct nova_handler *handler;

        if (!nova_program_is_root())
                return nova_program.fault_base + NOVA_HIP_EXC * cpu;
        if (cpus[cpu].own)
                return cpus[cpu].own;

        const nova_sel_t base = nova_sel_alloc(EVENTS_ORDER);

        if (base == NOVA_SEL_NONE)
                return NOVA_SEL_NONE;
        if (make_handler(&handler, cpu, "own events", novart_fault_handle_own, OWN_STACK,
                         NOVA_SEL_NONE))
                goto free_selectors;
        if (!make_portals(handler, base)) {
                cpus[cpu].own = (uint32_t)base;
                return base;
        }
        nova_sel_release(base, EVENTS_ORDER);
        nova_handler_discard(handler);
        return NOVA_SEL_NONE;

free_selectors:
        nova_sel_free(base, EVENTS_ORDER);
        return NOVA_SEL_NONE;
}

/* Returns selectors for a set. For the main EC's CPU, the creator of the program has chosen
 * them. */
static nova_sel_t take_selectors(nova_word_t cpu)
{
        if (cpu != nova_program.cpu)
                return nova_sel_alloc(EVENTS_ORDER);
        if (nova_program_is_root())
                return 0;
        return novart_parent_events() ? NOVA_SEL_NONE : NOVA_SEL_MAIN_EVENTS;
}

static void give_selectors(nova_word_t cpu, nova_sel_t base)
{
        if (cpu != nova_program.cpu)
                nova_sel_release(base, EVENTS_ORDER);
        else
                nova_revoke(nova_crd_obj(base, EVENTS_ORDER, NOVA_PERM_ALL), NOVA_REVOKE_SR);
}

/* Creates the set of a CPU, with the mutex held. Destroying a handler would require a thread on
 * that CPU, and that thread would need the mutex, too. So after a failure the function abandons the
 * handler of the incomplete set. */
static nova_sel_t make(nova_word_t cpu)
{
        const nova_sel_t events = novart_mapper_prepare(cpu) ? NOVA_SEL_NONE : make_own(cpu);
        struct nova_handler *handler;

        if (events == NOVA_SEL_NONE ||
            make_handler(&handler, cpu, "events", novart_fault_handle,
                         nova_program_is_root() ? STACK : CHILD_STACK, events))
                return NOVA_SEL_NONE;

        const nova_sel_t base = take_selectors(cpu);

        if (base == NOVA_SEL_NONE)
                goto discard_handler;
        cpus[cpu].handler = handler;
        if (!make_portals(handler, base))
                return base;
        cpus[cpu].handler = NULL;
        give_selectors(cpu, base);

discard_handler:
        nova_handler_discard(handler);
        return NOVA_SEL_NONE;
}

nova_sel_t nova_event_base(nova_word_t cpu)
{
        if (!nova_program_has_cpu(cpu))
                return NOVA_SEL_NONE;

        uint32_t base = __atomic_load_n(&cpus[cpu].ready, __ATOMIC_ACQUIRE);

        if (base)
                return (nova_sel_t)base - 1;
        nova_mutex_lock(&mutex);
        base = cpus[cpu].ready;
        if (!base) {
                base = (uint32_t)make(cpu) + 1;
                __atomic_store_n(&cpus[cpu].ready, base, __ATOMIC_RELEASE);
        }
        nova_mutex_unlock(&mutex);
        return (nova_sel_t)base - 1;
}
