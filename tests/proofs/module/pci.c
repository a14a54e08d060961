/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks the PCI devices of a description. main() sets the numbers of programs and devices, and the
 * shapes of their lists; all other contents are arbitrary. */
#include "../words.h"

static struct nova_system system = {
        .word = {[0 ... NOVA_SYSTEM_WORDS_MAX - 1] = any_word_text},
};

int nova_system_provider(const struct nova_system *of, const char *service)
{
        (void)service;
        return Frama_C_interval(-1, (int)of->programs - 1);
}

int nova_system_owner(const struct nova_system *of, const char *device)
{
        return nova_system_provider(of, device);
}

static void check(unsigned programs, unsigned devices, struct nova_system_list words,
                  struct nova_system_list ranges)
{
        struct reader reader = {.system = &system};

        system.programs = programs;
        system.devices = devices;
        system.machine_iommu = any_bool();
        /*@ loop unroll 2; */
        for (unsigned i = 0; i < ranges.count; i++)
                system.range[ranges.first + i] = (struct nova_system_range){any_u64(), any_u64()};
        /*@ loop unroll 2; */
        for (unsigned i = 0; i < programs; i++) {
                system.program[i].name = word_of_any();
                system.program[i].uses = words;
                system.program[i].grants = any_u32();
        }
        for (unsigned i = 0; i < devices; i++) {
                struct nova_system_device *const device = &system.device[i];

                device->name = word_of_any();
                device->line = any_u32();
                device->ports = any_bool() ? ranges : (struct nova_system_list){0, 0};
                device->memory = any_bool() ? ranges : (struct nova_system_list){0, 0};
                device->interrupts.count = (uint16_t)any_u32();
                device->pci.lines = (uint16_t)any_u32();
        }
        pci_check(&reader);
}

int main(void)
{
        const struct nova_system_list none = {0, 0}, first = {0, 2},
                                      last = {NOVA_SYSTEM_WORDS_MAX - 2, 2},
                                      last_ranges = {NOVA_SYSTEM_RANGES_MAX - 2, 2};

        check(0, 0, none, none);
        check(1, 1, none, first);
        check(2, 2, first, last_ranges);
        check(2, 2, last, none);
        check(NOVA_SYSTEM_PROGRAMS_MAX, NOVA_SYSTEM_DEVICES_MAX, first, first);
        return 0;
}
