/* SPDX-License-Identifier: BSD-2-Clause */
/* Screen 6: a protection domain that holds almost nothing. Its parent observes its attempts. */
#include "tour.h"

/* Selectors in the child: the capabilities that create_pd delegates are at 0 and above. */
#define CHILD_ORDER  6
#define CHILD_REPORT 32 /* portal to the parent */
#define CHILD_DONE   33 /* semaphore, permission up only */
#define CHILD_NULL   50 /* nothing */

/* Addresses in the child. The program is shared with the parent, read-only. */
#define CHILD_STACK 0x50000000
#define CHILD_UTCB  0x50010000
/* The initial stack pointer. It is one word below the end of the stack, as after a CALL, because
 * compilers assume this alignment at the start of a function. */
#define CHILD_SP     (CHILD_STACK + NOVA_PAGE_SIZE - sizeof(nova_word_t))
#define CHILD_SECRET 0x70000000

extern char __image_end[];

static nova_sel_t base; /* first of the parent's selectors that become the child's selectors 0 and
                         * above */
static void *stack;

/* The hypercalls that the child tries, in this order. It reports each status. */
enum attempt { TRY_UP, TRY_PD, TRY_CALL, TRY_DOWN, ATTEMPTS };

static const char *const attempt_name[ATTEMPTS] = {
        "up on a selector that holds nothing",
        "create_pd without a capability for a PD",
        "call through a selector that holds nothing",
        "down on a semaphore with the permission up only",
};

static void report(enum attempt attempt, enum nova_status status)
{
        struct nova_utcb *utcb = (struct nova_utcb *)CHILD_UTCB;

        nova_utcb_clear(utcb);
        nova_utcb_put(utcb, attempt);
        nova_utcb_put(utcb, status);
        nova_call(CHILD_REPORT, 0);
}

/* Runs in the child. Its first instruction faults, because the child has no memory yet. */
static void child_main(void)
{
        report(TRY_UP, nova_sm_up(CHILD_NULL));
        report(TRY_PD, nova_create_pd(CHILD_NULL, NOVA_SEL_ROOT_PD, 0));
        report(TRY_CALL, nova_call(CHILD_NULL, 0));
        report(TRY_DOWN, nova_sm_down(CHILD_DONE));
        *(volatile char *)CHILD_SECRET = 1;
        __builtin_trap();
}

/* Runs in the child after its fault: the parent sets the instruction pointer to this function. */
static void child_end(void)
{
        nova_sm_up(CHILD_DONE);
        nova_reply(CHILD_SP);
}

static void serve_report(nova_sel_t portal, struct nova_utcb *utcb, void *argument)
{
        nova_word_t attempt = ATTEMPTS, status = 0;

        (void)portal;
        (void)argument;
        nova_utcb_get(utcb, 0, &attempt);
        nova_utcb_get(utcb, 1, &status);
        nova_utcb_clear(utcb);
        say_status(attempt < ATTEMPTS ? attempt_name[attempt] : "nonsense",
                   (enum nova_status)status);
        must_be("refusal of the child's hypercall", status == NOVA_BAD_CAP);
}

static void report_fault(const char *event, struct nova_utcb *utcb)
{
        const struct nova_utcb_state *s = &utcb->state;

        say("\n    The child caused %s: address %zx, error code %zx%s\n", event, (size_t)s->qual[1],
            (size_t)s->qual[0], s->qual[0] & 2 ? " (write)" : "");
        say("    ip %zx  sp %zx  flags %zx\n", (size_t)s->ip, (size_t)s->sp, (size_t)s->flags);
        say("    ax %zx  bx %zx  cx %zx  dx %zx\n", (size_t)s->ax, (size_t)s->bx, (size_t)s->cx,
            (size_t)s->dx);
        say("    Its parent maps no page there. The child continues at another instruction.\n\n");
        utcb->state.ip = NOVA_ADDRESS(child_end);
        utcb->state.sp = CHILD_SP;
        nova_utcb_event_reply(utcb, NOVA_MTD_EIP | NOVA_MTD_ESP);
}

/* Serves the child's page faults: provides program and stack, and no other memory. */
static void serve_page_fault(struct nova_utcb *utcb)
{
        const nova_word_t addr = (nova_word_t)utcb->state.qual[1];
        const nova_sel_t page = addr >> NOVA_PAGE_BITS;

        if (addr - CHILD_STACK < NOVA_PAGE_SIZE) {
                nova_utcb_event_reply(utcb, 0);
                nova_utcb_delegate(utcb,
                                   nova_crd_mem(NOVA_ADDRESS(stack) >> NOVA_PAGE_BITS, 0,
                                                NOVA_MEM_R | NOVA_MEM_W),
                                   page, 0);
        } else if (addr >= 0x400000 && addr < NOVA_ADDRESS(__image_end)) {
                nova_utcb_event_reply(utcb, 0);
                nova_utcb_delegate(utcb, nova_crd_mem(page, 0, NOVA_MEM_R | NOVA_MEM_X), page, 0);
        } else {
                report_fault(nova_exception_name(NOVA_EXC_PF), utcb);
        }
}

static void serve_events(nova_sel_t portal, struct nova_utcb *utcb, void *argument)
{
        const unsigned event = (unsigned)(portal - base);

        (void)argument;
        if (event == NOVA_EXC_STARTUP) {
                utcb->state.ip = NOVA_ADDRESS(child_main);
                nova_utcb_event_reply(utcb, NOVA_MTD_EIP);
        } else if (event == NOVA_EXC_PF) {
                serve_page_fault(utcb);
        } else {
                report_fault(nova_exception_name(event), utcb);
        }
}

static void prepare_selectors(nova_sel_t done)
{
        const struct server events = server_start(root.cpu, serve_events, NULL);
        const struct server reports = server_start(root.cpu, serve_report, NULL);

        for (unsigned event = 0; event < NOVA_HIP_EXC; event++)
                server_portal(&events, base + event, NOVA_MTD_EXCEPTION);
        server_portal(&reports, base + CHILD_REPORT, 0);
        must("create_sm", nova_create_sm(done, NOVA_SEL_ROOT_PD, 0));
        must_be("a delegation",
                nova_root_delegate(&root, nova_crd_obj(done, 0, NOVA_SM_UP), base + CHILD_DONE, 0));
}

void screen_child(void)
{
        const nova_sel_t pd = nova_root_sel(&root, 4), ec = pd + 1, sc = pd + 2, done = pd + 3;

        title(6, "A child with few permissions");
        say("The child holds portals for its events and reports, and a semaphore on which it\n"
            "may only do an up. Its memory comes page by page from its parent.\n\n");

        base = 0x5000;
        stack = nova_root_alloc(&root, 0);
        must_be("memory for the child's stack", stack);
        prepare_selectors(done);
        must("create_pd",
             nova_create_pd(pd, NOVA_SEL_ROOT_PD, nova_crd_obj(base, CHILD_ORDER, NOVA_PERM_ALL)));
        must("create_ec",
             nova_create_ec(ec, pd, CHILD_UTCB, root.cpu, CHILD_SP, 0, NOVA_EC_GLOBAL));
        must("create_sc", nova_create_sc(sc, NOVA_SEL_ROOT_PD, ec, nova_qpd(TOUR_QUANTUM, 2)));
        must("down", nova_sm_down(done));

        if (root.hip->features & NOVA_HIP_DESTROY) {
                say_status("the parent destroys the child's PD", nova_pd_destroy(pd));
                say_status("recall of the child's thread", nova_ec_ctrl(ec));
        }
}
