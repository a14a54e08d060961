/* SPDX-License-Identifier: BSD-2-Clause */
/* Attacks by answers: the VMM changes its answers while its guest becomes secure, and while its
 * guest runs. */
#include <stdio.h>
#include <stdlib.h>

#include <nova/hypercall.h>
#include <novart/sync.h>
#include <novart/time.h>

#include "hostile.h"

#define WRONG_VECTORS 35

static struct nova_semaphore stalled = NOVA_SEMAPHORE_INITIALIZER(0);
static nova_sel_t never;
static unsigned calls;   /* number of calls of the kind that the attack counts */
static unsigned refused; /* number of answers that the ultravisor has refused */
static enum nova_u_status seen;

static bool is_kernel(const struct call *call)
{
        return call->number == NOVA_H_SVM_PAGE_IN && call->word[0] == KERNEL;
}

static void fail(struct call *call, enum nova_h_status status)
{
        call->done = true;
        call->status = (nova_word_t)(intptr_t)status;
}

/* Makes the guest secure while the VMM attacks. */
static enum nova_u_status attack(void (*function)(struct call *))
{
        enum nova_u_status status;

        calls = 0;
        at_call = function;
        status = become_secure();
        at_call = NULL;
        if (status)
                end();
        return status;
}

static void change_kernel(struct call *call)
{
        if (is_kernel(call))
                normal[KERNEL + 5] ^= 1;
}

static void replace_start_page(struct call *call)
{
        if (is_kernel(call))
                seen = nova_uv_page_in(&uv, SPARE, 0x8000, 0, NOVA_UV_ORDER_PAGE);
}

static void add_page(struct call *call)
{
        if (is_kernel(call))
                seen = nova_uv_page_in(&uv, KERNEL, SPARE, 0, NOVA_UV_ORDER_PAGE);
}

static void take_slot(struct call *call)
{
        if (is_kernel(call))
                seen = nova_uv_unregister_mem_slot(&uv, 0);
}

static void take_page(struct call *call)
{
        if (is_kernel(call))
                seen = nova_uv_page_out(&uv, SPARE, 0x8000, 0, NOVA_UV_ORDER_PAGE);
}

void attack_measure(void)
{
        outcome("changes one bit of the kernel", attack(change_kernel), NOVA_U_PERMISSION);
        attack(replace_start_page);
        outcome("replaces a page that has been measured", seen, NOVA_U_P3);
        end();
        attack(add_page);
        outcome("provides a page that is no part of the image", seen, NOVA_U_P3);
        end();
        attack(take_slot);
        outcome("removes the memory while it is measured", seen, NOVA_U_P2);
        end();
        attack(take_page);
        outcome("takes a page out that has been measured", seen, NOVA_U_BUSY);
        outcome_is("The guest is still the sealed one", task(0) == RESULT_RIGHT);
        end();
}

static void refuse_start(struct call *call)
{
        if (call->number == NOVA_H_SVM_INIT_START)
                fail(call, NOVA_H_UNSUPPORTED);
}

static void skip_start(struct call *call)
{
        if (call->number == NOVA_H_SVM_INIT_START)
                fail(call, NOVA_H_SUCCESS);
}

static void refuse_page(struct call *call)
{
        if (call->number == NOVA_H_SVM_PAGE_IN && calls++ == 20)
                fail(call, NOVA_H_PARAMETER);
}

static void skip_page(struct call *call)
{
        if (call->number == NOVA_H_SVM_PAGE_IN && calls++ == 20)
                fail(call, NOVA_H_SUCCESS);
}

/* Makes UV_ESM once more while UV_ESM is in progress. */
static void repeat(struct call *call)
{
        if (is_kernel(call))
                seen = nova_uv_esm(&uv, BLOB, PARAMS);
}

void attack_steps(void)
{
        outcome("refuses H_SVM_INIT_START", attack(refuse_start), NOVA_U_FUNCTION);
        outcome("registers no memory", attack(skip_start), NOVA_U_PARAMETER);
        outcome("refuses a page", attack(refuse_page), NOVA_U_RETRY);
        outcome("provides no page, and says that it did", attack(skip_page), NOVA_U_RETRY);
        attack(repeat);
        outcome("makes UV_ESM in UV_ESM", seen, NOVA_U_INVALID);
        outcome_is("The guest is still the sealed one", task(0) == RESULT_RIGHT);
        end();
}

static nova_word_t wrong_vector(unsigned number)
{
        static const nova_word_t others[] = {128, 256, 0x80000000};

        return number < 32 ? number : others[number - 32];
}

/* Answers H_INTERRUPT with vectors that the ultravisor refuses, and then with none. */
static void wrong_vectors(struct call *call)
{
        if (call->number != NOVA_H_INTERRUPT || calls > WRONG_VECTORS)
                return;
        refused += calls && (int)call->word[0] == NOVA_U_INVALID;
        call->done = true;
        call->value = calls < WRONG_VECTORS ? wrong_vector(calls) : NO_VECTOR;
        calls++;
}

void attack_vector(void)
{
        begin();
        calls = refused = 0;
        at_call = wrong_vectors;
        nova_uv_kick(&uv, 0);
        outcome_is("The ultravisor asks for no vector while interrupts are disabled",
                   task(0) == RESULT_RIGHT && !calls);
        task(TASK_INTERRUPTS);
        nova_uv_kick(&uv, 0);
        task(1);
        outcome("sends the vectors 0 to 31, 128, 256 and 2^31",
                refused == WRONG_VECTORS ? NOVA_U_INVALID : NOVA_U_SUCCESS, NOVA_U_INVALID);
        outcome_is("The guest takes none of them", task(2) == RESULT_RIGHT);
        end();
}

void attack_device(void)
{
        begin();
        outcome_is("It answers a read of 4 bytes with 8, and the guest gets 4",
                   task(UINT64_C(0x5ec2e700) << 32 | 1) == RESULT_RIGHT);
        end();
}

/* Does not answer the result of a task. */
static void hang(struct call *call)
{
        if (call->number != NOVA_H_PORT || !call->word[2])
                return;
        call->done = true;
        nova_semaphore_up(&stalled);
        nova_sm_down(never);
}

static void hang_early(struct call *call)
{
        if (call->number != NOVA_H_SVM_PAGE_IN || calls++ != 5)
                return;
        nova_semaphore_up(&stalled);
        nova_sm_down(never);
}

void attack_hang(void)
{
        if (!create_semaphore(&never)) {
                outcome_is("It has a semaphore of the kernel", false);
                return;
        }
        calls = 0;
        at_call = hang_early;
        nova_uv_esm(&uv, BLOB, PARAMS);
        nova_semaphore_down(&stalled);
        outcome("does not answer, and ends the guest in UV_ESM", end(), NOVA_U_SUCCESS);
        nova_sm_up(never);
        begin();
        at_call = hang;
        begin_task(1);
        nova_semaphore_down(&stalled);
        outcome("does not answer, and ends the guest in a call", end(), NOVA_U_SUCCESS);
        nova_sm_up(never);
        begin();
        outcome_is("The next guest runs", task(0) == RESULT_RIGHT);
        end();
}

/* Ends the program while its handler serves a call. */
static void die(struct call *call)
{
        if (call->number == NOVA_H_PORT && call->word[2])
                exit(0);
}

void attack_die(void)
{
        begin();
        printf("It ends while its guest waits for it.\n");
        at_call = die;
        begin_task(0);
        for (;;)
                nova_sleep(UINT64_C(1000000000));
}
