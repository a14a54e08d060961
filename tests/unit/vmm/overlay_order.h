/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions that overlay_order.c compiles, and hypercalls that the test replaces. */
#ifndef NOVA_TESTS_UNIT_VMM_OVERLAY_ORDER_H
#define NOVA_TESTS_UNIT_VMM_OVERLAY_ORDER_H

#include "novavmm/vm.h"

#ifdef __cplusplus
extern "C" {
#endif

nova_word_t overlay_order_revoke(nova_crd_t crd);
nova_word_t overlay_order_recall(nova_sel_t ec);
bool overlay_order_delegate(nova_crd_t crd, nova_sel_t hot);

/* Functions of the library; roottask/vmm/src/vm.h and overlay.h describe them. */
void novavmm_vcpu_serve(nova_sel_t portal, struct nova_utcb *utcb, void *argument);
void nova_vcpu_settle(struct nova_vcpu *vcpu);
bool novavmm_overlay_give(struct nova_vcpu *vcpu, uint64_t address);

#ifdef __cplusplus
}
#endif

#endif
