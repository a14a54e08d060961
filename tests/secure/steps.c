/* SPDX-License-Identifier: BSD-2-Clause */
/* A VMM that ends its guest at each step of UV_ESM while it does not answer, in the middle of each
 * ultracall, and by the loss of its portal. After that, the next guest has each frame of secure
 * memory. */
#include <stdio.h>

#include "novart/time.h"

#include "../runtime/tap.h"
#include "repeat.h"
#include "room.h"

#define MS     1000000u
#define ROUNDS 4u /* rounds for each ultracall; the guest ends at a different time in each */
#define WAITS  1000u
#define VALID  5u /* number of ultracalls that a secure guest's VMM can make with success */

/* Semaphores of the kernel, because a handler can be stopped while it waits for one (drive.h). */
static nova_sel_t stalled, never;
static unsigned step, at; /* numbers of the next call of UV_ESM and of that without an answer */

static bool is_step(const struct call *call)
{
        return call->number == NOVA_H_SVM_INIT_START || call->number == NOVA_H_SVM_PAGE_IN ||
               call->number == NOVA_H_SVM_INIT_DONE || call->number == NOVA_H_SVM_INIT_ABORT;
}

static void count(struct call *call)
{
        step += is_step(call);
}

static void stall(struct call *call)
{
        if (!is_step(call) || step++ != at)
                return;
        call->words = 2; /* when the handler continues, its answer has no effect any more */
        nova_sm_up(stalled);
        nova_sm_down(never);
}

/* Lets a guest become secure. @return the number of calls that UV_ESM makes */
static unsigned count_steps(void)
{
        enum nova_u_status status;

        step = 0;
        honest_attack = count;
        status = honest_become_secure();
        honest_attack = NULL;
        honest_end();
        return status ? 0 : step;
}

/* Ends the VM while its VMM does not answer call number @p number of UV_ESM. */
static bool ends_at(unsigned number, bool damaged)
{
        enum nova_u_status status;

        step = 0;
        at = number;
        honest_attack = stall;
        honest_load();
        memory.base[KERNEL + 5] ^= damaged;
        status = nova_uv_esm(&uv, BLOB, PARAMS);
        if (status) {
                printf("UV_ESM before step %u: status %d.\n", number, status);
                return false;
        }
        nova_sm_down(stalled);
        status = honest_end();
        if (status)
                printf("UV_SVM_TERMINATE at step %u: status %d.\n", number, status);
        honest_attack = NULL;
        nova_sm_up(never);
        return !status && nova_uv_state(&uv) == NOVA_UV_NORMAL;
}

static void conversion(void)
{
        const unsigned steps = count_steps();
        unsigned ended = 0;

        for (unsigned i = 0; i < steps; i++)
                ended += ends_at(i, false);
        printf("UV_ESM makes %u calls; the VM ended in %u of them.\n", steps, ended);
        check(steps > 16 && ended == steps, "a VM ends at each step of UV_ESM");
}

/* Tests an image with one changed bit, whose VMM does not answer the last call: that UV_ESM has
 * failed. */
static void refusal(void)
{
        step = 0;
        honest_attack = count;
        honest_load();
        memory.base[KERNEL + 5] ^= 1;
        if (!nova_uv_esm(&uv, BLOB, PARAMS))
                nova_semaphore_down(&converted);
        honest_attack = NULL;
        honest_end();
        check(esm_status == NOVA_U_PERMISSION && ends_at(step - 1, true),
              "a VM ends while its VMM does not answer that UV_ESM has failed");
}

/* Ends the guest while another thread of its VMM makes an ultracall. */
static bool ends_in(unsigned number, unsigned round)
{
        const unsigned first = number == NOVA_UV_SVM_TERMINATE ? 0 : REPEATS;
        struct nova_thread *thread;
        unsigned ends;

        thread = repeat_start(number);
        if (!thread)
                return false;
        repeat_wait(first);
        nova_sleep(round * MS / 7);
        ends = honest_end() == NOVA_U_SUCCESS;
        __atomic_store_n(&repeat_quits, true, __ATOMIC_RELEASE);
        nova_thread_join(thread, NULL);
        if (number == NOVA_UV_SVM_TERMINATE)
                ends += repeat_good;
        return ends == 1 && nova_uv_state(&uv) == NOVA_UV_NORMAL;
}

static void calls_of_the_vmm(void)
{
        unsigned tried = 0, ended = 0, valid = 0;

        for (unsigned i = 0; i < REPEAT_ROWS; i++) {
                unsigned successes = 0;

                if (repeat_row[i].caller != NOVA_UV_BY_VMM)
                        continue;
                tried++;
                for (unsigned round = 0; round < ROUNDS; round++) {
                        ended += ends_in(repeat_row[i].number, round);
                        successes += repeat_good;
                }
                printf("UV_%s: %u of the calls before the end had success.\n", repeat_row[i].name,
                       successes);
                valid += successes && repeat_opposite(repeat_row[i].number) != repeat_row[i].number;
                valid += successes && repeat_row[i].number == NOVA_UV_PAGE_INVAL;
        }
        check(tried == 8 && ended == tried * ROUNDS && valid == VALID,
              "a VM ends in each ultracall of its VMM");
}

/* Ends the guest while it makes ultracalls of a kind without a pause. */
static bool ends_its_calls(unsigned kind)
{
        if (honest_become_secure())
                return false;
        drive_begin(PROBE_FLOOD, kind, 100000000);
        nova_sleep(5 * MS);
        return !honest_end() && nova_uv_state(&uv) == NOVA_UV_NORMAL;
}

static void calls_of_the_guest(void)
{
        check(ends_its_calls(PROBE_FLOOD_SHARE), "a VM ends while its guest shares one page");
        check(ends_its_calls(PROBE_FLOOD_LONG), "a VM ends while its guest shares many pages");
}

/* Takes the portal back from the ultravisor while the guest waits for a command. */
static void no_portal(void)
{
        bool ends = honest_become_secure() == NOVA_U_SUCCESS && guest(PROBE_READ, KERNEL, 0);

        while (!__atomic_load_n(&drive_waits, __ATOMIC_SEQ_CST))
                nova_sleep(MS);
        nova_revoke(nova_crd_obj(portal, 0, NOVA_PERM_ALL), 0);
        drive_begin(PROBE_READ, KERNEL, 0);
        ends = honest_ends(WAITS) && ends;
        check(ends && honest_end() == NOVA_U_SUCCESS, "a guest ends when its VMM takes its portal");
        check(!nova_uv_attach(&uv, 0, 0, portal) && room_measure(),
              "the next guest runs when the VMM gives a portal again");
}

int main(void)
{
        unsigned before, after;

        stalled = drive_semaphore();
        never = drive_semaphore();
        if (stalled == NOVA_SEL_NONE || never == NOVA_SEL_NONE || !honest_start_on(3, 0))
                return 1;
        before = room_measure();
        conversion();
        refusal();
        calls_of_the_vmm();
        calls_of_the_guest();
        no_portal();
        after = room_measure();
        printf("Pages that are out: %u before, %u after.\n", before, after);
        check(before && before == after, "the next guest has each frame of secure memory");
        return tap_end();
}
