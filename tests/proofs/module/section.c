/* SPDX-License-Identifier: BSD-2-Clause */
/* Begins and ends sections of a description, and reads lines of devices and of the machine, with
 * any number of earlier programs, devices and ranges. The readers of values are stubs. */
#include "../values.h"

static struct nova_system system;
static struct reader reader;

bool pci_device_line(struct reader *of)
{
        (void)of;
        return any_bool();
}

static const char *any_keyword(void)
{
        static const char *const keywords[] = {"program", "device",     "machine", "ports",
                                               "memory",  "interrupts", "cpus",    "iommu"};

        return any_bool() ? keywords[Frama_C_unsigned_int_interval(0, 7)] : word_of_any();
}

/* Fills a description as earlier lines may have filled it. */
static void begin(void)
{
        system.programs = Frama_C_unsigned_int_interval(0, NOVA_SYSTEM_PROGRAMS_MAX);
        system.devices = Frama_C_unsigned_int_interval(0, NOVA_SYSTEM_DEVICES_MAX);
        system.ranges = Frama_C_unsigned_int_interval(0, NOVA_SYSTEM_RANGES_MAX);
        system.machine_line = any_u32();
        system.machine_memory = any_u64();
        system.machine_cpus = any_u32();
        system.machine_iommu = any_bool();
        for (unsigned i = 0; i < NOVA_SYSTEM_PROGRAMS_MAX; i++)
                system.program[i].name = system.program[i].file = word_of_any();
        for (unsigned i = 0; i < NOVA_SYSTEM_DEVICES_MAX; i++) {
                system.device[i].name = word_of_any();
                system.device[i].line = any_u32();
        }
        reader = (struct reader){.system = &system, .mistakes = any_bool()};
        reader.words = Frama_C_unsigned_int_interval(1, LINE_WORDS_MAX);
        for (unsigned i = 0; i < LINE_WORDS_MAX; i++)
                reader.word[i] = any_keyword();
}

static void check_counts(void)
{
        /*@ assert programs: system.programs <= NOVA_SYSTEM_PROGRAMS_MAX; */
        /*@ assert devices: system.devices <= NOVA_SYSTEM_DEVICES_MAX; */
        /*@ assert ranges: system.ranges <= NOVA_SYSTEM_RANGES_MAX; */
}

static void begin_section(void)
{
        begin();
        section_begin(&reader);
        check_counts();
        section_end(&reader);
        section_misspelt(&reader, any_bool() ? any_keyword() : NULL);
}

static void read_device(void)
{
        struct nova_system_device *const device = &system.device[NOVA_SYSTEM_DEVICES_MAX - 1];

        begin();
        device->ports.count = device->memory.count = device->interrupts.count = any_bool();
        reader.device = device;
        section_device_line(&reader);
        check_counts();
        /*@ assert ports: device->ports.first <= NOVA_SYSTEM_RANGES_MAX; */
        section_end(&reader);
}

static void read_machine(void)
{
        begin();
        reader.machine = true;
        section_machine_line(&reader);
        section_end(&reader);
}

int main(void)
{
        section_known_devices(&system);
        check_counts();
        begin_section();
        read_device();
        read_machine();
        return 0;
}
