/* SPDX-License-Identifier: BSD-2-Clause */
/* A VMM that dies, hangs, computes for ever or is killed at one place: at a call of the ultravisor,
 * in an ultracall or while its guest makes one. Its arguments name the place and the action
 * (ender.h). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ender.h"
#include "repeat.h"
#include "room.h"

static unsigned long place, deed;
static nova_sel_t never;
static unsigned step;

/* Ends the program, or lets its parent end it. */
static void end(void)
{
        const void *data;
        size_t bytes;

        if (deed == ENDER_DIES)
                _Exit(ENDER_DIED);
        nova_parent_module(ENDER_REACHED, &data, &bytes);
        if (deed == ENDER_GOES)
                return;
        while (deed == ENDER_SPINS)
                ;
        nova_sm_down(never);
}

static bool is_step(const struct call *call)
{
        return call->number == NOVA_H_SVM_INIT_START || call->number == NOVA_H_SVM_PAGE_IN ||
               call->number == NOVA_H_SVM_INIT_DONE;
}

static void end_in_esm(struct call *call)
{
        if (is_step(call) && step++ == place)
                end();
}

static void count_steps(struct call *call)
{
        step += is_step(call);
}

/* Returns true if a call is of the kind at which the program ends. */
static bool is_of_kind(const struct call *call)
{
        const nova_word_t number = call->number, second = call->word[1];

        switch (place) {
        case 0:
                return number == NOVA_H_PORT && !call->word[2];
        case 1:
                return number == NOVA_H_PORT && call->word[2];
        case 2:
                return number == NOVA_H_MEMORY;
        case 3:
                return number == NOVA_H_INTERRUPT;
        case 4:
                return number == NOVA_H_GUEST;
        case 5:
                return number == NOVA_H_SVM_PAGE_IN && !second;
        case 6:
                return number == NOVA_H_SVM_PAGE_IN && second == NOVA_H_PAGE_IN_SHARED;
        case 7:
                return number == NOVA_H_SVM_PAGE_IN && second == NOVA_H_PAGE_IN_NONSHARED;
        default:
                return number == NOVA_H_SVM_PAGE_OUT;
        }
}

static void end_in_call(struct call *call)
{
        if (is_of_kind(call))
                end();
        room_count(call);
}

/* Lets a guest cause a call of each kind. @return only if the program does not end */
static void cause_calls(void)
{
        honest_become_secure();
        honest_attack = end_in_call;
        guest(PROBE_WRITE, PROBE_MARK_PAGE, 1);
        nova_uv_page_out(&uv, PROBE_MARK_PAGE, PROBE_MARK_PAGE, 0, NOVA_UV_ORDER_PAGE);
        guest(PROBE_STI, 0, 0);
        nova_uv_kick(&uv, 0);
        guest(PROBE_MARKS, 1, 0);
        guest_call(NOVA_UV_SHARE_PAGE, FRESH / PAGE, 1);
        guest(PROBE_READ, FRESH, 0);
        guest_call(NOVA_UV_UNSHARE_PAGE, FRESH / PAGE, 1);
        guest(PROBE_TOUCH, ROOM_FIRST, ROOM_PAGES);
}

static void end_in_ultracall(void)
{
        if (place < REPEAT_ROWS && repeat_start(repeat_row[place].number)) {
                repeat_wait(REPEATS);
                end();
        }
}

/* Takes a shared page from the guest again and again. The guest's access brings it back. */
static void *take_shared(void *unused)
{
        (void)unused;
        while (guest(PROBE_READ, FRESH, 0) == 0 &&
               nova_uv_page_inval(&uv, FRESH, NOVA_UV_ORDER_PAGE) == NOVA_U_SUCCESS)
                __atomic_add_fetch(&repeat_made, 1, __ATOMIC_RELEASE);
        return NULL;
}

static void end_in_shared(void)
{
        const struct nova_thread_attr attr = {.name = "shared", .cpu = REPEAT_CPU};
        struct nova_thread *thread;

        if (honest_become_secure() || guest_call(NOVA_UV_SHARE_PAGE, FRESH / PAGE, 1) ||
            nova_thread_create(&thread, &attr, take_shared, NULL))
                return;
        repeat_wait(REPEATS);
        end();
}

static void end_in_call_of_guest(void)
{
        if (honest_become_secure())
                return;
        drive_begin(PROBE_FLOOD, (uint32_t)place, 100000000);
        nova_sleep(50 * REPEAT_NS);
        end();
}

static void *terminate(void *unused)
{
        (void)unused;
        end();
        nova_uv_svm_terminate(&uv);
        return NULL;
}

/* Ends the guest by an ultracall on the other CPU. */
static void end_in_terminate(void)
{
        const struct nova_thread_attr attr = {.name = "last", .cpu = REPEAT_CPU};
        struct nova_thread *thread;

        if (!honest_become_secure() && !nova_thread_create(&thread, &attr, terminate, NULL))
                nova_sm_down(never);
}

static int run_guest(void)
{
        struct nova_session *third = NULL;

        if (honest_become_secure() || !guest(PROBE_READ, KERNEL, 0))
                return ENDER_WRONG;
        return nova_session_open_trusting(&third, "ultravisor", NULL) == EMFILE ? ENDER_RIGHT
                                                                                : ENDER_CROWDED;
}

static int count_calls(void)
{
        honest_attack = count_steps;
        return honest_become_secure() ? ENDER_WRONG : (int)step;
}

/* Runs to the place that the arguments name, and ends there. */
static int end_at(const char *what)
{
        if (!strcmp(what, ENDER_ESM)) {
                honest_attack = end_in_esm;
                honest_become_secure();
        } else if (!strcmp(what, ENDER_CALL)) {
                cause_calls();
        } else if (!strcmp(what, ENDER_ULTRA)) {
                end_in_ultracall();
        } else if (!strcmp(what, ENDER_SHARED)) {
                end_in_shared();
        } else if (!strcmp(what, ENDER_LAST)) {
                end_in_terminate();
        } else {
                end_in_call_of_guest();
        }
        if (deed == ENDER_GOES)
                nova_sm_down(never);
        return ENDER_MISSED;
}

int main(int argc, char **argv)
{
        never = drive_semaphore();
        if (argc != 4 || never == NOVA_SEL_NONE)
                return ENDER_UNFIT;
        if (!honest_start_on(3, 0))
                return ENDER_CLOSED;
        place = strtoul(argv[2], NULL, 10);
        deed = strtoul(argv[3], NULL, 10);
        if (!strcmp(argv[1], ENDER_RUN))
                return run_guest();
        if (!strcmp(argv[1], ENDER_STEPS))
                return count_calls();
        if (!strcmp(argv[1], ENDER_ROOM))
                return (int)room_measure();
        return end_at(argv[1]);
}
