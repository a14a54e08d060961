/* SPDX-License-Identifier: BSD-2-Clause */
/* The start of an AHCI controller with several ports: the driver takes the same disk each time, in
 * whatever order the links come up. */
extern "C" {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow" /* a function has the name of its structure */
#include "ahci/controller.h"
#pragma GCC diagnostic pop
#include "novart/page.h"
#include "novart/selector.h"
#include "novart/time.h"
#include "ring/claim.h"
}

#include <array>
#include <cstring>
#include <gtest/gtest.h>
#include <string>

namespace
{

constexpr uint32_t CAP = 0x00 / 4, GHC = 0x04 / 4, PI = 0x0c / 4, PORTS = 0x100 / 4,
                   PORT = 0x80 / 4;
constexpr uint32_t CAUSE = 0x10 / 4, COMMAND = 0x18 / 4, TASK = 0x20 / 4, KIND = 0x24 / 4,
                   LINK = 0x28 / 4, CONTROL = 0x2c / 4, ERRORS = 0x30 / 4, ISSUE = 0x38 / 4;
constexpr uint32_t CONNECTED = 1U << 26; /* bit of ERRORS: the link came up again */
constexpr uint32_t DISK = 0x101, CD = 0xeb140101, BUSY = 0x80;
constexpr unsigned PORT_COUNT = 4;
constexpr uint64_t MS = 1000000, NEVER = UINT64_MAX;

/* A port, whose disk answers a reset of the link at once, and becomes ready later. */
struct port {
        uint64_t link_ns = NEVER; /* time after the reset of the controller until the link is up */
        uint64_t ready_ns = 0;    /* time until the disk is ready */
        uint32_t kind = DISK;
        bool found = false; /* until the link is up, something is known to be connected */
};

/* The controller changes only while the driver sleeps, or prepares a command. */
alignas(4096) uint32_t registers[0x1000 / 4];
alignas(4096) char memory[0x20000];
std::array<port, PORT_COUNT> ports;
bool forgets;        /* a reset clears the implemented ports */
uint64_t now, begun; /* nanoseconds; time of the controller's reset */

void run_port(const port &port, volatile uint32_t *reg)
{
        const bool up = port.link_ns != NEVER && now - begun >= port.link_ns;
        const uint32_t runs = (reg[COMMAND] & 1) << 15 | (reg[COMMAND] & 0x10) << 10;
        const bool was_busy = reg[TASK] == BUSY;

        reg[CAUSE] = 0;
        reg[COMMAND] = (reg[COMMAND] & ~0xc000U) | runs;
        reg[LINK] = up && !(reg[CONTROL] & 1) ? 3 : up || port.found ? 1 : 0;
        reg[KIND] = port.kind;
        reg[TASK] = now - begun >= port.ready_ns ? 0x50 : BUSY;
        reg[ISSUE] = 0;
        if (was_busy && reg[TASK] != BUSY)
                reg[ERRORS] = CONNECTED;
}

void run()
{
        if (registers[GHC] & 1) {
                registers[GHC] = 1U << 31;
                begun = now;
                if (forgets)
                        registers[PI] = 0;
        }
        for (unsigned i = 0; i < PORT_COUNT; i++)
                run_port(ports[i], &registers[PORTS + i * PORT]);
}

struct ahci_controller : testing::Test {
        ahci controller = {};

        void SetUp() override
        {
                memset(registers, 0, sizeof(registers));
                ports = {};
                registers[CAP] = 1U << 31 | 31U << 8;
                registers[PI] = (1U << PORT_COUNT) - 1;
                forgets = false;
                now = begun = 0;
        }

        std::string open()
        {
                const char *wrong = ahci_open(&controller, "disk");

                return wrong ? wrong : "";
        }

