// SPDX-License-Identifier: BSD-2-Clause
// The kernel functions that the parts under test call, on a machine that the test builds.
#include "machine.h"

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

extern "C" {
#include "lib/console.h"
#include "lib/stop.h"
}

Machine *machine;
paddr_t boot_phys_end = paddr_t{1} << 40;

Machine::Machine()
{
        machine = this;
        std::memset(&memory_map, 0, sizeof(memory_map));
        boot_kernel_range_count = 0;
        ram_range_count = 0;
        boot_roottask = {};
}

Machine::~Machine()
{
        delete slot[0];
        delete slot[1];
        machine = nullptr;
}

void *Machine::map(unsigned number, uint64_t phys, uint64_t size)
{
        if (phys >= boot_phys_end || size > boot_phys_end - phys || size > (4 << 20))
                return nullptr;
        delete slot[number];
        slot[number] = new Bytes(size, 0xff);
        for (const auto &[start, bytes] : memory)
                for (uint64_t i = 0; i < bytes.size(); i++)
                        if (start + i >= phys && start + i - phys < size)
                                (*slot[number])[start + i - phys] = bytes[i];
        return slot[number]->data();
}

void put(Bytes &bytes, uint64_t value, unsigned size)
{
        for (unsigned i = 0; i < size; i++)
                bytes.push_back(static_cast<uint8_t>(value >> (8 * i)));
}

extern "C" void *boot_map(unsigned slot, paddr_t phys, uint64_t size)
{
        return machine->map(slot, phys, size);
}

extern "C" void *boot_map_device(unsigned slot, paddr_t phys, uint64_t size)
{
        return machine->map(slot, phys, size);
}

extern "C" void console_print(const char *format, ...)
{
        char text[512];
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        machine->console += text;
}

extern "C" void kernel_stop(const char *format, ...)
{
        fprintf(stderr, "kernel_stop: %s\n", format);
        abort();
}
