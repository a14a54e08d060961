/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest uses up its account of kernel memory: it touches many shared pages, or (argument
 * `secure`) secure pages in slots that have no whole block of 2 MiB, and the kernel records a
 * mapping for each. Then a second guest must still become secure. */
#include <stdio.h>
#include <string.h>

#include "../runtime/tap.h"
#include "honest.h"

#include "novart/time.h"

#define FIRST (MEMORY / PAGE) /* number of the first added page */
#define COUNT 4096u
#define MS    1000000
#define SLOTS 16u /* number of slots with secure pages, one in each block of 2 MiB */
#define BLOCK (2u << 20)
#define PART  (COUNT / SLOTS) /* pages of a slot */

static bool runs(void)
{
        return nova_uv_state(&uv) == NOVA_UV_SECURE;
}

/* Lets the guest touch a page. @return false if the guest has ended */
static bool touch(unsigned page)
{
        bool answered = false;

        drive_begin(PROBE_READ, page * PAGE, 0);
        while (!answered && runs())
                answered = !nova_semaphore_down_until(&drive_answered, nova_deadline_in(MS));
        return answered;
}

static bool share_pages(void)
{
        return nova_uv_register_mem_slot(&uv, MEMORY, COUNT * PAGE, 0, 1) == NOVA_U_SUCCESS &&
               guest_call(NOVA_UV_SHARE_PAGE, FIRST, COUNT) == 0;
}

static bool add_slots(void)
{
        bool good = true;

        for (unsigned i = 0; i < SLOTS; i++)
                good = good && nova_uv_register_mem_slot(&uv, MEMORY + i * BLOCK, PART * PAGE, 0,
                                                         i + 1) == NOVA_U_SUCCESS;
        return good;
}

int main(int argc, char **argv)
{
        const bool secure = argc == 2 && !strcmp(argv[1], "secure");
        const unsigned stride = secure ? BLOCK / PAGE : PART;
        unsigned touched = 0;

        if (!honest_start(3))
                return 1;
        check(honest_become_secure() == NOVA_U_SUCCESS && (secure ? add_slots() : share_pages()),
              "a guest has many pages that are mapped one by one");
        while (touched < COUNT && touch(FIRST + touched / PART * stride + touched % PART))
                touched++;
        printf("The guest has touched %u pages.\n", touched);
        check(touched > 64 && touched < COUNT && nova_uv_state(&uv) == NOVA_UV_ENDED,
              "it ends when its kernel memory is used up");
        uv.lpid++;
        check(nova_uv_write_pate(&uv, 0, MEMORY) == NOVA_U_SUCCESS &&
                      !nova_uv_attach(&uv, 0, nova_thread_cpu(), portal),
              "a second VM is entered");
        check(honest_become_secure() == NOVA_U_SUCCESS && guest(PROBE_READ, KERNEL, 0),
              "it becomes secure, because the first one had only its own account");
        return tap_end();
}
