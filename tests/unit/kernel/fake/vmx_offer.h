/* SPDX-License-Identifier: BSD-2-Clause */
/* The registers of the CPU whose VMX the kernel checks. */
#ifndef UNIT_KERNEL_FAKE_VMX_OFFER_H
#define UNIT_KERNEL_FAKE_VMX_OFFER_H

#include "arch/x86/msr.h"
#include "lib/types.h"

#define FAKE_VMX_MSRS (MSR_VMX_TRUE_ENTRY - MSR_VMX_BASIC + 1)

/* MSR_VMX_BASIC and the MSRs above it. */
extern uint64_t fake_vmx_msrs[FAKE_VMX_MSRS];

#endif
