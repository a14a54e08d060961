/* SPDX-License-Identifier: BSD-2-Clause */
/* A VMM that refuses the end of UV_ESM, names normal pages that are not its own, names one normal
 * page for two pages of its guest, takes a page away while it is copied, makes UV_RETURN itself,
 * and makes each ultracall for a VM that is dead. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../runtime/tap.h"
#include "repeat.h"
#include "second.h"

#define SAFE    0x600000u /* page of the normal memory that stays */
#define OTHER   0x700000u /* pages of another session */
#define TAKEN   0x610000u /* first of the pages that the VMM takes away */
#define PAGES   128u
#define VALUE   0x5ec2e7a1u
#define LPID    9u
#define ORDER   NOVA_UV_ORDER_PAGE
#define VECTORS 3u

static unsigned accesses;        /* accesses of the guest to its ports */
static bool done;                /* the VMM has refused H_SVM_INIT_DONE */
static unsigned tried, refused;  /* ultracalls of an attack */
static enum nova_u_status right; /* status of the call after these ultracalls */

/* Ends the guest, and lets an honest VM run. */
static void end(void)
{
        check(honest_next_runs(), "and the next VM runs");
}

static void refuse_done(struct call *call)
{
        accesses += call->number == NOVA_H_PORT;
        if (call->number != NOVA_H_SVM_INIT_DONE)
                return;
        done = true;
        call->words = 2;
        call->status = (nova_word_t)NOVA_H_UNSUPPORTED;
}

static void refusal(void)
{
        honest_attack = refuse_done;
        check(honest_become_secure() == NOVA_U_FUNCTION && done && honest_ends(WAITS) && !accesses,
              "a VMM that refuses the end of UV_ESM sees no access of the guest");
        end();
}

static void count(enum nova_u_status status, enum nova_u_status expected)
{
        tried++;
        refused += status == expected;
}

/* Returns offset number @p i outside the normal memory: the size of this memory times a power of 2,
 * its negative, or one of these two plus the offset of a page of the normal memory. */
static uint64_t foreign(unsigned i)
{
        const uint64_t power = (uint64_t)MEMORY << i / 4 % 40;

        return (i & 1 ? -power : power) + (i & 2 ? SAFE : 0);
}

#define FOREIGN 160u

/* Provides pages of other programs as a page of the kernel, then the right one. */
static void provide_foreign(struct call *call)
{
        if (call->number != NOVA_H_SVM_PAGE_IN || call->word[0] != KERNEL)
                return;
        for (unsigned i = 0; i < FOREIGN; i++)
                count(nova_uv_page_in(&uv, foreign(i), KERNEL, 0, call->word[2]), NOVA_U_P2);
        right = nova_uv_page_in(&uv, KERNEL, KERNEL, 0, call->word[2]);
        call->words = 2;
        call->status = (nova_word_t)right;
}

static void foreign_pages(void)
{
        tried = refused = 0;
        honest_attack = provide_foreign;
        check(honest_become_secure() == NOVA_U_SUCCESS && right == NOVA_U_SUCCESS &&
                      tried >= FOREIGN && refused == tried,
              "a VMM that provides pages which are not its own gets U_P2 in UV_ESM");
        guest(PROBE_WRITE, FRESH, VALUE);
        tried = refused = 0;
        for (unsigned i = 0; i < FOREIGN; i++)
                count(nova_uv_page_out(&uv, foreign(i), FRESH, 0, ORDER), NOVA_U_P2);
        check(refused == FOREIGN && guest(PROBE_READ, FRESH, 0) == VALUE,
              "no page moves out to a page that is not the VMM's");
        nova_uv_page_out(&uv, SAFE, FRESH, 0, ORDER);
        for (unsigned i = 0; i < FOREIGN; i++)
                count(nova_uv_page_in(&uv, foreign(i), FRESH, 0, ORDER), NOVA_U_P2);
        check(refused == 2 * FOREIGN &&
                      nova_uv_page_in(&uv, SAFE, FRESH, 0, ORDER) == NOVA_U_SUCCESS &&
                      guest(PROBE_READ, FRESH, 0) == VALUE,
              "none comes back from there");
        end();
}

/* Provides the first page of the kernel as the second one, too. */
static void repeat_kernel(struct call *call)
{
        if (call->number != NOVA_H_SVM_PAGE_IN || call->word[0] != KERNEL + PAGE)
                return;
        right = nova_uv_page_in(&uv, KERNEL, KERNEL + PAGE, 0, call->word[2]);
        call->words = 2;
        call->status = (nova_word_t)right;
}

