/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest that cannot become secure continues as a normal one with the status of UV_ESM: its image
 * has been changed, or secure memory (argument `short`), random numbers (`dry`) or the portal of
 * its monitor (`portal`) are missing, or the machine of another VM is being created (`busy`). */
#include "nova/crd.h"
#include "nova/hypercall.h"

#include "../runtime/tap.h"
#include "caller.h"
#include "talker.h"
#include "user_caller.h"

static bool lacks; /* the ultravisor lacks random numbers or, at the second try, frames */

/* Returns the status of an ultracall of a normal guest. UV_ESM finds no blob: the guest has no
 * memory at the place that its registers name. */
static enum nova_u_status status_of(unsigned number)
{
        switch (number) {
        case NOVA_UV_SHARE_PAGE:
        case NOVA_UV_UNSHARE_PAGE:
        case NOVA_UV_UNSHARE_ALL_PAGES:
                return NOVA_U_INVALID;
        case NOVA_UV_ESM:
                return lacks ? NOVA_U_RETRY : NOVA_U_PARAMETER;
        default:
                return NOVA_U_FUNCTION;
        }
}

/* Takes back the portal through which the ultravisor calls the monitor. */
static void take_portal(void)
{
        nova_revoke(nova_crd_obj(secure.portal[0], 0, NOVA_PERM_ALL), NOVA_REVOKE_SR);
        talker_prepare = NULL;
}

int main(int argc, char **argv)
{
        const char *const what = argc == 2 ? argv[1] : "";
        const bool dry = !strcmp(what, "dry"), busy = !strcmp(what, "busy");

        lacks = dry || busy;
        if (!strcmp(what, "portal")) {
                talker_prepare = take_portal;
                check(says(false, "(UV_ESM returned U_FUNCTION)."),
                      "a guest whose monitor cannot be called goes on as a normal one");
        } else if (busy) {
                check(says(false, "(UV_ESM returned U_RETRY)."),
                      "while another VM's machine is being created, a guest goes on as a normal "
                      "one");
        } else if (dry || !strcmp(what, "short")) {
                check(says(false, "(UV_ESM returned U_RETRY)."),
                      "without memory or random numbers a guest goes on as a normal one");
        } else {
                check(says(true, "(UV_ESM returned U_PERMISSION)."),
                      "a changed guest goes on as a normal one");
        }
        check(caller_gets(status_of), "a normal guest can make no ultracall but UV_ESM");
        check(user_call_is_undefined(), "UV_ESM in user mode of a normal guest raises #UD");
        return tap_end();
}
