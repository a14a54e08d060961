/* SPDX-License-Identifier: BSD-2-Clause */
/* Other threads act at the worst moment (race.c). Another VM's machine is being created. Secure
 * memory runs out at each allocation of UV_ESM in turn, because another VM takes it: the VM stays
 * normal with U_RETRY, and the ultravisor has each frame that it had before. A page table moves out
 * again and again while the library walks it. A page is lost again each time before the virtual CPU
 * that waits for it uses it. A slot is removed while UV_UNSHARE_ALL_PAGES takes its pages back.
 * UV_SVM_TERMINATE comes when UV_ESM has measured everything. */
#include <stdio.h>

#include "../runtime/tap.h"
#include "counts.h"
#include "honest.h"
#include "race.h"

#define LEAST  20u  /* allocations of UV_ESM: the blob, the parts of the image, the page tables */
#define MOST   200u /* maximum number of tries */
#define COUNT  64u  /* pages of the slot, and pages in another one */
#define STAYS  0x300000u
#define WAITS  5000u /* milliseconds */
#define DEVICE 0xfed00000u
#define ANSWER 0x5a5a5a5au

static void busy(struct nova_session *counter, const struct counts *before)
{
        struct counts now;

        check(honest_become_secure() == NOVA_U_RETRY && nova_uv_state(&uv) == NOVA_UV_NORMAL &&
                      counts_ask(counter, &now) && now.of[COUNT_FRAMES] == before->of[COUNT_FRAMES],
              "a VM stays normal while the machine of another VM is being created");
}

static void starve(struct nova_session *counter, const struct counts *before)
{
        struct counts now;
        unsigned tries = 0, same = 0;
        enum nova_u_status status = NOVA_U_RETRY;

        while (tries < MOST) {
                status = honest_become_secure();
                if (status != NOVA_U_RETRY)
                        break;
                tries++;
                same += honest_end() == NOVA_U_SUCCESS && nova_uv_state(&uv) == NOVA_UV_NORMAL &&
                        counts_ask(counter, &now) &&
                        now.of[COUNT_FRAMES] == before->of[COUNT_FRAMES];
        }
        printf("UV_ESM has failed %u times.\n", tries);
        check(tries >= LEAST && same == tries,
              "a VM stays normal if secure memory runs out at any allocation of UV_ESM");
        check(status == NOVA_U_SUCCESS && guest(PROBE_READ, KERNEL, 0) != 0,
              "it becomes secure when there is enough");
}

static unsigned requests; /* number of requests for the page table */

static void answer(struct call *call)
{
        requests += call->number == NOVA_H_SVM_PAGE_IN && call->word[0] == RACE_TABLE;
        if (call->number != NOVA_H_MEMORY)
                return;
        call->words = 2;
        call->value = ANSWER;
}

static void move_table(void)
{
        honest_attack = answer;
        check(guest(PROBE_VIEW_READ, DEVICE, 0) == ANSWER && requests >= 4,
              "an access to a device succeeds although its page table moves out again and again");
        honest_attack = NULL;
}

static void count_request(struct call *call)
{
        requests += call->number == NOVA_H_SVM_PAGE_IN && call->word[0] == RACE_PAGE;
}

static void lose_page(void)
{
        const uint32_t value = ANSWER;

        requests = 0;
        honest_attack = count_request;
        check(guest(PROBE_WRITE, RACE_PAGE, value) == 0 &&
                      nova_uv_page_out(&uv, RACE_PAGE, RACE_PAGE, 0, NOVA_UV_ORDER_PAGE) ==
                              NOVA_U_SUCCESS &&
                      guest(PROBE_READ, RACE_PAGE, 0) == value && requests == 7,
              "a guest gets its page although other virtual CPUs and VMs take page or frame first");
        honest_attack = NULL;
}

static void lose_table(void)
{
        drive_begin(PROBE_VIEW_READ, DEVICE, 0);
        check(honest_ends(WAITS), "the guest ends if its page table never stays");
}

static void lose_slot(void)
{
        unsigned good = 0;

        check(nova_uv_register_mem_slot(&uv, RACE_SLOT, COUNT * PAGE, 0, 1) == NOVA_U_SUCCESS &&
                      guest_call(NOVA_UV_SHARE_PAGE, STAYS / PAGE, COUNT) == 0 &&
                      guest_call(NOVA_UV_SHARE_PAGE, RACE_SLOT / PAGE, COUNT) == 0,
              "a guest shares pages of two slots");
        check(guest_call(NOVA_UV_UNSHARE_ALL_PAGES, 0, 0) == 0,
              "UV_UNSHARE_ALL_PAGES succeeds although a slot is removed meanwhile");
        for (uint32_t i = 0; i < COUNT; i++)
                good += guest(PROBE_WRITE, STAYS + i * PAGE, i + 1) == 0 &&
                        guest(PROBE_READ, STAYS + i * PAGE, 0) == i + 1 &&
                        *(volatile uint32_t *)(memory.base + STAYS + i * PAGE) == 0;
        check(good == COUNT &&
                      guest_call(NOVA_UV_SHARE_PAGE, RACE_SLOT / PAGE, 1) == NOVA_U_PARAMETER,
              "the pages of the other slot are private, and those of the removed slot are gone");
}

static struct nova_semaphore measured = NOVA_SEMAPHORE_INITIALIZER(0);

static void tell(struct call *call)
{
        if (call->number != NOVA_H_SVM_PAGE_IN || call->word[0] != RACE_LAST)
                return;
        call->words = 2;
        nova_semaphore_up(&measured);
}

static void end_last(void)
{
        honest_attack = tell;
        esm_status = NOVA_U_RETRY;
        honest_load();
        check(nova_uv_esm(&uv, BLOB, PARAMS) == NOVA_U_SUCCESS, "UV_ESM begins once more");
        nova_semaphore_down(&measured);
        check(honest_end() == NOVA_U_SUCCESS && esm_status != NOVA_U_SUCCESS &&
                      nova_uv_state(&uv) == NOVA_UV_NORMAL,
              "UV_ESM does not succeed if UV_SVM_TERMINATE comes after the last measurement");
}

int main(void)
{
        struct nova_session *counter;
        struct counts before, after;

        if (nova_session_open(&counter, "counts", NULL) || !honest_start(3) ||
            !counts_ask(counter, &before))
                return 1;
        busy(counter, &before);
        starve(counter, &before);
        move_table();
        lose_page();
        lose_slot();
        lose_table();
        check(honest_end() == NOVA_U_SUCCESS, "UV_SVM_TERMINATE ends the VM");
        end_last();
        check(counts_ask(counter, &after) && after.of[COUNT_FRAMES] == before.of[COUNT_FRAMES],
              "when it has ended, all frames are free");
        return tap_end();
}