/* Provides one normal page for each page that the guest shares. */
static void provide_one(struct call *call)
{
        if (call->number != NOVA_H_SVM_PAGE_IN || call->word[1] != NOVA_H_PAGE_IN_SHARED)
                return;
        tried++;
        call->words = 2;
        call->status = (nova_word_t)nova_uv_page_in(&uv, SAFE, call->word[0], 0, call->word[2]);
}

static bool finds(uint32_t word)
{
        for (uint32_t at = 0; at < MEMORY; at += sizeof(word))
                if (!memcmp(memory.base + at, &word, sizeof(word)))
                        return true;
        return false;
}

/* Provides one normal page for two shared pages. The guest has shared both, so it harms only
 * itself. */
static void share_one(void)
{
        const uint32_t first = FRESH, second = FRESH + PAGE;

        tried = 0;
        check(guest_call(NOVA_UV_SHARE_PAGE, first / PAGE, 2) == 0 &&
                      guest(PROBE_READ, first, 0) == 0 && guest(PROBE_READ, second, 0) == 0 &&
                      guest(PROBE_WRITE, first, 5) == 0 && guest(PROBE_READ, second, 0) == 5 &&
                      tried == 2,
              "a VMM names one normal page for two shared pages: both show its content");
        check(guest_call(NOVA_UV_UNSHARE_PAGE, first / PAGE, 1) == 0 &&
                      guest(PROBE_READ, first, 0) == 0 && guest(PROBE_WRITE, first, VALUE) == 0 &&
                      guest(PROBE_READ, second, 0) == 5 && guest(PROBE_READ, first, 0) == VALUE &&
                      !finds(VALUE),
              "one of them becomes private, and the other one stays as it is");
        check(nova_uv_page_out(&uv, SAFE, first, 0, ORDER) == NOVA_U_SUCCESS &&
                      guest(PROBE_WRITE, second, 6) == 0 &&
                      nova_uv_page_in(&uv, SAFE, first, 0, ORDER) == NOVA_U_PERMISSION &&
                      !finds(VALUE),
              "a page that moves out to the shared one, which its guest changes, does not come "
              "back");
}

static void one_page(void)
{
        right = NOVA_U_INVALID;
        honest_attack = repeat_kernel;
        check(honest_become_secure() == NOVA_U_PERMISSION && right == NOVA_U_SUCCESS,
              "a VMM that names one normal page for two pages of the kernel keeps a normal VM");
        end();
        honest_attack = provide_one;
        if (honest_become_secure() == NOVA_U_SUCCESS)
                share_one();
        end();
}

static unsigned turn, taken; /* numbers of pages: to be taken away, and taken away; atomic */

/* Takes pages away from the ultravisor, after delays of different lengths. */
static void *take_away(void *unused)
{
        (void)unused;
        for (unsigned i = 0; i < PAGES; i++) {
                const void *const page = memory.base + TAKEN + i * PAGE;

                while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) <= i)
                        __asm__ volatile("pause");
                for (volatile unsigned wait = 0; wait < i % 32 * 1024; wait++)
                        ;
                nova_revoke(nova_crd_mem((nova_word_t)page >> NOVA_PAGE_BITS, 0, NOVA_MEM_RWX), 0);
                __atomic_store_n(&taken, i + 1, __ATOMIC_RELEASE);
        }
        return NULL;
}

/* Moves the guest's page out to a page of the normal memory, or in from there, while another thread
 * takes that page away. In two of four rounds, waits first until the normal page is gone. The
 * guest's page can still come in from SAFE. */
static enum nova_u_status move(unsigned i)
{
        const uint32_t at = TAKEN + i * PAGE;
        const bool out = i % 2;
        enum nova_u_status status;

        if (!out)
                nova_uv_page_out(&uv, SAFE, FRESH, 0, ORDER);
        memcpy(memory.base + at, memory.base + SAFE, PAGE);
        __atomic_store_n(&turn, i + 1, __ATOMIC_RELEASE);
        while (i % 4 < 2 && __atomic_load_n(&taken, __ATOMIC_ACQUIRE) <= i)
                __asm__ volatile("pause");
        status = out ? nova_uv_page_out(&uv, at, FRESH, NOVA_UV_SNAPSHOT, ORDER)
                     : nova_uv_page_in(&uv, at, FRESH, 0, ORDER);
        if (!out && status)
                nova_uv_page_in(&uv, SAFE, FRESH, 0, ORDER);
        while (__atomic_load_n(&taken, __ATOMIC_ACQUIRE) <= i)
                __asm__ volatile("pause");
        return status;
}

