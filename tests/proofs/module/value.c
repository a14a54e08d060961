/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads values of a system description: names, numbers, sizes and ranges, the lines of a PCI
 * device, and the closest keyword. Each word has any characters, and one of the lengths in
 * main(). */
#include "system/reader.h"

#include "../driver.h"

static struct nova_system system;
static struct reader reader;

void reader_mistake(struct reader *of, unsigned line, const char *format, ...)
{
        (void)line;
        (void)format;
        of->mistakes++;
}

bool text_equal(const char *a, const char *b)
{
        (void)a;
        (void)b;
        return any_bool();
}

int nova_system_owner(const struct nova_system *of, const char *device)
{
        (void)of;
        (void)device;
        return -1;
}

int nova_system_provider(const struct nova_system *of, const char *service)
{
        (void)of;
        (void)service;
        return -1;
}

static void read_values(const char *word)
{
        struct nova_system_range range;
        uint64_t value;

        value_keyword(&reader, word);
        value_name(&reader, "", word);
        if (value_number(&reader, "", word, 1, 2, &value)) {
                /*@ assert number: \initialized(&value); */
        }
        if (value_size(&reader, "", word, &value)) {
                /*@ assert size: \initialized(&value); */
        }
        if (value_range(&reader, "", word, &range)) {
                /*@ assert range: \initialized(&range.first) && \initialized(&range.last); */
        }
}

static void read_pci(const char *word)
{
        static struct nova_system_device device;
        const struct nova_system_pci_match *const pci = &device.pci;

        device.pci.lines = (uint16_t)any_u32();
        reader.device = &device;
        reader.words = Frama_C_unsigned_int_interval(1, 3);
        reader.word[0] = reader.word[1] = reader.word[2] = word;
        pci_device_line(&reader);
        /*@ assert class: pci->class_code <= 0xffffff; */
        (void)pci;
}

static void read(char *word, size_t bytes)
{
        word[bytes - 1] = 0;
        reader.system = &system;
        read_values(word);
        read_pci(word);
}

static void compare(char *word, size_t bytes)
{
        static const char *const keywords[] = {"", "a", "ports"};

        word[bytes - 1] = 0;
        value_closest(word, keywords, 3);
        value_closer("kernel-memory", word, "cpus");
}

int main(void)
{
        TRY(read, 1);
        TRY(read, 2);
        TRY(read, 6);
        TRY(read, 11);
        TRY(compare, 1);
        TRY(compare, 4);
        TRY(compare, 42);
        return 0;
}
