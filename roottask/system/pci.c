/* SPDX-License-Identifier: BSD-2-Clause */
/* PCI devices: the lines that identify the function of a device, and the checks of the programs
 * that use such devices. */
#include "system/reader.h"

#include <string.h>

#define SERVICE      "pci"
#define PORTS        "pci" /* the known device with the configuration ports only */
#define CLASS_DIGITS 6     /* with the programming interface */
#define DEVICES      32
#define FUNCTIONS    8
#define CLASS_BRIDGE 0x06

/* Registers that give a program no access to memory beyond its own. In a system with secure guests,
 * a program with other registers of the board must be trusted. Some of these other registers
 * contain addresses: those of the HPET, of DMA controllers, of QEMU's fw_cfg. Some change what an
 * address refers to: the A20 gates, and the bridges' registers in PCI's configuration. Port 0xb2
 * makes the firmware run code. An I/O MMU does not stop these effects on all machines. */
static const struct nova_system_range harmless_ports[] = {
        {0x40, 0x43},   /* PIT */
        {0x61, 0x61},   /* speaker */
        {0x70, 0x77},   /* RTC and its memory */
        {0x278, 0x27f}, /* parallel ports and serial ports, without their DMA controllers */
        {0x2e8, 0x2ef}, {0x2f8, 0x2ff}, {0x378, 0x37f},
        {0x3e8, 0x3ef}, {0x3f8, 0x3ff}, {0x3b0, 0x3df}, /* VGA */
};
static const struct nova_system_range harmless_memory[] = {
        {0xa0000, 0xbffff}, /* VGA */
};

/* Reads exactly `digits` hexadecimal digits. Returns the text after them, or NULL. */
static const char *hex(const char *text, unsigned digits, unsigned *value)
{
        *value = 0;
        for (; digits; digits--, text++) {
                const char small = *text | 0x20;

                if (*text >= '0' && *text <= '9')
                        *value = *value << 4 | (unsigned)(*text - '0');
                else if (small >= 'a' && small <= 'f')
                        *value = *value << 4 | (unsigned)(small - 'a' + 10);
                else
                        return NULL;
        }
        return text;
}

static void set_class(struct reader *reader, struct nova_system_pci_match *pci)
{
        const char *const word = reader->word[1];
        const size_t length = strlen(word);
        const unsigned digits = length > 2 ? (unsigned)length - 2 : 0;
        unsigned value = 0;
        const bool good = (digits == CLASS_DIGITS || digits == CLASS_DIGITS - 2) &&
                          word[0] == '0' && (word[1] | 0x20) == 'x' &&
                          hex(word + 2, digits, &value);
        const unsigned shift = 4 * (CLASS_DIGITS - digits);

        if (!good) {
                reader_mistake(reader, reader->line,
                               "'class %s' is not a class of PCI; write class and subclass as four "
                               "digits, such as 'class 0x0108', or with the programming interface "
                               "as six, such as 'class 0x010802'.",
                               word);
                return;
        }
        pci->class_code = value << shift;
        pci->class_mask = 0xffffffu >> shift << shift;
        if (pci->class_code >> 16 == CLASS_BRIDGE)
                reader_mistake(reader, reader->line,
                               "'class %s' is a bridge, which no program can have; write the class "
                               "of a device.",
                               word);
}

static void set_id(struct reader *reader, struct nova_system_pci_match *pci)
{
        unsigned vendor = 0, device = 0;
        const char *rest = hex(reader->word[1], 4, &vendor);

        if (rest && *rest == ':')
                rest = hex(rest + 1, 4, &device);
        else
                rest = NULL;
        if (!rest || *rest || vendor == UINT16_MAX)
                reader_mistake(reader, reader->line,
                               "'id %s' is not VENDOR:DEVICE; write both as four hexadecimal "
                               "digits, such as 'id 8086:5845'.",
                               reader->word[1]);
        pci->vendor = (uint16_t)vendor;
        pci->device = (uint16_t)device;
}

