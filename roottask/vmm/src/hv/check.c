/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks configurations of the interface for enlightened guests (see novavmm/hv.h). */
#include <errno.h>
#include <stddef.h>

#include "novavmm/hv.h"

#define CALL_HINTS (NOVA_HV_HINT_REMOTE_FLUSH | NOVA_HV_HINT_IPI | NOVA_HV_HINT_SETS)

/* A rule about configurations. */
struct rule {
        bool broken;
        int error;
        const char *why; /* the end of a sentence */
};

/* Returns the error of the first rule that the configuration breaks. The last rule has error 0. */
static int apply(const struct rule *rule, const char **why)
{
        while (rule->error && !rule->broken)
                rule++;
        if (rule->error)
                *why = rule->why;
        return rule->error;
}

static int check_privileges(const struct nova_hv_config *config,
                            const struct nova_hv_machine *machine, const char **why)
{
        const uint64_t has = config->privileges;
        const struct rule rules[] = {
                {has & NOVA_HV_PRIVILEGES_OF_PARENT, EINVAL,
                 "privileges of a partition that runs or debugs others are not for guests "
                 "(NOVA_HV_PRIVILEGES_OF_PARENT)"},
                {has & ~NOVA_HV_PRIVILEGES_ALL, ENOTSUP,
                 "the library does not offer all of these privileges (NOVA_HV_PRIVILEGES_ALL has "
                 "those that it offers)"},
                {has & NOVA_HV_PRIVILEGE_EXTENDED_CALLS && !(has & NOVA_HV_PRIVILEGE_HYPERCALLS),
                 EINVAL, "extended calls need hypercalls (NOVA_HV_PRIVILEGE_HYPERCALLS)"},
                {has & NOVA_HV_PRIVILEGE_REFERENCE_TSC && !machine->same_tsc, ENOTSUP,
                 "the page of reference time needs a TSC that counts stolen time "
                 "(nova_vm_config.same_tsc, and a kernel with NOVA_HIP_TSC)"},
                {has & (NOVA_HV_PRIVILEGE_POST_MESSAGES | NOVA_HV_PRIVILEGE_SIGNAL_EVENTS) &&
                         !(has & NOVA_HV_PRIVILEGE_HYPERCALLS),
                 EINVAL,
                 "messages and events are sent by hypercalls (NOVA_HV_PRIVILEGE_HYPERCALLS)"},
                {has & NOVA_HV_PRIVILEGE_SYNIC && !machine->local_apic, ENOTSUP,
                 "synthetic interrupts need local APICs (nova_vm_config.local_apic, and "
                 "nova_pc_create() before)"},
                {has & NOVA_HV_PRIVILEGE_APIC_REGISTERS && !machine->local_apic, ENOTSUP,
                 "registers of the local APIC need one (nova_vm_config.local_apic, and "
                 "nova_pc_create() before)"},
                {0, 0, NULL},
        };

        return apply(rules, why);
}

static int check_hints(const struct nova_hv_config *config, const struct nova_hv_machine *machine,
                       const char **why)
{
        const uint64_t has = config->privileges;
        const struct rule rules[] = {
                {config->hints & ~NOVA_HV_HINTS_ALL, ENOTSUP,
                 "the library does not offer all of these recommendations (NOVA_HV_HINTS_ALL has "
                 "those that it offers)"},
                {config->hints & NOVA_HV_HINT_APIC_REGISTERS &&
                         !(has & NOVA_HV_PRIVILEGE_APIC_REGISTERS),
                 EINVAL,
                 "the guest has no registers of the local APIC to recommend "
                 "(NOVA_HV_PRIVILEGE_APIC_REGISTERS)"},
                {config->hints & CALL_HINTS && !(has & NOVA_HV_PRIVILEGE_HYPERCALLS), EINVAL,
                 "the guest has no hypercalls to recommend (NOVA_HV_PRIVILEGE_HYPERCALLS)"},
                {config->hints & NOVA_HV_HINT_IPI && !machine->local_apic, ENOTSUP,
                 "calls that send interrupts need local APICs (nova_vm_config.local_apic, and "
                 "nova_pc_create() before)"},
                {0, 0, NULL},
        };

        return apply(rules, why);
}

static int check_timers(const struct nova_hv_config *config, const struct nova_hv_machine *machine,
                        const char **why)
{
        const uint64_t has = config->privileges;
        const bool timers = has & NOVA_HV_PRIVILEGE_TIMERS;
        const struct rule rules[] = {
                {config->direct_timers && !timers, EINVAL,
                 "direct timers need synthetic timers (NOVA_HV_PRIVILEGE_TIMERS)"},
                {timers && !config->direct_timers && !(has & NOVA_HV_PRIVILEGE_SYNIC), EINVAL,
                 "synthetic timers need messages (NOVA_HV_PRIVILEGE_SYNIC), or raise interrupts "
                 "themselves (direct_timers)"},
                {timers && !(has & NOVA_HV_PRIVILEGE_REFERENCE_COUNTER), EINVAL,
                 "synthetic timers need reference time (NOVA_HV_PRIVILEGE_REFERENCE_COUNTER)"},
                {timers && !machine->local_apic, ENOTSUP,
                 "synthetic timers need local APICs (nova_vm_config.local_apic, and "
                 "nova_pc_create() before)"},
                {0, 0, NULL},
        };

        return apply(rules, why);
}

static int check_xmm(const struct nova_hv_config *config, const struct nova_hv_machine *machine,
                     const char **why)
{
        const bool xmm = config->xmm_input || config->xmm_output;
        const struct rule rules[] = {
                {xmm && !(config->privileges & NOVA_HV_PRIVILEGE_HYPERCALLS), EINVAL,
                 "parameters in XMM registers are those of hypercalls "
                 "(NOVA_HV_PRIVILEGE_HYPERCALLS)"},
                {xmm && !machine->xmm, ENOTSUP,
                 "parameters in XMM registers need a 64-bit kernel with NOVA_HIP_XMM, and "
                 "NOVA_MTD_XMM in nova_vm_config.mtd[NOVA_VM_EXIT_HYPERCALL]"},
                {0, 0, NULL},
        };

        return apply(rules, why);
}

int nova_hv_check(const struct nova_hv_config *config, const struct nova_hv_machine *machine,
                  const char **why)
{
        int error = check_privileges(config, machine, why);

        if (!error)
                error = check_hints(config, machine, why);
        if (!error)
                error = check_timers(config, machine, why);
        if (!error)
                error = check_xmm(config, machine, why);
        return error;
}
