/* SPDX-License-Identifier: BSD-2-Clause */
/* A VMM that starts and resets virtual CPUs against the guest's messages, and two virtual CPUs that
 * need one page at the same time, by one view or by both. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "novart/time.h"

#include "../runtime/tap.h"
#include "../vmm/guest_code.h"
#include "honest.h"

#define SECOND    1u /* number of the other virtual CPU, and of its CPU */
#define VECTOR    0x60u
#define AT        (VECTOR * PAGE)
#define STARTS    (AT + 0x800) /* words of the other virtual CPU's page */
#define SEGMENT   (AT + 0x804)
#define VALUE     (AT + 0x808)
#define LOW       0x50000u  /* the page that both access */
#define HIGH      0x100000u /* a page with two views */
#define OUT_PLACE 0x140000u /* page of the VMM that holds HIGH when it is out */
#define ICR_LOW   0xfee00300u
#define ICR_HIGH  0xfee00310u
#define INIT      0x500u
#define STARTUP   0x600u
#define TO_SELF   0x40000u
#define TO_OTHERS 0xc0000u
#define NOT_NOTED 0xffffffffu
#define WAIT_NS   1000000
#define WAITS     5000u

/* The other virtual CPU, in real mode: counts its starts, and reads words of segments, at offset
 * 16, so that it can read HIGH. It uses the normal view there. */
GUEST_CODE(startup_code, 16,
           "movw %cs, %ax\nmovw %ax, %ds\nincl 0x800\n"
           "1: cmpl $0, 0x804\nje 1b\nmovw 0x804, %es\nmovl %es:16, %eax\nmovl %eax, 0x808\n"
           "movl $0, 0x804\njmp 1b\n");

static nova_sel_t second_portal;
static struct nova_semaphore met = NOVA_SEMAPHORE_INITIALIZER(0);
static struct nova_semaphore answered = NOVA_SEMAPHORE_INITIALIZER(0);
static unsigned arrived, refused;

/* Adds the other virtual CPU. */
static bool add_second(void)
{
        struct nova_handler *second;

        second_portal = nova_sel_alloc(0);
        return second_portal != NOVA_SEL_NONE &&
               !nova_handler_create(&second, SECOND, "second", honest_serve, NULL) &&
               !nova_handler_portal(second, second_portal, 0) &&
               !nova_uv_attach(&uv, SECOND, SECOND, second_portal);
}

/* Lets the first virtual CPU send a message. */
static void send(uint32_t destination, uint32_t message)
{
        guest(PROBE_VIEW_WRITE, ICR_HIGH, destination << 24);
        guest(PROBE_VIEW_WRITE, ICR_LOW, message);
}

/* Returns true if a word of the guest gets a value soon. */
static bool becomes(uint32_t address, uint32_t value)
{
        for (unsigned i = 0; i < WAITS && nova_uv_state(&uv) == NOVA_UV_SECURE; i++) {
                if (guest(PROBE_READ, address, 0) == value)
                        return true;
                nova_sleep(WAIT_NS);
        }
        return false;
}

static void write_code(void)
{
        const uint32_t bytes = (uint32_t)GUEST_BYTES(startup_code);
        uint32_t word;

        for (uint32_t i = 0; i < bytes; i += sizeof(word)) {
                word = 0;
                memcpy(&word, startup_code + i,
                       bytes - i < sizeof(word) ? bytes - i : sizeof(word));
                guest(PROBE_WRITE, AT + i, word);
        }
}

static void init(void)
{
        check(nova_uv_reset(&uv, SECOND) == EPERM && nova_uv_start(&uv, SECOND, VECTOR) == EPERM,
              "without a message no virtual CPU is reset or started");
        send(SECOND, INIT);
        check(nova_uv_reset(&uv, 0) == EPERM, "an INIT message resets no other virtual CPU");
        check(nova_uv_reset(&uv, SECOND) == 0, "it resets the one that it names");
        check(nova_uv_reset(&uv, SECOND) == EPERM, "it does so once");
}

static void startup(void)
{
        send(SECOND, STARTUP | VECTOR);
        check(nova_uv_start(&uv, 0, VECTOR) == EPERM,
              "a STARTUP message starts no other virtual CPU");
        check(nova_uv_start(&uv, SECOND, VECTOR + 1) == EPERM &&
                      nova_uv_start(&uv, SECOND, 0x100 + VECTOR) == EPERM,
              "it starts none at another page");
        check(nova_uv_start(&uv, SECOND, VECTOR) == 0 && becomes(STARTS, 1),
              "it starts the one that it names, at its page");
        check(nova_uv_start(&uv, SECOND, VECTOR) == EPERM, "it does so once");
}

static void shorthands(void)
{
        send(0, INIT);
        send(SECOND, INIT | TO_SELF);
        check(nova_uv_reset(&uv, 0) == EPERM && nova_uv_reset(&uv, SECOND) == EPERM,
              "a virtual CPU's messages to itself reset none");
        send(0, INIT | TO_OTHERS);
        send(0, STARTUP | TO_OTHERS | VECTOR);
        check(nova_uv_reset(&uv, 0) == EPERM && nova_uv_start(&uv, 0, VECTOR) == EPERM,
              "a message to all others is none for its sender");
        check(nova_uv_reset(&uv, SECOND) == 0 && nova_uv_start(&uv, SECOND, VECTOR) == 0 &&
                      becomes(STARTS, 2),
              "it starts each other one");
}

