/* SPDX-License-Identifier: BSD-2-Clause */
/* A VMM that ends its VM, or closes its session, while it answers a call of that VM. It then runs
 * on the time of a virtual CPU that the ultravisor destroys. The ultravisor still serves other
 * sessions, and completes the end of the VM even if no further call comes on that CPU. */
#include <stdio.h>

#include "../runtime/tap.h"
#include "second.h"

#define MS       1000000u
#define PAUSE_MS 50u

enum act { TERMINATE, CLOSE, ACTS };

static const nova_word_t calls[] = {NOVA_H_SVM_INIT_START, NOVA_H_SVM_PAGE_IN, NOVA_H_SVM_INIT_DONE,
                                    NOVA_H_PORT};

#define CALLS (sizeof(calls) / sizeof(calls[0]))

static nova_word_t at; /* number of the call during which the VMM attacks */
static enum act act;
static bool struck; /* the attack has begun; atomic */

static void strike(struct call *call)
{
        if (call->number != at || __atomic_exchange_n(&struck, true, __ATOMIC_SEQ_CST))
                return;
        call->words = 2;
        if (act == TERMINATE)
                nova_uv_svm_terminate(&uv);
        else
                nova_session_close(uv.session);
}

/* Opens a session again after the attack has closed it. */
static bool open_again(void)
{
        uv.session = NULL;
        return !nova_session_open_trusting(&uv.session, "ultravisor", NULL) &&
               !nova_session_share(uv.session, memory.base, MEMORY / PAGE) &&
               !nova_uv_write_pate(&uv, 0, MEMORY) && !nova_uv_attach(&uv, 0, SECOND, portal);
}

/* Returns true if the VM is normal, so that its end is complete. */
static bool has_ended(void)
{
        return nova_uv_write_pate(&uv, 0, MEMORY) == NOVA_U_SUCCESS;
}

/* Returns true if the old session is closed: this VMM can open only two at a time. */
static bool has_closed(void)
{
        struct nova_session *second;

        if (nova_session_open_trusting(&second, "ultravisor", NULL))
                return false;
        nova_session_close(second);
        return true;
}

/* Waits until the end is complete. The ultravisor's thread that ends the VM ran on the time of the
 * virtual CPU, and has no time since that was destroyed. This VMM makes no call on that CPU,
 * because the call would lend the thread time. */
static bool completes(bool (*complete)(void))
{
        for (unsigned i = 0; i < WAITS; i++) {
                if (complete())
                        return true;
                nova_sleep(MS);
        }
        return false;
}

/* Returns true if the VM is gone after an attack, and another VM runs. */
static bool play(void)
{
        struct nova_session *other = NULL;
        bool good;

        struck = false;
        honest_attack = strike;
        honest_load();
        if (nova_uv_esm(&uv, BLOB, PARAMS))
                return false;
        for (unsigned i = 0; i < WAITS && !__atomic_load_n(&struck, __ATOMIC_SEQ_CST); i++)
                nova_sleep(MS);
        nova_sleep(PAUSE_MS * MS);
        if (at == NOVA_H_PORT)
                nova_semaphore_down(&converted); /* this guest had become secure */
        good = struck && !nova_session_open_trusting(&other, "ultravisor", NULL);
        nova_session_close(other);
        honest_attack = NULL;
        if (act == TERMINATE)
                good = completes(has_ended) && good;
        else
                good = open_again() && completes(has_closed) && good;
        return honest_next_runs() && good;
}

int main(void)
{
        static const char *const names[ACTS] = {"ends its VM while it answers",
                                                "closes its session while it answers"};

        if (!honest_start_on(3, SECOND))
                return 1;
        for (unsigned i = 0; i < ACTS * CALLS; i++) {
                act = (enum act)(i / CALLS);
                at = calls[i % CALLS];
                printf("A VMM %s call 0x%x.\n", names[act], (unsigned)at);
                check(play(), "the VM is gone, and the next one runs");
        }
        return tap_end();
}
