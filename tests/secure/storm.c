/* SPDX-License-Identifier: BSD-2-Clause */
/* A VMM whose threads make random ultracalls on all CPUs, while its guest becomes secure, runs and
 * ends again and again: `storm CALLS`. One of the threads also ends the guest, at any moment: in
 * UV_ESM, in a call to the VMM, and while other ultracalls use its pages. Each guest finds in its
 * pages what it has written there, or ends. The guests of another VMM (bystander.c) still find what
 * they have written. The ultravisor, which all VMs need, continues to work. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "novart/program.h"
#include "novart/time.h"

#include "../runtime/tap.h"
#include "honest.h"

#define THREADS   4u
#define ROUND_NS  20000000u
#define SOON_NS   1000000u
#define LAST_SLOT 31u
#define UPPER     0x400000u /* pages that no part of the image has */
#define AGES      37u       /* the guest reads one of the last AGES pages that it has written */
#define ENDER     0u        /* number of the thread that also ends every second guest */
#define ENDS      1000u     /* maximum number of its calls between UV_ESM and this end */

static unsigned long calls; /* number of ultracalls of each thread */
static bool idle;           /* the guest is to wait for its next command; atomic */
static unsigned running, refused, done_calls; /* atomic */
static unsigned rounds;                       /* guests that have begun; atomic */
static unsigned ends, ended_esm; /* guests that ENDER ended, and those ended in UV_ESM; atomic */

/* Result of UV_ESM. Atomic: the handler of the ultravisor's calls stores it, main() reads it. */
enum esm { ESM_BEGUN, ESM_DONE, ESM_FAILED };
static enum esm esm;

/* Pages that the guest writes and reads, with their values; 0: not written. Only the handler of the
 * ultravisor's calls uses them. */
static uint32_t written[(MEMORY - UPPER) / PAGE];
static uint32_t turns; /* commands of all guests */
static unsigned reads, lost;

struct random {
        uint64_t state;
};

static uint64_t next(struct random *random)
{
        random->state ^= random->state << 13;
        random->state ^= random->state >> 7;
        random->state ^= random->state << 17;
        return random->state;
}

/* Returns an address, most often of a page above the image. */
static uint64_t page(struct random *random)
{
        const uint64_t bits = next(random);

        if (bits % 16 == 0)
                return bits >> (bits >> 8 & 63);
        return (bits % 8 ? UPPER : 0) + (bits >> 16) % ((MEMORY - UPPER) / PAGE) * PAGE;
}

static uint64_t order(struct random *random)
{
        const uint64_t bits = next(random);

        return bits % 8 ? NOVA_UV_ORDER_PAGE : bits >> 8 & 31;
}

/* Returns any number but that of UV_SVM_TERMINATE, which end_at_random() calls. */
static unsigned any_number(uint64_t bits)
{
        const unsigned number = 0xf100 | (bits >> 8 & 0x7c);

        return number == NOVA_UV_SVM_TERMINATE ? 0 : number;
}

static enum nova_u_status make_call(struct random *random)
{
        const uint64_t bits = next(random), same = page(random);

        switch (bits % 12) {
        case 0:
                return nova_uv_write_pate(&uv, page(random), page(random));
        case 1:
                return nova_uv_register_mem_slot(&uv, MEMORY + page(random), page(random),
                                                 bits >> 8 & 1, 1 + (bits >> 16) % LAST_SLOT);
        case 2:
                return nova_uv_unregister_mem_slot(&uv, (bits >> 8) % (LAST_SLOT + 2));
        case 3:
        case 4:
                return nova_uv_page_in(&uv, page(random), page(random), bits >> 8 & 7,
                                       order(random));
        case 5:
        case 6:
                return nova_uv_page_out(&uv, UPPER + (page(random) & (UPPER - 1)), page(random),
                                        bits >> 8 & 1, order(random));
        case 7:
                return nova_uv_page_inval(&uv, page(random), order(random));
        case 8:
                return nova_uv_kick(&uv, bits >> 8 & 1) || nova_uv_start(&uv, bits >> 9 & 1, 8) ||
                                       nova_uv_reset(&uv, bits >> 10 & 1)
                               ? NOVA_U_INVALID
                               : NOVA_U_SUCCESS;
        case 9: /* what a VMM does under pressure */
                return nova_uv_page_out(&uv, same, same, 0, NOVA_UV_ORDER_PAGE);
        case 10:
                return nova_uv_page_in(&uv, same, same, 0, NOVA_UV_ORDER_PAGE);
        default:
                return nova_uv_call(&uv, any_number(bits), page(random), page(random),
                                    bits >> 16 & 3, order(random));
        }
}

/* Ends every second guest at a random moment. @param left number of calls of this thread until
 * then; only calls while there is a guest count */
static void end_at_random(struct random *random, unsigned *left)
{
        enum nova_uv_state state;

        if (__atomic_load_n(&rounds, __ATOMIC_SEQ_CST) % 2 == 0)
                return;
        state = nova_uv_state(&uv);
        if ((state != NOVA_UV_CONVERTING && state != NOVA_UV_SECURE) || (*left)--)
                return;
        *left = next(random) % ENDS;
        if (nova_uv_svm_terminate(&uv))
                return;
        __atomic_add_fetch(&ends, 1, __ATOMIC_RELAXED);
        __atomic_add_fetch(&ended_esm, state == NOVA_UV_CONVERTING, __ATOMIC_RELAXED);
}

