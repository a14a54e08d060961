/* SPDX-License-Identifier: BSD-2-Clause */
/* MSRs of SYSCALL and SWAPGS. A 32-bit guest on an Intel CPU cannot use them. The kernel only
 * stores them for the VMM. */
#ifndef VIRT_GUEST_MSRS_H
#define VIRT_GUEST_MSRS_H

#include "virt/vcpu.h"

static inline bool guest_msrs_are_valid(const struct guest_msrs *msrs)
{
        (void)msrs;
        return true;
}

static inline void guest_msrs_read(struct guest_msrs *msrs)
{
        (void)msrs;
}

static inline uint64_t guest_msrs_kernel_gs_base(const struct guest_msrs *msrs)
{
        return msrs->kernel_gs_base;
}

static inline void guest_msrs_load(const struct guest_msrs *msrs)
{
        (void)msrs;
}

static inline void guest_msrs_load_host(struct guest_msrs host, unsigned cpu)
{
        (void)host;
        (void)cpu;
}

#endif
