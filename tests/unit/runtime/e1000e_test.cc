/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of the e1000e driver: its end of the queues of an 82574 that writes arbitrary data, and the
 * reset of the card. */
extern "C" {
#include "e1000e/controller.h"
#include "novart/page.h"
#include "novart/selector.h"
#include "novart/time.h"
#include "ring/claim.h"
}

#include <array>
#include <climits>
#include <cstring>
#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace
{

constexpr uint32_t CTRL = 0x00 / 4, STATUS = 0x08 / 4, EEC = 0x10 / 4, IMS = 0xd0 / 4,
                   RCTL = 0x100 / 4, TCTL = 0x400 / 4, RDBAL = 0x2800 / 4, TDBAL = 0x3800 / 4,
                   HEAD = 4, TAIL = 6, RAL = 0x5400 / 4, RAH = 0x5404 / 4;
constexpr uint32_t NO_MASTER = 1u << 2, RESET = 1u << 26, MASTER = 1u << 19, READ = 1u << 9,
                   VALID = 1u << 31;
constexpr uint32_t DONE = 1, END = 2; /* status of a descriptor */
constexpr uint64_t MS = 1000000, NEVER = UINT64_MAX;

/* The card changes only while the driver sleeps. */
alignas(4096) uint32_t registers[0x20000 / 4];
alignas(4096) uint32_t memory[2 * E1000E_QUEUE_BYTES / 4];
uint64_t now, reset_ns; /* nanoseconds */
uint64_t begun;         /* time at which the reset began */
unsigned reset_count;
bool resets, msix, quiet, master;
std::string violations;

void run()
{
        if (registers[CTRL] & NO_MASTER)
                registers[STATUS] &= ~MASTER;
        else
                registers[STATUS] |= MASTER;
        if (registers[CTRL] & RESET && !resets) {
                resets = true;
                reset_count++;
                begun = now;
                registers[EEC] = 0;
        }
        if (!resets || reset_ns == NEVER || now - begun < reset_ns)
                return;
        resets = false;
        registers[CTRL] = 0;
        registers[EEC] = READ;
}

struct e1000e_card : testing::Test {
        e1000e card = {};

        void SetUp() override
        {
                memset(registers, 0, sizeof(registers));
                memset(memory, 0, sizeof(memory));
                registers[EEC] = READ;
                registers[RAL] = 0x12005452;
                registers[RAH] = VALID | 0x5634;
                now = begun = 0;
                reset_count = 0;
                reset_ns = 5 * MS;
                resets = msix = quiet = master = false;
                violations = "";
        }

        std::string open()
        {
                const char *wrong = e1000e_open(&card, "card");

                return wrong ? wrong : "";
        }
};

struct e1000e_ring : testing::Test {
        std::vector<uint32_t> words = std::vector<uint32_t>(E1000E_QUEUE_BYTES / 4);
        e1000e_queue q = {};
        e1000e_end end = {};

        void SetUp() override
        {
                q.descriptors = words.data();
                e1000e_queue_init(&q);
        }

        uint32_t *descriptor(unsigned number)
        {
                return &words[(size_t)(number % E1000E_QUEUE_SIZE) * 4];
        }

        void complete(unsigned number, uint32_t bytes, uint32_t status)
        {
                descriptor(number)[2] = bytes;
                descriptor(number)[3] = status;
        }

        /* Returns the size that the driver takes from a card's report. */
        uint32_t size_of(uint32_t bytes, uint32_t status)
        {
                e1000e_queue_add_buffer(&q, 0x1000, 7);
                complete(q.taken, bytes, status);
                EXPECT_TRUE(e1000e_queue_take(&q, &end));
                EXPECT_EQ(end.tag, 7U);
                return end.bytes;
        }
};

} // namespace

