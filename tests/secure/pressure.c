/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest whose memory is larger than the secure memory: the library moves pages out when the
 * ultravisor asks it to, and brings them back. */
#include "../runtime/tap.h"
#include "monitor.h"

#define PAGE  4096u
#define FIRST 0x300000u
#define LAST  0x800000u /* 5 MiB, and there are 4 MiB of secure memory */
#define VIEWS 64u       /* pages that the guest reads in the normal view, too, ... */
#define STEP  0x13000u  /* ... and their distance */

/* Returns the number of pages whose content in the monitor's memory has changed. */
static unsigned count_written(void)
{
        unsigned count = 0;

        for (uint32_t at = FIRST; at < LAST; at += PAGE)
                count += *(const volatile uint64_t *)(vm.memory.base + at) != 0;
        return count;
}

/* Reads pages in the normal view, whose places in the monitor's memory may hold ciphertext. The
 * secure memory is used up. Returns the number of pages that are zero in this view. */
static unsigned read_views(void)
{
        unsigned count = 0;

        for (uint32_t i = 0; i < VIEWS; i++)
                count += guest(PROBE_VIEW_READ, FIRST + i * STEP, 0) == 0;
        return count;
}

int main(void)
{
        const struct nova_vm_config config = {.name = "pressure"};
        unsigned good = 0;

        if (!monitor_create(config) || nova_vm_run(&vm))
                return 1;
        check(guest(PROBE_READ, 0x200000, 0) && nova_secure_is_secure(&secure),
              "a guest is secure that needs more than the secure memory");
        check(!count_written(), "no page of it has moved out");
        for (uint32_t at = FIRST; at < LAST; at += PAGE)
                guest(PROBE_WRITE, at, at ^ 0x5a5a5a5a);
        for (uint32_t at = FIRST; at < LAST; at += PAGE)
                good += guest(PROBE_READ, at, 0) == (at ^ 0x5a5a5a5a);
        check(good == (LAST - FIRST) / PAGE, "the guest finds what it has written to each page");
        check(read_views() == VIEWS,
              "it reads zeroes in the normal view of pages, most of them out");
        good = 0;
        for (uint32_t at = FIRST; at < LAST; at += PAGE)
                good += guest(PROBE_READ, at, 0) == (at ^ 0x5a5a5a5a);
        check(good == (LAST - FIRST) / PAGE, "each page has its content after that");
        check(count_written() > 256, "the ultravisor has moved pages to normal memory");
        return tap_end();
}
