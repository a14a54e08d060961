// SPDX-License-Identifier: BSD-2-Clause
// A machine for the service pci: functions, a parent, a kernel.
#ifndef PCI_MACHINE_H
#define PCI_MACHINE_H

extern "C" {
#include "config.h"
#include "device.h"
#include "registers.h"
#include "server.h"

#include "nova/crd.h"
#include "nova/extension.h"
#include "novart/program.h"
#include "novart/time.h"
}

#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <gtest/gtest.h>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

constexpr uint16_t DISK = 4 << 3;
constexpr unsigned PINS = 24;

/* A function: its registers, which of their bits can be written, and the side effects of a
 * write. */
struct function {
        std::array<uint32_t, 64> value = {}, writable = {};
        std::function<void(unsigned offset, uint32_t value)> written;
};

extern std::map<uint16_t, function> machine;
extern std::vector<nova_pci_function> table;
extern std::vector<nova_parent_pci_device> description;
extern std::vector<char> bar_memory;
extern std::map<unsigned, unsigned> semaphore;            // counter, by selector
extern std::set<std::pair<uint64_t, uint64_t>> forbidden; // address and size in bytes
extern int obstacle_error;                                // the parent cannot answer
extern bool has_iommu, has_window;
extern unsigned known_buses;           // number of buses of which the table has all functions
extern bool ends;                      // the service is being stopped
extern enum nova_status assign_status; // result of assignments to an I/O MMU
extern unsigned slept_ms, assigned_to, waiters, sweeps;
extern bool swept_dead;
extern std::set<nova_crd_t> revoked;

inline function &disk()
{
        return machine[DISK];
}

/* Adds a device with 16 KiB of memory, which has a table of MSI-X of four vectors at 0x2000. */
inline void add_disk()
{
        function &f = disk();

        f.value[0] = 0x58458086;
        f.value[1] = 0x00100407;
        f.writable[1] = 0x407;
        f.value[2] = 0x01080200;
        f.value[4] = 0xfe000004;
        f.writable[4] = 0xffffc000;
        f.writable[5] = 0xffffffff;
        f.value[13] = 0x40;
        f.value[15] = 0x010b;
        f.writable[15] = 0xff;
        f.value[0x40 / 4] = 0x00035011;
        f.writable[0x40 / 4] = 0xc0000000;
        f.value[0x44 / 4] = 0x2000;
        f.value[0x48 / 4] = 0x3000;
        f.value[0x50 / 4] = 0x00800005; /* MSI with 64 bits, the last capability */
        f.writable[0x50 / 4] = 0x00710000;
        f.writable[0x54 / 4] = f.writable[0x58 / 4] = f.writable[0x5c / 4] = ~0U;
}

inline nova_pci_function function_of(uint16_t address)
{
        nova_pci_function f = {};

        f.address = address;
        f.vendor = (uint16_t)machine[address].value[0];
        f.device = (uint16_t)(machine[address].value[0] >> 16);
        f.class_code = machine[address].value[2] >> 8;
        f.interrupt_line = (uint8_t)machine[address].value[15];
        f.interrupt_pin = (uint8_t)(machine[address].value[15] >> 8);
        return f;
}

inline void describe(const char *name, const char *program,
                     uint16_t flags = NOVA_PARENT_PCI_UNPROTECTED)
{
        nova_parent_pci_device says = {};

        strcpy(says.name, name);
        memcpy(says.program, program, strnlen(program, sizeof(says.program)));
        says.class_code = 0x010800;
        says.class_mask = 0xffff00;
        says.flags = flags;
        description.push_back(says);
}

struct pci_device : testing::Test {
        nova_request request = {};
        int state = 0;

        void SetUp() override
        {
                machine.clear();
                table.clear();
                description.clear();
                forbidden.clear();
                obstacle_error = 0;
                revoked.clear();
                memset(devices, 0, sizeof(devices));
                device_count = 0;
                has_iommu = swept_dead = ends = false;
                has_window = true;
                known_buses = 256;
                slept_ms = assigned_to = waiters = sweeps = 0;
                bar_memory.assign(0x10000, 0);
                add_disk();
                nova_pci_function f = function_of(DISK);
                f.bar[0] = {0xfe000000, 0x4000, NOVA_PCI_BAR_64, 0};
                f.msix_vectors = 4;
                f.msi_vectors = 1;
                f.capabilities = 1U << 5 | 1U << 17;
                table.push_back(f);
        }

        void TearDown() override
        {
                for (unsigned i = 0; i < device_count; i++)
                        interrupt_free(&devices[i]);
        }

        void find()
        {
                device_find_all(table.data(), (unsigned)table.size());
        }

        int claim(const char *name, const char *client, device **out)
        {
                request.client = client;
                request.state = &state;
                return claim_device(&request, name, out);
        }

        device *claimed(uint16_t flags = NOVA_PARENT_PCI_UNPROTECTED)
        {
                device *d = nullptr;
                describe("disk", "driver", flags);
                find();
                EXPECT_EQ(claim("disk", "driver", &d), 0);
                return d;
        }

        uint32_t entry(unsigned vector, unsigned word)
        {
                uint32_t value;
                memcpy(&value, &bar_memory[0x2000 + 16 * vector + 4 * word], sizeof(value));
                return value;
        }
};

#endif
