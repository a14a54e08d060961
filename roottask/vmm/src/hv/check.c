/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks configurations of the interface for enlightened guests (see novavmm/hv.h). */
#include <errno.h>

#include "novavmm/hv.h"

#define CALL_HINTS (NOVA_HV_HINT_REMOTE_FLUSH | NOVA_HV_HINT_IPI | NOVA_HV_HINT_SETS)

static int refuse(const char **why, int error, const char *text)
{
        *why = text;
        return error;
}

int nova_hv_check(const struct nova_hv_config *config, const struct nova_hv_machine *machine,
                  const char **why)
{
        const uint64_t privileges = config->privileges;

        if (privileges & NOVA_HV_PRIVILEGES_OF_PARENT)
                return refuse(why, EINVAL,
                              "privileges of a partition that runs or debugs others are not for "
                              "guests (NOVA_HV_PRIVILEGES_OF_PARENT)");
        if (privileges & ~NOVA_HV_PRIVILEGES_ALL)
                return refuse(why, ENOTSUP,
                              "the library does not offer all of these privileges "
                              "(NOVA_HV_PRIVILEGES_ALL has those that it offers)");
        if (privileges & NOVA_HV_PRIVILEGE_EXTENDED_CALLS &&
            !(privileges & NOVA_HV_PRIVILEGE_HYPERCALLS))
                return refuse(why, EINVAL,
                              "extended calls need hypercalls (NOVA_HV_PRIVILEGE_HYPERCALLS)");
        if (privileges & NOVA_HV_PRIVILEGE_REFERENCE_TSC && !machine->same_tsc)
                return refuse(why, ENOTSUP,
                              "the page of reference time needs a TSC that counts stolen time "
                              "(nova_vm_config.same_tsc, and a kernel with NOVA_HIP_TSC)");
        if (privileges & NOVA_HV_PRIVILEGE_APIC_REGISTERS && !machine->local_apic)
                return refuse(
                        why, ENOTSUP,
                        "registers of the local APIC need one (nova_vm_config.local_apic, and "
                        "nova_pc_create() before)");
        if (config->hints & ~NOVA_HV_HINTS_ALL)
                return refuse(why, ENOTSUP,
                              "the library does not offer all of these recommendations "
                              "(NOVA_HV_HINTS_ALL has those that it offers)");
        if (config->hints & NOVA_HV_HINT_APIC_REGISTERS &&
            !(privileges & NOVA_HV_PRIVILEGE_APIC_REGISTERS))
                return refuse(why, EINVAL,
                              "the guest has no registers of the local APIC to recommend "
                              "(NOVA_HV_PRIVILEGE_APIC_REGISTERS)");
        if (config->hints & CALL_HINTS && !(privileges & NOVA_HV_PRIVILEGE_HYPERCALLS))
                return refuse(why, EINVAL,
                              "the guest has no hypercalls to recommend "
                              "(NOVA_HV_PRIVILEGE_HYPERCALLS)");
        if (config->hints & NOVA_HV_HINT_IPI && !machine->local_apic)
                return refuse(why, ENOTSUP,
                              "calls that send interrupts need local APICs "
                              "(nova_vm_config.local_apic, and nova_pc_create() before)");
        if (config->direct_timers)
                return refuse(why, ENOTSUP,
                              "direct timers need synthetic timers, which the "
                              "library does not offer");
        if (config->xmm_input || config->xmm_output)
                return refuse(why, ENOTSUP,
                              "the kernel's messages carry no XMM registers "
                              "(xmm_input, xmm_output)");
        return 0;
}
