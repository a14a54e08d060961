/* SPDX-License-Identifier: BSD-2-Clause */
/* A VMM of an ultravisor with vmms=N. Its argument is N. The ultravisor keeps the parts of the
 * other VMMs free, although they do not run. */
#include <errno.h>
#include <stdlib.h>

#include "../runtime/tap.h"
#include "honest.h"

#define SESSION_VMS 2u /* VMs of a session, and sessions of a VMM */

/* Enters further VMs of a session. @return their number */
static unsigned enter(struct nova_uv *vm, unsigned most)
{
        unsigned count = 0;

        while (count < most && nova_uv_write_pate(vm, 0, MEMORY) == NOVA_U_SUCCESS) {
                vm->lpid++;
                count++;
        }
        return count;
}

int main(int argc, char **argv)
{
        const unsigned part = NOVA_UV_VMS / (argc > 1 ? (unsigned)atoi(argv[1]) : 1);
        const bool has_second = part >= SESSION_VMS;
        struct nova_uv other = {.lpid = 10};
        int error;

        if (!honest_start(3))
                return 1;
        uv.lpid++;
        check(1 + enter(&uv, SESSION_VMS) == (has_second ? SESSION_VMS : part),
              "a session enters VMs up to its own limit and that of the share");
        error = nova_session_open_trusting(&other.session, "ultravisor", NULL);
        check(error == (has_second ? 0 : EMFILE),
              "a VMM has as many sessions as its share permits");
        check(nova_uv_write_pate(&uv, 0, MEMORY) == NOVA_U_BUSY, "a further VM is U_BUSY");
        check(error || (!nova_session_share(other.session, memory.base, MEMORY / PAGE) &&
                        SESSION_VMS + enter(&other, SESSION_VMS) == part),
              "the VMs of both sessions are those of the share");
        return tap_end();
}
