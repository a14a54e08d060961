/* SPDX-License-Identifier: BSD-2-Clause */
/* Output, checks, servers and threads for the screens. */
#include "tour.h"

struct nova_root root;
struct nova_console console;

/* Event bases of threads, one per CPU, which serve STARTUP only; 0: not created yet. */
static nova_sel_t startup_base[NOVA_CPU_MAX];

void title(unsigned number, const char *text)
{
        say("\n== %u/%u  %s ", number, SCREENS, text);
        for (unsigned column = 0; column < 68; column++)
                if (*text)
                        text++;
                else
                        say("=");
        say("\n\n");
}

void must(const char *what, enum nova_status status)
{
        if (status == NOVA_SUCCESS)
                return;
        say("\nThe tour cannot continue: %s failed with %s (%s).\n", what, nova_status_name(status),
            nova_status_text(status));
        nova_exit(1);
}

void must_be(const char *what, bool condition)
{
        if (condition)
                return;
        say("\nThe tour cannot continue: it expected %s.\n", what);
        nova_exit(1);
}

void say_status(const char *what, enum nova_status status)
{
        say("    %-52s -> %s\n", what, nova_status_name(status));
}

struct server server_start(nova_word_t cpu, nova_portal_handler *handler, void *argument)
{
        struct server server = {nova_root_sel(&root, 1), (struct nova_utcb *)nova_root_utcb(&root)};
        void *stack = nova_root_alloc(&root, 0);

        must_be("memory for a stack", stack);
        must("create_ec",
             nova_create_ec(
                     server.ec, NOVA_SEL_ROOT_PD, NOVA_ADDRESS(server.utcb), cpu,
                     nova_portal_stack(stack, NOVA_PAGE_SIZE, handler, server.utcb, argument), 0,
                     0));
        return server;
}

void server_portal(const struct server *server, nova_sel_t portal, nova_mtd_t mtd)
{
        must("create_pt", nova_create_pt(portal, NOVA_SEL_ROOT_PD, server->ec, mtd,
                                         NOVA_ADDRESS(nova_portal_entry)));
}

static void serve_fault(nova_sel_t portal, struct nova_utcb *utcb, void *argument)
{
        (void)argument;
        say("\nThe tour itself caused %s at %#zx, address %#llx.\n",
            nova_exception_name((unsigned)portal), (size_t)utcb->state.ip,
            (unsigned long long)utcb->state.qual[1]);
        nova_exit(1);
}

void guard_start(void)
{
        const struct server guard = server_start(root.cpu, serve_fault, NULL);

        for (unsigned event = 0; event < NOVA_EXC_STARTUP; event++)
                server_portal(&guard, event, NOVA_MTD_EIP | NOVA_MTD_QUAL);
}

void thread_startup(struct nova_utcb *utcb)
{
        utcb->state.ip = NOVA_ADDRESS(nova_thread_entry);
        nova_utcb_event_reply(utcb, NOVA_MTD_EIP);
}

static void serve_startup(nova_sel_t portal, struct nova_utcb *utcb, void *argument)
{
        (void)portal;
        (void)argument;
        thread_startup(utcb);
}

static nova_sel_t startup_events(nova_word_t cpu)
{
        if (!startup_base[cpu]) {
                const struct server server = server_start(cpu, serve_startup, NULL);

                startup_base[cpu] = nova_root_sel(&root, NOVA_HIP_EXC);
                server_portal(&server, startup_base[cpu] + NOVA_EXC_STARTUP, 0);
        }
        return startup_base[cpu];
}

void thread_start(struct thread *thread)
{
        const nova_sel_t events =
                thread->event_base ? thread->event_base : startup_events(thread->cpu);
        void *stack = nova_root_alloc(&root, 0);

        must_be("memory for a stack", stack);
        thread->ec = nova_root_sel(&root, 2);
        thread->sc = thread->ec + 1;
        must("create_ec",
             nova_create_ec(
                     thread->ec, NOVA_SEL_ROOT_PD, nova_root_utcb(&root), thread->cpu,
                     nova_thread_stack(stack, NOVA_PAGE_SIZE, thread->function, thread->argument),
                     events, NOVA_EC_GLOBAL));
        must("create_sc", nova_create_sc(thread->sc, NOVA_SEL_ROOT_PD, thread->ec,
                                         nova_qpd(TOUR_QUANTUM, thread->prio)));
}
