/* SPDX-License-Identifier: BSD-2-Clause */
/* The start of loader tests: a guest's RAM, a file, and the expected state. */
#ifndef NOVA_TESTS_UNIT_VMM_LOADER_H
#define NOVA_TESTS_UNIT_VMM_LOADER_H

#include "novavmm/load.h"

#include <cstring>
#include <gtest/gtest.h>
#include <vector>

struct loader : testing::Test {
        std::vector<uint8_t> ram;
        nova_guest_memory memory = {};
        std::vector<uint8_t> file = std::vector<uint8_t>(8192, 0x90);
        nova_utcb_event start = {};

        loader(size_t bytes, uint8_t filler) : ram(bytes, filler)
        {
                memory.base = ram.data();
                memory.bytes = ram.size();
        }

        template <typename T> void put(size_t offset, T value)
        {
                memcpy(&file[offset], &value, sizeof(value));
        }

        template <typename T> T get(size_t address)
        {
                T value;
                memcpy(&value, &ram[address], sizeof(value));
                return value;
        }
};

#endif
