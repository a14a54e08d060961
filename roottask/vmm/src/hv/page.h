/* SPDX-License-Identifier: BSD-2-Clause */
/* Declarations that the MSRs of enlightened guests share. */
#ifndef NOVAVMM_SRC_HV_PAGE_H
#define NOVAVMM_SRC_HV_PAGE_H

#include "novavmm/hv.h"

/* Writes MSR 0x40000001. A locked register keeps its value. Without an identity the page stays
 * disabled. @return false if there is no such page of RAM */
bool novavmm_hv_page_set(struct nova_hv *hv, uint64_t value);

/* Writes MSR 0x40000000. Without an identity the page becomes disabled, unless its register is
 * locked. */
void novavmm_hv_page_identity(struct nova_hv *hv, uint64_t identity);

#endif
