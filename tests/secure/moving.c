/* SPDX-License-Identifier: BSD-2-Clause */
/* A VMM whose thread on another CPU takes a page away, narrows it, puts another frame in its place,
 * shares it with another session or writes to it, while UV_PAGE_OUT or UV_PAGE_IN uses the page. */
#include <stdio.h>
#include <string.h>

#include "../runtime/tap.h"
#include "novart/page.h"
#include "second.h"

#define SAFE   0x600000u /* pages of the normal memory that stay */
#define PLACE  0x601000u
#define TAKEN  0x610000u /* first of the pages that the thread changes, a page for each round */
#define SECRET 0x500000u /* pages of the guest */
#define SHARED 0x501000u
#define ORDER  NOVA_UV_ORDER_PAGE
#define VALUE  0x5ec2e7a1u
#define FILL   0x3c
#define WAYS   12u /* different delays of the thread; in the last two it is done before the call */
#define PAUSE  1024u

#define RIGHTS(page, rights) nova_crd_mem((nova_word_t)(page) >> NOVA_PAGE_BITS, 0, rights)

enum act { TAKE, NARROW, REPLACE, DELEGATE, WRITE, ACTS };
enum kind { OUT, RETURN, SHARE, KINDS };

#define ROUNDS ((unsigned)KINDS * ACTS * WAYS)

static struct nova_session *other;
static unsigned turn, seen, done; /* rounds: begun; begun and ended by the thread; atomic */
static uint8_t *frame[ROUNDS];
static bool good[ROUNDS];                 /* the thread's act was possible */
static enum nova_u_status status[ROUNDS]; /* status of the call in each round */
static bool asked;                        /* the guest has asked for the shared page */

static unsigned way_of(unsigned round)
{
        return round / KINDS / ACTS;
}

static enum act act_of(unsigned round)
{
        return (enum act)(round / KINDS % ACTS);
}

static enum kind kind_of(unsigned round)
{
        return (enum kind)(round % KINDS);
}

static uint8_t *page_of(unsigned round)
{
        return memory.base + TAKEN + round * PAGE;
}

/* Puts another frame at the address of a page. The revocation also takes the old frame from the
 * ultravisor. */
static bool replace(unsigned round)
{
        frame[round] = nova_page_alloc(0);
        if (!frame[round])
                return false;
        memset(frame[round], FILL, PAGE);
        nova_revoke(RIGHTS(page_of(round), NOVA_MEM_RWX), NOVA_REVOKE_SR);
        return !nova_guest_memory_map(frame[round], page_of(round), 0);
}

static bool act(unsigned round)
{
        uint8_t *const page = page_of(round);

        switch (act_of(round)) {
        case TAKE:
                nova_revoke(RIGHTS(page, NOVA_MEM_RWX), 0);
                return true;
        case NARROW:
                nova_revoke(RIGHTS(page, NOVA_MEM_W), 0);
                return true;
        case REPLACE:
                return replace(round);
        case DELEGATE:
                return !nova_session_share(other, page, 1);
        default:
                for (uint32_t i = 0; i < PAGE; i++)
                        page[i] = FILL;
                return true;
        }
}

static void *change_pages(void *unused)
{
        (void)unused;
        for (unsigned i = 0; i < ROUNDS; i++) {
                while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) <= i)
                        __asm__ volatile("pause");
                __atomic_store_n(&seen, i + 1, __ATOMIC_RELEASE);
                for (volatile unsigned wait = 0; wait < way_of(i) * way_of(i) * PAUSE; wait++)
                        ;
                good[i] = act(i);
                __atomic_store_n(&done, i + 1, __ATOMIC_RELEASE);
        }
        return NULL;
}

static void wait_until(const unsigned *number, unsigned round)
{
        while (__atomic_load_n(number, __ATOMIC_ACQUIRE) <= round)
                __asm__ volatile("pause");
}

static void wait_for(unsigned round)
{
        wait_until(&done, round);
}

/* Lets the thread begin. In every second way, waits until the thread runs, so that sometimes the
 * thread and sometimes the call is first. In the last two ways, waits until the thread is done. */
static void start(unsigned round)
{
        __atomic_store_n(&turn, round + 1, __ATOMIC_RELEASE);
        if (way_of(round) % 2)
                wait_until(&seen, round);
        if (way_of(round) >= WAYS - 2)
                wait_for(round);
}

/* Provides the page of the round when the guest asks for its shared page. Takes it back when the
 * thread is done, and provides a page that stays when the guest asks again. */
static void provide(struct call *call)
{
        const unsigned round = __atomic_load_n(&done, __ATOMIC_ACQUIRE);

        if (call->number != NOVA_H_SVM_PAGE_IN || call->word[0] != SHARED ||
            call->word[1] != NOVA_H_PAGE_IN_SHARED)
                return;
        call->words = 2;
        if (asked) {
                call->status = (nova_word_t)nova_uv_page_in(&uv, PLACE, SHARED, 0, ORDER);
                return;
        }
        asked = true;
        start(round);
        status[round] = nova_uv_page_in(&uv, TAKEN + round * PAGE, SHARED, 0, ORDER);
        wait_for(round);
        if (!status[round])
                nova_uv_page_inval(&uv, SHARED, ORDER);
}

/* Lets the guest read a page that it shares. @return false: it read something other than zeroes */
static bool share(void)
{
        bool right = guest_call(NOVA_UV_SHARE_PAGE, SHARED / PAGE, 1) == 0;

        asked = false;
        right = right && guest(PROBE_READ, SHARED, 0) == 0 && asked;
        return guest_call(NOVA_UV_UNSHARE_PAGE, SHARED / PAGE, 1) == 0 && right;
}

