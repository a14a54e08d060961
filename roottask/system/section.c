/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads sections of a description: the first line of each section, and the lines about devices and
 * the machine. */
#include "system/reader.h"

#include <string.h>

#define PORT_MAX      0xffff
#define INTERRUPT_MAX 127
#define PAGE_MASK     4095
#define MIB           (UINT64_C(1) << 20)
/* Least and greatest memory of a machine that `nova run` supports, in bytes. */
#define MACHINE_MIN (8 * MIB)
#define MACHINE_MAX ((1 << 20) * MIB)

/* ROW("name", "kind", first, last): one range of a device that needs no declaration. The kind is
 * the keyword of such a range in a declaration. */
#define KNOWN_DEVICE_ROWS(ROW)                        \
        ROW("serial", "ports", 0x3f8, 0x3ff)          \
        ROW("serial", "interrupts", 4, 4)             \
        ROW("rtc", "ports", 0x70, 0x71)               \
        ROW("rtc", "interrupts", 8, 8)                \
        ROW("keyboard", "ports", 0x60, 0x60)          \
        ROW("keyboard", "ports", 0x64, 0x64)          \
        ROW("keyboard", "interrupts", 1, 1)           \
        ROW("hpet", "memory", 0xfed00000, 0xfed00fff) \
        ROW("pci", "ports", 0xcf8, 0xcff)             \
        ROW(NOVA_SYSTEM_PCI, "ports", 0xcf8, 0xcff)

static struct nova_system_list *device_list(struct nova_system_device *device, const char *kind)
{
        if (text_equal(kind, "ports"))
                return &device->ports;
        if (text_equal(kind, "memory"))
                return &device->memory;
        return text_equal(kind, "interrupts") ? &device->interrupts : NULL;
}

int nova_system_find_device(const struct nova_system *system, const char *name)
{
        for (unsigned i = 0; i < system->devices; i++)
                if (text_equal(system->device[i].name, name))
                        return (int)i;
        return -1;
}

static void add_known(struct nova_system *system, const char *name, const char *kind,
                      uint64_t first, uint64_t last)
{
        int i = nova_system_find_device(system, name);

        if (i < 0) {
                i = (int)system->devices++;
                system->device[i].name = name;
        }
        struct nova_system_list *list = device_list(&system->device[i], kind);

        if (!list->count++)
                list->first = (uint16_t)system->ranges;
        system->range[system->ranges++] = (struct nova_system_range){first, last};
}

void section_known_devices(struct nova_system *system)
{
#define ADD_KNOWN(name, kind, first, last) add_known(system, name, kind, first, last);
        KNOWN_DEVICE_ROWS(ADD_KNOWN)
#undef ADD_KNOWN
}

static void begin_program(struct reader *reader, const char *name)
{
        struct nova_system *system = reader->system;

        if (system->programs == NOVA_SYSTEM_PROGRAMS_MAX) {
                reader_mistake(reader, reader->line, "a description can have at most %u programs.",
                               NOVA_SYSTEM_PROGRAMS_MAX);
                return;
        }
        for (unsigned i = 0; i < system->programs; i++)
                if (text_equal(system->program[i].name, name))
                        reader_mistake(reader, reader->line,
                                       "a program '%s' is already declared in line %u; rename this "
                                       "one, and write 'file %s' if it runs the same file.",
                                       name, system->program[i].line, system->program[i].file);
        reader->program = &system->program[system->programs++];
        *reader->program = (struct nova_system_program){
                .name = name,
                .file = name,
                .memory = 256 << 10,
                .image = 16 << 20,
                .kernel_memory = 128 << 10,
                .selectors = 1024,
                .cpus = 1,
                .priority = 64,
                .line = reader->line,
        };
}

