/* SPDX-License-Identifier: BSD-2-Clause */
/* A roottask on libnova alone: prints a greeting, and calls a portal of its own. */
#include <nova/console.h>
#include <nova/nova.h>
#include <nova/portal.h>
#include <nova/root.h>

static struct nova_root root;
static struct nova_console console;
static unsigned char stack[NOVA_PAGE_SIZE];

/* Ends the system with a sentence if STATUS is not success. */
static void check(const char *what, enum nova_status status)
{
        if (status == NOVA_SUCCESS)
                return;
        nova_printf(&console, "%s: %s\n", what, nova_status_text(status));
        nova_exit(1);
}

/* Serves the portal. The reply is the content of the UTCB when the function returns: here, twice
 * the number in the request. */
static void answer(nova_sel_t portal, struct nova_utcb *utcb, void *argument)
{
        nova_word_t number = 0;

        (void)portal;
        (void)argument;
        nova_utcb_get(utcb, 0, &number);
        nova_utcb_clear(utcb);
        nova_utcb_put(utcb, 2 * number);
}

/* Creates a local thread, which runs on its callers' time, and a portal to it on the caller's
 * CPU. */
static nova_sel_t start_server(void)
{
        const nova_sel_t ec = nova_root_sel(&root, 1), portal = nova_root_sel(&root, 1);
        const nova_word_t utcb = nova_root_utcb(&root);

        check("create_ec", nova_create_ec(ec, NOVA_SEL_ROOT_PD, utcb, root.cpu,
                                          nova_portal_stack(stack, sizeof(stack), answer,
                                                            (struct nova_utcb *)utcb, NULL),
                                          0, 0));
        check("create_pt",
              nova_create_pt(portal, NOVA_SEL_ROOT_PD, ec, 0, NOVA_ADDRESS(nova_portal_entry)));
        return portal;
}

int nova_main(const struct nova_hip *hip, nova_word_t cpu)
{
        nova_word_t number = 0;

        if (nova_root_init(&root, hip, cpu) != NOVA_SUCCESS || !nova_console_init(&console, &root))
                return 1;
        nova_printf(&console, "Hello from CPU %zu of %u!\n", (size_t)cpu, nova_hip_cpu_count(hip));

        const nova_sel_t portal = start_server();

        nova_utcb_clear(root.utcb);
        nova_utcb_put(root.utcb, 21);
        check("call", nova_call(portal, 0));
        nova_utcb_get(root.utcb, 0, &number);
        nova_printf(&console, "My portal says %zu.\n", (size_t)number);
        return 0;
}