/* Waits until both virtual CPUs ask for the page, and answers then. */
static void meet(struct call *call)
{
        if (call->number != NOVA_H_SVM_PAGE_IN || call->word[0] != LOW)
                return;
        if (__atomic_add_fetch(&arrived, 1, __ATOMIC_SEQ_CST) == 1)
                nova_semaphore_down(&met);
        else
                nova_semaphore_up(&met);
        call->status = (nova_word_t)nova_uv_page_in(&uv, LOW, LOW, 0, call->word[2]);
        call->words = 2;
        refused += call->status != 0;
}

/* Lets both virtual CPUs read a page at once. Returns true if the first one finds @p own, and the
 * other one @p other. */
static bool read_both(uint32_t at, uint32_t own, uint32_t other)
{
        uint32_t found;

        guest(PROBE_WRITE, VALUE, NOT_NOTED);
        guest(PROBE_WRITE, SEGMENT, at / 16 - 1);
        found = guest(PROBE_READ, at, 0);
        return found == own && becomes(VALUE, other);
}

/* Does this while the VMM answers by meet(). */
static bool read_low(uint32_t value)
{
        bool good;

        arrived = refused = 0;
        honest_attack = meet;
        good = read_both(LOW, value, value);
        honest_attack = NULL;
        return good;
}

static void one_page(void)
{
        guest(PROBE_WRITE, LOW, 7);
        check(nova_uv_page_out(&uv, LOW, LOW, 0, NOVA_UV_ORDER_PAGE) == NOVA_U_SUCCESS,
              "a page goes out");
        check(read_low(7) && arrived == 2 && refused == 1,
              "two virtual CPUs ask for it at once, and both read it");
        check(guest_call(NOVA_UV_SHARE_PAGE, LOW / PAGE, 1) == 0, "the page is shared");
        check(read_low(0) && arrived == 2 && refused == 1,
              "two virtual CPUs ask for the shared page at once, and both read it");
        *(volatile uint32_t *)(memory.base + LOW) = 9;
        check(read_low(9) && !arrived, "both read what the VMM writes to it");
}

static enum nova_u_status give(uint64_t from)
{
        return nova_uv_page_in(&uv, from, HIGH, 0, NOVA_UV_ORDER_PAGE);
}

/* Waits until one virtual CPU asks for the secure place, which is out, and the other one for the
 * shared place, then answers the first one and afterwards the other one. */
static void meet_views(struct call *call)
{
        const bool shared = call->word[1] & NOVA_H_PAGE_IN_SHARED;

        if (call->number != NOVA_H_SVM_PAGE_IN || call->word[0] != HIGH)
                return;
        arrived++;
        nova_semaphore_up(shared ? &met : &answered);
        nova_semaphore_down(shared ? &answered : &met);
        call->words = 2;
        if (shared)
                nova_semaphore_down(&answered);
        call->status = (nova_word_t)give(shared ? HIGH : OUT_PLACE);
        if (!shared)
                nova_semaphore_up(&answered);
        refused += call->status != 0;
}

/* Answers a request for the shared place once with the page that is out. */
static void confuse(struct call *call)
{
        if (call->number != NOVA_H_SVM_PAGE_IN || call->word[0] != HIGH || arrived++)
                return;
        call->words = 2;
        call->status = (nova_word_t)give(OUT_PLACE);
        refused += call->status != 0;
}

/* Takes the shared place of HIGH away, and moves its content out. The other virtual CPU has to
 * leave the guest first: its last reply mapped the page. */
static bool move_out(void)
{
        enum nova_u_status status = NOVA_U_BUSY;

        arrived = refused = 0;
        for (unsigned i = 0; i < WAITS && status == NOVA_U_BUSY; i++) {
                nova_uv_kick(&uv, SECOND);
                nova_sleep(WAIT_NS);
                status = nova_uv_page_inval(&uv, HIGH, NOVA_UV_ORDER_PAGE);
                if (status != NOVA_U_BUSY)
                        status = nova_uv_page_out(&uv, OUT_PLACE, HIGH, 0, NOVA_UV_ORDER_PAGE);
        }
        return !status;
}

static void both_views(void)
{
        guest(PROBE_WRITE, HIGH, 7);
        check(move_out(), "a page with two views goes out");
        honest_attack = meet_views;
        check(read_both(HIGH, 7, 0) && arrived == 2 && !refused,
              "two virtual CPUs ask for its two places at once, and get both");
        honest_attack = NULL;
        check(read_both(HIGH, 7, 0), "both places are there");
        check(move_out(), "it goes out again");
        honest_attack = confuse;
        guest(PROBE_WRITE, VALUE, NOT_NOTED);
        guest(PROBE_WRITE, SEGMENT, HIGH / 16 - 1);
        check(becomes(VALUE, 0) && arrived == 2 && !refused,
              "a page that is out is no shared place: the VMM is asked again");
        honest_attack = NULL;
        check(guest(PROBE_READ, HIGH, 0) == 7, "it has come back");
}

int main(void)
{
        if (!honest_start_on(3, 0) || !add_second())
                return 1;
        check(honest_become_secure() == NOVA_U_SUCCESS, "a guest with two virtual CPUs is secure");
        write_code();
        init();
        startup();
        shorthands();
        one_page();
        both_views();
        return tap_end();
}
