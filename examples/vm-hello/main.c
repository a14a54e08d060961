/* SPDX-License-Identifier: BSD-2-Clause */
/* The smallest virtual machine monitor: a guest of a dozen instructions in real mode. */
#include <nova/console.h>
#include <nova/crd.h>
#include <nova/event.h>
#include <nova/hip.h>
#include <nova/nova.h>
#include <nova/portal.h>
#include <nova/root.h>

#define EVENT_ORDER 8 /* a virtual CPU has 256 events */
#define GUEST_IP    0x1000

#if __SIZEOF_POINTER__ == 8
#define OUR_CODE ".code64\n"
#else
#define OUR_CODE ".code32\n"
#endif

/* The guest and its text, a page of this program. The guest sees it at GUEST_IP. */
__asm__(".pushsection .text\n"
        ".balign 4096\n"
        "guest_page:\n"
        ".code16\n"
        "        movw $(0x1000 + guest_text - guest_page), %si\n"
        "1:      lodsb\n"
        "        testb %al, %al\n"
        "        jz 2f\n"
        "        outb %al, $0xe9\n"
        "        jmp 1b\n"
        "2:      hlt\n"
        "guest_text:\n"
        "        .asciz \"Hello from real mode!\\n\"\n"
        ".balign 4096\n" OUR_CODE ".popsection\n");

extern unsigned char guest_page[];

/* Exits that this guest can cause, for SVM and for VMX. @spec 7.2 */
static const struct exits {
        unsigned port, halt, memory;
} svm = {0x7b, 0x78, 0xfc}, vmx = {0x1e, 0xc, 0x30};

static struct nova_root root;
static struct nova_console console;
static const struct exits *exits;
static nova_sel_t events;
static unsigned count;

/* The reply to the first event sets the complete initial state of a guest in real mode. */
static void start_guest(struct nova_utcb *utcb)
{
        const struct nova_segment data = {.ar = 0x93, .limit = 0xffff};
        struct nova_utcb_state *state = &utcb->state;

        state->ip = GUEST_IP;
        state->sp = 0;
        state->flags = 0x2;
        state->cr0 = 0x10;
        state->cr2 = state->cr3 = state->cr4 = 0;
        state->cs = state->ss = state->ds = state->es = state->fs = state->gs = data;
        state->gdtr = state->idtr = state->ldtr = state->tr = data;
        state->cs.ar = 0x9b;
        state->ldtr.ar = 0x82;
        state->tr.ar = 0x8b;
        nova_utcb_event_reply(utcb, NOVA_MTD_EIP | NOVA_MTD_ESP | NOVA_MTD_EFL | NOVA_MTD_CR |
                                            NOVA_MTD_DS_ES | NOVA_MTD_FS_GS | NOVA_MTD_CS_SS |
                                            NOVA_MTD_TR | NOVA_MTD_LDTR | NOVA_MTD_GDTR |
                                            NOVA_MTD_IDTR);
}

/* Delegates the guest's page with the G flag, after the guest has touched an unmapped page. */
static void give_page(struct nova_utcb *utcb)
{
        const nova_sel_t from = NOVA_ADDRESS(guest_page) >> NOVA_PAGE_BITS;

        nova_utcb_event_reply(utcb, 0);
        nova_utcb_delegate(utcb, nova_crd_mem(from, 0, NOVA_MEM_R | NOVA_MEM_X),
                           GUEST_IP >> NOVA_PAGE_BITS, NOVA_ITEM_G);
}

static void serve(nova_sel_t portal, struct nova_utcb *utcb, void *argument)
{
        const unsigned event = (unsigned)(portal - events);

        (void)argument;
        count++;
        if (event == NOVA_VMI_STARTUP) {
                start_guest(utcb);
        } else if (event == exits->memory && utcb->state.qual[1] >> NOVA_PAGE_BITS == 1) {
                give_page(utcb);
        } else if (event == exits->port) {
                nova_printf(&console, "%c", (char)utcb->state.ax);
                utcb->state.ip += utcb->state.inst_len;
                nova_utcb_event_reply(utcb, NOVA_MTD_EIP);
        } else {
                nova_printf(&console, "Event 0x%x ended the guest, number %u.\n", event, count);
                nova_exit(event != exits->halt);
        }
}

/* Creates a thread with a portal for each event, at consecutive selectors. */
static bool create_monitor(nova_word_t cpu)
{
        static unsigned char stack[4096];
        struct nova_utcb *utcb = (struct nova_utcb *)nova_root_utcb(&root);
        const nova_sel_t ec = nova_root_sel(&root, 1);
        const nova_word_t sp = nova_portal_stack(stack, sizeof(stack), serve, utcb, NULL);

        events = (nova_sel_t)1 << 12;
        if (nova_create_ec(ec, NOVA_SEL_ROOT_PD, NOVA_ADDRESS(utcb), cpu, sp, 0, 0) != NOVA_SUCCESS)
                return false;
        for (nova_sel_t event = 0; event < (nova_sel_t)1 << EVENT_ORDER; event++)
                if (nova_create_pt(events + event, NOVA_SEL_ROOT_PD, ec,
                                   NOVA_MTD_EIP | NOVA_MTD_ACDB | NOVA_MTD_QUAL,
                                   NOVA_ADDRESS(nova_portal_entry)) != NOVA_SUCCESS)
                        return false;
        return true;
}

/* Creates a domain that holds only these portals, and a virtual CPU in it. */
static bool create_guest(nova_word_t cpu)
{
        const nova_sel_t pd = nova_root_sel(&root, 3), ec = pd + 1, sc = pd + 2;

        return nova_create_pd(pd, NOVA_SEL_ROOT_PD,
                              nova_crd_obj(events, EVENT_ORDER, NOVA_PERM_ALL)) == NOVA_SUCCESS &&
               nova_create_ec(ec, pd, 0, cpu, 0, 0, NOVA_EC_GLOBAL) == NOVA_SUCCESS &&
               nova_create_sc(sc, NOVA_SEL_ROOT_PD, ec, nova_qpd(10000, 1)) == NOVA_SUCCESS;
}

int nova_main(const struct nova_hip *hip, nova_word_t cpu)
{
        if (nova_root_init(&root, hip, cpu) != NOVA_SUCCESS || !nova_console_init(&console, &root))
                return 1;
        if (!(hip->features & (NOVA_HIP_SVM | NOVA_HIP_VMX))) {
                nova_printf(&console, "This CPU cannot run guests: it has neither SVM with NPT nor "
                                      "VMX with EPT (--cpu qemu64,+svm,+npt has them).\n");
                return 1;
        }
        exits = hip->features & NOVA_HIP_SVM ? &svm : &vmx;

        const nova_sel_t done = nova_root_sel(&root, 1);
        if (!create_monitor(cpu) || !create_guest(cpu))
                return 1;
        nova_create_sm(done, NOVA_SEL_ROOT_PD, 0);
        nova_sm_down(done); /* serve() handles all further events */
        return 1;
}