static void set_at(struct reader *reader, struct nova_system_pci_match *pci)
{
        unsigned bus = 0, device = 0, function = 0;
        const char *rest = hex(reader->word[1], 2, &bus);

        rest = rest && *rest == ':' ? hex(rest + 1, 2, &device) : NULL;
        rest = rest && *rest == '.' ? hex(rest + 1, 1, &function) : NULL;
        if (!rest || *rest || device >= DEVICES || function >= FUNCTIONS)
                reader_mistake(reader, reader->line,
                               "'at %s' is not BUS:DEVICE.FUNCTION; write hexadecimal digits as "
                               "lspci does, such as 'at 00:04.0'.",
                               reader->word[1]);
        pci->at = (uint16_t)(bus << 8 | (device & (DEVICES - 1)) << 3 | (function & 7));
}

bool pci_device_line(struct reader *reader)
{
        static const char *const keywords[] = {PCI_KEYWORDS};
        static const char *const examples[] = {"class 0x0108", "id 8086:5845", "at 00:04.0",
                                               "dma-unprotected"};
        static void (*const set[])(struct reader * reader, struct nova_system_pci_match * pci) = {
                set_class, set_id, set_at, NULL};
        struct nova_system_pci_match *const pci = &reader->device->pci;
        unsigned i = 0;

        while (i < PCI_KEYWORD_COUNT && !text_equal(reader->word[0], keywords[i]))
                i++;
        if (i == PCI_KEYWORD_COUNT)
                return false;
        if (reader->words != (set[i] ? 2 : 1) || pci->lines & 1u << i) {
                reader_mistake(reader, reader->line,
                               "'%s' of a device %s and may occur once, such as '%s'.", keywords[i],
                               set[i] ? "is one value" : "has no value", examples[i]);
                return true;
        }
        pci->lines |= (uint16_t)(1u << i);
        if (set[i])
                set[i](reader, pci);
        return true;
}

static void check_lines(struct reader *reader, const struct nova_system_device *device)
{
        const bool has_resources =
                device->ports.count || device->memory.count || device->interrupts.count;

        if (nova_system_is_pci(device) && has_resources)
                reader_mistake(
                        reader, device->line,
                        "the device '%s' has lines of a PCI device and resources of its own; "
                        "leave out 'ports', 'memory' and 'interrupts', which the service '" SERVICE
                        "' finds.",
                        device->name);
        else if (device->pci.lines == NOVA_SYSTEM_PCI_UNPROTECTED && !has_resources)
                reader_mistake(reader, device->line,
                               "the device '%s' does not say which function it is; write 'class', "
                               "'id' or 'at', such as 'class 0x0108'.",
                               device->name);
}

static bool uses_service(const struct nova_system *system,
                         const struct nova_system_program *program)
{
        for (unsigned i = 0; i < program->uses.count; i++)
                if (text_equal(system->word[program->uses.first + i], SERVICE))
                        return true;
        return false;
}

static void check_owner(struct reader *reader, const struct nova_system_program *program,
                        const struct nova_system_device *device)
{
        const struct nova_system *const system = reader->system;
        const unsigned line = program->line_of[NOVA_SYSTEM_DEVICES];

        if (nova_system_provider(system, SERVICE) < 0)
                reader_mistake(reader, line,
                               "the device '%s' of '%s' is on PCI, and no program provides the "
                               "service '" SERVICE "'; add the program " SERVICE
                               " with 'devices " NOVA_SYSTEM_PCI "' and 'provides " SERVICE "'.",
                               device->name, program->name);
        else if (!uses_service(system, program))
                reader_mistake(reader, line,
                               "the device '%s' of '%s' is on PCI, so '%s' gets it from the "
                               "service '" SERVICE "'; write 'uses " SERVICE "' at '%s'.",
                               device->name, program->name, program->name, program->name);
}

/* Returns true if each range of a list lies in one of the ranges at @p whole. */
static bool all_within(const struct nova_system *system, struct nova_system_list list,
                       const struct nova_system_range *whole, size_t count)
{
        for (unsigned i = 0; i < list.count; i++) {
                const struct nova_system_range *const range = &system->range[list.first + i];
                size_t at = 0;

                while (at < count &&
                       (range->first < whole[at].first || range->last > whole[at].last))
                        at++;
                if (at == count)
                        return false;
        }
        return true;
}

