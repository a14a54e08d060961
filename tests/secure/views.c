/* SPDX-License-Identifier: BSD-2-Clause */
/* Two virtual CPUs access one page, each through a different view, while the VMM moves its secure
 * place out and takes its shared place away. The VMM is honest, so the guest stays right. */
#include <stdio.h>

#include "../runtime/tap.h"
#include "../vmm/guest_code.h"
#include "second.h"

#define READS     (AT + 0x800) /* words of the other virtual CPU's page */
#define GO        (AT + 0x804)
#define VALUE     (AT + 0x808)
#define ALWAYS    (AT + 0x80c)
#define NOT_READ  0xffffffffu
#define BOTH      0x100000u /* page of both virtual CPUs, the first one above the low memory */
#define ENCRYPTED 0x700000u /* its ciphertext, in the VMM's memory */
#define ROUNDS    200u
#define FEW       16u /* reads of the other virtual CPU */

/* The other virtual CPU, in real mode: while GO is not 0, reads the first word above 1 MiB in the
 * normal view. Clears GO after a read unless ALWAYS is set. */
GUEST_CODE(views_code, 16,
           "movw %cs, %ax\nmovw %ax, %ds\nmovw $0xffff, %ax\nmovw %ax, %es\n"
           "1: cmpl $0, 0x804\nje 1b\nmovl %es:0x10, %eax\nmovl %eax, 0x808\nincl 0x800\n"
           "cmpl $0, 0x80c\njne 1b\nmovl $0, 0x804\njmp 1b\n");

enum order { SECURE_FIRST, SHARED_FIRST };

static struct nova_semaphore arrived[2] = {NOVA_SEMAPHORE_INITIALIZER(0),
                                           NOVA_SEMAPHORE_INITIALIZER(0)};
static struct nova_semaphore may_go[2] = {NOVA_SEMAPHORE_INITIALIZER(0),
                                          NOVA_SEMAPHORE_INITIALIZER(0)};
static enum nova_u_status given[2]; /* status for each request of meet() */
static unsigned confused;           /* number of requests that confuse() has seen */

/* Provides the page that a call asks for, if the call does. */
static bool provide(struct call *call)
{
        const bool shared = call->word[1] & NOVA_H_PAGE_IN_SHARED;

        if (call->number != NOVA_H_SVM_PAGE_IN || call->word[0] != BOTH ||
            call->word[1] & NOVA_H_PAGE_IN_NONSHARED)
                return false;
        call->status = (nova_word_t)nova_uv_page_in(&uv, shared ? BOTH : ENCRYPTED, BOTH, 0,
                                                    call->word[2]);
        call->words = 2;
        return true;
}

static void answer(struct call *call)
{
        provide(call);
}

/* Answers the first request for the shared place with the page that is out. */
static void confuse(struct call *call)
{
        if (call->number != NOVA_H_SVM_PAGE_IN || call->word[0] != BOTH || confused++) {
                provide(call);
                return;
        }
        call->status = (nova_word_t)nova_uv_page_in(&uv, ENCRYPTED, BOTH, 0, call->word[2]);
        call->words = 2;
}

/* Lets each request wait until control() lets it go. */
static void meet(struct call *call)
{
        const unsigned shared = call->word[1] & NOVA_H_PAGE_IN_SHARED;

        if (call->number != NOVA_H_SVM_PAGE_IN || call->word[0] != BOTH)
                return;
        nova_semaphore_up(&arrived[shared]);
        nova_semaphore_down(&may_go[shared]);
        if (provide(call))
                given[shared] = (enum nova_u_status)(int)call->status;
        nova_semaphore_up(&arrived[shared]);
}

/* Repeats a call until the page can be moved. A virtual CPU that has just got the page has to leave
 * the guest first. */
static enum nova_u_status insist(enum nova_u_status (*call)(void))
{
        enum nova_u_status status = call();

        while (status == NOVA_U_BUSY) {
                nova_uv_kick(&uv, SECOND);
                status = call();
        }
        return status;
}

static enum nova_u_status move_out(void)
{
        return nova_uv_page_out(&uv, ENCRYPTED, BOTH, 0, NOVA_UV_ORDER_PAGE);
}

