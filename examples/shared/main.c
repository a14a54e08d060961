/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared memory: a domain delegates a part of its memory to another domain. Both use this part
 * until the first domain revokes it. */
#include <stdio.h>
#include <stdlib.h>

#include <nova/nova.h>
#include <nova/portal.h>
#include <novart/page.h>
#include <novart/program.h>
#include <novart/region.h>
#include <novart/selector.h>
#include <novart/thread.h>

#define ORDER 2 /* 2^2 pages are shared */
#define WORDS (((size_t)NOVA_PAGE_SIZE << ORDER) / sizeof(nova_word_t))

/* Addresses in the other domain. Its stack lies above the UTCB. */
#define WINDOW ((nova_word_t)0x20000000)
#define UTCB   ((nova_word_t)0x30000000)
#define STACK  ((nova_word_t)0x30001000)

/* Selectors in the other domain: its events, and a portal to this program. */
#define EVENTS_ORDER 5
#define CALL         (NOVA_EXC_STARTUP - 1)

extern const char __image_begin[],
        __image_end[]; /* bounds of this program, defined by the linker */

static nova_word_t *memory, *stack;
static nova_sel_t ended;

/* Runs in the other domain: opens a window, requests the memory, fills it and reports that.
 * Continues after the memory has been revoked. */
static void run(void)
{
        struct nova_utcb *const utcb = (struct nova_utcb *)UTCB;
        volatile nova_word_t *const word = (nova_word_t *)WINDOW;

        nova_utcb_set_windows(
                utcb, 0, nova_crd_mem(WINDOW >> NOVA_PAGE_BITS, ORDER, NOVA_MEM_R | NOVA_MEM_W));
        nova_utcb_clear(utcb);
        nova_call(CALL, 0);
        for (size_t i = 0; i < WORDS; i++)
                word[i] = i;
        nova_utcb_clear(utcb);
        nova_utcb_put(utcb, WORDS);
        nova_call(CALL, 0);
        word[0] = 0;
}

static nova_crd_t range(const void *at, unsigned order, unsigned perms)
{
        return nova_crd_mem(NOVA_ADDRESS(at) >> NOVA_PAGE_BITS, order, perms);
}

/* Serves the calls of the other domain. The first one requests the memory. The second one reports
 * the result, and the memory is revoked. */
static void serve(struct nova_utcb *utcb)
{
        nova_word_t words = 0, sum = 0;

        if (!nova_utcb_get(utcb, 0, &words)) {
                nova_utcb_clear(utcb);
                nova_utcb_delegate(utcb, range(memory, ORDER, NOVA_MEM_R | NOVA_MEM_W), 0, 0);
                return;
        }
        for (size_t i = 0; i < words && i < WORDS; i++)
                sum += memory[i];
        printf("the other domain wrote %zu words, their sum is %zu\n", (size_t)words, (size_t)sum);
        nova_revoke(range(memory, ORDER, NOVA_PERM_ALL), 0);
        printf("the memory is taken back\n");
        nova_utcb_clear(utcb);
}

/* Serves a page fault: delegates pages of code and stack on first touch. At any other address the
 * handler ends itself, and the kernel then ends the faulting thread. */
static void page_fault(struct nova_utcb *utcb)
{
        const nova_word_t addr = (nova_word_t)utcb->state.qual[1];
        nova_crd_t page = nova_crd_null();

        if (addr >= (nova_word_t)__image_begin && addr < (nova_word_t)__image_end)
                page = range((void *)addr, 0, NOVA_MEM_R | NOVA_MEM_X);
        if (addr - STACK < NOVA_PAGE_SIZE)
                page = range(stack, 0, NOVA_MEM_R | NOVA_MEM_W);
        if (nova_crd_type(page) == NOVA_CRD_NULL) {
                printf("the other domain touches %#zx, and ends\n", (size_t)addr);
                nova_sm_up(ended);
                nova_thread_exit();
        }
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
                serve(utcb);
        }
}

/* Creates another domain with one thread, whose events and calls go to this program. */
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
        struct nova_handler *handler;

        memory = nova_page_alloc(ORDER);
        stack = nova_page_alloc(0);
        ended = nova_sel_alloc(0);
        if (!memory || !stack || nova_create_sm(ended, nova_program.pd, 0) != NOVA_SUCCESS ||
            nova_handler_create(&handler, nova_program.cpu, "giver", handle, NULL) ||
            nova_handler_portal(handler, portals + NOVA_EXC_STARTUP, 0) ||
            nova_handler_portal(handler, portals + NOVA_EXC_PF, NOVA_MTD_QUAL) ||
            nova_handler_portal(handler, portals + CALL, 0) || !start(pd, portals))
                return EXIT_FAILURE;
        nova_sm_down(ended);
        return EXIT_SUCCESS;
}