/* Returns true if a device may have registers by which its program reaches memory. */
static bool reaches_memory(const struct nova_system *system,
                           const struct nova_system_device *device)
{
        return !all_within(system, device->ports, harmless_ports,
                           sizeof(harmless_ports) / sizeof(*harmless_ports)) ||
               !all_within(system, device->memory, harmless_memory,
                           sizeof(harmless_memory) / sizeof(*harmless_memory));
}

static bool provides(const struct nova_system *system, const struct nova_system_program *program,
                     const char *service)
{
        const int provider = nova_system_provider(system, service);

        return provider >= 0 && program == &system->program[provider];
}

bool nova_system_is_unprotected(const struct nova_system *system,
                                const struct nova_system_program *program,
                                const struct nova_system_device *device, bool iommu)
{
        const bool secure = nova_system_provider(system, ULTRAVISOR) >= 0;
        const bool bus = text_equal(device->name, NOVA_SYSTEM_PCI);

        if (device->pci.lines & NOVA_SYSTEM_PCI_UNPROTECTED)
                return false;
        if (secure && bus)
                return !provides(system, program, SERVICE);
        if (secure && reaches_memory(system, device))
                return true;
        if (iommu)
                return false;
        return program->grants & NOVA_SYSTEM_GRANT_DMA && device->line &&
               (nova_system_is_pci(device) || device->ports.count || device->memory.count);
}

/* Reports a device that could reach memory even with an I/O MMU. */
static void tell_board(struct reader *reader, const struct nova_system_program *program,
                       const struct nova_system_device *device)
{
        const char *const remedy =
                device->line ? "write 'dma-unprotected' for the device"
                             : "declare a device with the same ranges and 'dma-unprotected'";
        const bool bus =
                text_equal(device->name, PORTS) || text_equal(device->name, NOVA_SYSTEM_PCI);

        reader_mistake(reader, device->line ? device->line : program->line_of[NOVA_SYSTEM_DEVICES],
                       "the device '%s' of '%s' could access the memory of secure guests, even "
                       "with an I/O MMU; leave it out%s, or %s if '%s' is trusted.",
                       device->name, program->name, bus ? " and use the service '" SERVICE "'" : "",
                       remedy, program->name);
}

/* A device that may access all memory must be permitted explicitly. This check does not know the
 * machine, which only init sees. So the description states whether all machines of the system have
 * an I/O MMU. */
static void check_protection(struct reader *reader, const struct nova_system_program *program,
                             const struct nova_system_device *device)
{
        const struct nova_system *const system = reader->system;

        if (nova_system_is_unprotected(system, program, device, true))
                tell_board(reader, program, device);
        else if (!nova_system_is_unprotected(system, program, device, system->machine_iommu))
                return;
        else
                reader_mistake(reader, device->line,
                               "on a machine without an I/O MMU the device '%s' of '%s' would "
                               "reach all memory by DMA; write 'iommu' in the section 'machine' if "
                               "all machines of the system have one, otherwise 'dma-unprotected' "
                               "for the device.",
                               device->name, program->name);
}

/* Reports a program that has both known devices with the configuration ports. If two programs have
 * one of these devices each, check.c reports the common ports. */
static void check_configuration(struct reader *reader)
{
        const struct nova_system *const system = reader->system;
        const int owner = nova_system_owner(system, NOVA_SYSTEM_PCI);

        if (owner >= 0 && nova_system_owner(system, PORTS) == owner)
                reader_mistake(reader, system->program[owner].line_of[NOVA_SYSTEM_DEVICES],
                               "'%s' has the devices '" NOVA_SYSTEM_PCI "' and '" PORTS
                               "', whose ports are the same; leave out '" PORTS "'.",
                               system->program[owner].name);
}

void pci_check(struct reader *reader)
{
        const struct nova_system *const system = reader->system;

        check_configuration(reader);
        for (unsigned i = 0; i < system->devices; i++) {
                const struct nova_system_device *const device = &system->device[i];
                const int owner = nova_system_owner(system, device->name);

                check_lines(reader, device);
                if (owner < 0)
                        continue;
                if (nova_system_is_pci(device))
                        check_owner(reader, &system->program[owner], device);
                check_protection(reader, &system->program[owner], device);
        }
}