static enum nova_u_status take_away(void)
{
        return nova_uv_page_inval(&uv, BOTH, NOVA_UV_ORDER_PAGE);
}

/* Answers one of two requests that wait, and then the other one. */
static void control(enum order order)
{
        const unsigned first = order == SHARED_FIRST;

        nova_semaphore_down(&arrived[0]);
        nova_semaphore_down(&arrived[1]);
        for (unsigned i = 0; i < 2; i++) {
                nova_semaphore_up(&may_go[first ^ i]);
                nova_semaphore_down(&arrived[first ^ i]);
        }
}

/* Lets both virtual CPUs need the page at once. Returns true if each of them reads its place. */
static bool read_both(enum order order, uint32_t value)
{
        guest(PROBE_WRITE, BOTH, value);
        guest(PROBE_WRITE, VALUE, NOT_READ);
        if (insist(move_out))
                return false;
        honest_attack = meet;
        guest(PROBE_WRITE, GO, 1);
        drive_begin(PROBE_READ, BOTH, 0);
        control(order);
        nova_semaphore_down(&drive_answered);
        honest_attack = answer;
        return drive_result == value && second_sets(VALUE, 0) && !given[0] && !given[1];
}

static void one_page(void)
{
        check(read_both(SHARED_FIRST, 7), "the shared place is provided before the secure one");
        check(insist(take_away) == NOVA_U_SUCCESS, "the VMM takes the shared place away");
        check(read_both(SECURE_FIRST, 8), "the secure place is provided before the shared one");
        *(volatile uint32_t *)(memory.base + BOTH) = 9;
        guest(PROBE_WRITE, GO, 1);
        check(second_sets(VALUE, 9) && guest(PROBE_READ, BOTH, 0) == 8,
              "each view leads to its own place afterwards");
}

static void wrong_place(void)
{
        check(insist(take_away) == NOVA_U_SUCCESS && insist(move_out) == NOVA_U_SUCCESS,
              "both places are missing again");
        honest_attack = confuse;
        guest(PROBE_WRITE, VALUE, NOT_READ);
        guest(PROBE_WRITE, GO, 1);
        check(second_sets(VALUE, 0) && confused == 2 && guest(PROBE_READ, BOTH, 0) == 8,
              "a page that is out is no shared place: it comes back, and the VMM is asked again");
        honest_attack = answer;
}

/* Moves the page all the time, while the other virtual CPU reads the normal view all the time. */
static void all_at_once(void)
{
        unsigned right = 0, taken = 0;
        uint32_t reads;

        guest(PROBE_WRITE, READS, 0);
        guest(PROBE_WRITE, ALWAYS, 1);
        guest(PROBE_WRITE, GO, 1);
        for (uint32_t i = 0; i < ROUNDS && nova_uv_state(&uv) == NOVA_UV_SECURE; i++) {
                guest(PROBE_WRITE, BOTH, i);
                if (insist(move_out))
                        break;
                drive_begin(PROBE_READ, BOTH, 0);
                taken += insist(take_away) == NOVA_U_SUCCESS;
                nova_semaphore_down(&drive_answered);
                right += drive_result == i;
        }
        reads = guest(PROBE_READ, READS, 0);
        printf("%u of %u rounds took the shared place away; %u reads.\n", taken, ROUNDS, reads);
        check(right == ROUNDS, "the first one finds in each round what it has written");
        check(taken > FEW && reads > FEW && nova_uv_state(&uv) == NOVA_UV_SECURE,
              "the other one reads the normal view meanwhile");
}

int main(void)
{
        if (!honest_start_on(3, 0) || !second_add())
                return 1;
        check(honest_become_secure() == NOVA_U_SUCCESS, "a guest with two virtual CPUs is secure");
        second_write((const char *)views_code, (uint32_t)GUEST_BYTES(views_code));
        second_send(SECOND, INIT);
        second_send(SECOND, STARTUP | VECTOR);
        check(!nova_uv_reset(&uv, SECOND) && !nova_uv_start(&uv, SECOND, VECTOR), "it starts both");
        honest_attack = answer;
        one_page();
        wrong_place();
        all_at_once();
        return tap_end();
}
