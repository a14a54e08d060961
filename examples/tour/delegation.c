/* SPDX-License-Identifier: BSD-2-Clause */
/* Screen 3: capabilities move in messages, through a window, to a hotspot. */
#include "tour.h"

#define FIRST 0x3000 /* four semaphores at the sender */

static nova_sel_t portal;
static struct server receiver;
static struct nova_item received;

/* Stores the result that the kernel wrote into the receiver's item. */
static void serve_item(nova_sel_t selector, struct nova_utcb *utcb, void *argument)
{
        (void)selector;
        (void)argument;
        received.crd = 0;
        nova_utcb_get_item(utcb, 0, &received);
        nova_utcb_clear(utcb);
}

static const char *perms_of(nova_crd_t crd)
{
        if (nova_crd_type(crd) != NOVA_CRD_OBJ)
                return "memory";
        return nova_crd_perms(crd) == NOVA_SM_UP ? "up" : "up,down";
}

static void show_crd(nova_crd_t crd)
{
        if (nova_crd_type(crd) == NOVA_CRD_NULL)
                say("nothing              ");
        else
                say("%05zx..%05zx %-7s ", (size_t)nova_crd_base(crd),
                    (size_t)(nova_crd_base(crd) + nova_crd_count(crd) - 1), perms_of(crd));
}

static void send(nova_crd_t crd, nova_crd_t window, nova_sel_t hotspot)
{
        nova_utcb_set_windows(receiver.utcb, 0, window);
        nova_utcb_clear(root.utcb);
        nova_utcb_delegate(root.utcb, crd, hotspot, 0);
        must("call", nova_call(portal, 0));
        say("    ");
        show_crd(crd);
        show_crd(window);
        say("%7zx   ", (size_t)hotspot);
        show_crd(received.crd);
        say("\n");
}

void screen_delegation(void)
{
        const unsigned both = NOVA_SM_UP | NOVA_SM_DN;

        title(3, "Delegation: a range, a window and a hotspot");
        say("The sender names a range of its capabilities, the receiver a window that they\n"
            "may enter. Where the sizes differ the hotspot decides; permissions never grow.\n\n");

        portal = nova_root_sel(&root, 1);
        receiver = server_start(root.cpu, serve_item, NULL);
        server_portal(&receiver, portal, 0);
        for (unsigned i = 0; i < 4; i++)
                must("create_sm", nova_create_sm(FIRST + i, NOVA_SEL_ROOT_PD, 0));

        say("    range sent           window               hotspot   arrived\n");
        send(nova_crd_obj(FIRST, 2, both), nova_crd_obj(0x10000, 8, both), 0x12345);
        must_be("arrival at 10044", nova_crd_base(received.crd) == 0x10044);
        send(nova_crd_obj(FIRST, 2, both), nova_crd_obj(0x20000, 0, both), 0x5c2);
        must_be("arrival of one capability", received.crd == nova_crd_obj(0x20000, 0, both));
        send(nova_crd_obj(FIRST, 2, NOVA_SM_UP), nova_crd_obj(0x30000, 2, both), 0);
        send(nova_crd_obj(FIRST, 2, both), nova_crd_mem(0x30000, 2, both), 0);
        must_be("refusal of the wrong type", received.crd == 0);

        say("\n    1: a small range in a large window: the hotspot's bits 7..2 give the place\n"
            "    2: a large range, a window for one: the hotspot chooses which one is sent\n"
            "    3: sent without the permission down     4: a window for memory: refused\n\n");

        say_status("up on semaphore 3002", nova_sm_up(FIRST + 2));
        say_status("down on 20000, the same semaphore, does not wait", nova_sm_down(0x20000));
        say_status("up on 30000", nova_sm_up(0x30000));
        say_status("down on 30000, which came without that permission", nova_sm_down(0x30000));
}