extern "C" {

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

int nova_pci_capability(nova_pci_device *, unsigned, unsigned *)
{
        return 0;
}

int nova_pci_config_read(nova_pci_device *, unsigned, unsigned, uint32_t *value)
{
        *value = msix ? 0x8004 : 4;
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
        if (resets || registers[RCTL] || registers[TCTL])
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

TEST_F(e1000e_card, that_a_former_driver_started_is_reset_before_it_is_a_bus_master)
{
        registers[RCTL] = registers[TCTL] = 2;
        EXPECT_EQ(open(), "");
        EXPECT_EQ(violations, "");
        EXPECT_TRUE(master);
        EXPECT_EQ(reset_count, 1U);
        EXPECT_EQ(memcmp(card.address, "\x52\x54\x00\x12\x34\x56", 6), 0);
}

TEST_F(e1000e_card, whose_reset_does_not_end_is_not_used)
{
        reset_ns = NEVER;
        EXPECT_EQ(open(), "the card cannot be reset.");
        EXPECT_FALSE(master);
}

TEST_F(e1000e_card, without_a_valid_address_has_zeros)
{
        registers[RAH] = 0x5634;
        EXPECT_EQ(open(), "");
        EXPECT_EQ(memcmp(card.address, "\0\0\0\0\0\0", 6), 0);
}

TEST_F(e1000e_card, gets_the_places_of_its_queues_and_its_requests_after_a_reset)
{
        ASSERT_EQ(open(), "");
        for (unsigned i = 0; i < 3; i++)
                e1000e_queue_add_buffer(&card.receive, 0x1000 + i, i);
        memory[3] = DONE | END;
        e1000e_end end;
        ASSERT_TRUE(e1000e_queue_take(&card.receive, &end));
        memory[4] = 0x6666; /* the card writes an address */
        e1000e_start(&card);
        EXPECT_EQ(registers[RDBAL], 0x23450000U);
        EXPECT_EQ(registers[RDBAL + 1], 1U);
        EXPECT_EQ(registers[TDBAL], 0x23450000U + E1000E_QUEUE_BYTES);
        EXPECT_EQ(registers[RDBAL + HEAD], 1U);
        EXPECT_EQ(registers[RDBAL + TAIL], 3U);
        EXPECT_EQ(registers[TDBAL + TAIL], 0U);
        EXPECT_EQ(memory[4], 0x1001U) << "the driver's own copy";
        EXPECT_TRUE(registers[RCTL] & 2);
        EXPECT_FALSE(registers[CTRL] & NO_MASTER);
}

TEST_F(e1000e_card, gets_the_bits_that_its_kind_needs_after_each_reset)
{
        constexpr unsigned CTRL_EXT = 0x18 / 4, TXDCTL = 0x3828 / 4, TARC0 = 0x3840 / 4,
                           GCR = 0x5b00 / 4, GCR2 = 0x5b64 / 4;

        ASSERT_EQ(open(), "");
        for (unsigned round = 0; round < 2; round++) {
                registers[CTRL] = 1U << 29 | 1U << 3;
                registers[CTRL_EXT] = 1U << 23 | 1U << 5;
                registers[TARC0] = 0xfU << 27 | 1U << 10 | 3;
                registers[TXDCTL] = registers[GCR2] = 0;
                registers[GCR] = 1U << 9;
                e1000e_start(&card);
                EXPECT_EQ(registers[CTRL] & (1U << 29 | 1U << 3), 1U << 3);
                EXPECT_EQ(registers[CTRL_EXT] & 0xc00020, 0x400020U);
                EXPECT_EQ(registers[TARC0], 1U << 26 | 1U << 10 | 3);
                EXPECT_EQ(registers[TXDCTL] & 1U << 22, 1U << 22);
                EXPECT_EQ(registers[GCR], 0x08400200U);
                EXPECT_EQ(registers[GCR2], 1U);
                ASSERT_TRUE(e1000e_reset(&card));
        }
}

TEST_F(e1000e_card, interrupts_by_the_causes_of_its_kind_of_interrupt)
{
        ASSERT_EQ(open(), "");
        e1000e_start(&card);
        EXPECT_EQ(registers[IMS], 0x85U);
        msix = true;
        ASSERT_EQ(open(), "");
        e1000e_start(&card);
        EXPECT_EQ(registers[IMS], 0x1500004U);
}

TEST_F(e1000e_card, sees_frames_only_after_they_were_published)
{
        ASSERT_EQ(open(), "");
        e1000e_start(&card);
        e1000e_queue_add_frame(&card.transmit, 0x5000, 60, 1, 0);
        EXPECT_EQ(registers[TDBAL + TAIL], 0U);
        e1000e_publish(&card);
        EXPECT_EQ(registers[TDBAL + TAIL], 1U);
        EXPECT_EQ(registers[RDBAL + TAIL], 0U);
}

TEST_F(e1000e_ring, frames_have_a_descriptor_with_a_report_of_the_end)
{
        e1000e_queue_add_frame(&q, 0x123456789, 1514, 5, 9);
        EXPECT_EQ(descriptor(0)[0], 0x23456789U);
        EXPECT_EQ(descriptor(0)[1], 1U);
        EXPECT_EQ(descriptor(0)[2], 0xb0005eaU);
        EXPECT_EQ(descriptor(0)[3], 0U);
        EXPECT_EQ(e1000e_queue_stamp(&q), 9U);
}

TEST_F(e1000e_ring, requests_end_in_order)
{
        for (uint32_t tag = 0; tag < 3; tag++)
                e1000e_queue_add_frame(&q, 0x1000, 60, tag, tag + 1);
        complete(1, 0, DONE);
        EXPECT_FALSE(e1000e_queue_take(&q, &end));
        complete(0, 0, DONE);
        EXPECT_TRUE(e1000e_queue_take(&q, &end));
        EXPECT_EQ(end.tag, 0U);
        EXPECT_TRUE(e1000e_queue_take(&q, &end));
        EXPECT_EQ(end.tag, 1U);
        EXPECT_EQ(e1000e_queue_stamp(&q), 3U);
        EXPECT_FALSE(e1000e_queue_take(&q, &end));
}

TEST_F(e1000e_ring, a_descriptor_that_the_card_does_not_have_ends_no_request)
{
        complete(0, 60, DONE | END);
        EXPECT_FALSE(e1000e_queue_take(&q, &end));
        e1000e_queue_add_buffer(&q, 0x1000, 1);
        EXPECT_FALSE(e1000e_queue_take(&q, &end)) << "what stood there before";
}

TEST_F(e1000e_ring, only_whole_frames_without_errors_that_fit_have_a_size)
{
        EXPECT_EQ(size_of(1514, DONE | END), 1514U);
        EXPECT_EQ(size_of(2048, DONE | END), 2048U);
        EXPECT_EQ(size_of(2049, DONE | END), 0U);
        EXPECT_EQ(size_of(0xffff, DONE | END), 0U);
        EXPECT_EQ(size_of(60, DONE), 0U) << "a part of a frame";
        for (const uint32_t bit : {0x01u, 0x02u, 0x04u, 0x10u, 0x80u})
                EXPECT_EQ(size_of(60, DONE | END | bit << 8), 0U) << bit;
        for (const uint32_t bit : {0x20u, 0x40u})
                EXPECT_EQ(size_of(60, DONE | END | bit << 8), 60U)
                        << "the receiver checks the checksums of IP and TCP";
}

TEST_F(e1000e_ring, a_full_ring_has_a_free_descriptor_and_counters_wrap)
{
        q.added = q.taken = UINT_MAX - 10;
        for (uint32_t tag = 0; tag < E1000E_QUEUE_SIZE - 1; tag++) {
                ASSERT_FALSE(e1000e_queue_is_full(&q));
                e1000e_queue_add_buffer(&q, 0x1000, tag);
        }
        EXPECT_TRUE(e1000e_queue_is_full(&q));
        EXPECT_NE(e1000e_queue_head(&q), e1000e_queue_tail(&q));
        for (uint32_t tag = 0; tag < E1000E_QUEUE_SIZE - 1; tag++) {
                complete(q.taken, 60, DONE | END);
                ASSERT_TRUE(e1000e_queue_take(&q, &end));
                EXPECT_EQ(end.tag, tag);
        }
        EXPECT_FALSE(e1000e_queue_take(&q, &end));
        EXPECT_EQ(e1000e_queue_stamp(&q), 0U);
}

TEST_F(e1000e_ring, requests_of_a_card_that_was_reset_can_be_cancelled)
{
        uint32_t tag;

        e1000e_queue_add_frame(&q, 0x1000, 60, 4, 1);
        e1000e_queue_add_frame(&q, 0x2000, 60, 5, 1);
        EXPECT_TRUE(e1000e_queue_cancel(&q, &tag));
        EXPECT_EQ(tag, 4U);
        EXPECT_TRUE(e1000e_queue_cancel(&q, &tag));
        EXPECT_EQ(tag, 5U);
        EXPECT_FALSE(e1000e_queue_cancel(&q, &tag));
        EXPECT_EQ(e1000e_queue_head(&q), e1000e_queue_tail(&q));
}
