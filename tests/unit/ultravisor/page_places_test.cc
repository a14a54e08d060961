/* SPDX-License-Identifier: BSD-2-Clause */
/* The shared place of a secure VM's page, also beside its secure place. */
#include "pages.h"

namespace
{

TEST_F(pages_test, sharing_discards_the_private_content)
{
        fill(5, 0x11);
        EXPECT_EQ(shared(), std::vector<uint64_t>());
        ASSERT_EQ(page_share(&pages, gpa(5)), NOVA_U_SUCCESS);
        EXPECT_EQ(shared(), std::vector<uint64_t>{5});
        EXPECT_EQ(at(5)->state, PAGE_NONE);
        EXPECT_TRUE(at(5)->shared);
        EXPECT_EQ(page_in(&pages, gpa(5), 4, 0), NOVA_U_P3) << "the ultravisor has not asked";
        at(5)->asked = true;
        memset(normal_page(4), 0x77, page_bytes);
        ASSERT_EQ(page_in(&pages, gpa(5), 4, 0), NOVA_U_SUCCESS);
        EXPECT_EQ(normal_page(4)[0], 0) << "it begins with zeroes";
        memset(normal_page(4), 0x77, page_bytes);
        ASSERT_EQ(page_share(&pages, gpa(5)), NOVA_U_SUCCESS);
        EXPECT_EQ(normal_page(4)[0], 0) << "sharing again fills it with zeroes";
        memset(normal_page(1), 0x77, page_bytes);
        EXPECT_EQ(page_out(&pages, gpa(5), 1, 0), NOVA_U_SUCCESS) << "nothing to do";
        EXPECT_EQ(std::string(page_bytes, 0x77), std::string((char *)normal_page(1), page_bytes));
        ASSERT_EQ(page_unshare(&pages, gpa(5)), NOVA_U_SUCCESS);
        EXPECT_EQ(unmapped[gpa(5)] >> PAGE_SHARED_PLACE & 1, 1u);
        EXPECT_FALSE(at(5)->shared);
        EXPECT_EQ(at(5)->normal, PAGE_NO_PAGE);
        ASSERT_TRUE(page_fill(&pages, at(5)));
        EXPECT_EQ(frame_of(5)[0], 0);
}

TEST_F(pages_test, only_shared_pages_are_invalidated)
{
        fill(5, 0x11);
        EXPECT_EQ(page_invalidate(&pages, gpa(5)), NOVA_U_P2);
        EXPECT_EQ(page_invalidate(&pages, start - page_bytes), NOVA_U_P2);
        at(6)->asked = true;
        ASSERT_EQ(page_in(&pages, gpa(6), 4, 0), NOVA_U_SUCCESS);
        in_flight = true; /* a virtual CPU is about to map the page */
        EXPECT_EQ(page_invalidate(&pages, gpa(6)), NOVA_U_BUSY);
        EXPECT_EQ(at(6)->normal, 4u);
        in_flight = false;
        EXPECT_EQ(page_invalidate(&pages, gpa(6)), NOVA_U_SUCCESS);
        EXPECT_EQ(at(6)->normal, PAGE_NO_PAGE);
        EXPECT_EQ(page_invalidate(&pages, gpa(6)), NOVA_U_P2);
}

TEST_F(pages_test, a_shared_place_has_the_flags_of_the_page_in_that_filled_it)
{
        const auto fill_shared = [this](unsigned flags) {
                at(5)->asked = true;
                EXPECT_EQ(page_in(&pages, gpa(5), 4, flags), NOVA_U_SUCCESS);
                EXPECT_EQ(at(5)->attributes[PAGE_SHARED_PLACE], flags);
                EXPECT_EQ(at(5)->attributes[PAGE_SECURE_PLACE], 0);
        };

        ASSERT_EQ(page_share(&pages, gpa(5)), NOVA_U_SUCCESS);
        fill_shared(NOVA_UV_WRITE_PROTECTION);
        EXPECT_TRUE(page_is_protected(at(5), PAGE_SHARED_PLACE));
        ASSERT_EQ(page_share(&pages, gpa(5)), NOVA_U_SUCCESS);
        EXPECT_TRUE(page_is_protected(at(5), PAGE_SHARED_PLACE)) << "it is the same page";
        revoked = 4;
        ASSERT_EQ(page_share(&pages, gpa(5)), NOVA_U_SUCCESS);
        EXPECT_EQ(at(5)->attributes[PAGE_SHARED_PLACE], 0) << "the VMM has taken it away";
        revoked = PAGE_NO_PAGE;
        fill_shared(NOVA_UV_CACHE_ENABLED | NOVA_UV_WRITE_PROTECTION);
        ASSERT_EQ(page_invalidate(&pages, gpa(5)), NOVA_U_SUCCESS);
        EXPECT_EQ(at(5)->attributes[PAGE_SHARED_PLACE], 0);
        fill_shared(NOVA_UV_CACHE_INHIBITED);
        ASSERT_EQ(page_unshare(&pages, gpa(5)), NOVA_U_SUCCESS);
        EXPECT_EQ(at(5)->attributes[PAGE_SHARED_PLACE], 0);
}

/* Two virtual CPUs ask the VMM for both places of a page that is out. */
class pages_out_test : public pages_test
{
      protected:
        void SetUp() override
        {
                pages_test::SetUp();
                fill(5, 0x11);
                ASSERT_EQ(page_out(&pages, gpa(5), 1, 0), NOVA_U_SUCCESS);
                at(5)->asked = true;
                memset(normal_page(4), 0x77, page_bytes);
        }

