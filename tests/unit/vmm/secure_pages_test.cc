/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a monitor's library puts the pages of a secure guest: parts of the image, shared pages, and
 * encrypted pages. The test is the ultravisor. */
extern "C" {
#include "secure.h"
}

#include <gtest/gtest.h>

#include <cerrno>
#include <cstdlib>
#include <vector>

namespace
{

constexpr uint64_t page_bytes = NOVA_PAGE_SIZE, pages = 4;
constexpr uint64_t added = pages + 7; /* the only page of the slot that the monitor has added */
constexpr uint64_t one = NOVA_UV_ORDER_PAGE;

/* An ultracall that the library has made. */
struct ultracall {
        unsigned number;
        uint64_t place, page, order;

        bool operator==(const ultracall &other) const
        {
                return number == other.number && place == other.place && page == other.page &&
                       order == other.order;
        }
};

std::vector<ultracall> made;
nova_u_status next_status;
uint64_t slot, slot_end; /* pages of the slot that the monitor has added */
int next_error;          /* error of the next questions for a page */
unsigned asked;          /* number of these questions */

struct secure_pages : testing::Test {
        nova_vm vm = {};
        nova_secure secure = {};
        std::vector<uint8_t> ram = std::vector<uint8_t>(pages * page_bytes);

        secure_pages()
        {
                vm.memory.base = ram.data();
                vm.memory.bytes = ram.size();
                secure.vm = &vm;
                secure.started = true;
                EXPECT_TRUE(novavmm_secure_places(&secure));
                made.clear();
                next_status = NOVA_U_SUCCESS;
                slot = added;
                slot_end = added + 1;
                next_error = 0;
        }

        ~secure_pages() override
        {
                free(secure.place);
        }

        nova_h_status serve(nova_h_call call, uint64_t page, uint64_t flags, uint64_t order)
        {
                const nova_word_t word[] = {page * page_bytes, flags, order, 0};

                return novavmm_secure_move(&secure, call, word);
        }

        nova_h_status in(uint64_t page, uint64_t flags = 0, uint64_t order = one)
        {
                return serve(NOVA_H_SVM_PAGE_IN, page, flags, order);
        }

        nova_h_status out(uint64_t page)
        {
                return serve(NOVA_H_SVM_PAGE_OUT, page, 0, one);
        }

