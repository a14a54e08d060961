/* SPDX-License-Identifier: BSD-2-Clause */
/* Resets of an NVMe controller: a reset that needs time, a controller with a fatal status, and a
 * reset that never ends. */
extern "C" {
#include "novart/page.h"
#include "novart/selector.h"
#include "novart/time.h"
#include "nvme/controller.h"
#include "ring/claim.h"
}

#include <algorithm>
#include <cstring>
#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace
{

constexpr uint32_t CAP = 0x00 / 4, VS = 0x08 / 4, CC = 0x14 / 4, CSTS = 0x1c / 4, ASQ = 0x28 / 4,
                   ACQ = 0x30 / 4, DOORBELL = 0x1000 / 4;
constexpr uint32_t ENABLE = 1, READY = 1, FATAL = 2;
constexpr uint64_t MS = 1000000, NEVER = UINT64_MAX;

/* The controller changes only while the driver sleeps. */
alignas(4096) uint32_t registers[0x2000 / 4];
alignas(4096) char memory[0x10000];
uint64_t now;                 /* nanoseconds */
uint64_t stop_ns;             /* duration of a reset */
uint64_t start_ns;            /* time until the controller is ready */
uint64_t changed;             /* time at which ENABLE changed */
bool enabled;                 /* value of ENABLE that the controller has seen */
bool master, quiet;           /* set by calls of the driver */
unsigned head, done;          /* admin commands */
std::string violations;       /* violations of the specification */
std::vector<uint32_t> spaces; /* namespaces in use */
bool has_list;                /* the controller can list them */
std::string serial;           /* serial number of the controller, up to 20 characters */

uint64_t address(unsigned reg)
{
        return registers[reg] | (uint64_t)registers[reg + 1] << 32;
}

void execute()
{
        const auto *commands = (const nvme_command *)address(ASQ);
        auto *completions = (volatile uint32_t *)address(ACQ);

        while (head != registers[DOORBELL]) {
                const nvme_command *command = &commands[head];

                /* Before version 1.1, the number has one bit. */
                const uint32_t bits = registers[VS] < 0x10100 ? 1 : 3;
                const uint32_t what = command->opcode == 0x06 ? command->word[0] & bits : 3;
                const bool refused = what == 2 && !has_list;

                if (what < 3 && !refused) {
                        auto *answer = (uint8_t *)command->page[0];
                        const uint64_t blocks = 1000 * command->space;

                        memset(answer, 0, 4096);
                        if (what == 1)
                                memcpy(answer + 4, serial.data(), serial.size());
                        if (what == 0 && std::count(spaces.begin(), spaces.end(), command->space)) {
                                memcpy(answer, &blocks, sizeof(blocks));
                                answer[130] = 9;
                        }
                        if (what == 2 && !spaces.empty())
                                memcpy(answer, spaces.data(), spaces.size() * sizeof(spaces[0]));
                }
                completions[done % 16 * 4 + 3] =
                        command->id | (~(done / 16) & 1) << 16 | (refused ? 2U << 17 : 0);
                head = (head + 1) % 16;
                done++;
        }
}

void run()
{
        const bool wanted = registers[CC] & ENABLE;

        if (wanted != enabled) {
                if (wanted && registers[CSTS] & READY)
                        violations += "enabled before the end of the reset; ";
                if (!wanted && !(registers[CSTS] & (READY | FATAL)))
                        violations += "disabled before it was ready; ";
                enabled = wanted;
                changed = now;
                head = done = 0;
        }
        if (!enabled && stop_ns != NEVER && now - changed >= stop_ns)
                registers[CSTS] = 0;
        if (enabled && start_ns != NEVER && now - changed >= start_ns)
                registers[CSTS] |= READY;
        if (enabled && registers[CSTS] == READY && master)
                execute();
}

struct nvme_controller : testing::Test {
        nvme controller = {};

        void SetUp() override
        {
                memset(registers, 0, sizeof(registers));
                memset(memory, 0, sizeof(memory));
                registers[CAP] = 127 | 4u << 24; /* two seconds */
                registers[VS] = 0x10400;
                now = changed = 0;
                stop_ns = 300 * MS;
                start_ns = 500 * MS;
                enabled = master = quiet = false;
                violations = "";
                spaces = {1};
                has_list = true;
                serial = "";
        }

        std::string open()
        {
                const char *wrong = nvme_open(&controller, "disk");

                return wrong ? wrong : "";
        }
};

} // namespace