static void begin_device(struct reader *reader, const char *name)
{
        struct nova_system *system = reader->system;
        const int known = nova_system_find_device(system, name);

        if (system->devices == NOVA_SYSTEM_DEVICES_MAX) {
                reader_mistake(reader, reader->line, "a description can have at most %u devices.",
                               NOVA_SYSTEM_DEVICES_MAX);
                return;
        }
        if (known >= 0 && system->device[known].line)
                reader_mistake(reader, reader->line,
                               "a device '%s' is already declared in line %u; put the ranges "
                               "there, or rename this device.",
                               name, system->device[known].line);
        else if (known >= 0)
                reader_mistake(reader, reader->line,
                               "the device '%s' needs no declaration, only a line 'devices %s' in "
                               "a program that uses it; remove this one, or rename the device.",
                               name, name);
        reader->device = &system->device[system->devices++];
        *reader->device = (struct nova_system_device){.name = name, .line = reader->line};
}

static void begin_machine(struct reader *reader)
{
        if (reader->words > 1)
                reader_mistake(
                        reader, reader->line,
                        "'machine' takes no name; write each of its properties on its own line.");
        if (reader->system->machine_line)
                reader_mistake(
                        reader, reader->line,
                        "a section 'machine' already begins in line %u; put all properties there.",
                        reader->system->machine_line);
        reader->system->machine_line = reader->line;
        reader->machine = true;
        reader->skipped = false;
}

void section_end(struct reader *reader)
{
        const struct nova_system_device *device = reader->device;

        /* If the range of the device was wrong, a mistake has been reported already. */
        if (device && reader->mistakes == reader->earlier && !device->ports.count &&
            !device->memory.count && !device->interrupts.count && !device->pci.lines)
                reader_mistake(reader, device->line,
                               "the device '%s' has no resources; write its ports, memory or "
                               "interrupts, such as 'ports 0x3f8-0x3ff'.",
                               device->name);
}

static const char *const kinds[] = {"program", "device", "machine"};

bool section_is(const char *word)
{
        for (unsigned i = 0; i < 3; i++)
                if (text_equal(word, kinds[i]))
                        return true;
        return false;
}

/* Ends the section. Lines are skipped until the next section begins. */
static void leave_section(struct reader *reader)
{
        section_end(reader);
        reader->program = NULL;
        reader->device = NULL;
        reader->machine = false;
        reader->skipped = true;
}

bool section_misspelt(struct reader *reader, const char *closest)
{
        for (unsigned i = 0; i < 3; i++)
                closest = value_closer(reader->word[0], closest, kinds[i]);
        if (!closest || !section_is(closest))
                return false;
        reader_mistake(reader, reader->line, "there is no section '%s'; did you mean '%s'?",
                       reader->word[0], closest);
        leave_section(reader);
        return true;
}

void section_begin(struct reader *reader)
{
        const char *kind = reader->word[0];

        leave_section(reader);
        reader->earlier = reader->mistakes;
        if (text_equal(kind, "machine")) {
                begin_machine(reader);
                return;
        }
        if (reader->words != 2) {
                reader_mistake(reader, reader->line,
                               "'%s' takes one name; write '%s NAME', and each property of the %s "
                               "on its own line.",
                               kind, kind, kind);
                return;
        }
        if (!value_name(reader, kind, reader->word[1]))
                return;
        if (text_equal(kind, "program"))
                begin_program(reader, reader->word[1]);
        else
                begin_device(reader, reader->word[1]);
        reader->skipped = !reader->program && !reader->device;
}

static bool check_device_range(struct reader *reader, const char *kind,
                               const struct nova_system_range *range, const char *word)
{
        if (text_equal(kind, "memory")) {
                if (!(range->first & PAGE_MASK) && (range->last & PAGE_MASK) == PAGE_MASK)
                        return true;
                reader_mistake(reader, reader->line,
                               "the memory %s is not a range of whole pages; write its first and "
                               "its last address, such as 0xfed00000-0xfed00fff.",
                               word);
                return false;
        }
        const uint64_t max = text_equal(kind, "ports") ? PORT_MAX : INTERRUPT_MAX;

        if (range->last <= max)
                return true;
        reader_mistake(reader, reader->line, "%s %s: the largest number is %u.", kind, word,
                       (unsigned)max);
        return false;
}

