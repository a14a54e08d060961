/* SPDX-License-Identifier: BSD-2-Clause */
/* Every function of layer 0 as one compiled function, for the disassembly check. */
#include "nova/hypercall.h"

#define LAYER0(name, parameters, call)             \
        enum nova_status layer0_##name parameters; \
        enum nova_status layer0_##name parameters  \
        {                                          \
                return call;                       \
        }

LAYER0(call, (nova_sel_t pt, nova_word_t flags), nova_call(pt, flags))
LAYER0(create_pd, (nova_sel_t pd, nova_sel_t owner, nova_crd_t initial),
       nova_create_pd(pd, owner, initial))
LAYER0(create_ec,
       (nova_sel_t ec, nova_sel_t pd, nova_word_t utcb, nova_word_t cpu, nova_word_t sp,
        nova_sel_t event_base),
       nova_create_ec(ec, pd, utcb, cpu, sp, event_base, NOVA_EC_GLOBAL))
LAYER0(create_sc, (nova_sel_t sc, nova_sel_t owner, nova_sel_t ec, nova_qpd_t qpd),
       nova_create_sc(sc, owner, ec, qpd))
LAYER0(create_pt, (nova_sel_t pt, nova_sel_t owner, nova_sel_t ec, nova_mtd_t mtd, nova_word_t ip),
       nova_create_pt(pt, owner, ec, mtd, ip))
LAYER0(create_sm, (nova_sel_t sm, nova_sel_t owner, nova_word_t count),
       nova_create_sm(sm, owner, count))
LAYER0(revoke, (nova_crd_t crd), nova_revoke(crd, NOVA_REVOKE_SR))
LAYER0(lookup, (nova_crd_t * crd), nova_lookup(crd))
LAYER0(ec_ctrl, (nova_sel_t ec), nova_ec_ctrl(ec))
LAYER0(sc_ctrl, (nova_sel_t sc, uint64_t *time_us), nova_sc_ctrl(sc, time_us))
LAYER0(sm_up, (nova_sel_t sm), nova_sm_up(sm))
LAYER0(sm_down, (nova_sel_t sm), nova_sm_down(sm))
LAYER0(sm_zero, (nova_sel_t sm), nova_sm_zero(sm))
LAYER0(assign_pci, (nova_sel_t pd, nova_word_t device, nova_word_t rid),
       nova_assign_pci(pd, device, rid))
LAYER0(assign_gsi,
       (nova_sel_t sm, nova_word_t device, nova_word_t cpu, uint32_t *address, uint32_t *data),
       nova_assign_gsi(sm, device, cpu, address, data))
LAYER0(pd_destroy, (nova_sel_t pd), nova_pd_destroy(pd))