extern "C" {

uint64_t nova_rdtsc(void)
{
        return now;
}

uint64_t nova_deadline_in(uint64_t ns)
{
        return now + ns;
}

void nova_sleep(uint64_t ns)
{
        run();
        now += ns;
        run();
}

void driver_claim(nova_pci_device **, const char *, const driver_kind *)
{
}

int nova_pci_map(nova_pci_device *, unsigned, volatile void **to, size_t *bytes)
{
        *to = registers;
        *bytes = sizeof(registers);
        return 0;
}

nova_sel_t nova_sel_alloc(unsigned)
{
        return 100;
}

int nova_pci_interrupts(nova_pci_device *, unsigned, const nova_sel_t *, unsigned *got)
{
        *got = 1;
        return 0;
}

int nova_dma_alloc(size_t, nova_dma *dma)
{
        dma->memory = memory;
        return 0;
}

uint64_t nova_pci_address(const nova_pci_device *, const nova_dma *dma)
{
        return (uintptr_t)dma->memory;
}

int nova_pci_quiet(nova_pci_device *)
{
        run();
        if (registers[CC] & ENABLE || registers[CSTS] & READY)
                violations += "called quiet while it runs; ";
        quiet = true;
        return 0;
}

int nova_pci_master(nova_pci_device *, bool on)
{
        if (!quiet)
                violations += "a bus master before its reset; ";
        master = on;
        return 0;
}
}

TEST_F(nvme_controller, is_reset_then_enabled)
{
        EXPECT_EQ(open(), "");
        EXPECT_EQ(violations, "");
        EXPECT_EQ(controller.blocks, 1000U);
}

TEST_F(nvme_controller, that_a_former_driver_left_enabled_is_reset_before_it_is_a_bus_master)
{
        registers[CC] = 0x460001;
        registers[CSTS] = READY;
        enabled = true;
        EXPECT_EQ(open(), "");
        EXPECT_EQ(violations, "");
        EXPECT_GE(now, 800 * MS);
}

TEST_F(nvme_controller, with_a_fatal_status_is_enabled_after_the_end_of_its_reset)
{
        for (const uint32_t status : {FATAL | READY, FATAL}) {
                SetUp();
                registers[CC] = 0x460001;
                registers[CSTS] = status;
                enabled = true;
                start_ns = NEVER;
                nova_sleep(10 * MS);
                start_ns = 500 * MS;
                EXPECT_EQ(open(), "") << status;
                EXPECT_EQ(violations, "") << status;
        }
}

TEST_F(nvme_controller, that_becomes_ready_is_reset_afterwards)
{
        registers[CC] = 0x460001;
        enabled = true;
        EXPECT_EQ(open(), "");
        EXPECT_EQ(violations, "");
}

TEST_F(nvme_controller, whose_reset_does_not_end_is_refused_within_its_time)
{
        for (const uint32_t status : {READY, FATAL | READY}) {
                SetUp();
                registers[CC] = 0x460001;
                registers[CSTS] = status;
                enabled = true;
                stop_ns = NEVER;
                EXPECT_EQ(open(), "the controller cannot be reset.");
                EXPECT_FALSE(master);
                EXPECT_GE(now, 2000 * MS);
                EXPECT_LT(now, 3000 * MS);
        }
}

TEST_F(nvme_controller, that_never_becomes_ready_is_refused_within_its_time)
{
        start_ns = NEVER;
        EXPECT_EQ(open(), "the controller does not become ready.");
        EXPECT_LT(now, 3000 * MS);
}

TEST_F(nvme_controller, whose_queues_have_one_entry_is_refused)
{
        registers[CAP] &= ~0xffffU;
        EXPECT_EQ(open(), "the controller's queues have one entry; NVMe requires at least two.");
        EXPECT_FALSE(master);
        registers[CAP] |= 1;
        EXPECT_EQ(open(), "");
        EXPECT_EQ(controller.io.size, 2U);
}

TEST_F(nvme_controller, has_its_first_namespace)
{
        spaces = {2, 5};
        EXPECT_EQ(open(), "");
        EXPECT_EQ(controller.blocks, 2000U);
        EXPECT_EQ(controller.space, 2U);
}

TEST_F(nvme_controller, that_cannot_list_its_namespaces_has_the_first_one)
{
        has_list = false;
        EXPECT_EQ(open(), "");
        EXPECT_EQ(controller.blocks, 1000U);
        SetUp();
        has_list = false;
        spaces = {};
        EXPECT_EQ(open(), "the namespace has no blocks.");
}

/* It would answer the request for a list with zeroes. */
TEST_F(nvme_controller, of_version_1_0_has_the_first_namespace)
{
        registers[VS] = 0x10000;
        EXPECT_EQ(open(), "");
        EXPECT_EQ(controller.space, 1U);
        EXPECT_EQ(violations, "");
}

TEST_F(nvme_controller, has_an_identity_from_its_serial_number_and_namespace)
{
        std::vector<uint64_t> identities;

        for (const char *name : {"one", "two", "one"}) {
                SetUp();
                serial = name;
                EXPECT_EQ(open(), "");
                identities.push_back(controller.identity);
        }
        SetUp();
        serial = "one";
        spaces = {2};
        EXPECT_EQ(open(), "");
        EXPECT_NE(identities[0], 0U);
        EXPECT_NE(identities[0], identities[1]);
        EXPECT_EQ(identities[0], identities[2]);
        EXPECT_NE(identities[0], controller.identity) << "another namespace";
}

TEST_F(nvme_controller, without_a_namespace_is_refused)
{
        spaces = {};
        EXPECT_EQ(open(), "the controller has no namespace.");
}