        enum nova_u_status in(uint32_t page)
        {
                return page_in(&pages, gpa(5), page, 0);
        }

        void expect_both()
        {
                EXPECT_EQ(frame_of(5)[0], 0x11);
                EXPECT_EQ(at(5)->normal, 4u);
                EXPECT_EQ(normal_page(4)[0], 0);
                EXPECT_FALSE(at(5)->asked);
                EXPECT_EQ(in(1), NOVA_U_P3) << "nothing is missing";
        }
};

TEST_F(pages_out_test, the_encrypted_page_fills_the_secure_place)
{
        ASSERT_EQ(in(1), NOVA_U_SUCCESS);
        EXPECT_EQ(at(5)->state, PAGE_SECURE);
        EXPECT_TRUE(at(5)->asked);
        EXPECT_EQ(at(5)->normal, PAGE_NO_PAGE);
        ASSERT_EQ(in(4), NOVA_U_SUCCESS);
        expect_both();
}

TEST_F(pages_out_test, any_other_page_fills_the_shared_place)
{
        ASSERT_EQ(in(4), NOVA_U_SUCCESS);
        EXPECT_EQ(at(5)->state, PAGE_OUT);
        EXPECT_EQ(in(4), NOVA_U_PERMISSION) << "it is not the encrypted page";
        ASSERT_EQ(in(1), NOVA_U_SUCCESS);
        expect_both();
}

/* A call holds the service's lock, and decrypting a page takes up to 490,000 instructions. */
TEST_F(pages_out_test, each_call_decrypts_at_most_once)
{
        const uint32_t free = frames.free;

        frames.free = 0;
        for (const uint32_t page : {1u, 2u}) {
                decrypted = 0;
                in(page);
                EXPECT_EQ(decrypted, 1u);
        }
        frames.free = free;
        at(5)->asked = true;
        decrypted = 0;
        ASSERT_EQ(in(1), NOVA_U_SUCCESS);
        EXPECT_EQ(decrypted, 1u);
}

TEST_F(pages_out_test, without_a_frame_the_encrypted_page_stays)
{
        const uint32_t free = frames.free;
        const std::vector<uint8_t> sealed(normal_page(1), normal_page(2));

        frames.free = 0;
        EXPECT_EQ(in(1), NOVA_U_BUSY);
        EXPECT_EQ(memcmp(normal_page(1), sealed.data(), page_bytes), 0);
        EXPECT_EQ(in(4), NOVA_U_SUCCESS) << "the shared place needs no frame";
        frames.free = free;
        ASSERT_EQ(in(1), NOVA_U_SUCCESS);
        expect_both();
}

TEST_F(pages_out_test, a_page_that_the_vmm_takes_away_fills_no_place)
{
        revoked = 1;
        EXPECT_EQ(in(1), NOVA_U_P2);
        EXPECT_TRUE(at(5)->asked);
        EXPECT_EQ(at(5)->state, PAGE_OUT);
}

} // namespace
