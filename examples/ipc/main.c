/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages with typed items, at the level of the UTCB. A caller delegates a semaphore through a
 * portal. Later it lets the server recognise a capability (translation). */
#include <nova/console.h>
#include <nova/nova.h>
#include <nova/portal.h>
#include <nova/root.h>

#define WINDOW_ORDER 2 /* the server accepts up to four capabilities */

static struct nova_root root;
static struct nova_console console;
static unsigned char stack[4096] __attribute__((aligned(16)));
static nova_sel_t window; /* the server's receive window */

/* Prints the message, and answers with the place of the item's capability in the window. */
static void serve(nova_sel_t portal, struct nova_utcb *utcb, void *argument)
{
        struct nova_item item = {0, 0};

        (void)portal, (void)argument;
        nova_printf(&console, "server: %u words, %u items\n", nova_utcb_word_count(utcb),
                    nova_utcb_item_count(utcb));
        for (unsigned i = 0; nova_utcb_get_item(utcb, i, &item); i++)
                nova_printf(&console,
                            "server: item %u %s: %zu capabilities from selector %zu + %zu\n", i,
                            nova_item_is_delegate(item) ? "was delegated" : "is recognised",
                            (size_t)nova_crd_count(item.crd), (size_t)window,
                            (size_t)(nova_crd_base(item.crd) - window));

        const nova_sel_t known = item.crd ? nova_crd_base(item.crd) : 0;

        /* The server does an up on the delegated semaphore, and the caller sees the counter
         * rise. */
        if (nova_item_is_delegate(item) && nova_sm_up(known) != NOVA_SUCCESS)
                nova_printf(&console, "server: the semaphore cannot be used\n");
        /* The answer is one word. The windows stay open for the next caller. */
        nova_utcb_clear(utcb);
        nova_utcb_put(utcb, known - window);
}

static bool create_server(nova_sel_t portal, nova_word_t cpu)
{
        struct nova_utcb *utcb = (struct nova_utcb *)nova_root_utcb(&root);
        const nova_sel_t ec = nova_root_sel(&root, 1);
        const nova_word_t sp = nova_portal_stack(stack, sizeof(stack), serve, utcb, NULL);

        if (nova_create_ec(ec, NOVA_SEL_ROOT_PD, NOVA_ADDRESS(utcb), cpu, sp, 0, 0) ||
            nova_create_pt(portal, NOVA_SEL_ROOT_PD, ec, 0, NOVA_ADDRESS(nova_portal_entry)))
                return false;
        /* Translation recognises capabilities at all selectors; delegation goes only into the
         * window. */
        nova_utcb_set_windows(utcb, nova_crd_all(NOVA_CRD_OBJ),
                              nova_crd_obj(window, WINDOW_ORDER, NOVA_PERM_ALL));
        return true;
}

int nova_main(const struct nova_hip *hip, nova_word_t cpu)
{
        if (nova_root_init(&root, hip, cpu) != NOVA_SUCCESS || !nova_console_init(&console, &root))
                return 1;

        const nova_sel_t portal = nova_root_sel(&root, 1), sm = nova_root_sel(&root, 1);
        struct nova_utcb *utcb = root.utcb;
        nova_word_t answer = 0;

        window = nova_root_sel_order(&root, 2); /* aligned to its size */
        if (!create_server(portal, cpu) || nova_create_sm(sm, NOVA_SEL_ROOT_PD, 0))
                return 1;

        /* Sends two words and the semaphore with permission up, to the third selector of the
         * window. */
        nova_utcb_clear(utcb);
        nova_utcb_put(utcb, 1);
        nova_utcb_put(utcb, 2);
        nova_utcb_delegate(utcb, nova_crd_obj(sm, 0, NOVA_SM_UP), 2, 0);
        nova_call(portal, 0);
        nova_utcb_get(utcb, 0, &answer);
        nova_printf(&console,
                    "client: the semaphore is at place %zu of the server's window and is %s\n",
                    (size_t)answer,
                    nova_sm_down_until(sm, 0, 0) == NOVA_SUCCESS ? "up" : "still down");

        /* A translation delegates nothing: the kernel replaces the capability with the server's
         * selector from which the capability was once delegated. Here client and server are one
         * domain, so the server recognises the semaphore at the client's own selector. */
        nova_utcb_clear(utcb);
        nova_utcb_translate(utcb, nova_crd_obj(window + 2, 0, NOVA_PERM_ALL));
        nova_call(portal, 0);
        return 0;
}
