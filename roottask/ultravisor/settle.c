/* SPDX-License-Identifier: BSD-2-Clause */
/* Waits until the kernel has freed all ended objects. The kernel frees the memory of an ended
 * object after a grace period of a few milliseconds. A create hypercall whose account has too
 * little memory waits for the end of that period, which frees the account's ended objects. Here the
 * account of a PD has room for one semaphore only. vm_settle() ends this semaphore and creates
 * another one. The create returns when the kernel has freed all objects that ended before the
 * semaphore. */
#include <errno.h>

#include "nova/crd.h"
#include "nova/extension.h"
#include "novart/program.h"
#include "novart/selector.h"
#include "novart/sync.h"
#include "novart/time.h"
#include "vm.h"

/* Kernel memory for the first semaphore; vm_settle_init() then takes the rest of it away. */
#define ROOM NOVA_PAGE_SIZE
/* Longest wait in ns for another thread that is in vm_settle(). If the VMM of that thread is
 * killed, the thread stops until its handler's runner lends it time, up to 200 ms later. Within
 * PATIENCE_NS the kernel frees all memory. */
#define PATIENCE_NS 50000000

#define PERIODS 2 /* the first period may have begun before the call */

static nova_sel_t pd, sm;

int vm_settle_init(void)
{
        nova_word_t used = 0, limit = 0;

        pd = nova_sel_alloc(0);
        sm = nova_sel_alloc(0);
        if (pd == NOVA_SEL_NONE || sm == NOVA_SEL_NONE)
                return EAGAIN;
        if (nova_create_pd_account(pd, nova_program.pd, 0, ROOM) || nova_create_sm(sm, pd, 0) ||
            nova_quota_query(pd, &used, &limit) || nova_quota_take(pd, limit - used))
                return ENOMEM;
        return 0;
}

/* If a period ends between the revocation and the create, the kernel may free the semaphore before
 * other objects of that period. The next period begins only when all of them are free. */
void vm_settle(void)
{
        static struct nova_mutex turn = NOVA_MUTEX_INITIALIZER;

        if (nova_mutex_lock_until(&turn, nova_deadline_in(PATIENCE_NS)))
                return;
        for (unsigned i = 0; i < PERIODS; i++) {
                nova_revoke(nova_crd_obj(sm, 0, NOVA_PERM_ALL), NOVA_REVOKE_SR);
                nova_create_sm(sm, pd, 0);
        }
        nova_mutex_unlock(&turn);
}
