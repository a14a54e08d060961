/* SPDX-License-Identifier: BSD-2-Clause */
/* A VMM that starts and resets virtual CPUs with and without messages of the guest, and two virtual
 * CPUs that need one page at the same time. */
#include <errno.h>
#include <stdio.h>

#include "../runtime/tap.h"
#include "../vmm/guest_code.h"
#include "second.h"

#define STARTS    (AT + 0x800) /* words of the other virtual CPU's page */
#define SEGMENT   (AT + 0x804)
#define VALUE     (AT + 0x808)
#define DEBUG     (AT + 0x810) /* DR0 to DR3, DR6 and DR7 at the last start */
#define LOW       0x50000u     /* the page that both virtual CPUs access */
#define TO_SELF   0x40000u
#define TO_OTHERS 0xc0000u
#define NOT_NOTED 0xffffffffu
#define REGISTERS 6u
#define LOGICAL   0x800u
#define TO_ALL    0xffu
#define LEVEL     0x8000u /* bit of a message: without bit 0x4000, the message ends an INIT */
#define DR6_RESET 0xffff0ff0u
#define DR7_RESET 0x400u

/* The other virtual CPU, in real mode: notes its debug registers, sets them, and counts its starts.
 * Then it reads words of segments. */
GUEST_CODE(startup_code, 16,
           "movw %cs, %ax\nmovw %ax, %ds\n"
           "movl %dr0, %eax\nmovl %eax, 0x810\nmovl %dr1, %eax\nmovl %eax, 0x814\n"
           "movl %dr2, %eax\nmovl %eax, 0x818\nmovl %dr3, %eax\nmovl %eax, 0x81c\n"
           "movl %dr6, %eax\nmovl %eax, 0x820\nmovl %dr7, %eax\nmovl %eax, 0x824\n"
           "movl $0x12345, %eax\nmovl %eax, %dr0\nmovl %eax, %dr1\nmovl %eax, %dr2\n"
           "movl %eax, %dr3\nmovl $0xffff0ff1, %eax\nmovl %eax, %dr6\n"
           "movl $0xd0400, %eax\nmovl %eax, %dr7\nincl 0x800\n"
           "1: cmpl $0, 0x804\nje 1b\nmovw 0x804, %es\nmovl %es:0, %eax\nmovl %eax, 0x808\n"
           "movl $0, 0x804\njmp 1b\n");

static struct nova_semaphore met = NOVA_SEMAPHORE_INITIALIZER(0);
static unsigned arrived, refused;

/* Returns true if the other virtual CPU had the values of a reset in its debug registers. */
static bool begins_with_reset_registers(void)
{
        static const uint32_t values[REGISTERS] = {0, 0, 0, 0, DR6_RESET, DR7_RESET};
        bool right = true;

        for (unsigned i = 0; i < REGISTERS; i++) {
                const uint32_t value = guest(PROBE_READ, DEBUG + i * sizeof(value), 0);

                if (value != values[i])
                        printf("Register %u of six is 0x%x.\n", i, value);
                right &= value == values[i];
        }
        return right;
}

static void init(void)
{
        check(nova_uv_reset(&uv, SECOND) == EPERM && nova_uv_start(&uv, SECOND, VECTOR) == EPERM,
              "without a message no virtual CPU is reset or started");
        second_send(SECOND, STARTUP | (VECTOR + 1));
        second_send(SECOND, INIT);
        check(nova_uv_reset(&uv, 0) == EPERM, "an INIT message resets no other virtual CPU");
        check(nova_uv_reset(&uv, SECOND) == 0, "it resets the one that it names");
        check(nova_uv_reset(&uv, SECOND) == EPERM, "it does so once");
        second_send(SECOND, INIT | LEVEL);
        check(nova_uv_reset(&uv, SECOND) == EPERM, "the end of an INIT message resets none");
        check(nova_uv_start(&uv, SECOND, VECTOR + 1) == EPERM,
              "after an INIT message, an earlier STARTUP message starts none");
}

static void startup(void)
{
        second_send(SECOND, STARTUP | VECTOR);
        check(nova_uv_start(&uv, 0, VECTOR) == EPERM,
              "a STARTUP message starts no other virtual CPU");
        check(nova_uv_start(&uv, SECOND, VECTOR + 1) == EPERM &&
                      nova_uv_start(&uv, SECOND, 0x100 + VECTOR) == EPERM,
              "it starts none at another page");
        check(nova_uv_start(&uv, SECOND, VECTOR) == 0 && second_sets(STARTS, 1),
              "it starts the one that it names, at its page");
        check(nova_uv_start(&uv, SECOND, VECTOR) == EPERM, "it does so once");
        second_send(SECOND, STARTUP | VECTOR);
        check(nova_uv_reset(&uv, SECOND) == EPERM && nova_uv_start(&uv, SECOND, VECTOR) == EPERM,
              "a virtual CPU that runs ignores a further STARTUP message");
        check(begins_with_reset_registers(), "its debug registers have their values after a reset");
}