void section_device_line(struct reader *reader)
{
        static const char *const lines[] = {"ports", "memory", "interrupts", PCI_KEYWORDS};
        struct nova_system *system = reader->system;
        const char *kind = reader->word[0];
        struct nova_system_list *list = device_list(reader->device, kind);

        if (!list) {
                const char *meant = value_closest(kind, lines, 3 + PCI_KEYWORD_COUNT);

                if (pci_device_line(reader) || section_misspelt(reader, meant))
                        return;
                reader_mistake(reader, reader->line,
                               "a device has no property '%s'; its properties are ports, memory "
                               "and interrupts, or, on PCI, class, id, at and dma-unprotected%s%s.",
                               kind, meant ? ": write " : "", meant ? meant : "");
                return;
        }
        if (list->count || reader->words < 2) {
                reader_mistake(
                        reader, reader->line,
                        "'%s' takes all its ranges in one line, such as 'ports 0x60 0x64-0x67'.",
                        kind);
                return;
        }
        list->first = (uint16_t)system->ranges;
        for (unsigned i = 1; i < reader->words; i++) {
                struct nova_system_range range;

                if (!value_range(reader, kind, reader->word[i], &range) ||
                    !check_device_range(reader, kind, &range, reader->word[i]))
                        continue;
                if (system->ranges == NOVA_SYSTEM_RANGES_MAX) {
                        reader_mistake(reader, reader->line,
                                       "all devices together can have at most %u ranges.",
                                       NOVA_SYSTEM_RANGES_MAX);
                        return;
                }
                system->range[system->ranges++] = range;
                list->count++;
        }
}

static void machine_memory(struct reader *reader, const char *word)
{
        uint64_t bytes;

        if (!value_size(reader, "memory", word, &bytes))
                return;
        if (bytes % MIB || bytes < MACHINE_MIN || bytes > MACHINE_MAX)
                reader_mistake(reader, reader->line,
                               "a machine has %uM to %uM of memory; write a multiple of 1M, such "
                               "as 'memory 256M'.",
                               (unsigned)(MACHINE_MIN / MIB), (unsigned)(MACHINE_MAX / MIB));
        else
                reader->system->machine_memory = bytes;
}

static void machine_cpus(struct reader *reader, const char *word)
{
        uint64_t cpus;

        if (!value_number(reader, "cpus", word, 1, NOVA_SYSTEM_CPUS_MAX, &cpus))
                return;
        if (!cpus || cpus > NOVA_SYSTEM_CPUS_MAX)
                reader_mistake(reader, reader->line,
                               "a machine has 1 to %u CPUs; write their number, such as "
                               "'cpus 4'.",
                               NOVA_SYSTEM_CPUS_MAX);
        else
                reader->system->machine_cpus = (unsigned)cpus;
}

/* Reads the line `iommu`, which has no value. */
static void machine_iommu(struct reader *reader)
{
        if (reader->words != 1 || reader->system->machine_iommu)
                reader_mistake(reader, reader->line,
                               "'iommu' of a machine has no value and appears once.");
        reader->system->machine_iommu = true;
}

void section_machine_line(struct reader *reader)
{
        static const char *const known[] = {"cpus", "memory", "iommu"};
        struct nova_system *system = reader->system;
        const char *kind = reader->word[0];
        const bool cpus = text_equal(kind, "cpus");

        if (text_equal(kind, "iommu")) {
                machine_iommu(reader);
                return;
        }
        if (!cpus && !text_equal(kind, "memory")) {
                if (!section_misspelt(reader, value_closest(kind, known, 3)))
                        reader_mistake(reader, reader->line,
                                       "a machine has no property '%s'; its properties are cpus, "
                                       "memory and iommu.",
                                       kind);
                return;
        }
        if (reader->words != 2 || (cpus ? system->machine_cpus > 0 : system->machine_memory > 0)) {
                reader_mistake(reader, reader->line,
                               "'%s' takes one value and appears once in a machine; write, for "
                               "example, '%s'.",
                               kind, cpus ? "cpus 4" : "memory 256M");
                return;
        }
        if (cpus)
                machine_cpus(reader, reader->word[1]);
        else
                machine_memory(reader, reader->word[1]);
}
