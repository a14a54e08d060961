/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest with 2 GiB of memory, more than there is secure memory: it uses the first and the last
 * page and pages in between, at both places. */
#include <string.h>

#include "../runtime/tap.h"
#include "monitor.h"

#define PAGE  4096u
#define BYTES (UINT32_C(1) << 31)
#define FIRST 0x300000u
#define STEP  (48u << 20)
#define LAST  (BYTES - PAGE)

/* Lets the guest write to pages of all its memory. @return the number of pages */
static unsigned write_pages(void)
{
        unsigned count = 0;

        for (uint32_t at = FIRST; at < LAST; at += STEP, count++)
                guest(PROBE_WRITE, at, at ^ 0x5a5a5a5a);
        return count;
}

/* Returns the number of pages that have what the guest has written. */
static unsigned read_pages(void)
{
        unsigned good = 0;

        for (uint32_t at = FIRST; at < LAST; at += STEP)
                good += guest(PROBE_READ, at, 0) == (at ^ 0x5a5a5a5a);
        return good;
}

int main(void)
{
        const struct nova_vm_config config = {.name = "large"};

        if (!monitor_create(config) || nova_vm_run(&vm))
                return 1;
        check(vm.memory.bytes == BYTES && guest(PROBE_READ, 0x200000, 0) &&
                      nova_secure_is_secure(&secure),
              "a guest with 2 GiB is secure");
        check(guest(PROBE_READ, LAST, 0) == 0 && guest(PROBE_WRITE, LAST, 7) == 0 &&
                      guest(PROBE_READ, LAST, 0) == 7,
              "it uses its last page");
        check(write_pages() == read_pages(), "it uses pages of all its memory");
        check(guest(PROBE_VIEW_WRITE, LAST, 0x64636261) == 0 &&
                      !memcmp((const char *)vm.memory.base + LAST, "abcd", 4) &&
                      guest(PROBE_READ, LAST, 0) == 7,
              "its last page has a shared place, too");
        check(guest_call(NOVA_UV_SHARE_PAGE, 0xffff, 1) == 0, "it shares a page by an ultracall");
        return tap_end();
}
