/* SPDX-License-Identifier: BSD-2-Clause */
/* Guests that share or discard pages which they use: their running code, all of their memory, a
 * page that is out, and a page whose content another virtual CPU waits for. Each guest computes
 * correctly, or ends with a report. An honest VM runs afterwards. */
#include <string.h>

#include "../runtime/tap.h"
#include "../vmm/guest_code.h"
#include "second.h"

#define CODE_PAGES 32u       /* more than the guest's program has */
#define OUT        0x500000u /* a page that is out */
#define PLACE      0x600000u /* its ciphertext */
#define CHANGED    0x601000u /* place of another ciphertext */
#define MARK       0x5ec2e7a1u
#define LOW        0x50000u /* the page that two virtual CPUs use */
#define SEGMENT    (AT + 0x804)
#define VALUE      (AT + 0x808)
#define NOT_READ   0xffffffffu
#define ORDER      NOVA_UV_ORDER_PAGE

/* The other virtual CPU, in real mode: reads words of segments. Under Bochs no interrupt ends the
 * run of a guest that loops with IF clear, so it exits by CPUID. */
GUEST_CODE(selves_code, 16,
           "movw %cs, %ax\nmovw %ax, %ds\n"
           "1: xorl %eax, %eax\ncpuid\ncmpl $0, 0x804\nje 1b\nmovw 0x804, %es\nmovl %es:0, "
           "%eax\nmovl %eax, 0x808\n"
           "movl $0, 0x804\njmp 1b\n");

static nova_sel_t arrived, may_go; /* semaphores of the kernel: their guest may end meanwhile
                                    * (drive.h) */
static enum nova_u_status given;
static unsigned asked;

/* Ends the guest, and lets an honest VM run. */
static void end(void)
{
        check(honest_next_runs(), "and the next VM runs");
}

/* Returns true if the normal memory has a word anywhere. */
static bool finds(uint32_t word)
{
        for (uint32_t at = 0; at < MEMORY; at += sizeof(word))
                if (!memcmp(memory.base + at, &word, sizeof(word)))
                        return true;
        return false;
}

/* Lets a guest with a mark in a secure page share pages that it needs. */
static void share(uint32_t first, uint32_t count, const char *name)
{
        check(honest_become_secure() == NOVA_U_SUCCESS && guest(PROBE_WRITE, OUT, MARK) == 0,
              "a guest marks a page");
        drive_begin(PROBE_CALL, NOVA_UV_SHARE_PAGE, first / PAGE | count << 16);
        check(honest_ends(WAITS) && !finds(MARK), name);
        end();
}

static enum nova_u_status move_out(void)
{
        return nova_uv_page_out(&uv, PLACE, OUT, 0, ORDER);
}

static enum nova_u_status move_in(void)
{
        return nova_uv_page_in(&uv, PLACE, OUT, 0, ORDER);
}

/* Tests that a page that is out loses its content when the guest shares or unshares it. */
static void out(void)
{
        static uint8_t copy[PAGE];

        check(honest_become_secure() == NOVA_U_SUCCESS && guest(PROBE_WRITE, OUT, MARK) == 0 &&
                      move_out() == NOVA_U_SUCCESS &&
                      guest_call(NOVA_UV_SHARE_PAGE, OUT / PAGE, 1) == 0,
              "a guest shares a page that is out");
        memcpy(copy, memory.base + PLACE, PAGE);
        check(move_in() == NOVA_U_P3 && guest(PROBE_READ, OUT, 0) == 0 && move_in() == NOVA_U_P3 &&
                      guest(PROBE_READ, OUT, 0) == 0,
              "its content does not come back, and the shared page is zero");
        check(guest_call(NOVA_UV_UNSHARE_PAGE, OUT / PAGE, 1) == 0 && move_in() == NOVA_U_P3 &&
                      guest(PROBE_READ, OUT, 0) == 0 && guest(PROBE_WRITE, OUT, 7) == 0,
              "nor when the page is private again");
        check(nova_uv_page_out(&uv, CHANGED, OUT, 0, ORDER) == NOVA_U_SUCCESS &&
                      !memcmp(copy, memory.base + PLACE, PAGE) && move_in() == NOVA_U_PERMISSION &&
                      nova_uv_page_in(&uv, CHANGED, OUT, 0, ORDER) == NOVA_U_SUCCESS &&
                      guest(PROBE_READ, OUT, 0) == 7,
              "nor in place of what the guest has written since");
        check(move_out() == NOVA_U_SUCCESS &&
                      guest_call(NOVA_UV_UNSHARE_PAGE, OUT / PAGE, 1) == 0 &&
                      move_in() == NOVA_U_P3 && guest(PROBE_READ, OUT, 0) == 0,
              "a page that is out and is unshared begins with zeroes");
        end();
}

