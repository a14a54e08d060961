/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of a child: stops all its threads, then frees all its resources. */
#include <stdlib.h>

#include "child/child.h"
#include "newlib/console_line.h"
#include "nova/crd.h"
#include "nova/hypercall.h"
#include "novart/selector.h"

void novart_child_tell_end(void)
{
        for (const struct nova_child *child = novart_child_first; child; child = child->next)
                for (unsigned i = 0; i < NOVA_PARENT_WATCHES; i++)
                        if (child->state == CHILD_RUNNING && child->watch[i])
                                nova_sm_up(child->watch[i]);
        if (!nova_program_is_root())
                nova_parent_ended();
}

void novart_child_end(struct nova_child *child, int status)
{
        if (child->state != CHILD_RUNNING)
                return;
        child->state = CHILD_ENDED;
        child->status = status;
        /* After the call the child has ended, even if the child has begun to destroy its own PD. */
        nova_pd_destroy(child->block + CHILD_PD);

        /* If the caller is a server's thread that serves a message of this child, the server does
         * not use this message again, so its handler is not stale. */
        child->closing.stale = child->cpus;
        for (nova_word_t cpu = 0; cpu < NOVA_CPU_MAX; cpu++)
                if (child->cpus >> cpu & 1 && novart_child_server_of(cpu)->child == child)
                        child->closing.stale &= ~(UINT64_C(1) << cpu);
        novart_child_server_wake(child->cpu);
        novart_child_tell_end();
}

void novart_child_release(struct nova_child *child)
{
        while (child->scs) {
                struct child_sc *const sc = child->scs;

                child->scs = sc->next;
                nova_sel_release(sc->sel, 0);
                free(sc);
        }
        for (unsigned i = 0; i < NOVA_PARENT_WATCHES; i++)
                if (child->watch[i])
                        nova_sel_release(child->watch[i], NOVA_PARENT_SERVICE_ORDER);
        if (child->block != NOVA_SEL_NONE)
                nova_sel_release(child->block, child->block_order);
        child->block = NOVA_SEL_NONE;
        novart_child_memory_free(&child->memory);
}

void novart_child_write_rest(struct nova_child *child)
{
        struct child_text out;

        novart_child_line_end(&child->line, child->name, &out);
        if (out.bytes)
                novart_console_write_line(out.text, out.bytes);
}

/* Offers the child's first block, its pool, to the function `keep`. Devices may still access the
 * pool on the child's behalf. */
static void keep_memory(struct nova_child *child)
{
        struct child_block *const pool = child->memory.block;
        const struct nova_child_grants *const grants = &child->grants;

        if (child->flags & NOVA_CHILD_MAY_DMA && child->memory.blocks && grants->keep &&
            grants->keep(grants->context, pool->page, pool->order))
                pool->page = NULL;
}

void novart_child_reclaim(struct nova_child *child)
{
        novart_child_write_rest(child);
        novart_child_memory_revoke(&child->memory);
        keep_memory(child);
        novart_child_release(child);
        child->state = CHILD_GONE;
        if (child->grants.ended)
                child->grants.ended(child->grants.context);
        nova_cond_broadcast(&child->gone);
}
