/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest makes a long ultracall. The VMM's calls for its virtual CPU, and so the calls of other
 * VMMs on that CPU, do not wait for the end of the ultracall. Nor does UV_SVM_TERMINATE wait until
 * UV_ESM has computed a long digest. */
#include <stdio.h>

#include "novart/time.h"

#include "../runtime/tap.h"
#include "honest.h"

#define CPU   1 /* CPU of the guest; this thread runs on another one */
#define COUNT 2048u
#define BLOCK 512u /* pages that become present together */
#define TRIES 5u
#define SOON  1000
#define LAST  (MEMORY - (2u << 20)) /* address of the last block of the image */
#define LONG  (20000u * UINT64_C(1000000))

static struct nova_semaphore moved = NOVA_SEMAPHORE_INITIALIZER(0);
static uint64_t moved_at; /* time in ns at which the image was complete in secure memory */

/* Provides the last block of the image in place of honest(), and notes when the block is in secure
 * memory. */
static void note_last(struct call *call)
{
        if (call->number != NOVA_H_SVM_PAGE_IN || call->word[0] != LAST)
                return;
        call->status = (nova_word_t)nova_uv_page_in(&uv, LAST, LAST, 0, call->word[2]);
        call->words = 2;
        moved_at = nova_time_ns();
        nova_semaphore_up(&moved);
}

/* Ends a VM as soon as its image is complete.
 * @return nanoseconds from then to the end of the VM; UINT64_MAX: a call failed */
static uint64_t end_early(void)
{
        honest_load();
        if (nova_uv_esm(&uv, BLOB, PARAMS) ||
            nova_semaphore_down_until(&moved, nova_deadline_in(LONG)) ||
            honest_end() != NOVA_U_SUCCESS)
                return UINT64_MAX;
        return nova_time_ns() - moved_at;
}

/* Ends VMs during a long digest. @return true if the end of one waited for less than a quarter of
 * the time of the digest */
static bool digest(void)
{
        uint64_t whole, usual, end;

        honest_attack = note_last;
        if (honest_become_secure() != NOVA_U_SUCCESS)
                return false;
        whole = nova_time_ns() - moved_at;
        nova_semaphore_down(&moved);
        usual = nova_time_ns();
        if (honest_end() != NOVA_U_SUCCESS)
                return false;
        usual = nova_time_ns() - usual;
        end = end_early();
        honest_attack = NULL;
        printf("The digest took %llu, the end of the VM %llu, and its end during the digest "
               "%llu.\n",
               (unsigned long long)whole, (unsigned long long)usual, (unsigned long long)end);
        return end < usual + whole / 4;
}

/* Lets the guest share pages, and kicks its virtual CPU meanwhile.
 * @return true if each kick took less than a quarter of the time of the ultracall */
static bool share(void)
{
        uint64_t longest = 0, begin;
        bool answered = false;

        for (unsigned i = 0; i < COUNT; i += BLOCK)
                guest(PROBE_WRITE, MEMORY + i * PAGE, 1);
        begin = nova_time_ns();
        drive_begin(PROBE_CALL, NOVA_UV_SHARE_PAGE, MEMORY / PAGE | COUNT << 16);
        while (!answered) {
                const uint64_t before = nova_time_ns();

                nova_uv_kick(&uv, 0);
                if (nova_time_ns() - before > longest)
                        longest = nova_time_ns() - before;
                answered = !nova_semaphore_down_until(&drive_answered, nova_deadline_in(SOON));
        }
        begin = nova_time_ns() - begin;
        printf("The ultracall took %llu, and the longest kick %llu.\n", (unsigned long long)begin,
               (unsigned long long)longest);
        return longest < begin / 4;
}

int main(void)
{
        bool good = false;

        if (!honest_start_on(3, CPU))
                return 1;
        for (unsigned i = 0; i < TRIES && !good; i++)
                good = digest();
        check(good, "the end of a VM does not wait for a long digest");
        good = false;
        check(honest_become_secure() == NOVA_U_SUCCESS &&
                      nova_uv_register_mem_slot(&uv, MEMORY, COUNT * PAGE, 0, 1) == NOVA_U_SUCCESS,
              "a guest is secure");
        for (unsigned i = 0; i < TRIES && !good; i++) {
                good = share();
                guest_call(NOVA_UV_UNSHARE_PAGE, MEMORY / PAGE, COUNT);
        }
        check(good, "a kick does not wait for the end of a long ultracall");
        return tap_end();
}
