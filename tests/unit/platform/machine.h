// SPDX-License-Identifier: BSD-2-Clause
// A machine's physical memory and console for parts of the kernel that run at boot.
#ifndef UNIT_PLATFORM_MACHINE_H
#define UNIT_PLATFORM_MACHINE_H

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#define _Noreturn __attribute__((noreturn))
extern "C" {
#include "arch/x86/boot_paging.h"
#include "firmware/memory_map.h"
#include "memory/ram.h"
}

using Bytes = std::vector<uint8_t>;

// Memory that a test has not filled reads as 0xff. boot_map() returns an allocation of exactly the
// requested size, so that the sanitizer sees every access outside. The allocation is valid until
// the next call for its slot.
struct Machine {
        std::map<uint64_t, Bytes> memory;
        std::string console;
        Bytes *slot[2] = {};

        Machine();
        ~Machine();
        Machine(const Machine &) = delete;
        Machine &operator=(const Machine &) = delete;
        void *map(unsigned slot, uint64_t phys, uint64_t size);
};

// The machine that exists now; there is at most one.
extern Machine *machine;

// Appends a little-endian number.
void put(Bytes &bytes, uint64_t value, unsigned size);

#endif
