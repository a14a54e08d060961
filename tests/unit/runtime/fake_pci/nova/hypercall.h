/* SPDX-License-Identifier: BSD-2-Clause */
/* Hypercalls of the service pci, which the test serves. */
#ifndef FAKE_NOVA_HYPERCALL_H
#define FAKE_NOVA_HYPERCALL_H

#include "nova/abi/crd.h"
#include "nova/abi/hypercall.h"
#include "nova/abi/status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum nova_status nova_revoke(nova_crd_t crd, nova_word_t flags);
enum nova_status nova_sm_up(nova_sel_t sm);
enum nova_status nova_sm_down_until(nova_sel_t sm, nova_word_t flags, uint64_t deadline);
enum nova_status nova_assign_pci(nova_sel_t pd, nova_word_t device, nova_word_t rid);
enum nova_status nova_assign_gsi(nova_sel_t sm, nova_word_t device, nova_word_t cpu,
                                 uint32_t *msi_address, uint32_t *msi_data);

#ifdef __cplusplus
}
#endif

#endif
