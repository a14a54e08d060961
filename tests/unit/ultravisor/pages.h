/* SPDX-License-Identifier: BSD-2-Clause */
/* A secure VM's pages for tests of page.c. */
#ifndef NOVA_TESTS_UNIT_ULTRAVISOR_PAGES_H
#define NOVA_TESTS_UNIT_ULTRAVISOR_PAGES_H

#include <cstring>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

extern "C" {
#include "page.h"
}

constexpr uint64_t page_bytes = FRAME_BYTES, block_bytes = page_bytes * FRAME_BLOCK;
constexpr uint64_t start = 2 * block_bytes, slot_bytes = 2 * block_bytes;

/* A VM with one slot, its VMM's memory of 64 pages, and a cipher that adds the version to each
 * byte. The tag is the sum of address, version and bytes. */
class pages_test : public testing::Test
{
      protected:
        static constexpr uint32_t normals = 64;

        void SetUp() override
        {
                SetUp(2 * FRAME_BLOCK);
        }

        void SetUp(uint32_t count)
        {
                memory.assign((count + FRAME_BLOCK) * page_bytes, 0);
                normal.assign(normals * page_bytes, 0);
                ASSERT_TRUE(frame_init(&frames, memory.data(), count));
                pages = {};
                pages.ops = &ops;
                pages.frames = &frames;
                pages.context = this;
                pages.normal_pages = normals;
                ASSERT_TRUE(add_slot(&pages, 3, start, slot_bytes));
        }

        void TearDown() override
        {
                while (page_end(&pages))
                        ;
                EXPECT_EQ(frames.free, frames.count);
                for (size_t i = 0; i < frames.count * page_bytes; i++)
                        ASSERT_EQ(memory[i], 0) << "byte " << i << " of secure memory";
                free(frames.in_use);
                free(frames.left);
        }

        static bool add_slot(struct pages *pages, unsigned slot, uint64_t from, uint64_t bytes)
        {
                struct page *const records = page_records(bytes);

                page_slot_reserve(pages, slot, from, bytes);
                page_slot_open(pages, slot, records);
                return records;
        }

        struct page *at(uint64_t number)
        {
                return page_find(&pages, start + number * page_bytes);
        }

        static uint64_t gpa(uint64_t number)
        {
                return start + number * page_bytes;
        }

        uint8_t *frame_of(uint64_t number)
        {
                return frame_address(&frames, at(number)->frame);
        }

        uint8_t *normal_page(uint32_t number)
        {
                return &normal[number * page_bytes];
        }

        void fill(uint64_t number, int byte)
        {
                ASSERT_TRUE(page_fill(&pages, at(number)));
                memset(frame_of(number), byte, page_bytes);
        }

        static pages_test *self(struct pages *pages)
        {
                return static_cast<pages_test *>(pages->context);
        }

        static bool unmap(struct pages *pages, const struct page *, uint64_t gpa,
                          enum page_place place)
        {
                if (self(pages)->in_flight)
                        return false;
                self(pages)->unmapped[gpa] |= 1u << place;
                return true;
        }

        static bool uses(struct pages *pages, uint64_t gpa, uint64_t bytes)
        {
                for (uint64_t i = 0; i < bytes; i += page_bytes)
                        if (page_find(pages, gpa + i)->pins)
                                return true;
                return self(pages)->in_flight;
        }

        /* Searches all pages in parts for a page to move out. */
        uint64_t victim()
        {
                uint64_t found = UINT64_MAX;

                for (uint64_t i = 0; i <= page_total(&pages) && found == UINT64_MAX; i += PAGE_PART)
                        found = page_victim(&pages);
                return found;
        }

        /* Returns the numbers of the shared pages, in the order in which they are found. */
        std::vector<uint64_t> shared()
        {
                std::vector<uint64_t> found;
                struct page_hand hand = {};
                uint64_t gpa;

                while (page_next_shared(&pages, &hand, &gpa))
                        if (gpa != UINT64_MAX)
                                found.push_back((gpa - start) / page_bytes);
                return found;
        }

        bool remove(unsigned slot)
        {
                if (!page_slot_close(&pages, slot))
                        return false;
                while (page_slot_free(&pages, slot))
                        ;
                return true;
        }

        static bool copy_in(struct pages *pages, void *to, uint32_t normal)
        {
                if (normal == self(pages)->revoked)
                        return false;
                memcpy(to, self(pages)->normal_page(normal), page_bytes);
                return true;
        }

        static bool copy_out(struct pages *pages, uint32_t normal, const void *from)
        {
                if (normal == self(pages)->revoked)
                        return false;
                memcpy(self(pages)->normal_page(normal), from, page_bytes);
                return true;
        }

        static void tag_of(uint64_t gpa, uint64_t version, const uint8_t *bytes, uint8_t *tag)
        {
                uint64_t sum = gpa + version;

                for (unsigned i = 0; i < page_bytes; i++)
                        sum = sum * 31 + bytes[i];
                memset(tag, 0, PAGE_TAG_BYTES);
                memcpy(tag, &sum, sizeof(sum));
        }

        static bool encrypt(struct pages *pages, uint64_t gpa, uint64_t version, const void *from,
                            void *to, uint8_t tag[PAGE_TAG_BYTES])
        {
                uint8_t *const out = static_cast<uint8_t *>(to);
                const std::string plain(static_cast<const char *>(from), page_bytes);
                auto &seen = self(pages)->nonces[version];

                EXPECT_TRUE(seen.empty() || seen == plain) << "version " << version;
                seen = plain;
                for (unsigned i = 0; i < page_bytes; i++)
                        out[i] = (uint8_t)(plain[i] + version + 0x55);
                tag_of(gpa, version, out, tag);
                return true;
        }

        static bool decrypt(struct pages *pages, uint64_t gpa, uint64_t version, const void *from,
                            const uint8_t tag[PAGE_TAG_BYTES], void *to)
        {
                self(pages)->decrypted++;
                const uint8_t *const in = static_cast<const uint8_t *>(from);
                uint8_t right[PAGE_TAG_BYTES];

                tag_of(gpa, version, in, right);
                if (memcmp(right, tag, sizeof(right)))
                        return false;
                for (unsigned i = 0; i < page_bytes; i++)
                        static_cast<uint8_t *>(to)[i] = (uint8_t)(in[i] - version - 0x55);
                return true;
        }

        static const struct page_ops ops;

        struct frames frames = {};
        struct pages pages = {};
        std::vector<uint8_t> memory, normal;
        std::map<uint64_t, unsigned> unmapped; /* by page; bit n: its place n was unmapped */
        std::map<uint64_t, std::string> nonces;
        uint32_t revoked = PAGE_NO_PAGE;
        unsigned decrypted = 0; /* number of decryptions */
        bool in_flight = false;
};

inline const struct page_ops pages_test::ops = {unmap, uses, copy_in, copy_out, encrypt, decrypt};

#endif
