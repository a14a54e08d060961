/* SPDX-License-Identifier: BSD-2-Clause */
/* States of a secure VM's pages, and secure memory. */
#include "pages.h"

namespace
{

TEST_F(pages_test, slots_do_not_overlap_and_end_exactly)
{
        EXPECT_EQ(page_find(&pages, start - 1), nullptr);
        EXPECT_NE(page_find(&pages, start), nullptr);
        EXPECT_NE(page_find(&pages, start + slot_bytes - 1), nullptr);
        EXPECT_EQ(page_find(&pages, start + slot_bytes), nullptr);
        EXPECT_FALSE(page_slot_is_free(&pages, start - page_bytes, 2 * page_bytes));
        EXPECT_FALSE(page_slot_is_free(&pages, start + page_bytes, page_bytes));
        EXPECT_FALSE(page_slot_is_free(&pages, 0, 1ull << 37));
        EXPECT_TRUE(page_slot_is_free(&pages, start - page_bytes, page_bytes));
        EXPECT_TRUE(page_slot_is_free(&pages, start + slot_bytes, page_bytes));
        EXPECT_TRUE(page_has(&pages, start, 2 * FRAME_BLOCK));
        EXPECT_FALSE(page_has(&pages, start, 2 * FRAME_BLOCK + 1));
        EXPECT_FALSE(page_has(&pages, start + page_bytes, UINT64_MAX));
}

TEST_F(pages_test, adjacent_slots_have_the_pages_of_both)
{
        ASSERT_TRUE(add_slot(&pages, 5, start + slot_bytes, 2 * page_bytes));
        EXPECT_TRUE(page_has(&pages, start, 2 * FRAME_BLOCK + 2));
        EXPECT_TRUE(page_has(&pages, start + slot_bytes - page_bytes, 2));
        EXPECT_FALSE(page_has(&pages, start, 2 * FRAME_BLOCK + 3));
        for (uint64_t i = 0; i < 4; i++)
                ASSERT_TRUE(page_fill(&pages, at(2 * FRAME_BLOCK - 2 + i)));
        EXPECT_LE(page_row(&pages, gpa(2 * FRAME_BLOCK - 2), 4), 1u) << "a row is in one slot";
}

TEST_F(pages_test, a_returned_frame_is_zero)
{
        fill(0, 0xaa);
        const uint32_t frame = at(0)->frame;

        EXPECT_EQ(page_unshare(&pages, gpa(0)), NOVA_U_SUCCESS);
        EXPECT_EQ(at(0)->state, PAGE_NONE);
        ASSERT_TRUE(page_fill(&pages, at(1)));
        EXPECT_EQ(at(1)->frame, frame);
        EXPECT_EQ(frame_of(1)[0] | frame_of(1)[page_bytes - 1], 0);
}

TEST_F(pages_test, a_block_of_pages_is_one_block_of_frames)
{
        ASSERT_TRUE(page_fill_block(&pages, gpa(700)));
        EXPECT_EQ(at(512)->frame % FRAME_BLOCK, 0u);
        EXPECT_EQ(at(1023)->frame, at(512)->frame + 511);
        EXPECT_TRUE(page_is_whole(&pages, gpa(512)));
        EXPECT_FALSE(page_is_whole(&pages, gpa(511)));
        EXPECT_FALSE(page_fill_block(&pages, gpa(512))) << "its pages have frames already";
        EXPECT_EQ(page_out(&pages, gpa(600), 0, 0), NOVA_U_SUCCESS);
        EXPECT_FALSE(page_is_whole(&pages, gpa(512)));
}

TEST_F(pages_test, a_range_that_comes_in_takes_a_block_only_if_it_is_that_block)
{
        at(512)->expected = at(700)->expected = true;
        page_expect_block(&pages, gpa(700), FRAME_BLOCK);
        EXPECT_EQ(at(512)->state, PAGE_NONE) << "the page lies before the range";
        page_expect_block(&pages, gpa(512), FRAME_BLOCK / 2);
        EXPECT_EQ(at(512)->state, PAGE_NONE) << "the range is too short";
        page_expect_block(&pages, gpa(512), FRAME_BLOCK);
        EXPECT_TRUE(page_is_whole(&pages, gpa(512)));
}

TEST_F(pages_test, a_block_that_is_not_expected_gets_no_frames)
{
        page_expect_block(&pages, gpa(512), FRAME_BLOCK);
        EXPECT_EQ(at(512)->state, PAGE_NONE);
}

// The records of two slots may lie in memory like those of one slot. What is between them is not a
// record of the VM.
TEST_F(pages_test, two_slots_are_not_a_block_even_if_their_records_are_512_apart)
{
        constexpr uint64_t first = 100, gap = 12, from = start + slot_bytes;
        struct page *const records = page_records(block_bytes);

        ASSERT_NE(records, nullptr);
        page_slot_reserve(&pages, 5, from, first * page_bytes);
        page_slot_open(&pages, 5, records);
        page_slot_reserve(&pages, 6, from + (first + gap) * page_bytes,
                          block_bytes - (first + gap) * page_bytes);
        page_slot_open(&pages, 6, records + first + gap);
        EXPECT_FALSE(page_fill_block(&pages, from));
        for (uint64_t i = 0; i < FRAME_BLOCK; i++) {
                records[i].state = PAGE_SECURE;
                records[i].frame = static_cast<uint32_t>(i);
        }
        EXPECT_FALSE(page_is_whole(&pages, from));
        pages.slot[5] = pages.slot[6] = {};
        free(records);
}

TEST_F(pages_test, a_row_has_consecutive_frames_of_one_block)
{
        ASSERT_TRUE(page_fill_block(&pages, gpa(512)));
        EXPECT_EQ(page_row(&pages, gpa(512), FRAME_BLOCK), 6u) << "PAGE_PART pages";
        EXPECT_EQ(page_row(&pages, gpa(512), 63), 5u);
        EXPECT_EQ(page_row(&pages, gpa(512), 1), 0u);
        EXPECT_EQ(page_row(&pages, gpa(516), FRAME_BLOCK), 2u) << "its frames are aligned to 4";
        EXPECT_EQ(page_row(&pages, gpa(513), FRAME_BLOCK), 0u);
        EXPECT_EQ(page_row(&pages, gpa(1020), FRAME_BLOCK), 2u) << "the slot ends";
        EXPECT_EQ(page_row(&pages, gpa(1024), 1), 0u) << "there is no page";
        EXPECT_EQ(page_out(&pages, gpa(519), 0, 0), NOVA_U_SUCCESS);
        EXPECT_EQ(page_row(&pages, gpa(512), FRAME_BLOCK), 2u) << "a page is out";
        EXPECT_EQ(page_share(&pages, gpa(512)), NOVA_U_SUCCESS);
        EXPECT_EQ(page_row(&pages, gpa(512), FRAME_BLOCK), 0u) << "the first page has no frame";
        ASSERT_TRUE(page_fill(&pages, at(0)));
        EXPECT_EQ(page_row(&pages, gpa(0), 4), 0u) << "the next page has no frame";
}

TEST_F(pages_test, a_page_goes_out_encrypted_and_comes_back)
{
        fill(5, 0x11);
        EXPECT_EQ(page_out(&pages, gpa(5), 7, 0), NOVA_U_SUCCESS);
        EXPECT_EQ(unmapped[gpa(5)], 1u << PAGE_SECURE_PLACE);
        EXPECT_EQ(at(5)->state, PAGE_OUT);
        EXPECT_NE(normal_page(7)[0], 0x11);
        EXPECT_EQ(page_out(&pages, gpa(5), 7, 0), NOVA_U_P3) << "it is out already";
        EXPECT_EQ(page_in(&pages, gpa(5), 7, 0), NOVA_U_SUCCESS);
        EXPECT_EQ(frame_of(5)[page_bytes - 1], 0x11);
        EXPECT_EQ(page_in(&pages, gpa(5), 7, 0), NOVA_U_P3) << "it is in already";
}

TEST_F(pages_test, any_other_ciphertext_is_refused)
{
        fill(5, 0x11);
        ASSERT_EQ(page_out(&pages, gpa(5), 1, 0), NOVA_U_SUCCESS);
        const std::string old(reinterpret_cast<char *>(normal_page(1)), page_bytes);

        normal_page(1)[4000] ^= 1;
        EXPECT_EQ(page_in(&pages, gpa(5), 1, 0), NOVA_U_PERMISSION) << "a changed bit";
        EXPECT_EQ(at(5)->state, PAGE_OUT);
        normal_page(1)[4000] ^= 1;
        ASSERT_EQ(page_in(&pages, gpa(5), 1, 0), NOVA_U_SUCCESS);
        memset(frame_of(5), 0x22, page_bytes);
        ASSERT_EQ(page_out(&pages, gpa(5), 1, 0), NOVA_U_SUCCESS);
        memcpy(normal_page(1), old.data(), page_bytes);
        EXPECT_EQ(page_in(&pages, gpa(5), 1, 0), NOVA_U_PERMISSION) << "an older version";
        fill(6, 0x22);
        ASSERT_EQ(page_out(&pages, gpa(6), 2, 0), NOVA_U_SUCCESS);
        EXPECT_EQ(page_in(&pages, gpa(5), 2, 0), NOVA_U_PERMISSION) << "another page's";
        EXPECT_EQ(page_in(&pages, gpa(6), 2, 0), NOVA_U_SUCCESS);
        EXPECT_EQ(frames.count - frames.free, 1u) << "a refused page takes no frame";
}

TEST_F(pages_test, a_snapshot_has_the_same_ciphertext_until_the_page_changes)
{
        fill(5, 0x11);
        ASSERT_EQ(page_out(&pages, gpa(5), 1, NOVA_UV_SNAPSHOT), NOVA_U_SUCCESS);
        EXPECT_EQ(at(5)->state, PAGE_SECURE);
        EXPECT_TRUE(at(5)->snapshot);
        ASSERT_EQ(page_out(&pages, gpa(5), 2, NOVA_UV_SNAPSHOT), NOVA_U_SUCCESS);
        EXPECT_EQ(memcmp(normal_page(1), normal_page(2), page_bytes), 0);
        at(5)->snapshot = false; /* as after a write */
        frame_of(5)[0] = 0x12;
        ASSERT_EQ(page_out(&pages, gpa(5), 2, NOVA_UV_SNAPSHOT), NOVA_U_SUCCESS);
        EXPECT_NE(memcmp(normal_page(1), normal_page(2), page_bytes), 0);
        ASSERT_EQ(page_out(&pages, gpa(5), 3, 0), NOVA_U_SUCCESS);
        EXPECT_EQ(page_in(&pages, gpa(5), 2, 0), NOVA_U_SUCCESS) << "the snapshot is current";
}

TEST_F(pages_test, a_page_in_use_cannot_move)
{
        fill(5, 0x11);
        at(5)->pins = 1;
        EXPECT_EQ(page_out(&pages, gpa(5), 1, 0), NOVA_U_BUSY);
        EXPECT_EQ(page_share(&pages, gpa(5)), NOVA_U_BUSY);
        fill(4, 0x10);
        EXPECT_FALSE(remove(3));
        EXPECT_EQ(frame_of(4)[0], 0x10) << "a slot that cannot be removed loses nothing";
        ASSERT_EQ(page_unshare(&pages, gpa(4)), NOVA_U_SUCCESS);
        EXPECT_EQ(victim(), UINT64_MAX);
        at(5)->pins = 0;
        in_flight = true;
        EXPECT_EQ(page_out(&pages, gpa(5), 1, 0), NOVA_U_BUSY);
        EXPECT_EQ(page_share(&pages, gpa(5)), NOVA_U_BUSY);
        EXPECT_EQ(frame_of(5)[0], 0x11);
        in_flight = false;
        EXPECT_EQ(victim(), gpa(5));
        EXPECT_EQ(page_out(&pages, gpa(5), 1, 0), NOVA_U_SUCCESS);
}

TEST_F(pages_test, a_page_that_the_vmm_takes_away_is_a_status)
{
        fill(5, 0x11);
        revoked = 9;
        EXPECT_EQ(page_out(&pages, gpa(5), 9, 0), NOVA_U_P2);
        EXPECT_EQ(at(5)->state, PAGE_SECURE);
        EXPECT_EQ(frame_of(5)[0], 0x11) << "the content is still there";
        ASSERT_EQ(page_out(&pages, gpa(5), 8, 0), NOVA_U_SUCCESS);
        EXPECT_EQ(page_in(&pages, gpa(5), 9, 0), NOVA_U_P2);
        at(6)->asked = true;
        EXPECT_EQ(page_in(&pages, gpa(6), 9, 0), NOVA_U_P2);
        EXPECT_EQ(at(6)->normal, PAGE_NO_PAGE);
}

TEST_F(pages_test, conversion_copies_once_and_is_over)
{
        memset(normal_page(4), 0x33, page_bytes);
        pages.converting = true;
        EXPECT_EQ(page_in(&pages, gpa(5), 4, 0), NOVA_U_P3) << "the ultravisor has not asked";
        at(5)->expected = true;
        ASSERT_EQ(page_in(&pages, gpa(5), 4, NOVA_UV_WRITE_PROTECTION), NOVA_U_SUCCESS);
        memset(normal_page(4), 0x44, page_bytes);
        EXPECT_EQ(frame_of(5)[0], 0x33);
        EXPECT_TRUE(page_is_protected(at(5), PAGE_SECURE_PLACE));
        EXPECT_FALSE(page_is_protected(at(5), PAGE_SHARED_PLACE));
        EXPECT_EQ(page_in(&pages, gpa(5), 4, 0), NOVA_U_P3) << "it has been measured";
        EXPECT_EQ(page_out(&pages, gpa(5), 4, 0), NOVA_U_BUSY);
        EXPECT_FALSE(remove(3));
        pages.converting = false;
        EXPECT_EQ(page_in(&pages, gpa(5), 4, 0), NOVA_U_P3);
        EXPECT_EQ(page_in(&pages, gpa(6), 4, 0), NOVA_U_P3) << "this page has never been used";
        EXPECT_EQ(frame_of(5)[0], 0x33);
}

TEST_F(pages_test, a_page_keeps_the_flags_of_its_last_page_in_while_it_is_out)
{
        for (const unsigned flags : {0u, NOVA_UV_CACHE_INHIBITED, NOVA_UV_CACHE_ENABLED,
                                     NOVA_UV_CACHE_ENABLED | NOVA_UV_WRITE_PROTECTION}) {
                at(5)->expected = true;
                ASSERT_EQ(page_in(&pages, gpa(5), 4, flags), NOVA_U_SUCCESS);
                EXPECT_EQ(at(5)->attributes[PAGE_SECURE_PLACE], flags);
                ASSERT_EQ(page_out(&pages, gpa(5), 1, 0), NOVA_U_SUCCESS);
                EXPECT_EQ(at(5)->attributes[PAGE_SECURE_PLACE], flags);
                ASSERT_EQ(page_in(&pages, gpa(5), 1, NOVA_UV_CACHE_INHIBITED), NOVA_U_SUCCESS);
                EXPECT_EQ(at(5)->attributes[PAGE_SECURE_PLACE], NOVA_UV_CACHE_INHIBITED);
                EXPECT_EQ(at(5)->attributes[PAGE_SHARED_PLACE], 0);
                ASSERT_EQ(page_unshare(&pages, gpa(5)), NOVA_U_SUCCESS);
                EXPECT_EQ(at(5)->attributes[PAGE_SECURE_PLACE], 0) << "the content is the guest's";
        }
}

TEST_F(pages_test, a_block_with_a_protected_page_is_not_whole)
{
        ASSERT_TRUE(page_fill_block(&pages, gpa(512)));
        at(600)->attributes[PAGE_SHARED_PLACE] = NOVA_UV_WRITE_PROTECTION;
        EXPECT_TRUE(page_is_whole(&pages, gpa(512)));
        at(600)->attributes[PAGE_SECURE_PLACE] = NOVA_UV_CACHE_INHIBITED;
        EXPECT_TRUE(page_is_whole(&pages, gpa(512)));
        at(600)->attributes[PAGE_SECURE_PLACE] = NOVA_UV_WRITE_PROTECTION;
        EXPECT_FALSE(page_is_whole(&pages, gpa(512)));
}

TEST_F(pages_test, a_block_with_a_page_that_is_mapped_read_only_is_not_whole)
{
        ASSERT_TRUE(page_fill_block(&pages, gpa(512)));
        ASSERT_EQ(page_out(&pages, gpa(600), 1, NOVA_UV_SNAPSHOT), NOVA_U_SUCCESS);
        EXPECT_FALSE(page_is_whole(&pages, gpa(512))) << "the snapshot is current";
        at(600)->narrow = true;    /* as after a read */
        at(600)->snapshot = false; /* as after a write of the ultravisor */
        EXPECT_FALSE(page_is_whole(&pages, gpa(512)))
                << "a mapping of the block would not widen it";
        ASSERT_EQ(page_out(&pages, gpa(600), 1, NOVA_UV_SNAPSHOT), NOVA_U_SUCCESS);
        at(600)->snapshot = false;
        EXPECT_TRUE(page_is_whole(&pages, gpa(512))) << "it is not mapped";
}

TEST_F(pages_test, the_memory_of_a_guest_is_freed_in_parts)
{
        uint32_t before;
        unsigned parts = 1;

        for (uint64_t i = 0; i < slot_bytes / page_bytes; i++)
                fill(i, 1);
        before = frames.free;
        while (page_end(&pages)) {
                EXPECT_LE(frames.free - before, PAGE_PART) << "the lock is held for this part";
                before = frames.free;
                parts++;
        }
        EXPECT_EQ(parts, slot_bytes / page_bytes / PAGE_PART);
        EXPECT_EQ(page_total(&pages), 0u);
        EXPECT_FALSE(page_end(&pages));
}

TEST_F(pages_test, victims_come_from_all_slots)
{
        ASSERT_TRUE(add_slot(&pages, 7, start + slot_bytes, 4 * page_bytes));
        fill(3, 1);
        fill(slot_bytes / page_bytes + 1, 1);
        EXPECT_EQ(victim(), gpa(3));
        EXPECT_EQ(victim(), gpa(slot_bytes / page_bytes + 1));
        EXPECT_EQ(victim(), gpa(3));
        fill(slot_bytes / page_bytes + 3, 1);
        EXPECT_EQ(victim(), gpa(slot_bytes / page_bytes + 1));
        EXPECT_EQ(victim(), gpa(slot_bytes / page_bytes + 3)) << "the last page";
}

TEST_F(pages_test, victims_come_in_turn)
{
        for (uint64_t i : {3, 5, 9})
                fill(i, 1);
        const uint64_t first = victim(), second = victim();

        EXPECT_NE(first, second);
        EXPECT_NE(victim(), first);
        EXPECT_EQ(victim(), first);
}

TEST_F(pages_test, a_victim_that_stays_is_followed_by_one_of_the_next_slot)
{
        const uint64_t other = slot_bytes / page_bytes;

        ASSERT_TRUE(add_slot(&pages, 7, start + slot_bytes, 4 * page_bytes));
        for (const uint64_t i : {uint64_t{3}, uint64_t{5}, other, other + 1})
                fill(i, 1);
        EXPECT_EQ(page_slots(&pages), 2u);
        for (const uint64_t i : {uint64_t{3}, other, uint64_t{5}, other + 1}) {
                EXPECT_EQ(victim(), gpa(i));
                page_spare(&pages, gpa(i));
        }
        ASSERT_EQ(victim(), gpa(3)) << "again from the beginning";
        ASSERT_EQ(page_out(&pages, gpa(3), 1, 0), NOVA_U_SUCCESS);
        page_spare(&pages, gpa(3));
        EXPECT_EQ(victim(), gpa(5)) << "the page before has moved";
        page_spare(&pages, gpa(other));
        page_spare(&pages, gpa(1000000));
        EXPECT_EQ(victim(), gpa(other)) << "page 5 was the last one of its slot";
}

TEST_F(pages_test, without_a_frame_nothing_is_lost)
{
        for (uint64_t i = 0; i < 2 * FRAME_BLOCK; i++)
                ASSERT_TRUE(page_fill(&pages, at(i)));
        EXPECT_EQ(frame_take(&frames), FRAME_NONE);
        EXPECT_EQ(frame_take_block(&frames), FRAME_NONE);
        memset(frame_of(0), 0x11, page_bytes);
        ASSERT_EQ(page_out(&pages, gpa(0), 1, 0), NOVA_U_SUCCESS);
        const uint32_t frame = frame_take(&frames);

        ASSERT_NE(frame, FRAME_NONE);
        EXPECT_EQ(page_in(&pages, gpa(0), 1, 0), NOVA_U_BUSY);
        frame_give(&frames, frame);
        EXPECT_EQ(page_in(&pages, gpa(0), 1, 0), NOVA_U_SUCCESS);
        EXPECT_EQ(frame_of(0)[0], 0x11);
}

TEST_F(pages_test, a_slot_is_removed_in_parts)
{
        unsigned parts = 1;

        for (uint64_t i = 0; i < slot_bytes / page_bytes; i++)
                fill(i, 1);
        ASSERT_TRUE(page_slot_close(&pages, 3));
        for (uint32_t before = frames.free; page_slot_free(&pages, 3); before = frames.free) {
                EXPECT_LE(frames.free - before, PAGE_PART) << "the lock is held for this part";
                EXPECT_LE(unmapped.size(), parts * PAGE_PART);
                EXPECT_EQ(page_find(&pages, gpa(0)), nullptr) << "its pages are found no longer";
                EXPECT_FALSE(page_has(&pages, gpa(0), 1));
                EXPECT_FALSE(page_slot_is_free(&pages, gpa(0), page_bytes));
                EXPECT_EQ(victim(), UINT64_MAX);
                EXPECT_TRUE(shared().empty());
                parts++;
        }
        EXPECT_EQ(parts, slot_bytes / page_bytes / PAGE_PART);
        EXPECT_TRUE(page_slot_is_free(&pages, gpa(0), slot_bytes));
        EXPECT_EQ(page_total(&pages), 0u);
}

TEST_F(pages_test, a_guest_that_ends_frees_a_slot_that_is_being_removed)
{
        fill(5, 1);
        ASSERT_TRUE(page_slot_close(&pages, 3));
        ASSERT_TRUE(page_slot_free(&pages, 3));
        while (page_end(&pages))
                ;
        EXPECT_TRUE(add_slot(&pages, 3, start, slot_bytes));
        EXPECT_NE(page_find(&pages, start), nullptr);
}

TEST_F(pages_test, a_slot_counts_until_the_memory_of_its_records_is_free)
{
        ASSERT_TRUE(page_slot_close(&pages, 3));
        while (page_slot_free(&pages, 3))
                EXPECT_EQ(page_total(&pages), slot_bytes / page_bytes);
        EXPECT_EQ(page_total(&pages), 0u);
        ASSERT_TRUE(add_slot(&pages, 3, start, slot_bytes));
        while (page_end(&pages))
                EXPECT_EQ(page_total(&pages), slot_bytes / page_bytes);
        EXPECT_EQ(page_total(&pages), 0u);
}

TEST_F(pages_test, a_slot_that_is_reserved_has_its_place_and_no_pages)
{
        const uint64_t from = start + slot_bytes, bytes = 4 * page_bytes;

        page_slot_reserve(&pages, 7, from, bytes);
        EXPECT_FALSE(page_slot_free(&pages, 7)) << "an old removal of this slot continues";
        EXPECT_FALSE(page_slot_is_free(&pages, from, page_bytes));
        EXPECT_EQ(page_total(&pages), (slot_bytes + bytes) / page_bytes);
        EXPECT_EQ(page_find(&pages, from), nullptr);
        EXPECT_FALSE(page_has(&pages, from, 1));
        EXPECT_EQ(victim(), UINT64_MAX);
        EXPECT_TRUE(shared().empty());
        page_slot_open(&pages, 7, nullptr);
        EXPECT_TRUE(page_slot_is_free(&pages, from, bytes)) << "no memory was left for its records";
        EXPECT_TRUE(add_slot(&pages, 7, from, bytes) && page_find(&pages, from + bytes - 1));
}

TEST_F(pages_test, searches_are_made_in_parts)
{
        const uint64_t last = slot_bytes / page_bytes - 1;
        struct page_hand hand = {};
        unsigned parts = 0;
        uint64_t found = UINT64_MAX;

        fill(last, 1);
        for (; found == UINT64_MAX; parts++)
                found = page_victim(&pages);
        EXPECT_EQ(found, gpa(last));
        EXPECT_EQ(parts, (last + 1) / PAGE_PART);
        ASSERT_EQ(page_share(&pages, gpa(last)), NOVA_U_SUCCESS);
        for (parts = 0, found = UINT64_MAX; found == UINT64_MAX; parts++)
                ASSERT_TRUE(page_next_shared(&pages, &hand, &found));
        EXPECT_EQ(found, gpa(last));
        EXPECT_EQ(parts, (last + 1) / PAGE_PART);
}

TEST_F(pages_test, a_slot_that_vanishes_hides_no_shared_page_of_another)
{
        struct page_hand hand = {};
        uint64_t found;

        ASSERT_TRUE(add_slot(&pages, 7, start + slot_bytes, 4 * page_bytes));
        ASSERT_EQ(page_share(&pages, gpa(slot_bytes / page_bytes + 1)), NOVA_U_SUCCESS);
        ASSERT_TRUE(page_next_shared(&pages, &hand, &found));
        ASSERT_TRUE(remove(3));
        while (page_next_shared(&pages, &hand, &found) && found == UINT64_MAX)
                ;
        EXPECT_EQ(found, gpa(slot_bytes / page_bytes + 1));
}

TEST_F(pages_test, the_vms_of_a_client_share_a_number_of_frames)
{
        struct page_budget share = {.used = 0, .limit = 3};
        struct pages other = pages;

        other.slot[3] = {};
        ASSERT_TRUE(add_slot(&other, 3, start, slot_bytes));
        pages.share = other.share = &share;
        EXPECT_FALSE(page_fill_block(&pages, gpa(0))) << "a block is more than the share";
        fill(1, 1);
        fill(2, 1);
        EXPECT_EQ(page_room(&other), 1u);
        ASSERT_TRUE(page_fill(&other, page_find(&other, gpa(1))));
        EXPECT_EQ(page_room(&pages), 0u);
        EXPECT_FALSE(page_fill(&pages, at(3)));
        ASSERT_EQ(page_out(&pages, gpa(1), 1, 0), NOVA_U_SUCCESS);
        ASSERT_TRUE(page_fill(&other, page_find(&other, gpa(2))));
        EXPECT_EQ(page_in(&pages, gpa(1), 1, 0), NOVA_U_BUSY) << "the other VM has its frame";
        while (page_end(&other))
                ;
        EXPECT_EQ(share.used, 1u);
        EXPECT_EQ(page_in(&pages, gpa(1), 1, 0), NOVA_U_SUCCESS);
        share.limit = frames.count;
        EXPECT_TRUE(page_fill_block(&pages, gpa(FRAME_BLOCK)));
        EXPECT_EQ(share.used, 2 + FRAME_BLOCK);
        frames.free = 1;
        EXPECT_EQ(page_room(&pages), 1u) << "as many as are free";
        frames.free = frames.count - share.used;
}

TEST_F(pages_test, a_slot_can_be_removed)
{
        fill(5, 0x11);
        at(6)->asked = true;
        ASSERT_EQ(page_in(&pages, gpa(6), 4, 0), NOVA_U_SUCCESS);
        EXPECT_TRUE(remove(3));
        EXPECT_EQ(frames.free, frames.count);
        EXPECT_EQ(page_find(&pages, start), nullptr);
        EXPECT_EQ(unmapped.size(), 2u);
}

} // namespace