static void vanishing_pages(void)
{
        const struct nova_thread_attr attr = {.name = "take", .cpu = SECOND};
        unsigned good = 0, gone = 0, right_values = 0;
        struct nova_thread *thread = NULL;

        check(honest_become_secure() == NOVA_U_SUCCESS && guest(PROBE_WRITE, FRESH, VALUE) == 0 &&
                      nova_thread_create(&thread, &attr, take_away, NULL) == 0,
              "a VMM takes pages away while they are copied");
        for (unsigned i = 0; thread && i < PAGES; i++) {
                const enum nova_u_status status = move(i);

                good += status == NOVA_U_SUCCESS;
                gone += status == NOVA_U_P2;
                right_values += guest(PROBE_READ, FRESH, 0) == VALUE;
        }
        if (thread)
                nova_thread_join(thread, NULL);
        printf("%u pages were copied, and %u were gone.\n", good, gone);
        check(good + gone == PAGES && gone >= PAGES / 2, "it gets U_P2 for a page that is gone");
        check(right_values == PAGES, "its guest has the right content in each round");
        end();
}

/* Makes UV_RETURN twice for each virtual CPU, and for one that does not exist. */
static void return_all(void)
{
        for (unsigned i = 0; i < 3 * VECTORS; i++) {
                count(nova_uv_call(&uv, NOVA_UV_RETURN, i / VECTORS, i % VECTORS, 0, 0),
                      NOVA_U_INVALID);
                count(nova_uv_return(&uv), NOVA_U_INVALID);
        }
}

static void *return_elsewhere(void *unused)
{
        (void)unused;
        return_all();
        return NULL;
}

/* Makes the ultracall UV_RETURN before the answer, which is the real return. */
static void return_early(struct call *call)
{
        if (call->number == NOVA_H_PORT)
                return_all();
}

static void returns(void)
{
        const struct nova_thread_attr attr = {.name = "return", .cpu = SECOND};
        struct nova_thread *thread = NULL;
        uint32_t before;

        tried = refused = 0;
        check(honest_become_secure() == NOVA_U_SUCCESS && guest(PROBE_WRITE, FRESH, VALUE) == 0,
              "a guest waits for the answer to an exit");
        while (!__atomic_load_n(&drive_waits, __ATOMIC_SEQ_CST))
                nova_sleep(WAIT_NS);
        before = drive_result;
        return_all();
        if (!nova_thread_create(&thread, &attr, return_elsewhere, NULL))
                nova_thread_join(thread, NULL);
        check(tried == 12 * VECTORS && refused == tried,
              "UV_RETURN of two other threads is U_INVALID, for each virtual CPU and twice");
        check(drive_result == before && __atomic_load_n(&drive_waits, __ATOMIC_SEQ_CST) &&
                      nova_uv_is_secure(&uv),
              "the exit stays open");
        honest_attack = return_early;
        check(guest(PROBE_READ, FRESH, 0) == VALUE && refused == tried,
              "UV_RETURN of the thread that answers is U_INVALID, and its answer counts");
        end();
}

/* Makes each ultracall from number @p first of the table on.
 * @return true if each returns the expected status */
static bool call_all(const struct nova_uv *vm, unsigned first, const enum nova_u_status expected[])
{
        bool good = true;

        for (unsigned i = first; i < REPEAT_ROWS; i++) {
                const struct repeat_row *const row = &repeat_row[i];
                const enum nova_u_status status =
                        nova_uv_call(vm, row->number, row->value[0], row->value[1], row->value[2],
                                     row->value[3]);

                if (status != expected[i])
                        printf("UV_%s: status %d, not %d.\n", row->name, status, expected[i]);
                good &= status == expected[i];
        }
        return good;
}

/* Expected statuses, in the order of NOVA_UV_CALL_ROWS. */
static const enum nova_u_status of_ended[] = {NOVA_U_PERMISSION, NOVA_U_INVALID, NOVA_U_INVALID,
                                              NOVA_U_SUCCESS,    NOVA_U_SUCCESS, NOVA_U_P3,
                                              NOVA_U_SUCCESS,    NOVA_U_INVALID, NOVA_U_INVALID,
                                              NOVA_U_P2,         NOVA_U_SUCCESS, NOVA_U_INVALID};
