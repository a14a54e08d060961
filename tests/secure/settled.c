/* SPDX-License-Identifier: BSD-2-Clause */
/* A VMM that is killed in UV_SVM_TERMINATE. The ultravisor's thread then stops, perhaps with the
 * lock of vm_settle(). Meanwhile another VMM, its parent, ends its own VM on another CPU. */
#include "../runtime/tap.h"
#include "vmm_start.h"

#define ROUNDS  5u
#define STEP_NS 300000u
#define LONG    (60000u * UINT64_C(1000000))
/* Time in which the ultravisor completes the end of a killed VMM. */
#define PAUSE_NS  (3000u * UINT64_C(1000000))
#define LATEST_US 200000u /* the ultravisor waits 50 ms for the lock, then ends the VM */
#define WAITED_US 40000u  /* an end that took so long has waited for the lock */

/* Kills a VMM some time after the beginning of its call. */
static bool kill_after(uint64_t time)
{
        struct nova_child *const child = vmm_start(ENDER_LAST, 0, ENDER_GOES);
        bool good;

        if (!child)
                return false;
        good = !nova_semaphore_down_until(&vmm_reached, nova_deadline_in(LONG));
        nova_sleep(time);
        nova_child_kill(child, NOVA_CHILD_KILLED);
        nova_child_wait(child, NULL);
        return good;
}

/* Kills a VMM, and then ends this program's own VM. @return time in microseconds that this end
 * took; UINT32_MAX: an error */
static unsigned play(uint64_t time)
{
        uint64_t start;

        nova_sleep(PAUSE_NS);
        if (honest_become_secure() || !kill_after(time))
                return UINT32_MAX;
        start = nova_time_ns();
        return honest_end() ? UINT32_MAX : (unsigned)((nova_time_ns() - start) / 1000);
}

int main(void)
{
        unsigned good = 0, waited = 0;

        if (!vmm_prepare() || !honest_start_on(5, 1))
                return 1;
        for (unsigned i = 1; i <= ROUNDS; i++) {
                const unsigned took = play((uint64_t)i * STEP_NS);

                printf("A VMM is killed after %u us; the end of the other VM takes %u us.\n",
                       i * STEP_NS / 1000, took);
                good += took <= LATEST_US;
                waited += took >= WAITED_US && took <= LATEST_US;
        }
        check(waited, "a VMM is killed while the ultravisor's thread has the lock");
        check(good == ROUNDS, "no other end waits for long");
        check(honest_next_runs(), "and the next VM runs");
        return tap_end();
}
