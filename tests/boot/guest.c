/* SPDX-License-Identifier: BSD-2-Clause */
/* A roottask whose guest spins for ever; any event but its start ends the run with 1. */
#include <nova/console.h>
#include <nova/crd.h>
#include <nova/event.h>
#include <nova/nova.h>
#include <nova/portal.h>
#include <nova/root.h>

#define EVENT_ORDER 8
#define EVENTS      ((nova_sel_t)1 << 12)
#define GUEST_IP    0x1000

/* An executable page of our own program: valid code in each mode. */
__asm__(".pushsection .text\n.balign 4096\nguest_page: sti\n1: jmp 1b\n.balign "
        "4096\n.popsection\n");

extern const unsigned char guest_page[];

static struct nova_root root;
static struct nova_console console;

static void start_guest(struct nova_utcb *utcb)
{
        const struct nova_segment data = {.ar = 0x93, .limit = 0xffff};
        struct nova_utcb_state *state = &utcb->state;

        state->ip = GUEST_IP;
        state->flags = 0x2;
        state->cr0 = 0x10;
        state->cr2 = state->cr3 = state->cr4 = 0;
        state->cs = state->ss = state->ds = state->es = data;
        state->cs.ar = 0x9b;
        state->ldtr.ar = 0x82;
        state->tr.ar = 0x8b;
        nova_utcb_event_reply(utcb, NOVA_MTD_EIP | NOVA_MTD_EFL | NOVA_MTD_CR | NOVA_MTD_DS_ES |
                                            NOVA_MTD_CS_SS | NOVA_MTD_TR | NOVA_MTD_LDTR);
        nova_utcb_delegate(utcb,
                           nova_crd_mem(NOVA_ADDRESS(guest_page) >> NOVA_PAGE_BITS, 0,
                                        NOVA_MEM_R | NOVA_MEM_X),
                           GUEST_IP >> NOVA_PAGE_BITS, NOVA_ITEM_G);
        nova_printf(&console, "The guest spins.\n");
}

static void serve(nova_sel_t portal, struct nova_utcb *utcb, void *argument)
{
        (void)argument;
        if (portal - EVENTS == NOVA_VMI_STARTUP) {
                start_guest(utcb);
        } else {
                nova_printf(&console, "Event 0x%x came.\n", (unsigned)(portal - EVENTS));
                nova_exit(1);
        }
}

int nova_main(const struct nova_hip *hip, nova_word_t cpu)
{
        static unsigned char stack[4096];

        if (nova_root_init(&root, hip, cpu) != NOVA_SUCCESS || !nova_console_init(&console, &root))
                return 1;

        struct nova_utcb *utcb = (struct nova_utcb *)nova_root_utcb(&root);
        const nova_word_t sp = nova_portal_stack(stack, sizeof(stack), serve, utcb, NULL);
        const nova_sel_t handler = nova_root_sel(&root, 4), pd = handler + 1, ec = handler + 2;
        const nova_sel_t sc = handler + 3;

        nova_create_ec(handler, NOVA_SEL_ROOT_PD, NOVA_ADDRESS(utcb), cpu, sp, 0, 0);
        for (nova_sel_t event = 0; event < (nova_sel_t)1 << EVENT_ORDER; event++)
                nova_create_pt(EVENTS + event, NOVA_SEL_ROOT_PD, handler, 0,
                               NOVA_ADDRESS(nova_portal_entry));
        nova_create_pd(pd, NOVA_SEL_ROOT_PD, nova_crd_obj(EVENTS, EVENT_ORDER, NOVA_PERM_ALL));
        nova_create_ec(ec, pd, 0, cpu, 0, 0, NOVA_EC_GLOBAL);
        if (nova_create_sc(sc, NOVA_SEL_ROOT_PD, ec, nova_qpd(10000, 1)) != NOVA_SUCCESS)
                return 1;
        const nova_sel_t never = nova_root_sel(&root, 1);
        nova_create_sm(never, NOVA_SEL_ROOT_PD, 0);
        nova_sm_down(never);
        return 1;
}
