/* SPDX-License-Identifier: BSD-2-Clause */
/* Scheduling contexts: a root creates them, a child requests them from its parent. */
#include "nova/crd.h"
#include "nova/hypercall.h"
#include "nova/qpd.h"
#include "novart/error.h"
#include "novart/parent.h"
#include "novart/program.h"
#include "novart/thread.h"

int nova_sc_create(nova_sel_t sc, nova_sel_t ec, unsigned priority, unsigned quantum_us)
{
        const nova_qpd_t qpd = nova_qpd_clamped(quantum_us, priority);

        if (!nova_program_is_root())
                return nova_parent_sc(sc, ec, priority, quantum_us);
        return nova_errno_of(nova_create_sc(sc, nova_program.pd, ec, qpd));
}

void nova_sc_destroy(nova_sel_t sc)
{
        if (!nova_program_is_root())
                nova_parent_sc_drop(sc);
        nova_revoke(nova_crd_obj(sc, 0, NOVA_PERM_ALL), NOVA_REVOKE_SR);
}