/* Stops the request for the page until the first virtual CPU has unshared it. */
static void stop(struct call *call)
{
        if (call->number != NOVA_H_SVM_PAGE_IN || call->word[0] != LOW ||
            call->word[1] & NOVA_H_PAGE_IN_NONSHARED || asked++)
                return;
        nova_sm_up(arrived);
        nova_sm_down(may_go);
        given = nova_uv_page_in(&uv, call->word[1] ? LOW : PLACE, LOW, 0, call->word[2]);
        call->words = 2;
        call->status = (nova_word_t)given;
}

/* Lets the second virtual CPU wait for the page, the first one unshare it, and the VMM then provide
 * it. @return true if both find zeroes */
static bool unshare_under_way(void)
{
        bool good;

        asked = 0;
        guest(PROBE_WRITE, VALUE, NOT_READ);
        honest_attack = stop;
        guest(PROBE_WRITE, SEGMENT, LOW / 16);
        nova_sm_down(arrived);
        good = guest_call(NOVA_UV_UNSHARE_PAGE, LOW / PAGE, 1) == 0;
        nova_sm_up(may_go);
        good = second_sets(VALUE, 0) && good;
        honest_attack = NULL;
        return good && asked == 1 && guest(PROBE_READ, LOW, 0) == 0 &&
               guest(PROBE_WRITE, LOW, 5) == 0 && guest(PROBE_READ, LOW, 0) == 5 &&
               memcmp(memory.base + LOW, "\5\0\0\0", 4) != 0;
}

static void under_way(void)
{
        check(honest_become_secure() == NOVA_U_SUCCESS, "a guest has two virtual CPUs");
        second_write(selves_code, (uint32_t)GUEST_BYTES(selves_code));
        second_send(SECOND, INIT);
        second_send(SECOND, STARTUP | VECTOR);
        check(nova_uv_start(&uv, SECOND, VECTOR) == 0 && guest(PROBE_WRITE, LOW, MARK) == 0 &&
                      nova_uv_page_out(&uv, PLACE, LOW, 0, ORDER) == NOVA_U_SUCCESS,
              "a page is out");
        check(unshare_under_way() && given == NOVA_U_P3,
              "one unshares the page while the other waits for its content: both read zeroes");
        check(guest_call(NOVA_UV_SHARE_PAGE, LOW / PAGE, 1) == 0 && unshare_under_way() &&
                      given == NOVA_U_P3,
              "one unshares a shared page while the other waits for it: both have the secure one");
        end();
}

int main(void)
{
        arrived = drive_semaphore();
        may_go = drive_semaphore();
        if (arrived == NOVA_SEL_NONE || may_go == NOVA_SEL_NONE || !honest_start_on(3, 0) ||
            !second_add())
                return 1;
        share(KERNEL, CODE_PAGES, "it ends when it shares its running code");
        share(0, MEMORY / PAGE, "it ends when it shares all of its memory");
        out();
        under_way();
        return tap_end();
}
