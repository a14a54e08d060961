/* SPDX-License-Identifier: BSD-2-Clause */
/* Answers to exits of enlightened guests. */
#ifndef NOVAVMM_SRC_HV_EXITS_H
#define NOVAVMM_SRC_HV_EXITS_H

#include "novavmm/hv.h"
#include "vm.h"

/* The part of the interface that the other files of the library call. They call it only through
 * nova_vm.hv_exits, so a program that does not call nova_hv_enable() does not contain the
 * interface. */
struct novavmm_hv_exits {
        /* Handles VMCALL and VMMCALL. */
        void (*call)(struct nova_vcpu *vcpu);
        /* Returns the answer to a CPUID leaf from 0x40000000 to 0x400000ff. */
        struct nova_cpuid (*cpuid)(const struct nova_hv *hv, uint32_t leaf);
        /* Returns whether the interface has this MSR. */
        bool (*has_msr)(uint32_t number);
        /* Reads an MSR of the interface. A read may put the guest to sleep. @return false: the
         * guest gets #GP */
        bool (*get_msr)(struct nova_vcpu *vcpu, uint32_t number, uint64_t *value);
        /* Writes an MSR of the interface. @return false: the guest gets #GP */
        bool (*set_msr)(struct nova_vcpu *vcpu, uint32_t number, uint64_t value);
        /* Called when a virtual CPU's TSC has changed. */
        void (*time_break)(struct nova_hv *hv);
        /* Called when an exit begins, and when it ends. */
        void (*begin)(struct nova_hv *hv, unsigned vcpu);
        void (*end)(struct nova_hv *hv, unsigned vcpu);
        /* Describes the guest's last call for a report. */
        void (*last_text)(const struct nova_hv *hv, char *text, size_t bytes);
};

#endif
