/* SPDX-License-Identifier: BSD-2-Clause */
/* A domain that starts without memory. A pager in this program delegates each page when it is
 * touched. */
#include <stdio.h>
#include <stdlib.h>

#include <nova/nova.h>
#include <nova/portal.h>
#include <novart/page.h>
#include <novart/program.h>
#include <novart/region.h>
#include <novart/selector.h>
#include <novart/thread.h>

/* Addresses in the new domain. */
#define DATA       ((nova_word_t)0x20000000)
#define DATA_PAGES 4
#define STACK      ((nova_word_t)0x30000000) /* one page */
#define UTCB       ((nova_word_t)0x30002000)

/* Selectors in the new domain: its events first, then a portal to this program. */
#define EVENTS_ORDER 5
#define DONE         (NOVA_EXC_STARTUP - 1)

extern const char __image_begin[],
        __image_end[]; /* bounds of this program, defined by the linker */

static nova_sel_t ended;

/* Runs in the new domain, which shares this program's code. The function cannot use the C library,
 * because the library's data is not mapped in the new domain. */
static void run(void)
{
        for (nova_word_t page = 0; page < DATA_PAGES; page++)
                *(volatile nova_word_t *)(DATA + page * NOVA_PAGE_SIZE) = page;
        nova_call(DONE, 0);
        *(volatile nova_word_t *)(DATA - NOVA_PAGE_SIZE) = 1; /* outside the data */
}

/* Returns the page for an address: code that both domains share, or a page for the new domain
 * only. */
static nova_crd_t page_for(nova_word_t addr)
{
        const bool code = addr >= (nova_word_t)__image_begin && addr < (nova_word_t)__image_end;
        const bool data = addr >= DATA && addr < DATA + DATA_PAGES * NOVA_PAGE_SIZE;
        const bool stack = addr >= STACK && addr < STACK + NOVA_PAGE_SIZE;

        if (code)
                return nova_crd_mem(addr >> NOVA_PAGE_BITS, 0, NOVA_MEM_R | NOVA_MEM_X);

        void *const page = data || stack ? nova_page_alloc(0) : NULL;

        return page ? nova_crd_mem(NOVA_ADDRESS(page) >> NOVA_PAGE_BITS, 0, NOVA_MEM_R | NOVA_MEM_W)
                    : nova_crd_null();
}

/* Serves a page fault: replies with a typed item for the page. A reply without an item would cause
 * the same fault again. For a wrong address the pager does not reply: its thread ends itself, and
 * the kernel then ends the faulting thread. */
static void page_fault(struct nova_utcb *utcb)
{
        const nova_word_t addr = (nova_word_t)utcb->state.qual[1];
        const nova_crd_t page = page_for(addr);

        if (nova_crd_type(page) == NOVA_CRD_NULL) {
                printf("pager: nothing belongs to %#zx\n", (size_t)addr);
                nova_sm_up(ended);
                nova_thread_exit();
        }
        printf("pager: a page for %#zx%s\n", (size_t)addr & ~(size_t)(NOVA_PAGE_SIZE - 1),
               nova_crd_perms(page) & NOVA_MEM_X ? ", code" : "");
        nova_utcb_event_reply(utcb, 0);
        nova_utcb_delegate(utcb, page, addr >> NOVA_PAGE_BITS, 0);
}

static void handle(nova_sel_t portal, struct nova_utcb *utcb, void *argument)
{
        (void)argument;
        switch (portal % (1 << EVENTS_ORDER)) {
        case NOVA_EXC_STARTUP:
                utcb->state.ip = NOVA_ADDRESS(run);
                nova_utcb_event_reply(utcb, NOVA_MTD_EIP);
                break;
        case NOVA_EXC_PF:
                page_fault(utcb);
                break;
        default:
                printf("the domain has written to its pages\n");
                nova_utcb_clear(utcb);
        }
}

/* Creates a domain with one thread, whose events go to this program. */
static bool start(nova_sel_t pd, nova_sel_t portals)
{
        const nova_word_t sp = STACK + NOVA_PAGE_SIZE - sizeof(nova_word_t);
        const nova_crd_t initial = nova_crd_obj(portals, EVENTS_ORDER, NOVA_PERM_ALL);

        return nova_create_pd(pd, nova_program.pd, initial) == NOVA_SUCCESS &&
               nova_create_ec(pd + 1, pd, UTCB, nova_program.cpu, sp, 0, NOVA_EC_GLOBAL) ==
                       NOVA_SUCCESS &&
               nova_create_sc(pd + 2, nova_program.pd, pd + 1, nova_qpd(10000, 1)) == NOVA_SUCCESS;
}

int main(void)
{
        const nova_sel_t portals = nova_sel_alloc(EVENTS_ORDER), pd = nova_sel_alloc(2);
        struct nova_handler *pager;

        ended = nova_sel_alloc(0);
        if (nova_create_sm(ended, nova_program.pd, 0) != NOVA_SUCCESS ||
            nova_handler_create(&pager, nova_program.cpu, "pager", handle, NULL) ||
            nova_handler_portal(pager, portals + NOVA_EXC_STARTUP, 0) ||
            nova_handler_portal(pager, portals + NOVA_EXC_PF, NOVA_MTD_QUAL) ||
            nova_handler_portal(pager, portals + DONE, 0) || !start(pd, portals))
                return EXIT_FAILURE;
        nova_sm_down(ended);
        printf("the domain has ended\n");
        return EXIT_SUCCESS;
}