        /* Uses all of the RAM: a page of the added slot is in one page of it. */
        void fill()
        {
                EXPECT_EQ(out(added), NOVA_H_SUCCESS);
                for (uint64_t i = 0; i + 1 < pages; i++)
                        EXPECT_EQ(out(i), NOVA_H_SUCCESS) << i;
        }
};

ultracall moved_in(uint64_t place, uint64_t page, uint64_t order = one)
{
        return {NOVA_UV_PAGE_IN, place * page_bytes, page * page_bytes, order};
}

ultracall moved_out(uint64_t place, uint64_t page)
{
        return {NOVA_UV_PAGE_OUT, place * page_bytes, page * page_bytes, one};
}

TEST_F(secure_pages, a_part_of_the_image_comes_from_the_page_with_its_number)
{
        secure.converting = true;
        EXPECT_EQ(in(2, 0, one + 1), NOVA_H_SUCCESS);
        secure.converting = false;
        EXPECT_EQ(out(2), NOVA_H_SUCCESS);
        /* The plain page is free, so the encrypted one replaces it. */
        EXPECT_EQ(made, (std::vector{moved_in(2, 2, one + 1), moved_out(2, 2)}));
}

TEST_F(secure_pages, a_page_provided_later_may_be_shared_and_is_not_used_again)
{
        EXPECT_EQ(in(2), NOVA_H_SUCCESS);
        EXPECT_EQ(out(2), NOVA_H_SUCCESS);
        ASSERT_EQ(made.size(), 2u);
        EXPECT_EQ(made[0], moved_in(2, 2));
        EXPECT_NE(made[1].place, 2 * page_bytes);
}

TEST_F(secure_pages, a_page_that_was_refused_stays_free)
{
        next_status = NOVA_U_PERMISSION;
        EXPECT_EQ(in(2), NOVA_H_PARAMETER);
        next_status = NOVA_U_SUCCESS;
        EXPECT_EQ(out(2), NOVA_H_SUCCESS);
        EXPECT_EQ(made, (std::vector{moved_in(2, 2), moved_out(2, 2)}));
}

TEST_F(secure_pages, an_encrypted_page_is_not_provided_for_another_one)
{
        EXPECT_EQ(in(2, NOVA_H_PAGE_IN_SHARED), NOVA_H_SUCCESS);
        EXPECT_EQ(out(2), NOVA_H_SUCCESS);
        ASSERT_EQ(made.size(), 2u);
        const uint64_t holder = made[1].place / page_bytes;
        ASSERT_NE(holder, 2u);
        EXPECT_EQ(in(holder), NOVA_H_PARAMETER);
        EXPECT_EQ(made.size(), 2u);
        EXPECT_EQ(in(2), NOVA_H_SUCCESS);
        EXPECT_EQ(made.back(), moved_in(holder, 2));
}

TEST_F(secure_pages, a_page_that_is_out_comes_back_from_its_own_place)
{
        EXPECT_EQ(out(3), NOVA_H_SUCCESS);
        EXPECT_EQ(in(3), NOVA_H_SUCCESS);
        EXPECT_EQ(made.back(), moved_in(3, 3));
        EXPECT_EQ(secure.pages_out, 1u);
        EXPECT_EQ(secure.pages_returned, 1u);
}

TEST_F(secure_pages, an_encrypted_page_moves_away_from_a_page_to_be_shared)
{
        EXPECT_EQ(out(1), NOVA_H_SUCCESS);
        ram[page_bytes] = 0x77;
        EXPECT_EQ(in(1, NOVA_H_PAGE_IN_SHARED), NOVA_H_SUCCESS);
        EXPECT_EQ(made.back(), moved_in(1, 1));
        EXPECT_EQ(ram[page_bytes], 0);
        EXPECT_EQ(in(1), NOVA_H_SUCCESS);
        EXPECT_NE(made.back().place, page_bytes);
        EXPECT_EQ(ram[made.back().place], 0x77);
}

TEST_F(secure_pages, a_page_of_an_added_slot_moves_out_and_back)
{
        EXPECT_EQ(in(added), NOVA_H_PARAMETER) << "it is not out";
        EXPECT_TRUE(made.empty());
        EXPECT_EQ(out(added), NOVA_H_SUCCESS);
        ASSERT_EQ(made.size(), 1u);
        const uint64_t holder = made[0].place / page_bytes;
        EXPECT_EQ(made[0], moved_out(holder, added));
        ASSERT_LT(holder, pages);
        EXPECT_EQ(in(holder), NOVA_H_PARAMETER) << "it holds another page";
        EXPECT_EQ(in(added), NOVA_H_SUCCESS);
        EXPECT_EQ(made.back(), moved_in(holder, added));
        EXPECT_EQ(in(holder), NOVA_H_SUCCESS) << "its place is free again";
        EXPECT_EQ(secure.pages_out, 1u);
        EXPECT_EQ(secure.pages_returned, 1u);
}

TEST_F(secure_pages, a_page_of_an_added_slot_makes_room_for_a_shared_page)
{
        EXPECT_EQ(out(added), NOVA_H_SUCCESS);
        const uint64_t holder = made[0].place / page_bytes;
        ram[holder * page_bytes] = 0x77;
        EXPECT_EQ(in(holder, NOVA_H_PAGE_IN_SHARED), NOVA_H_SUCCESS);
        EXPECT_EQ(ram[holder * page_bytes], 0);
        EXPECT_EQ(in(added), NOVA_H_SUCCESS);
        EXPECT_NE(made.back().place / page_bytes, holder);
        EXPECT_EQ(ram[made.back().place], 0x77);
}

TEST_F(secure_pages, a_page_of_an_added_slot_that_goes_out_again_has_one_place)
{
        for (uint64_t i = 0; i < 3 * pages; i++)
                ASSERT_EQ(out(added), NOVA_H_SUCCESS) << i;
        for (uint64_t i = 0; i + 1 < pages; i++)
                EXPECT_EQ(out(i), NOVA_H_SUCCESS) << i;
        EXPECT_EQ(out(pages - 1), NOVA_H_PARAMETER) << "all of the RAM is in use";
}

TEST_F(secure_pages, a_page_of_a_slot_that_was_removed_makes_room)
{
        fill();
        EXPECT_EQ(out(pages - 1), NOVA_H_PARAMETER) << "the slot exists";
        slot_end = slot;
        EXPECT_EQ(out(pages - 1), NOVA_H_SUCCESS);
        EXPECT_EQ(made.back(), moved_out(made[0].place / page_bytes, pages - 1));
        for (uint64_t i = 0; i < pages; i++)
                EXPECT_EQ(in(i), NOVA_H_SUCCESS) << i;
}

TEST_F(secure_pages, a_page_of_a_slot_that_was_removed_makes_room_for_a_shared_page)
{
        fill();
        const uint64_t holder = made[0].place / page_bytes;
        EXPECT_EQ(in(holder, NOVA_H_PAGE_IN_SHARED), NOVA_H_PARAMETER) << "the slot exists";
        slot_end = slot;
        EXPECT_EQ(in(holder, NOVA_H_PAGE_IN_SHARED), NOVA_H_SUCCESS);
        EXPECT_EQ(made.back(), moved_in(holder, holder));
        EXPECT_EQ(out(pages - 1), NOVA_H_PARAMETER) << "the shared page is in use";
}

TEST_F(secure_pages, a_page_keeps_its_place_if_the_ultravisor_does_not_answer)
{
        fill();
        next_error = ECONNRESET;
        EXPECT_EQ(out(pages - 1), NOVA_H_PARAMETER);
        next_error = 0;
        EXPECT_EQ(in(added), NOVA_H_SUCCESS);
        EXPECT_EQ(made.back(), moved_in(made[0].place / page_bytes, added));
}

/* The guest waits until the search is over. */
TEST_F(secure_pages, a_search_for_pages_of_removed_slots_asks_a_limited_number_of_times)
{
        const uint64_t many = 3 * 4096;

        ram.resize(many * page_bytes);
        vm.memory.base = ram.data();
        vm.memory.bytes = ram.size();
        free(secure.place);
        ASSERT_TRUE(novavmm_secure_places(&secure));
        slot = many;
        slot_end = 2 * many;
        for (uint64_t i = 0; i < many; i++)
                ASSERT_EQ(out(slot + i), NOVA_H_SUCCESS) << i;
        asked = 0;
        EXPECT_EQ(out(0), NOVA_H_PARAMETER);
        EXPECT_LE(asked, 4096u);
        slot_end -= many / 3;
        unsigned refused = 0;
        while (out(0) != NOVA_H_SUCCESS)
                ASSERT_LT(++refused, 3u);
}

TEST_F(secure_pages, a_page_of_an_added_slot_is_not_shared)
{
        EXPECT_EQ(in(added, NOVA_H_PAGE_IN_SHARED), NOVA_H_PARAMETER);
        EXPECT_EQ(in(added, NOVA_H_PAGE_IN_NONSHARED), NOVA_H_PARAMETER);
        EXPECT_EQ(out(added), NOVA_H_SUCCESS);
        EXPECT_EQ(in(added, NOVA_H_PAGE_IN_SHARED), NOVA_H_PARAMETER);
        EXPECT_EQ(made.size(), 1u);
}

TEST_F(secure_pages, a_page_in_no_slot_is_refused)
{
        EXPECT_EQ(in(added + 1), NOVA_H_PARAMETER);
        EXPECT_EQ(out(added + 1), NOVA_H_PARAMETER);
        secure.converting = true;
        EXPECT_EQ(in(added), NOVA_H_PARAMETER) << "no slot is added in UV_ESM";
        EXPECT_TRUE(made.empty());
}

TEST_F(secure_pages, a_new_secure_guest_has_no_page_out)
{
        EXPECT_EQ(out(added), NOVA_H_SUCCESS);
        novavmm_secure_clear(&secure);
        EXPECT_EQ(in(added), NOVA_H_PARAMETER);
        EXPECT_EQ(secure.pages_out, 0u);
}

} // namespace

extern "C" int nova_uv_attributes(const struct nova_uv *, uint64_t page, unsigned *, unsigned *)
{
        asked++;
        if (next_error)
                return next_error;
        return page >= slot * page_bytes && page < slot_end * page_bytes ? 0 : EINVAL;
}

extern "C" void nova_mutex_lock(struct nova_mutex *)
{
}

extern "C" void nova_mutex_unlock(struct nova_mutex *)
{
}

extern "C" enum nova_u_status nova_uv_call(const struct nova_uv *, unsigned number, uint64_t p2,
                                           uint64_t p3, uint64_t, uint64_t p5)
{
        made.push_back({number, p2, p3, p5});
        return next_status;
}