static const enum nova_u_status of_terminated[] = {
        NOVA_U_SUCCESS,   NOVA_U_INVALID,   NOVA_U_INVALID,   NOVA_U_PARAMETER,
        NOVA_U_PARAMETER, NOVA_U_PARAMETER, NOVA_U_PARAMETER, NOVA_U_INVALID,
        NOVA_U_INVALID,   NOVA_U_PARAMETER, NOVA_U_INVALID,   NOVA_U_INVALID};
static const enum nova_u_status of_closed[] = {NOVA_U_SUCCESS,   NOVA_U_INVALID,   NOVA_U_INVALID,
                                               NOVA_U_PARAMETER, NOVA_U_PARAMETER, NOVA_U_PARAMETER,
                                               NOVA_U_PARAMETER, NOVA_U_INVALID,   NOVA_U_INVALID,
                                               NOVA_U_PARAMETER, NOVA_U_PARAMETER, NOVA_U_INVALID};

/* Makes ultracalls for a guest that has ended by itself, before and after its VMM ends it. */
static void dead(void)
{
        check(honest_become_secure() == NOVA_U_SUCCESS && guest(PROBE_WRITE, FRESH, VALUE) == 0 &&
                      guest_call(NOVA_UV_SHARE_PAGE, FRESH / PAGE + 1, 1) == 0,
              "a guest shares a page");
        drive_begin(PROBE_IMAGE, FRESH + PAGE, 0);
        check(honest_ends(WAITS) && nova_uv_esm(&uv, BLOB, PARAMS) == NOVA_U_BUSY &&
                      nova_uv_start(&uv, 0, 8) == EPERM && nova_uv_reset(&uv, 0) == EPERM &&
                      nova_uv_kick(&uv, 0) == 0,
              "it ends when it jumps there");
        check(call_all(&uv, 0, of_ended), "each ultracall for it has a status");
        check(!finds(VALUE), "its memory has left nothing of it");
        honest_load();
        check(call_all(&uv, 0, of_terminated) && nova_uv_kick(&uv, 0) == EINVAL &&
                      nova_uv_start(&uv, 0, 8) == EINVAL && nova_uv_reset(&uv, 0) == EINVAL,
              "each ultracall for a VM that has been ended has a status");
        end();
}

/* Makes ultracalls for a VM of a closed session, in a new session and in the VMM's other
 * session. */
static void closed(void)
{
        struct nova_uv other = {.lpid = LPID};
        const struct nova_uv same = {uv.session, LPID};
        bool opened = !nova_session_open_trusting(&other.session, "ultravisor", NULL) &&
                      !nova_session_share(other.session, memory.base + OTHER, PAGES) &&
                      !nova_uv_write_pate(&other, 0, PAGE) &&
                      nova_uv_page_inval(&other, 0, ORDER) == NOVA_U_PARAMETER;

        nova_session_close(other.session);
        opened = opened && !nova_session_open_trusting(&other.session, "ultravisor", NULL);
        check(opened && call_all(&other, 1, of_closed) && call_all(&same, 1, of_closed),
              "each ultracall for a VM of a closed session has a status");
        nova_session_close(other.session);
        end();
}

/* Attaches a virtual CPU with a portal whose handler is on another CPU. */
static void wrong_portal(void)
{
        check(!nova_uv_attach(&uv, SECOND, SECOND, portal) &&
                      honest_become_secure() == NOVA_U_SUCCESS,
              "a VMM has one portal for two virtual CPUs on two CPUs");
        second_write("\xe5\xe0\xf4", 3); /* in $PROBE_COMMAND, %ax; hlt */
        second_send(SECOND, INIT);
        second_send(SECOND, STARTUP | VECTOR);
        nova_uv_start(&uv, SECOND, VECTOR);
        check(honest_ends(WAITS),
              "the guest ends when the portal of another virtual CPU is to answer");
        end();
}

/* Gives each page that the test takes away a separate mapping. */
static bool separate(void)
{
        for (unsigned i = 0; i < PAGES; i++)
                honest_separate(TAKEN + i * PAGE, 0);
        honest_separate(OTHER, 7);
        return true;
}

int main(void)
{
        honest_prepare = separate;
        if (!honest_start_on(3, 0))
                return 1;
        refusal();
        foreign_pages();
        one_page();
        returns();
        dead();
        closed();
        wrong_portal();
        vanishing_pages();
        return tap_end();
}