        /* Returns the number of the port that the driver uses. */
        unsigned used() const
        {
                return (controller.port / 4 - PORTS) / PORT;
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

int nova_dma_alloc(size_t bytes, nova_dma *dma)
{
        EXPECT_LE(bytes, sizeof(memory));
        dma->memory = memory;
        return 0;
}

uint64_t nova_pci_address(const nova_pci_device *, const nova_dma *)
{
        return 0x123450000;
}

int nova_pci_quiet(nova_pci_device *)
{
        return 0;
}

int nova_pci_master(nova_pci_device *, bool)
{
        return 0;
}

void ahci_set_command(struct ahci_table *, uint8_t, unsigned, unsigned, uint64_t)
{
        run();
}

bool ahci_add_piece(struct ahci_table *, unsigned, uint64_t, uint32_t)
{
        return true;
}

const char *ahci_read_identity(const uint16_t *, ahci_disk *disk)
{
        disk->depth = 32;
        return nullptr;
}
}

TEST_F(ahci_controller, takes_the_disk_at_the_first_port_whichever_link_comes_up_first)
{
        for (const unsigned late : {0U, 1U}) {
                SetUp();
                ports[late].link_ns = 40 * MS;
                ports[1 - late].link_ns = 0;
                EXPECT_EQ(open(), "");
                EXPECT_EQ(used(), 0U) << late;
        }
}

TEST_F(ahci_controller, waits_for_a_link_that_has_found_something)
{
        ports[0].found = true;
        ports[0].link_ns = 800 * MS;
        ports[1].link_ns = 0;
        EXPECT_EQ(open(), "");
        EXPECT_EQ(used(), 0U);
}

TEST_F(ahci_controller, does_not_wait_long_for_a_link_that_has_found_nothing)
{
        ports[2].link_ns = 0;
        EXPECT_EQ(open(), "");
        EXPECT_EQ(used(), 2U);
        EXPECT_LE(now, 300 * MS);
        SetUp();
        ports[0].found = true;
        ports[2].link_ns = 0;
        EXPECT_EQ(open(), "") << "what the first port found never answers";
        EXPECT_EQ(used(), 2U);
        EXPECT_LE(now, 1500 * MS);
}

TEST_F(ahci_controller, takes_the_only_disk_although_its_link_is_late)
{
        ports[3].link_ns = 700 * MS;
        EXPECT_EQ(open(), "");
        EXPECT_EQ(used(), 3U);
}

TEST_F(ahci_controller, forgets_a_change_of_the_link_before_the_disk_was_ready)
{
        ports[0].link_ns = 0;
        ports[0].ready_ns = 300 * MS;
        EXPECT_EQ(open(), "");
        EXPECT_EQ(registers[PORTS + ERRORS], UINT32_MAX) << "each 1 clears its bit";
}

TEST_F(ahci_controller, passes_over_what_is_not_a_disk)
{
        ports[0].link_ns = ports[1].link_ns = 0;
        ports[0].kind = CD;
        EXPECT_EQ(open(), "");
        EXPECT_EQ(used(), 1U);
}

TEST_F(ahci_controller, keeps_its_implemented_ports_over_resets)
{
        forgets = true;
        registers[PI] = 0xd;
        ports[1].link_ns = 0; /* not implemented */
        ports[2].link_ns = 0;
        for (unsigned i = 0; i < 2; i++) {
                EXPECT_EQ(open(), "");
                EXPECT_EQ(used(), 2U);
                ahci_stop(&controller);
                EXPECT_EQ(registers[PI], 0xdU);
        }
}

TEST_F(ahci_controller, waits_for_the_motor_of_a_disk)
{
        ports[1].link_ns = 0;
        ports[1].ready_ns = 20000 * MS;
        EXPECT_EQ(open(), "");
        EXPECT_EQ(used(), 1U);
        SetUp();
        ports[1].link_ns = 0;
        ports[1].ready_ns = 60000 * MS;
        EXPECT_EQ(open(), "the disk does not become ready.");
        EXPECT_LT(now, 30000 * MS) << "before the watchdog would end the driver in a restart";
}

TEST_F(ahci_controller, without_a_disk_is_refused)
{
        EXPECT_EQ(open(), "no port has a disk.");
        EXPECT_LE(now, 1500 * MS);
}
