/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks that a parent limits and denies reports to a child (see child_watch.h). */
#include "child_watch.h"

#include <errno.h>

#include "nova/crd.h"
#include "nova/hypercall.h"
#include "novart/parent.h"
#include "novart/parent_status.h"
#include "novart/program.h"
#include "novart/selector.h"
#include "novart/time.h"

#define REPORTS     2000
#define INTERVAL_NS 10000000  /* the parent's interval between two reports */
#define PAUSE_NS    100000000 /* longer than that interval */

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

/* Returns the number of ups of a semaphore until a pause of @p ns. */
static uint64_t ups_of(nova_sel_t sm, uint64_t ns)
{
        uint64_t ups = 0;

        while (nova_sm_down_until(sm, 0, nova_deadline_in(ns)) == NOVA_SUCCESS)
                ups++;
        return ups;
}

bool ends_are_limited(void)
{
        const nova_sel_t sm = nova_sel_alloc(0);
        const uint64_t begin = nova_time_ns();
        uint64_t ups;

        if (nova_create_sm(sm, nova_program.pd, 0) != NOVA_SUCCESS || nova_parent_watch(sm))
                return false;
        for (unsigned i = 0; i < REPORTS; i++)
                if (nova_parent_ended())
                        return false;
        ups = ups_of(sm, PAUSE_NS);
        nova_sel_release(sm, 0);
        /* One at once, then at most one in each interval. The last interval may be incomplete. */
        return ups > 1 && ups <= 2 + (nova_time_ns() - begin) / INTERVAL_NS;
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