static void leave(unsigned round)
{
        start(round);
        status[round] =
                nova_uv_page_out(&uv, TAKEN + round * PAGE, SECRET, NOVA_UV_SNAPSHOT, ORDER);
        wait_for(round);
}

/* Lets the guest's page return from the page of the round, or else from the one that stays. */
static bool come_back(unsigned round)
{
        if (nova_uv_page_out(&uv, SAFE, SECRET, 0, ORDER))
                return false;
        memcpy(page_of(round), memory.base + SAFE, PAGE);
        start(round);
        status[round] = nova_uv_page_in(&uv, TAKEN + round * PAGE, SECRET, 0, ORDER);
        wait_for(round);
        return !status[round] || !nova_uv_page_in(&uv, SAFE, SECRET, 0, ORDER);
}

/* Returns true if the guest is right after a round. */
static bool play(unsigned round)
{
        bool right = true;

        if (kind_of(round) == SHARE)
                right = share();
        else if (kind_of(round) == RETURN)
                right = come_back(round);
        else
                leave(round);
        return right && guest(PROBE_READ, SECRET, 0) == VALUE;
}

/* Returns true if the call may have this status. A page that has lost a right cannot be written, a
 * page that is gone cannot be used, and only a page that was written to has a wrong tag. */
static bool is_expected(unsigned round)
{
        const enum act how = act_of(round);
        const bool late = way_of(round) >= WAYS - 2, returns = kind_of(round) == RETURN;

        if (how == DELEGATE || (how == NARROW && returns))
                return status[round] == NOVA_U_SUCCESS;
        if (how == WRITE) {
                const enum nova_u_status refused = returns ? NOVA_U_PERMISSION : NOVA_U_SUCCESS;

                return status[round] == refused || (!late && status[round] == NOVA_U_SUCCESS);
        }
        return status[round] == NOVA_U_P2 || (!late && status[round] == NOVA_U_SUCCESS);
}

/* Returns true if no byte of a frame that the ultravisor never had has changed. */
static bool is_untouched(unsigned round)
{
        for (uint32_t i = 0; i < PAGE; i++)
                if (frame[round][i] != FILL)
                        return false;
        return true;
}

/* Checks that all rounds of an act had the right result. */
static void judge(enum act how, unsigned right[ROUNDS], const char *name)
{
        unsigned rounds = 0, passed = 0, before = 0;

        for (unsigned i = 0; i < ROUNDS; i++) {
                bool fine;

                if (act_of(i) != how)
                        continue;
                fine = right[i] && good[i] && is_expected(i) && (!frame[i] || is_untouched(i));
                if (!fine)
                        printf("Round %u: kind %u, status %d, guest %u, thread %u.\n", i,
                               (unsigned)kind_of(i), status[i], right[i], (unsigned)good[i]);
                rounds++;
                passed += fine;
                before += status[i] == NOVA_U_SUCCESS;
        }
        printf("%u of %u calls succeeded.\n", before, rounds);
        check(passed == rounds, name);
}

static void moves(void)
{
        const struct nova_thread_attr attr = {.name = "change", .cpu = SECOND};
        static unsigned right[ROUNDS];
        struct nova_thread *thread = NULL;

        check(honest_become_secure() == NOVA_U_SUCCESS && guest(PROBE_WRITE, SECRET, VALUE) == 0 &&
                      nova_thread_create(&thread, &attr, change_pages, NULL) == 0,
              "a thread on another CPU changes the pages that ultracalls use");
        honest_attack = provide;
        for (unsigned i = 0; thread && i < ROUNDS; i++)
                right[i] = play(i);
        if (thread)
                nova_thread_join(thread, NULL);
        judge(TAKE, right, "a page is revoked meanwhile: it was copied, or the call is U_P2");
        judge(NARROW, right, "a page becomes read-only: it can be read, and a write is U_P2");
        judge(REPLACE, right, "another frame takes its place: the ultravisor does not touch it");
        judge(DELEGATE, right, "the page is delegated to another session: nothing changes");
        judge(WRITE, right, "the page is written to: it was copied before, or its tag is wrong");
        check(honest_next_runs(), "and the next VM runs");
}

/* Takes a shared page that the guest uses, and does not give it back. */
static void taken_forever(void)
{
        honest_attack = NULL;
        check(honest_become_secure() == NOVA_U_SUCCESS &&
                      guest_call(NOVA_UV_SHARE_PAGE, PLACE / PAGE, 1) == 0 &&
                      guest(PROBE_WRITE, PLACE, VALUE) == 0 &&
                      *(volatile uint32_t *)(memory.base + PLACE) == VALUE,
              "a guest uses a page that it shares");
        nova_revoke(RIGHTS(memory.base + PLACE, NOVA_MEM_RWX), 0);
        drive_begin(PROBE_READ, PLACE, 0);
        check(honest_ends(WAITS), "it ends when it reads the page that its VMM has revoked");
        check(honest_next_runs(), "and the next VM runs");
}

/* Gives each page that the thread changes a separate mapping. */
static bool separate(void)
{
        for (unsigned i = 0; i < ROUNDS; i++)
                honest_separate(TAKEN + i * PAGE, 0);
        honest_separate(PLACE, 0);
        return true;
}

int main(void)
{
        honest_prepare = separate;
        if (!honest_start_on(3, 0) || nova_session_open_trusting(&other, "ultravisor", NULL))
                return 1;
        moves();
        taken_forever();
        return tap_end();
}
