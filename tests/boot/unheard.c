/* SPDX-License-Identifier: BSD-2-Clause */
/* Threads with unhandled events: a local thread that overflows its stack, a child without portals,
 * a child whose handler ends, and a flood of such threads. Under `serial` the kernel reports them.
 */
#include <nova/console.h>
#include <nova/crd.h>
#include <nova/extension.h>
#include <nova/nova.h>
#include <nova/portal.h>
#include <nova/qpd.h>
#include <nova/root.h>

#define FLOOD  100
#define EVENTS 512 /* first of the selectors for a thread's event portals; no portals are there */

#define EVENT_ORDER 5 /* order of the range of a child's events */

static struct nova_root root;
static struct nova_console console;

static nova_word_t deeper(nova_word_t depth)
{
        volatile nova_word_t room[64];

        room[depth % 64] = depth;
        return depth ? deeper(depth + 1) + room[depth % 64] : 0;
}

static void overflow(nova_sel_t portal, struct nova_utcb *utcb, void *argument)
{
        (void)portal;
        (void)argument;
        nova_utcb_put(utcb, deeper(1));
}

static void end(nova_sel_t portal, struct nova_utcb *utcb, void *argument)
{
        (void)portal;
        (void)utcb;
        (void)argument;
        __builtin_trap();
}

/* Creates a portal of a new local thread whose own events have no portals. */
static bool create_portal(nova_sel_t portal, nova_portal_handler *handler)
{
        unsigned char *stack = nova_root_alloc(&root, 0);
        const nova_sel_t ec = nova_root_sel(&root, 1);
        struct nova_utcb *utcb = (struct nova_utcb *)nova_root_utcb(&root);
        const nova_word_t sp = nova_portal_stack(stack, NOVA_PAGE_SIZE, handler, utcb, NULL);

        return nova_create_ec(ec, NOVA_SEL_ROOT_PD, NOVA_ADDRESS(utcb), root.cpu, sp, EVENTS, 0) ==
                       NOVA_SUCCESS &&
               nova_create_pt(portal, NOVA_SEL_ROOT_PD, ec, 0, NOVA_ADDRESS(nova_portal_entry)) ==
                       NOVA_SUCCESS;
}

/* Returns the status of a call to a new local thread whose stack ends where nothing is mapped. */
static unsigned call_overflowing(void)
{
        const nova_sel_t portal = nova_root_sel(&root, 1);

        return create_portal(portal, overflow) ? nova_call(portal, 0) : 99;
}

/* Names a thread in the build with NAMED. The kernel reports named threads without `serial`,
 * too. */
static enum nova_status name_thread(nova_sel_t ec)
{
#ifdef NAMED
        static const char name[NOVA_NAME_SIZE] = {'n', 'a', 'm', 'e', 'd'};

        return nova_name_set(ec, name);
#else
        (void)ec;
        return NOVA_SUCCESS;
#endif
}

/* Starts a child with one thread. INITIAL: the range of the portals for the thread's events. */
static bool start_child(const char name[NOVA_NAME_SIZE], nova_crd_t initial)
{
        const nova_sel_t pd = nova_root_sel(&root, 3);

        return nova_create_pd(pd, NOVA_SEL_ROOT_PD, initial) == NOVA_SUCCESS &&
               nova_name_set(pd, name) == NOVA_SUCCESS &&
               nova_create_ec(pd + 1, pd, 0x10000, root.cpu, 0, 0, NOVA_EC_GLOBAL) ==
                       NOVA_SUCCESS &&
               name_thread(pd + 1) == NOVA_SUCCESS &&
               nova_create_sc(pd + 2, NOVA_SEL_ROOT_PD, pd + 1, nova_qpd(10000, 9)) == NOVA_SUCCESS;
}

/* Starts a child. The thread that handles the child's STARTUP event ends. */
static bool start_orphan(void)
{
        static const char orphan[NOVA_NAME_SIZE] = {'o', 'r', 'p', 'h', 'a', 'n'};
        const nova_sel_t portals = nova_root_sel_order(&root, EVENT_ORDER);

        return create_portal(portals + NOVA_EXC_STARTUP, end) &&
               start_child(orphan, nova_crd_obj(portals, EVENT_ORDER, NOVA_PERM_ALL));
}

int nova_main(const struct nova_hip *hip, nova_word_t cpu)
{
        static const char silent[NOVA_NAME_SIZE] = {'s', 'i', 'l', 'e', 'n', 't'};
        static const char flood[NOVA_NAME_SIZE] = {'f', 'l', 'o', 'o', 'd'};

        if (nova_root_init(&root, hip, cpu) != NOVA_SUCCESS || !nova_console_init(&console, &root))
                return 1;
        nova_printf(&console, "call: %u\n", call_overflowing());
        if (!start_child(silent, 0) || !start_orphan())
                return 2;
        for (unsigned i = 0; i < FLOOD; i++)
                if (!start_child(flood, 0))
                        return 3;
        nova_printf(&console, "all were started\n");
        return 0;
}
