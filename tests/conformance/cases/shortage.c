/* SPDX-License-Identifier: BSD-2-Clause */
/* A small kernel pool that is used up: no memory is lost, and statuses report the shortage. */
#include "harness.h"

#define ALL        NOVA_PERM_ALL
#define FILL_ORDER 16
#define FILL       ((word_t)1 << FILL_ORDER)

static nova_sel_t filler;

static void empty(void)
{
        EXPECT_EQ(hc_revoke(nova_crd(NOVA_CRD_OBJ, filler, FILL_ORDER, ALL), NOVA_REVOKE_SR),
                  NOVA_SUCCESS);
}

/* Fills the pool with semaphores, beginning with the number `from`. Semaphores below this number
 * exist already, and some above it may exist. Returns the number of all semaphores. */
static word_t fill(word_t from)
{
        for (word_t n = from; n < FILL; n++) {
                const word_t status = hc_create_sm(filler + n, ROOT_PD, 0);
                if (status == NOVA_OUT_OF_MEMORY)
                        return n;
                EXPECT(status == NOVA_SUCCESS || from);
        }
        empty();
        NOT_RAISED("the kernel has more memory than this case can use");
}

/* Revokes the last n of the semaphores that fill the pool. */
static void give_back(word_t room, word_t n)
{
        for (word_t i = room - n; i < room; i++)
                hc_revoke(obj(filler + i, ALL), NOVA_REVOKE_SR);
}

static word_t set_up(void)
{
        case_seconds(100);
        static nova_sel_t range;
        if (!range)
                range = sel_far(FILL_ORDER);
        filler = range;
        empty();
        fill(0); /* the first time also makes tables that stay */
        empty();
        const word_t room = fill(0);
        empty();
        return room;
}

/* Expects room for nearly as many objects as before: a few tables may stay, but if more than one
 * object in a hundred finds no room, there is a leak. */
static void expect_room(word_t room)
{
        const word_t now = fill(0);
        empty();
        EXPECT(now + room / 100 >= room);
}

CASE_ON(shortage, revoked_memory_can_be_used_again, "3.6-11", needs_small_pool)
{
        const word_t room = set_up();
        for (unsigned i = 0; i < 3; i++)
                expect_room(room);
}

CASE_ON(shortage, create_ec_fails_only_for_lack_of_memory, "3.6-11 5.3.2-04", needs_small_pool)
{
        const word_t before = set_up(), utcb = utcb_alloc();
        const nova_sel_t far = sel_far(10), near = sel_alloc(0);
        unsigned made = 0, refused = 0;
        const word_t room = fill(0); /* objects of an earlier case may only now have ended */
        EXPECT(room + before / 100 >= before);
        for (word_t n = 1; n < 400; n += 3) {
                give_back(room, n);
                const word_t status = hc_create_ec(far + n, ROOT_PD, utcb | boot_cpu, 0, 0, 0);
                EXPECT(status == NOVA_SUCCESS || status == NOVA_OUT_OF_MEMORY);
                made += status == NOVA_SUCCESS;
                refused += status != NOVA_SUCCESS;
                /* If a create failed only because memory for a selector table was missing, the
                 * UTCB's address is free again. */
                if (status != NOVA_SUCCESS)
                        EXPECT(hc_create_ec(near, ROOT_PD, utcb | boot_cpu, 0, 0, 0) !=
                               NOVA_BAD_PAR);
                hc_revoke(obj(near, ALL), NOVA_REVOKE_SR);
                hc_revoke(obj(far + n, ALL), NOVA_REVOKE_SR);
                fill(room - n);
        }
        empty();
        EXPECT(made > 0);
        EXPECT(refused > 0);
        expect_room(room);
}

/* Order of the pages below one entry of an upper table. */
#define SLOT_ORDER (NOVA_WORD_BITS == 64 ? 27 : 9)
#define SLOT_FIRST (NOVA_WORD_BITS == 64 ? 1 : 0x400)

CASE_ON(shortage, memory_without_room_for_its_tables_leaves_none_behind, "3.6-11 3.6-14",
        needs_small_pool)
{
        const word_t src = page_of(memory(0)), room = set_up();
        unsigned refused = 0;
        for (unsigned round = 0; round < 4; round++) {
                EXPECT_EQ(fill(0) + room / 100 >= room, 1);
                for (word_t n = 1; n < 120; n++) {
                        const word_t dst = (SLOT_FIRST + n) << SLOT_ORDER;
                        if (n % 8 == 1)
                                give_back(room, n * 8);
                        give_self(mem(src, 0, ALL), dst);
                        refused += !look(NOVA_CRD_MEM, dst);
                        hc_revoke(mem(src, 0, ALL), 0);
                        EXPECT_EQ(look(NOVA_CRD_MEM, dst), 0);
                        if (n % 8 == 0)
                                fill(room - n * 8);
                }
                empty();
        }
        EXPECT(refused > 0);
        expect_room(room);
}

CASE_ON(shortage, domains_that_find_no_memory_leave_nothing_behind, "3.6-11 D-04", needs_small_pool)
{
        const word_t room = set_up();
        for (word_t n = 1; n < 400; n += 7) {
                fill(0);
                give_back(room, n);
                const nova_sel_t pd = sel_alloc(0);
                const word_t status = hc_create_pd(pd, ROOT_PD, 0);
                EXPECT(status == NOVA_SUCCESS || status == NOVA_OUT_OF_MEMORY);
                hc_revoke(obj(pd, ALL), NOVA_REVOKE_SR);
                empty();
        }
        expect_room(room);
}
