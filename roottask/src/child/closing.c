/* SPDX-License-Identifier: BSD-2-Clause */
/* The resources of children that have ended. A handler may have been suspended after it received a
 * message through a portal of such a child. When the handler continues, it uses the portal's
 * number, and its answer may contain pages of the child. If the child gave the portal to another
 * program, that program gets the answer. As long as a handler may still send such an answer, the
 * child is closed: no other child gets its selectors or its memory. A handler that has received
 * another message since then has answered the earlier one. */
#include <errno.h>
#include <stdlib.h>

#include "child/child.h"
#include "nova/crd.h"
#include "nova/hypercall.h"
#include "novart/selector.h"

static nova_word_t closings; /* number of the last closing; written under the mutex, read without */

nova_word_t novart_child_closings(void)
{
        return __atomic_load_n(&closings, __ATOMIC_ACQUIRE);
}

/* Selectors that were passed to nova_child_retire(). The parent's answers to children may still
 * name them. */
struct retired {
        struct retired *next;
        nova_sel_t sel;
        unsigned order;
        struct child_closing closing;
};

static struct retired *retired;  /* records of selectors that earlier answers may still name */
static struct retired *reserved; /* records for later calls of nova_child_retire() */

/* Begins a closing: makes the runner of each stale CPU call the handler, so that the handler
 * completes its earlier answer. */
static void begin(struct child_closing *closing)
{
        closing->number = closings + 1;
        __atomic_store_n(&closings, closing->number, __ATOMIC_RELEASE);
        for (nova_word_t cpu = 0; cpu < NOVA_CPU_MAX; cpu++)
                if (closing->stale >> cpu & 1)
                        novart_child_server_flush(cpu);
}

/* Notes that the handler of a CPU has received another message since closing number `count`.
 * Returns true if no handler can send an earlier answer any more. */
static bool is_over(struct child_closing *closing, nova_word_t cpu, nova_word_t count)
{
        if (closing->number <= count)
                closing->stale &= ~(UINT64_C(1) << cpu);
        return !closing->stale;
}

void novart_child_close(struct nova_child *child)
{
        /* without its portals, the child gets no further answer */
        nova_revoke(nova_crd_obj(child->block, child->block_order, NOVA_PERM_ALL), NOVA_REVOKE_SR);
        child->state = CHILD_CLOSED;
        if (child->grants.closed)
                child->grants.closed(child->grants.context);
        begin(&child->closing);
        if (!child->closing.stale)
                novart_child_reclaim(child);
}

/* Returns the CPUs that have a server. */
static uint64_t servers(void)
{
        uint64_t cpus = 0;

        for (nova_word_t cpu = 0; cpu < NOVA_CPU_MAX; cpu++)
                if (nova_program.cpus >> cpu & 1 && novart_child_server_of(cpu))
                        cpus |= UINT64_C(1) << cpu;
        return cpus;
}

/* Removes the record for selectors, and returns it; NULL: there is none. */
static struct retired *take_reserved(nova_sel_t sel)
{
        for (struct retired **link = &reserved; *link; link = &(*link)->next) {
                struct retired *const entry = *link;

                if (entry->sel != sel)
                        continue;
                *link = entry->next;
                return entry;
        }
        return NULL;
}

int novart_child_retire_reserve(nova_sel_t sel)
{
        struct retired *const entry = malloc(sizeof(*entry));

        if (!entry)
                return ENOMEM;
        *entry = (struct retired){reserved, sel, 0, {0, 0}};
        reserved = entry;
        return 0;
}

void novart_child_retire_forget(nova_sel_t sel)
{
        free(take_reserved(sel));
}

void nova_child_retire(nova_sel_t sel, unsigned order)
{
        struct retired *entry = take_reserved(sel);

        nova_revoke(nova_crd_obj(sel, order, NOVA_PERM_ALL), NOVA_REVOKE_SR);
        if (!entry)
                entry = malloc(sizeof(*entry));
        if (!entry)
                return; /* these selectors are not used again */
        *entry = (struct retired){retired, sel, order, {servers(), 0}};
        begin(&entry->closing);
        retired = entry;
}

static void free_retired(nova_word_t cpu, nova_word_t count)
{
        for (struct retired **link = &retired; *link;) {
                struct retired *const entry = *link;

                if (!is_over(&entry->closing, cpu, count)) {
                        link = &entry->next;
                        continue;
                }
                *link = entry->next;
                nova_sel_free(entry->sel, entry->order);
                free(entry);
        }
}

void novart_child_flushed(nova_word_t cpu, nova_word_t count)
{
        free_retired(cpu, count);
        for (struct nova_child *child = novart_child_first; child; child = child->next)
                if (child->state == CHILD_CLOSED && is_over(&child->closing, cpu, count))
                        novart_child_reclaim(child);
}
