/* SPDX-License-Identifier: BSD-2-Clause */
/* Guests that become secure, use their memory and end: `rounds COUNT`. When UV_SVM_TERMINATE
 * returns, the ultravisor has each frame, each byte of kernel memory, each page of its own, each
 * selector and each capability that it had before. The test does not compare the first guests:
 * while they run, the ultravisor's heap and its tables reach their final size. After a further
 * guest, the ultravisor looks for the guest's phrase and key in its own memory. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../runtime/tap.h"
#include "counts.h"
#include "honest.h"

#define FRESH 0x500000u
#define PAGES 256u /* pages that a guest uses, of 20 MiB of secure memory */
#define WARM  3u   /* guests that are not compared */
#define ORDER NOVA_UV_ORDER_PAGE

static struct nova_session *counter;
static struct counts before;

static bool use_memory(void)
{
        bool good = true;

        for (unsigned i = 0; i < PAGES && good; i += 8)
                good = guest(PROBE_READ, FRESH + i * PAGE, 0) == 0 &&
                       guest(PROBE_WRITE, FRESH + i * PAGE, i + 1) == 0;
        return good && guest_call(NOVA_UV_SHARE_PAGE, FRESH / PAGE, 4) == 0;
}

/* Returns true if the ultravisor has what it had before the guest of a round. */
static bool has_all(unsigned long round)
{
        static const char *const names[] = {"bytes of kernel memory", "selectors", "capabilities",
                                            "free frames", "free pages"};
        struct counts now;
        bool same = counts_ask(counter, &now);

        if (round < WARM)
                before = now;
        for (unsigned i = 0; i < COUNTS && same; i++) {
                same = now.of[i] == before.of[i];
                if (!same)
                        printf("After guest %lu the ultravisor has %lu %s, had %lu.\n", round,
                               (unsigned long)now.of[i], names[i], (unsigned long)before.of[i]);
        }
        return same;
}

/* Writes the phrase to a page of the guest. */
static bool write_phrase(void)
{
        static const char phrase[] = "The VMM never sees this phrase.";
        uint32_t word;
        bool good = true;

        for (uint32_t i = 0; i < sizeof(phrase); i += sizeof(word)) {
                memcpy(&word, phrase + i, sizeof(word));
                good = good && guest(PROBE_WRITE, FRESH + i, word) == 0;
        }
        return good;
}

/* Moves the page with the phrase out. The guest then accesses the page's shared place, and the VMM
 * brings the page back. The ultravisor decrypts what the VMM provides, to find out what it is. */
static bool move_phrase(void)
{
        return nova_uv_page_out(&uv, FRESH, FRESH, 0, ORDER) == NOVA_U_SUCCESS &&
               guest(PROBE_VIEW_READ, FRESH, 0) == 0;
}

static struct counts_found early;

/* Looks for the secrets when the ultravisor has made the key of the guest's pages. */
static void find_early(struct call *call)
{
        if (call->number == NOVA_H_SVM_INIT_START)
                counts_find(counter, &early);
}

/* Lets the ultravisor look for secrets of a guest while it runs and after its end. */
static void find_secrets(void)
{
        struct counts_found first = {{0}}, now = {{0}};

        honest_attack = find_early;
        check(honest_become_secure() == NOVA_U_SUCCESS && counts_find(counter, &first) &&
                      first.of[COUNT_PHRASE] && first.of[COUNT_KEY],
              "while a guest runs, the ultravisor's memory has its phrase and its key");
        check(early.of[COUNT_KEY] == first.of[COUNT_KEY],
              "a key that is new is where it stays, and nowhere else");
        check(write_phrase() && counts_find(counter, &now) &&
                      now.of[COUNT_PHRASE] > first.of[COUNT_PHRASE],
              "a page of the guest has the phrase, too");
        check(move_phrase() && honest_end() == NOVA_U_SUCCESS && counts_find(counter, &now) &&
                      !now.of[COUNT_PHRASE],
              "when the guest has ended, the ultravisor's memory does not have the phrase");
        check(!now.of[COUNT_KEY], "nor the key");
}

int main(int argc, char **argv)
{
        const unsigned long rounds = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
        unsigned long secure = 0, ended = 0, same = 0;

        if (!rounds || nova_session_open(&counter, "counts", NULL) || !honest_start(3))
                return 1;
        while (secure < rounds && honest_become_secure() == NOVA_U_SUCCESS && use_memory()) {
                ended += honest_end() == NOVA_U_SUCCESS;
                same += has_all(secure++);
        }
        printf("%lu of %lu guests.\n", secure, rounds);
        check(secure == rounds, "each guest becomes secure, and its memory is zero");
        check(ended == rounds, "each guest ends");
        check(same == rounds && same > WARM,
              "when a guest has ended, the ultravisor has what it had before");
        find_secrets();
        return tap_end();
}
