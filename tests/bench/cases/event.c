/* SPDX-License-Identifier: BSD-2-Clause */
/* Events: page fault, undefined instruction, recall. */
#include "bench.h"

/* Replaces one of the case's own event portals by a portal of the handler. */
static void take_event(unsigned n, struct thread *handler, nova_mtd_t mtd, const char *entry)
{
        event_remove(self, n);
        EXPECT_EQ(hc_create_pt(self->events + n, ROOT_PD, handler->ec, mtd, (word_t)entry),
                  NOVA_SUCCESS);
}

static void measure_ud(const char *key, nova_mtd_t mtd)
{
        struct timed op = {.key = key, .fn = timed_ud};

        take_event(NOVA_EXC_UD, server(boot_cpu), mtd, portal_skip);
        measure(&op, 1);
        event_portal(self, NOVA_EXC_UD, NOVA_MTD_EXCEPTION);
}

CASE(event, undefined_instruction, "")
{
        measure_ud("ud_eip", NOVA_MTD_EIP);
        measure_ud("ud_all", NOVA_MTD_EXCEPTION);
}

CASE(event, recall, "")
{
        struct timed op = {.key = "recall_self",
                           .fn = timed_trap_1,
                           .args = {.a1 = nova_hypercall_id(NOVA_EC_CTRL, 0, self->ec)}};

        take_event(NOVA_EXC_RECALL, server(boot_cpu), 0, portal_echo);
        measure(&op, 1);
        event_portal(self, NOVA_EXC_RECALL, NOVA_MTD_EXCEPTION);
}

static struct timed fault;

/* Makes one access. The page is revoked between two calls of this function. */
static void touch(struct thread *t)
{
        struct args args = fault.args;

        (void)t;
        fault.sample[0] = fault.fn(&args);
}

/* A child's page fault. The pager is in the root PD and replies with a page of its own. */
CASE(event, page_fault, "")
{
        struct thread *client = child_server(child_new(boot_cpu));
        struct thread *pager = server(boot_cpu);
        const word_t page = page_of(memory(0)), at = page_alloc(0);
        const nova_sel_t portal = portal_at(pager, NOVA_MTD_QUAL, portal_pager);
        static uint32_t sample[ROUNDS];

        fault = (struct timed){.key = "page_fault",
                               .fn = timed_read,
                               .args = {.a1 = at << NOVA_PAGE_BITS},
                               .mean = true};
        pager->utcb->word[nova_utcb_item_index(0)] = mem(page, 0, NOVA_MEM_RWX);
        pager->utcb->word[nova_utcb_item_index(0) + 1] = item_upper(NOVA_ITEM_DELEGATE, at);
        give(client, mem(page_of(memory(0)), 0, NOVA_MEM_R), at + 1); /* keeps its page table */
        event_remove(client, NOVA_EXC_PF);
        give(client, obj(portal, NOVA_PERM_ALL), client->own_events + NOVA_EXC_PF);
        for (unsigned i = 0; i < WARM + ROUNDS; i++) {
                move_on(&fault, i);
                trace_operation(&fault);
                remote(client, touch, NULL);
                hc_revoke(mem(page, 0, NOVA_MEM_RWX), 0);
                sample[i < WARM ? 0 : i - WARM] = fault.sample[0];
        }
        for (unsigned i = 0; i < ROUNDS; i++)
                fault.sample[i] = sample[i];
        report(fault.key, figure(&fault));
}