static void *storm(void *argument)
{
        struct random random = {UINT64_C(0x9e3779b97f4a7c15) * ((uintptr_t)argument + 1)};
        unsigned left = ENDS / 2;

        for (unsigned long i = 0; i < calls; i++) {
                if ((uintptr_t)argument == ENDER)
                        end_at_random(&random, &left);
                if (make_call(&random))
                        __atomic_add_fetch(&refused, 1, __ATOMIC_RELAXED);
                __atomic_add_fetch(&done_calls, 1, __ATOMIC_RELAXED);
        }
        __atomic_sub_fetch(&running, 1, __ATOMIC_SEQ_CST);
        return NULL;
}

/* Returns the page of the guest's command. The guest writes one page after the other, and after
 * each write reads a page that it has written some time ago. */
static uint32_t page_of_turn(bool is_read)
{
        const uint32_t pages = sizeof(written) / sizeof(written[0]);

        return (turns / 2 + (is_read ? pages - turns % AGES : 0)) % pages;
}

/* Takes the result of a command. */
static void take_result(bool is_read, nova_word_t result)
{
        uint32_t *const value = &written[page_of_turn(is_read)];

        if (is_read) {
                reads += *value != 0;
                lost += *value && (uint32_t)result != *value;
        } else {
                *value = turns + 1;
        }
        turns++;
}

/* Takes note of the end of UV_ESM. A call of an earlier guest that has ended is complete before the
 * next guest's first call. */
static void take_esm(struct call *call)
{
        switch (call->number) {
        case NOVA_H_SVM_INIT_START:
                memset(written, 0, sizeof(written));
                break;
        case NOVA_H_SVM_INIT_DONE:
        case NOVA_H_SVM_INIT_ABORT:
                call->words = 2;
                __atomic_store_n(&esm, call->number == NOVA_H_SVM_INIT_DONE ? ESM_DONE : ESM_FAILED,
                                 __ATOMIC_SEQ_CST);
        }
}

/* Lets the guest write and read, without a wait, until it is to be idle. */
static void drive(struct call *call)
{
        const bool is_read = turns % 2;

        take_esm(call);
        if (call->number != NOVA_H_PORT || (!call->word[2] && call->word[0] == PROBE_COMMAND &&
                                            __atomic_load_n(&idle, __ATOMIC_SEQ_CST)))
                return;
        call->words = 2;
        if (call->word[2])
                take_result(is_read, call->word[3]);
        else if (call->word[0] == PROBE_COMMAND)
                call->value = is_read ? PROBE_READ : PROBE_WRITE;
        else if (call->word[0] == PROBE_FIRST)
                call->value = UPPER + page_of_turn(is_read) * PAGE;
        else
                call->value = turns + 1;
}

/* Makes UV_ESM. @return false: it has failed, or the guest has ended */
static bool become_secure(void)
{
        enum nova_uv_state state = NOVA_UV_CONVERTING;

        honest_load();
        __atomic_store_n(&esm, ESM_BEGUN, __ATOMIC_SEQ_CST);
        if (nova_uv_esm(&uv, BLOB, PARAMS))
                return false;
        while (__atomic_load_n(&esm, __ATOMIC_SEQ_CST) == ESM_BEGUN &&
               (state == NOVA_UV_CONVERTING || state == NOVA_UV_SECURE)) {
                nova_sleep(SOON_NS);
                state = nova_uv_state(&uv);
        }
        return __atomic_load_n(&esm, __ATOMIC_SEQ_CST) == ESM_DONE;
}

/* Ends the guest while its handler waits for a command, or has no call: a handler that is stopped
 * in an ultracall keeps the session's lock from the other threads for up to a second. */
static void end_guest(void)
{
        __atomic_store_n(&idle, true, __ATOMIC_SEQ_CST);
        while (nova_uv_state(&uv) == NOVA_UV_SECURE &&
               !__atomic_load_n(&drive_waits, __ATOMIC_SEQ_CST))
                nova_sleep(SOON_NS);
        honest_end();
        __atomic_store_n(&idle, false, __ATOMIC_SEQ_CST);
}

static bool begin(void)
{
        bool good = true;

        running = THREADS;
        for (uintptr_t i = 0; i < THREADS && good; i++) {
                const struct nova_thread_attr attr = {.name = "storm", .cpu = (unsigned)i};
                struct nova_thread *thread;

                good = nova_thread_create(&thread, &attr, storm, (void *)i) == 0;
        }
        return good;
}

int main(int argc, char **argv)
{
        unsigned secure = 0;

        calls = argc == 2 ? strtoul(argv[1], NULL, 10) / THREADS : 0;
        honest_attack = drive;
        if (!calls || !honest_start(3) || !begin())
                return 1;
        while (__atomic_load_n(&running, __ATOMIC_SEQ_CST)) {
                __atomic_add_fetch(&rounds, 1, __ATOMIC_SEQ_CST);
                secure += become_secure();
                nova_sleep(ROUND_NS);
                end_guest();
        }
        printf("%u ultracalls, %u of them refused; %u of %u guests became secure. They read %u "
               "pages; %u were wrong.\n",
               done_calls, refused, secure, rounds, reads, lost);
        check(done_calls == calls * THREADS, "random ultracalls on four CPUs return");
        check(refused > done_calls / 4 && refused < done_calls, "some of them are right");
        check(secure, "guests become secure meanwhile");
        printf("A thread has ended %u guests, %u of them in UV_ESM.\n", ends, ended_esm);
        check(ends, "a thread ends guests at random moments");
        check(reads && !lost, "they find in their pages what they have written");
        honest_attack = NULL;
        check(honest_become_secure() == NOVA_U_SUCCESS && guest(PROBE_READ, KERNEL, 0),
              "a guest runs after them");
        honest_end();
        return tap_end();
}
