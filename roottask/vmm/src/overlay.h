/* SPDX-License-Identifier: BSD-2-Clause */
/* Declarations that the parts of overlay pages share. */
#ifndef NOVAVMM_SRC_OVERLAY_H
#define NOVAVMM_SRC_OVERLAY_H

#include "novavmm/overlay.h"

struct nova_vcpu;

/* Revokes a page of the monitor from the guest. */
void novavmm_overlay_take_back(const uint8_t *page);

/* Revokes from the guest the RAM that overlay pages cover. */
void novavmm_overlay_cover(const struct nova_guest_memory *memory);

/* Answers an access of the guest to RAM that is not mapped: a page there changed its frame, and the
 * reply maps it. @return false if the kernel did not map it at the access before */
bool novavmm_overlay_give(struct nova_vcpu *vcpu, uint64_t address);

/* Maps pages of the allocator a second time, executable. @return 0 or an error of errno.h */
int novavmm_memory_map(void *page, void *to, unsigned order);

#endif
