/* SPDX-License-Identifier: BSD-2-Clause */
/* One function for each hypercall, over the stub that loads and stores every register. */
#include "harness.h"

word_t hypercall(struct args *args)
{
        struct gpr g = {.GPR_A1 = args->a1,
                        .GPR_A2 = args->a2,
                        .GPR_A3 = args->a3,
                        .GPR_A4 = args->a4,
                        .GPR_A5 = args->a5};
        trap(&g);
        *args = (struct args){g.GPR_A1, g.GPR_A2, g.GPR_A3, g.GPR_A4, g.GPR_A5};
        return args->a1;
}

static word_t invoke(enum nova_hypercall number, word_t flags, nova_sel_t sel, word_t a2, word_t a3)
{
        struct args a = {nova_hypercall_id(number, flags, sel), a2, a3, 0, 0};
        return hypercall(&a);
}

word_t hc_call(nova_sel_t pt, word_t flags)
{
        return invoke(NOVA_CALL, flags, pt, 0, 0);
}

word_t hc_create_pd(nova_sel_t sel, nova_sel_t owner, nova_crd_t crd)
{
        return invoke(NOVA_CREATE_PD, 0, sel, owner, crd);
}

word_t hc_create_ec(nova_sel_t sel, nova_sel_t pd, word_t utcb_cpu, word_t sp, nova_sel_t events,
                    word_t flags)
{
        struct args a = {nova_hypercall_id(NOVA_CREATE_EC, flags, sel), pd, utcb_cpu, sp, events};
        return hypercall(&a);
}

word_t hc_create_sc(nova_sel_t sel, nova_sel_t owner, nova_sel_t ec, nova_qpd_t qpd)
{
        struct args a = {nova_hypercall_id(NOVA_CREATE_SC, 0, sel), owner, ec, qpd, 0};
        return hypercall(&a);
}

word_t hc_create_pt(nova_sel_t sel, nova_sel_t owner, nova_sel_t ec, nova_mtd_t mtd, word_t ip)
{
        struct args a = {nova_hypercall_id(NOVA_CREATE_PT, 0, sel), owner, ec, mtd, ip};
        return hypercall(&a);
}

word_t hc_create_sm(nova_sel_t sel, nova_sel_t owner, word_t count)
{
        return invoke(NOVA_CREATE_SM, 0, sel, owner, count);
}

word_t hc_revoke(nova_crd_t crd, word_t flags)
{
        return invoke(NOVA_REVOKE, flags, 0, crd, 0);
}

word_t hc_lookup(nova_crd_t crd, nova_crd_t *result)
{
        struct args a = {nova_hypercall_id(NOVA_LOOKUP, 0, 0), crd, 0, 0, 0};
        const word_t status = hypercall(&a);
        *result = a.a2;
        return status;
}

word_t hc_ec_ctrl(nova_sel_t ec)
{
        return invoke(NOVA_EC_CTRL, 0, ec, 0, 0);
}

word_t hc_sc_ctrl(nova_sel_t sc, uint64_t *time_us)
{
        struct args a = {nova_hypercall_id(NOVA_SC_CTRL, 0, sc), 0, 0, 0, 0};
        const word_t status = hypercall(&a);
        *time_us = (uint64_t)a.a2 << 32 | (uint32_t)a.a3;
        return status;
}

word_t hc_sm_ctrl(nova_sel_t sm, word_t flags)
{
        return invoke(NOVA_SM_CTRL, flags, sm, 0, 0);
}

word_t hc_sm_until(nova_sel_t sm, word_t flags, uint64_t deadline)
{
        return invoke(NOVA_SM_CTRL, flags | NOVA_SM_DN_OP | NOVA_SM_TIMEOUT, sm,
                      (word_t)(deadline >> 32), (uint32_t)deadline);
}

word_t hc_assign_pci(nova_sel_t pd, word_t device, word_t rid)
{
        return invoke(NOVA_ASSIGN_PCI, 0, pd, device, rid);
}

word_t hc_assign_gsi(nova_sel_t sm, word_t device, word_t cpu, word_t *address, word_t *data)
{
        struct args a = {nova_hypercall_id(NOVA_ASSIGN_GSI, 0, sm), device, cpu, 0, 0};
        const word_t status = hypercall(&a);
        *address = a.a2;
        *data = a.a3;
        return status;
}

word_t hc_pd_destroy(nova_sel_t pd)
{
        return invoke(NOVA_EXTENSION, NOVA_EXT_OBJECT, pd, NOVA_EXT_PD_DESTROY, 0);
}

nova_crd_t look(unsigned type, nova_sel_t sel)
{
        nova_crd_t result;
        hc_lookup(nova_crd(type, sel, 0, 0), &result);
        return result;
}
