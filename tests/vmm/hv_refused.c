/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls of nova_hv_enable() that are refused. Each call reports its reason, even if it is
 * repeated, and takes no memory. The machine keeps the interface that it has. */
#include <errno.h>

#include "novart/page.h"
#include "novavmm/hv.h"

#include "machine.h"

static struct nova_vm vm;
static struct nova_pc pc;
static struct nova_hv hv, second;
static struct nova_alarm alarms[NOVA_VM_ALARMS];

static const struct nova_hv_config usual = {.privileges = NOVA_HV_PRIVILEGES_USUAL};
static const struct nova_hv_config timers = {
        .privileges = NOVA_HV_PRIVILEGES_USUAL | NOVA_HV_PRIVILEGE_TIMERS, .direct_timers = true};

/* Tries to enable the interface. @return true if the result is the expected one, and only a
 * successful call took memory */
static bool try_to(struct nova_hv *partition, const struct nova_hv_config *config, int expected)
{
        const size_t pages = nova_page_free_count();
        const int error = nova_hv_enable(partition, &vm, config);
        const bool took = nova_page_free_count() != pages;

        printf("%d%s: %s\n", error, took ? " and memory" : "",
               error ? nova_vm_why(&vm, error) : "enabled");
        return error == expected && took == !error;
}

/* Tries a machine whose monitor has overlay pages of its own. */
static bool try_with_overlay(const struct nova_vm_config *config)
{
        bool good = machine_create(&vm, config, &pc) && !nova_overlay_create(&vm.memory, 1);

        good = good && try_to(&hv, &usual, EBUSY) && !vm.hv;
        nova_pc_destroy(&pc);
        nova_vm_destroy(&vm);
        return good;
}

/* Tries a machine whose hypercall exits carry the MSRs, but not the other state that is needed. */
static bool try_with_plain_calls(struct nova_vm_config config)
{
        bool good;

        config.plain_calls = true;
        config.mtd[NOVA_VM_EXIT_HYPERCALL] = NOVA_MTD_MSR;
        good = machine_create(&vm, &config, &pc) && try_to(&hv, &usual, ENOTSUP) && !vm.hv;
        nova_pc_destroy(&pc);
        nova_vm_destroy(&vm);
        return good;
}

int main(void)
{
        const struct nova_vm_config config = {
                .name = "refused", .memory = 2u << 20, .local_apic = true};
        bool good = true;
        unsigned count;

        if (!try_with_overlay(&config) || !try_with_plain_calls(config) ||
            !machine_create(&vm, &config, &pc))
                return 1;
        for (unsigned i = 0; i < NOVA_VM_ALARMS; i++) {
                alarms[i].deadline = NOVA_NEVER;
                if (nova_vm_add_alarm(&vm, &alarms[i]))
                        break;
        }
        count = vm.alarms;
        good &= try_to(&hv, &timers, ENOSPC);
        good &= try_to(&hv, &timers, ENOSPC);
        good &= !vm.hv && !vm.memory.frames;
        good &= try_to(&hv, &usual, 0);
        good &= try_to(&hv, &usual, EBUSY);
        good &= try_to(&second, &timers, EBUSY);
        good &= vm.hv == &hv && vm.alarms == count && hv.privileges == usual.privileges;
        nova_vm_destroy(&vm);
        printf("%s\n", good ? "All were refused as expected." : "Not as expected.");
        return !good;
}
