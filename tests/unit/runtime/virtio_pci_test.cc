/* SPDX-License-Identifier: BSD-2-Clause */
/* The structures of a virtio device, wherever the specification allows them, and its features. */
extern "C" {
#include "pci.h"

#include "novart/selector.h"
#include "novart/time.h"
}

#include <cerrno>
#include <cstring>
#include <gtest/gtest.h>
#include <string>

namespace
{

enum { COMMON = 1, NOTIFY, ISR, CONFIG };
constexpr unsigned FIRST = 0x40, STEP = 0x18; /* of the capabilities */
constexpr uint64_t VERSION_1 = 1ULL << 32, ACCESS_PLATFORM = 1ULL << 33,
                   ORDER_PLATFORM = 1ULL << 36;

alignas(4096) uint8_t config[256];
alignas(4096) uint8_t registers[4096];
uint64_t offers;
unsigned flags;

struct virtio_function : testing::Test {
        virtio device = {};

        void SetUp() override
        {
                device = {};
                memset(config, 0, sizeof(config));
                memset(registers, 0, sizeof(registers));
                place(COMMON, 0x100);
                place(NOTIFY, 0x200);
                place(ISR, 0x300);
                place(CONFIG, 0x400);
                offers = VERSION_1;
                flags = 0;
        }

        static void place(unsigned kind, uint32_t offset)
        {
                uint8_t *at = config + FIRST + STEP * (kind - COMMON);
                const uint32_t bytes = 0x80;

                at[0] = 9;
                at[3] = (uint8_t)kind;
                memcpy(at + 8, &offset, sizeof(offset));
                memcpy(at + 12, &bytes, sizeof(bytes));
        }

        std::string open(uint64_t wanted = 0)
        {
                /* the registers are memory, so both halves of the features are the same word */
                const uint32_t half = (uint32_t)(offers >> 32);
                const char *wrong;

                memcpy(registers + 0x100 + 4, &half, sizeof(half));
                wrong = virtio_open(&device, wanted);
                return wrong ? wrong : "";
        }
};

} // namespace

extern "C" {

void nova_sleep(uint64_t)
{
}

nova_sel_t nova_sel_alloc(unsigned)
{
        return 100;
}

unsigned nova_pci_flags(const nova_pci_device *)
{
        return flags;
}

int nova_pci_map(nova_pci_device *, unsigned, volatile void **to, size_t *bytes)
{
        *to = registers;
        *bytes = sizeof(registers);
        return 0;
}

int nova_pci_config_read(nova_pci_device *, unsigned offset, unsigned bytes, uint32_t *value)
{
        *value = 0;
        memcpy(value, config + offset, bytes);
        return 0;
}

int nova_pci_capability(nova_pci_device *, unsigned id, unsigned *at)
{
        const unsigned next = *at ? *at + STEP : FIRST;

        if (id != 9 || next > FIRST + 3 * STEP)
                return ENOENT;
        *at = next;
        return 0;
}

int nova_pci_interrupts(nova_pci_device *, unsigned, const nova_sel_t *, unsigned *got)
{
        *got = 1;
        return 0;
}

int nova_pci_quiet(nova_pci_device *)
{
        return 0;
}

int nova_pci_master(nova_pci_device *, bool)
{
        return 0;
}

uint64_t queue_descriptors(const queue *)
{
        return 0;
}

uint64_t queue_available(const queue *)
{
        return 0;
}

uint64_t queue_used(const queue *)
{
        return 0;
}
}

TEST_F(virtio_function, has_its_structures_at_any_place_that_the_specification_allows)
{
        place(ISR, 0x301);
        place(NOTIFY, 0x202);
        EXPECT_EQ(open(), "");
        EXPECT_EQ(device.isr, registers + 0x301);
        EXPECT_EQ(device.notify, registers + 0x202);
}

TEST_F(virtio_function, with_an_unaligned_structure_is_refused)
{
        for (const unsigned kind : {COMMON, NOTIFY, CONFIG}) {
                SetUp();
                place(kind, 0x100 * kind + (kind == NOTIFY ? 1 : 2));
                EXPECT_EQ(open(), "the function is not a virtio device 1.0 or later.") << kind;
        }
}

TEST_F(virtio_function, that_needs_the_order_of_the_platform_gets_it)
{
        EXPECT_EQ(open(), "");
        EXPECT_EQ(device.features, VERSION_1);
        offers |= ORDER_PLATFORM | ACCESS_PLATFORM | 1ULL << 40;
        EXPECT_EQ(open(), "");
        EXPECT_EQ(device.features, VERSION_1 | ORDER_PLATFORM | ACCESS_PLATFORM);
}

TEST_F(virtio_function, that_cannot_be_confined_is_refused)
{
        flags = NOVA_PCI_CONFINED;
        EXPECT_NE(open(), "");
        offers |= ACCESS_PLATFORM;
        EXPECT_EQ(open(), "");
}
