/* SPDX-License-Identifier: BSD-2-Clause */
/* The thread of a machine that calls the devices when their alarms are due. */
#include <errno.h>

#include "novart/time.h"
#include "vm.h"

/* Minimum, maximum and factor of the pause between alarms, in ns. The pause is a multiple of the
 * time that the last alarms took, so that a guest's timers cannot keep the thread busy. */
#define PAUSE_NS     50000
#define PAUSE_MAX_NS 200000
#define PAUSE_FACTOR 16

/* Takes the lock, because the thread runs already when devices are added. */
int nova_vm_add_alarm(struct nova_vm *vm, struct nova_alarm *alarm)
{
        bool fits;

        nova_vm_lock(vm);
        fits = vm->alarms < NOVA_VM_ALARMS;
        if (fits)
                vm->alarm[vm->alarms++] = alarm;
        nova_vm_unlock(vm);
        return fits ? 0 : ENOSPC;
}

static uint64_t earliest(const struct nova_vm *vm)
{
        uint64_t first = vm->nmis.deadline;

        for (unsigned i = 0; i < vm->alarms; i++)
                if (vm->alarm[i]->deadline < first)
                        first = vm->alarm[i]->deadline;
        return first;
}

void novavmm_timer_check(struct nova_vm *vm)
{
        const uint64_t first = earliest(vm);

        if (first >= vm->armed)
                return;
        vm->armed = first;
        nova_semaphore_up(&vm->timer_wake);
}

static void expire(struct nova_alarm *alarm, uint64_t now)
{
        if (alarm->deadline > now)
                return;
        alarm->deadline = NOVA_NEVER;
        alarm->expire(alarm->device, now);
}

static void expire_all(struct nova_vm *vm, uint64_t now)
{
        expire(&vm->nmis, now);
        for (unsigned i = 0; i < vm->alarms; i++)
                expire(vm->alarm[i], now);
}

/* Returns the end of the pause, before which the thread handles no alarm. */
static uint64_t end_of_pause(uint64_t begin, uint64_t end)
{
        const uint64_t pause = (end - begin) * PAUSE_FACTOR;

        if (pause > PAUSE_MAX_NS)
                return end + PAUSE_MAX_NS;
        return pause > PAUSE_NS ? end + pause : begin + PAUSE_NS;
}

static void break_down(void *vm)
{
        novavmm_vm_break(vm);
}

static void *run(void *argument)
{
        struct nova_vm *const vm = argument;

        nova_thread_on_fault(nova_thread_self(), break_down, vm);

        while (!__atomic_load_n(&vm->timer_quits, __ATOMIC_RELAXED)) {
                nova_vm_lock(vm);

                const uint64_t now = nova_vm_now(NULL);

                expire_all(vm, now);
                vm->armed = earliest(vm);

                const uint64_t pause = end_of_pause(now, nova_vm_now(NULL));
                const uint64_t armed = vm->armed > pause ? vm->armed : pause;

                nova_mutex_unlock(&vm->lock);
                nova_semaphore_down_until(&vm->timer_wake, nova_tsc_of_ns(armed));
                if (nova_vm_now(NULL) < pause)
                        nova_sleep_until(nova_tsc_of_ns(pause));
        }
        return NULL;
}

int novavmm_timer_start(struct nova_vm *vm)
{
        const struct nova_thread_attr attr = {
                .name = "vm timer",
                .cpu = vm->vcpu[0].cpu,
                .priority = vm->priority + 1,
        };

        vm->nmis = (struct nova_alarm){NOVA_NEVER, novavmm_vcpu_late_nmis, vm};
        return nova_thread_create(&vm->timer, &attr, run, vm);
}

void novavmm_timer_stop(struct nova_vm *vm)
{
        if (!vm->timer)
                return;
        __atomic_store_n(&vm->timer_quits, true, __ATOMIC_RELAXED);
        nova_semaphore_up(&vm->timer_wake);
        nova_thread_join(vm->timer, NULL);
        vm->timer = NULL;
}