/* Acts as a VMM that delays both messages. It performs the second one too early, and then both in
 * their order. */
static void late(void)
{
        second_send(SECOND, INIT);
        second_send(SECOND, STARTUP | VECTOR);
        check(nova_uv_start(&uv, SECOND, VECTOR) == EPERM && second_sets(STARTS, 1),
              "a virtual CPU does not start before its reset");
        check(nova_uv_reset(&uv, SECOND) == 0 && nova_uv_start(&uv, SECOND, VECTOR) == 0 &&
                      second_sets(STARTS, 2),
              "after it, it starts");
}

static void shorthands(void)
{
        second_send(0, INIT);
        second_send(SECOND, INIT | TO_SELF);
        check(nova_uv_reset(&uv, 0) == EPERM && nova_uv_reset(&uv, SECOND) == EPERM,
              "a virtual CPU's messages to itself reset none");
        second_send(0, INIT | TO_OTHERS);
        second_send(0, STARTUP | TO_OTHERS | VECTOR);
        check(nova_uv_reset(&uv, 0) == EPERM && nova_uv_start(&uv, 0, VECTOR) == EPERM,
              "a message to all others is none for its sender");
        check(nova_uv_reset(&uv, SECOND) == 0 && nova_uv_start(&uv, SECOND, VECTOR) == 0 &&
                      second_sets(STARTS, 3),
              "it starts each other one");
        check(begins_with_reset_registers(),
              "its debug registers, which it has set, have their values after a reset again");
}

/* Tests destinations: the physical destination 0xff addresses all local APICs, and the ultravisor
 * does not know logical numbers. */
static void destinations(void)
{
        second_send(TO_ALL, INIT);
        second_send(TO_ALL, STARTUP | VECTOR);
        check(nova_uv_reset(&uv, 0) == EPERM && nova_uv_start(&uv, 0, VECTOR) == EPERM,
              "a message to all APICs has no effect on its sender");
        check(nova_uv_reset(&uv, SECOND) == 0 && nova_uv_start(&uv, SECOND, VECTOR) == 0 &&
                      second_sets(STARTS, 4),
              "it starts all other virtual CPUs");
        second_send(SECOND, INIT | LOGICAL);
        second_send(1u << SECOND, INIT | LOGICAL);
        check(nova_uv_reset(&uv, SECOND) == EPERM,
              "a message to a logical destination resets no virtual CPU");
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

/* Lets both virtual CPUs read the page at once. Returns true if both find a value. */
static bool read_both(uint32_t value)
{
        uint32_t own;

        arrived = refused = 0;
        guest(PROBE_WRITE, VALUE, NOT_NOTED);
        honest_attack = meet;
        guest(PROBE_WRITE, SEGMENT, LOW / 16);
        own = guest(PROBE_READ, LOW, 0);
        honest_attack = NULL;
        return own == value && second_sets(VALUE, value);
}

static void one_page(void)
{
        guest(PROBE_WRITE, LOW, 7);
        check(nova_uv_page_out(&uv, LOW, LOW, 0, NOVA_UV_ORDER_PAGE) == NOVA_U_SUCCESS,
              "a page goes out");
        check(read_both(7) && arrived == 2 && refused == 1,
              "two virtual CPUs ask for it at once, and both read it");
        check(guest_call(NOVA_UV_SHARE_PAGE, LOW / PAGE, 1) == 0, "the page is shared");
        check(read_both(0) && arrived == 2 && refused == 1,
              "two virtual CPUs ask for the shared page at once, and both read it");
        *(volatile uint32_t *)(memory.base + LOW) = 9;
        check(read_both(9) && !arrived, "both read what the VMM writes to it");
}

int main(void)
{
        if (!honest_start_on(3, 0) || !second_add())
                return 1;
        check(honest_become_secure() == NOVA_U_SUCCESS, "a guest with two virtual CPUs is secure");
        second_write((const char *)startup_code, (uint32_t)GUEST_BYTES(startup_code));
        init();
        startup();
        late();
        shorthands();
        destinations();
        one_page();
        return tap_end();
}
