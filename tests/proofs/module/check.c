/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks a description as a whole, and compares it with a machine and files. main() sets the
 * numbers of programs and devices, and the shapes of their lists; all other contents are arbitrary.
 * Another module checks the mounts. */
#include "../words.h"

#include "system/check.c"

static struct nova_system system = {
        .word = {[0 ... NOVA_SYSTEM_WORDS_MAX - 1] = any_word_text},
};

static void report(void *context, unsigned line, const char *sentence)
{
        (void)context;
        (void)line;
        (void)sentence;
}

void pci_check(struct reader *of)
{
        (void)of;
}

void mounts_check(struct reader *of)
{
        (void)of;
}

const char *nova_system_keyword(enum nova_system_property property)
{
        (void)property;
        return "keyword";
}

int nova_system_find_device(const struct nova_system *of, const char *name)
{
        (void)name;
        return Frama_C_interval(-1, (int)of->devices - 1);
}

static struct nova_system_program any_program(struct nova_system_list list)
{
        const struct nova_system_program program = {
                .name = word_of_any(),
                .file = word_of_any(),
                .arguments = list,
                .provides = list,
                .uses = list,
                .devices = list,
                .modules = list,
                .memory = any_u64(),
                .image = any_u64(),
                .kernel_memory = any_u64(),
                .image_bytes = any_u64(),
                .cpus = any_u64(),
                .priority = (uint8_t)any_u32(),
                .line = any_u32(),
        };

        return program;
}

/* Orders programs that use no services. */
static void order(unsigned programs)
{
        struct reader reader = {.system = &system, .report = report};

        system.programs = programs;
        /*@ loop unroll NOVA_SYSTEM_PROGRAMS_MAX; */
        for (unsigned i = 0; i < programs; i++)
                system.program[i] = any_program((struct nova_system_list){0, 0});
        find_order(&reader);
}

static void check(unsigned programs, unsigned devices, struct nova_system_list words,
                  struct nova_system_list ranges)
{
        static const char *file[2];
        struct reader reader = {.system = &system, .report = report};
        struct nova_system_machine machine = {any_u64(), any_u64(), any_u64()};

        system.programs = programs;
        system.devices = devices;
        system.machine_memory = any_u64();
        system.machine_cpus = Frama_C_unsigned_int_interval(0, NOVA_SYSTEM_CPUS_MAX);
        /*@ loop unroll NOVA_SYSTEM_PROGRAMS_MAX; */
        for (unsigned i = 0; i < programs; i++)
                system.program[i] = any_program(words);
        /*@ loop unroll NOVA_SYSTEM_DEVICES_MAX; */
        for (unsigned i = 0; i < devices; i++) {
                struct nova_system_device *const device = &system.device[i];

                device->name = word_of_any();
                device->ports = device->memory = device->interrupts = ranges;
                device->pci.lines = (uint16_t)any_u32();
                device->pci.at = (uint16_t)any_u32();
        }
        check_programs(&reader);
        file[0] = file[1] = word_of_any();
        nova_system_check_machine(&system, &machine, report, NULL);
        nova_system_check_files(&system, file, 2, any_bool(), report, NULL);
}

int main(void)
{
        const struct nova_system_list none = {0, 0}, two = {0, 2};

        for (unsigned i = 0; i < NOVA_SYSTEM_RANGES_MAX; i++)
                system.range[i] = (struct nova_system_range){any_u64(), any_u64()};
        check(0, 0, none, none);
        check(1, 1, two, two);
        check(1, NOVA_SYSTEM_DEVICES_MAX, two, none);
        check(2, 2, (struct nova_system_list){NOVA_SYSTEM_WORDS_MAX - 2, 2},
              (struct nova_system_list){NOVA_SYSTEM_RANGES_MAX - 2, 2});
        order(NOVA_SYSTEM_PROGRAMS_MAX);
        return 0;
}
