/* SPDX-License-Identifier: BSD-2-Clause */
/* A VMM whose normal memory has pages of a device, which it also maps elsewhere: a page of the
 * image, the place of a page that is out, and a shared page. */
#include <stdio.h>
#include <string.h>

#include "novart/parent.h"
#include "novart/region.h"

#include "../runtime/tap.h"
#include "honest.h"

#define PART   (KERNEL + PAGE) /* a page of the image */
#define PLACE  0x600000u       /* place of a page that is out */
#define SHARED 0x510000u
#define FRESH  0x500000u /* a secure page */
#define MARK   0x5ec2e7a1u
#define ORDER  NOVA_UV_ORDER_PAGE

/* Pages of the device, by their number. */
static const uint32_t place[] = {PART, PLACE, SHARED};

#define PAGES (sizeof(place) / sizeof(place[0]))

static uint8_t *device;
static size_t device_bytes;

static uint8_t *page_of(uint32_t offset)
{
        unsigned i = 0;

        while (place[i] != offset)
                i++;
        return device + (size_t)i * PAGE;
}

/* Puts the device's pages into the normal memory. */
static bool use_device(void)
{
        void *found;

        if (nova_parent_memory("frame-buffer", 0, &found, &device_bytes))
                return false;
        device = found;
        for (unsigned i = 0; i < PAGES; i++) {
                const nova_word_t at = (nova_word_t)(memory.base + place[i]) >> NOVA_PAGE_BITS;

                nova_revoke(nova_crd_mem(at, 0, NOVA_MEM_RWX), NOVA_REVOKE_SR);
                if (nova_self_map((nova_word_t)page_of(place[i]) >> NOVA_PAGE_BITS, at, 0,
                                  NOVA_MEM_R | NOVA_MEM_W))
                        return false;
        }
        return true;
}

/* Returns true if the device's memory has a word. */
static bool finds(uint32_t word)
{
        for (size_t at = 0; at + sizeof(word) <= device_bytes; at += sizeof(word))
                if (!memcmp(device + at, &word, sizeof(word)))
                        return true;
        return false;
}

static bool shows(uint32_t offset, uint32_t word)
{
        return !memcmp(page_of(offset), &word, sizeof(word));
}

static enum nova_u_status move_in(void)
{
        return nova_uv_page_in(&uv, PLACE, FRESH, 0, ORDER);
}

static void conversion(void)
{
        memset(device, 0x77, PAGES * PAGE);
        check(shows(PART, 0x77777777) && !memcmp(memory.base + PART, page_of(PART), PAGE),
              "a page of a device is normal memory");
        check(honest_become_secure() == NOVA_U_SUCCESS && !shows(PART, 0x77777777) &&
                      guest(PROBE_READ, KERNEL, 0),
              "a guest becomes secure with it");
        memset(page_of(PART), 0x77, PAGE);
        check(guest(PROBE_READ, PART, 0) != 0x77777777, "it was copied");
}

static void pages(void)
{
        check(guest(PROBE_WRITE, FRESH, MARK) == 0 &&
                      nova_uv_page_out(&uv, PLACE, FRESH, 0, ORDER) == NOVA_U_SUCCESS &&
                      !shows(PLACE, 0x77777777) && !finds(MARK),
              "a page moves out to the device, encrypted");
        page_of(PLACE)[99] ^= 1;
        check(move_in() == NOVA_U_PERMISSION, "it does not come back changed");
        page_of(PLACE)[99] ^= 1;
        check(move_in() == NOVA_U_SUCCESS && guest(PROBE_READ, FRESH, 0) == MARK && !finds(MARK),
              "it comes back");
        check(guest_call(NOVA_UV_SHARE_PAGE, SHARED / PAGE, 1) == 0 &&
                      guest(PROBE_READ, SHARED, 0) == 0 && guest(PROBE_WRITE, SHARED, 8) == 0 &&
                      shows(SHARED, 8) && guest_call(NOVA_UV_UNSHARE_PAGE, SHARED / PAGE, 1) == 0 &&
                      guest(PROBE_WRITE, SHARED, MARK) == 0 && shows(SHARED, 8) && !finds(MARK),
              "a guest shares a page of the device, until it is private again");
}

int main(void)
{
        honest_prepare = use_device;
        if (!honest_start(3))
                return 1;
        conversion();
        pages();
        honest_end();
        return tap_end();
}
