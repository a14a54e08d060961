/* SPDX-License-Identifier: BSD-2-Clause */
/* Facts that a parent must not report to a child. */
#include "child_watch.h"

#include <errno.h>

#include "nova/crd.h"
#include "nova/hypercall.h"
#include "novart/parent.h"
#include "novart/parent_status.h"
#include "novart/program.h"
#include "novart/selector.h"

bool watches_are_limited(void)
{
        const nova_sel_t sel = nova_sel_alloc(1), first = sel, second = sel + 1;

        if (nova_create_sm(first, nova_program.pd, 0) != NOVA_SUCCESS ||
            nova_create_sm(second, nova_program.pd, 0) != NOVA_SUCCESS)
                return false;
        for (unsigned i = 0; i < NOVA_PARENT_WATCHES; i++)
                if (nova_parent_watch(first))
                        return false;
        if (nova_parent_watch(second) != ENOSPC)
                return false;
        nova_revoke(nova_crd_obj(first, 0, NOVA_PERM_ALL), NOVA_REVOKE_SR);
        return nova_parent_watch(second) == 0;
}

bool status_is_denied(void)
{
        static struct nova_parent_log text;
        struct nova_parent_session session;
        struct nova_parent_program program;
        struct nova_parent_cpu cpu;
        struct nova_parent_own own;

        return nova_parent_program_describe(0, &program) == EACCES &&
               nova_parent_cpu_describe(&cpu) == EACCES &&
               nova_parent_own_describe(&own) == EACCES &&
               nova_parent_session_describe(0, &session) == EACCES &&
               nova_parent_log_read(0, &text) == EACCES;
}
