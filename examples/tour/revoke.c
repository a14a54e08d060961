/* SPDX-License-Identifier: BSD-2-Clause */
/* Screen 4: revocation removes permissions from all PDs that received them. */
#include "tour.h"

#define A 0x4000
#define B 0x4001
#define C 0x4002

static const char *held(nova_sel_t sel)
{
        nova_crd_t crd = nova_crd_obj(sel, 0, 0);

        nova_lookup(&crd);
        if (nova_crd_type(crd) == NOVA_CRD_NULL)
                return "nothing";

        const unsigned perms = nova_crd_perms(crd) & (NOVA_SM_UP | NOVA_SM_DN);

        return perms == NOVA_SM_UP ? "up" : perms == NOVA_SM_DN ? "down" : "up,down";
}

static void show(const char *step)
{
        say("    %-44s %-9s %-9s %-9s\n", step, held(A), held(B), held(C));
}

static void give(nova_sel_t from, nova_sel_t to)
{
        must_be("a delegation",
                nova_root_delegate(&root, nova_crd_obj(from, 0, NOVA_SM_UP | NOVA_SM_DN), to, 0));
}

static bool is_null(nova_sel_t sel)
{
        nova_crd_t crd = nova_crd_obj(sel, 0, 0);

        nova_lookup(&crd);
        return nova_crd_type(crd) == NOVA_CRD_NULL;
}

void screen_revoke(void)
{
        title(4, "Revocation: recursive, and permission by permission");
        say("A PD that gave a capability can take it back, wholly or in part, also from PDs\n"
            "to which it was passed on. It never fails and asks no other PD.\n\n");

        say("    %-44s %-9s %-9s %-9s\n", "", "A", "B", "C");
        must("create_sm", nova_create_sm(A, NOVA_SEL_ROOT_PD, 0));
        show("create a semaphore at A");
        give(A, B);
        show("delegate A to B");
        give(B, C);
        show("delegate B to C");
        must("revoke", nova_revoke(nova_crd_obj(A, 0, NOVA_SM_DN), 0));
        show("revoke \"down\" of A");
        say_status("down on C", nova_sm_down(C));
        say_status("up on C", nova_sm_up(C));
        must("revoke", nova_revoke(nova_crd_obj(B, 0, NOVA_PERM_ALL), NOVA_REVOKE_SR));
        show("revoke all of B, itself included");
        must_be("revocation of B and C", is_null(B) && is_null(C) && !is_null(A));
        must("revoke", nova_revoke(nova_crd_obj(A, 0, NOVA_PERM_ALL), NOVA_REVOKE_SR));
        show("revoke all of A, itself included");
        must_be("revocation of A", is_null(A));
        say("\n    The last capability is gone, so the semaphore is gone too:\n");
        say_status("up on A", nova_sm_up(A));
}
