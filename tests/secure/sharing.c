/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest ends the sharing of its pages. Pages that the VMM provided without a request stay. A page
 * that is private again is a safe place for a second image. */
#include <stdio.h>

#include "../runtime/tap.h"
#include "honest.h"

#define SHARED 0x300000u /* pages that the guest shares */
#define COUNT  1000u
#define VIEW   0x780000u /* pages that it accesses in the normal view only */
#define VIEWS  8u
#define MARK   0x3a3b0000u

static unsigned released;

static void note_release(struct call *call)
{
        released += call->number == NOVA_H_SVM_PAGE_IN && call->word[1] == NOVA_H_PAGE_IN_NONSHARED;
}

static volatile uint32_t *normal(uint32_t gpa)
{
        return (volatile uint32_t *)(memory.base + gpa);
}

static void open_view(void)
{
        unsigned good = 0;

        for (uint32_t i = 0; i < VIEWS; i++)
                good += guest(PROBE_WRITE, VIEW + i * PAGE, MARK + 0x100 + i) == 0 &&
                        guest(PROBE_VIEW_WRITE, VIEW + i * PAGE, MARK + i) == 0 &&
                        *normal(VIEW + i * PAGE) == MARK + i;
        check(good == VIEWS, "a guest writes to pages of the normal view, which the VMM sees");
}

static void share(void)
{
        unsigned good = 0;

        check(guest_call(NOVA_UV_SHARE_PAGE, SHARED / PAGE, COUNT) == 0,
              "it shares 1,000 pages by UV_SHARE_PAGE");
        for (uint32_t i = 0; i < COUNT; i++)
                good += guest(PROBE_WRITE, SHARED + i * PAGE, MARK + i) == 0 &&
                        *normal(SHARED + i * PAGE) == MARK + i;
        check(good == COUNT, "the VMM sees what it writes to each of them");
}

static void take_back(void)
{
        unsigned good = 0;

        honest_attack = note_release;
        check(guest_call(NOVA_UV_UNSHARE_ALL_PAGES, 0, 0) == 0 && released == COUNT,
              "UV_UNSHARE_ALL_PAGES takes back 1,000 pages, and no other");
        honest_attack = NULL;
        for (uint32_t i = 0; i < COUNT; i++)
                good += guest(PROBE_READ, SHARED + i * PAGE, 0) == 0 &&
                        guest(PROBE_WRITE, SHARED + i * PAGE, ~i) == 0 &&
                        *normal(SHARED + i * PAGE) != ~i;
        check(good == COUNT, "each of them is zero for the guest, and private");
}

static void view_stays(void)
{
        unsigned good = 0;

        for (uint32_t i = 0; i < VIEWS; i++) {
                *normal(VIEW + i * PAGE) += 0x200;
                good += guest(PROBE_VIEW_READ, VIEW + i * PAGE, 0) == MARK + 0x200 + i &&
                        guest(PROBE_READ, VIEW + i * PAGE, 0) == MARK + 0x100 + i;
        }
        check(good == VIEWS, "pages of the normal view stay as they are, at both places");
}

/* Lets the guest start its second image in pages that were shared. Their old shared places hold
 * code of the VMM, which must not run. */
static void second_image(void)
{
        unsigned found = 0;

        for (uint32_t i = 0; i < COUNT; i++)
                *normal(SHARED + i * PAGE) = 0x0b0f0b0f; /* UD2, twice */
        check(guest(PROBE_IMAGE, SHARED, 0) == PROBE_IMAGE_RUNS &&
                      guest(PROBE_IMAGE, SHARED + (COUNT - 1) * PAGE, 0) == PROBE_IMAGE_RUNS,
              "a second image runs there");
        for (uint32_t i = 0; i < COUNT; i++)
                found += *normal(SHARED + i * PAGE) != 0x0b0f0b0f;
        check(!found, "the VMM does not see it");
}

/* Returns true if a page of the VMM's memory is empty. */
static bool is_empty(uint32_t gpa)
{
        for (uint32_t i = 0; i < PAGE; i += sizeof(uint32_t))
                if (*normal(gpa + i))
                        return false;
        return true;
}

/* Shares the pages once more, a third of them from each of the states secure, out and none, while
 * the VMM's pages hold its words. */
static void share_again(void)
{
        unsigned good = 0;

        for (uint32_t i = 0; i < COUNT; i++) {
                const uint32_t at = SHARED + i * PAGE;

                guest(PROBE_WRITE, at, MARK + 0x400 + i);
                if (i % 3 == 1)
                        good += nova_uv_page_out(&uv, at, at, 0, NOVA_UV_ORDER_PAGE) == 0;
                else if (i % 3 == 2)
                        good += guest_call(NOVA_UV_UNSHARE_PAGE, at / PAGE, 1) == 0;
                *normal(at) = MARK + 0x500 + i;
        }
        check(good == COUNT / 3 * 2 && guest_call(NOVA_UV_SHARE_PAGE, SHARED / PAGE, COUNT) == 0,
              "it shares the pages again: secure ones, some that are out, and some without "
              "content");
        good = 0;
        for (uint32_t i = 0; i < COUNT; i++)
                good += guest(PROBE_READ, SHARED + i * PAGE, 0) == 0 && is_empty(SHARED + i * PAGE);
        check(good == COUNT, "the guest and the VMM find zeroes in each of them");
}

int main(void)
{
        if (!honest_start(3))
                return 1;
        check(honest_become_secure() == NOVA_U_SUCCESS, "a guest becomes secure");
        open_view();
        share();
        take_back();
        view_stays();
        second_image();
        share_again();
        return tap_end();
}
