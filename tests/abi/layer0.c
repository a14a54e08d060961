/* SPDX-License-Identifier: BSD-2-Clause */
/* Every function of layer 0 as one compiled function, for the disassembly check: layer0_X calls
 * nova_X. The check reads from the header which functions must exist. */
#include "nova/hypercall.h"

#define LAYER0(name, parameters, ...)              \
        enum nova_status layer0_##name parameters; \
        enum nova_status layer0_##name parameters  \
        {                                          \
                return nova_##name(__VA_ARGS__);   \
        }

LAYER0(call, (nova_sel_t pt, nova_word_t flags), pt, flags)
LAYER0(create_pd, (nova_sel_t pd, nova_sel_t owner, nova_crd_t initial), pd, owner, initial)
LAYER0(create_pd_account, (nova_sel_t pd, nova_sel_t owner, nova_crd_t initial, nova_word_t bytes),
       pd, owner, initial, bytes)
LAYER0(create_ec,
       (nova_sel_t ec, nova_sel_t pd, nova_word_t utcb, nova_word_t cpu, nova_word_t sp,
        nova_sel_t event_base),
       ec, pd, utcb, cpu, sp, event_base, NOVA_EC_GLOBAL)
LAYER0(create_sc, (nova_sel_t sc, nova_sel_t owner, nova_sel_t ec, nova_qpd_t qpd), sc, owner, ec,
       qpd)
LAYER0(create_pt, (nova_sel_t pt, nova_sel_t owner, nova_sel_t ec, nova_mtd_t mtd, nova_word_t ip),
       pt, owner, ec, mtd, ip)
LAYER0(create_sm, (nova_sel_t sm, nova_sel_t owner, nova_word_t count), sm, owner, count)
LAYER0(revoke, (nova_crd_t crd), crd, NOVA_REVOKE_SR)
LAYER0(lookup, (nova_crd_t * crd), crd)
LAYER0(ec_ctrl, (nova_sel_t ec), ec)
LAYER0(sc_ctrl, (nova_sel_t sc, uint64_t *time_us), sc, time_us)
LAYER0(sm_up, (nova_sel_t sm), sm)
LAYER0(sm_down, (nova_sel_t sm), sm)
LAYER0(sm_zero, (nova_sel_t sm), sm)
LAYER0(sm_down_until, (nova_sel_t sm, nova_word_t flags, uint64_t deadline), sm, flags, deadline)
LAYER0(assign_pci, (nova_sel_t pd, nova_word_t device, nova_word_t rid), pd, device, rid)
LAYER0(assign_gsi,
       (nova_sel_t sm, nova_word_t device, nova_word_t cpu, uint32_t *address, uint32_t *data), sm,
       device, cpu, address, data)
LAYER0(pd_destroy, (nova_sel_t pd), pd)
LAYER0(name_set, (nova_sel_t object, const char name[NOVA_NAME_SIZE]), object, name)
LAYER0(name_get, (nova_sel_t object, char name[NOVA_NAME_SIZE]), object, name)
LAYER0(ec_receive, (nova_sel_t ec, nova_word_t bytes), ec, bytes)
LAYER0(pd_limit, (nova_sel_t pd, nova_word_t priority, uint64_t cpus), pd, priority, cpus)
LAYER0(thread_exit, (void), )
LAYER0(thread_tls, (nova_word_t base), base)
LAYER0(machine, (nova_word_t operation), operation)
LAYER0(quota_give, (nova_sel_t pd, nova_sel_t payer, nova_word_t bytes), pd, payer, bytes)
LAYER0(quota_take, (nova_sel_t pd, nova_word_t bytes), pd, bytes)
LAYER0(quota_query, (nova_sel_t pd, nova_word_t *used, nova_word_t *limit), pd, used, limit)

__attribute__((noreturn)) void layer0_reply(nova_word_t sp);

void layer0_reply(nova_word_t sp)
{
        nova_reply(sp);
}
