/* SPDX-License-Identifier: BSD-2-Clause */
/* A virtual CPU with RAM, a device in memory and one at ports, for tests of instructions that
 * access them. */
#ifndef NOVA_TESTS_UNIT_VMM_ACCESS_H
#define NOVA_TESTS_UNIT_VMM_ACCESS_H

#include "novavmm/access.h"

#include <cstring>
#include <gtest/gtest.h>
#include <string>
#include <utility>
#include <vector>

#include "novavmm/registers.h"

using bytes = std::vector<uint8_t>;

constexpr uint64_t device_at = 0xd0000000;
constexpr uint16_t data_rights = 0x93, code_rights = 0x9b, user_rights = 0xf3;

/* Values written to a device, and the values it returns: numbers that count up. */
struct probe {
        std::vector<std::pair<uint64_t, uint64_t>> written;
        uint64_t next = 0x11223344;
        unsigned reads = 0;

        static uint64_t read(void *context, uint64_t, unsigned)
        {
                probe *const self = static_cast<probe *>(context);
                self->reads++;
                return self->next++;
        }

        static void write(void *context, uint64_t address, unsigned, uint64_t value)
        {
                static_cast<probe *>(context)->written.emplace_back(address, value);
        }
};

struct guest_access : testing::Test {
        bytes ram = bytes(256 << 10);
        nova_guest_memory memory = {};
        nova_bus mmio = {}, ports = {};
        nova_utcb_state state = {};
        nova_access access = {&memory, &mmio, &ports, &state, 0};
        probe port, device;
        nova_mtd_t changed = 0;
        nova_fault fault = {};

        void SetUp() override
        {
                memory.base = ram.data();
                memory.bytes = ram.size();
                const nova_bus_range at_port = {0x1f0, 0x1f3, probe::read, probe::write, &port};
                const nova_bus_range in_memory = {device_at, device_at + 0xfff, probe::read,
                                                  probe::write, &device};
                nova_bus_add(&ports, &at_port);
                nova_bus_add(&mmio, &in_memory);
                for (nova_segment *segment :
                     {&state.es, &state.ss, &state.ds, &state.fs, &state.gs})
                        *segment = {0, data_rights, 0xffff, 0};
                state.cs = {0, code_rights, 0xffff, 0};
                state.flags = NOVA_FLAG_RESERVED;
                state.dx = 0x1f0;
        }

        /* Sets flat protected mode. */
        void flat(uint16_t rights = data_rights)
        {
                state.cr0 = NOVA_CR0_PE;
                for (nova_segment *segment :
                     {&state.es, &state.ss, &state.ds, &state.fs, &state.gs})
                        *segment = {0, static_cast<uint16_t>(0xc00 | rights), 0xffffffff, 0};
                state.cs = {0, 0xc9b, 0xffffffff, 0};
        }

        /* Sets long mode: pages 0 to 63 are mapped one to one, page 64 is the device. */
        void wide(uint16_t rights = data_rights)
        {
                flat(rights);
                state.cs.ar = 0xa9b;
                state.cr0 |= NOVA_CR0_PG;
                state.cr3 = 0x1000;
                state.cr4 = NOVA_CR4_PAE;
                access.efer = NOVA_EFER_LME | NOVA_EFER_LMA;
                entry(0x1000, 0x2007);
                entry(0x2000, 0x3007);
                entry(0x3000, 0x4007);
                for (uint64_t page = 0; page < 64; page++)
                        entry(0x4000 + 8 * page, page << 12 | 7);
                entry(0x4000 + 8 * 64, device_at | 7);
        }

        void entry(uint64_t at, uint64_t value)
        {
                memcpy(&ram[at], &value, sizeof(value));
        }

        uint64_t entry(uint64_t at)
        {
                uint64_t value;
                memcpy(&value, &ram[at], sizeof(value));
                return value;
        }

        void text(uint64_t at, const std::string &what)
        {
                memcpy(&ram[at], what.data(), what.size());
        }
};

#endif
