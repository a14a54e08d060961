/* SPDX-License-Identifier: BSD-2-Clause */
/* The alarms of a machine: the thread that calls them may run while a device is added. */
#include <cerrno>
#include <gtest/gtest.h>

extern "C" {
#include "vm.h"
}

#include "novart/time.h"

namespace
{

unsigned locks;                          /* number of locks held */
unsigned alarms_at_lock, alarms_at_free; /* number of alarms when the lock was taken, and freed */

} // namespace

extern "C" {
void nova_vm_lock(nova_vm *vm)
{
        locks++;
        alarms_at_lock = vm->alarms;
}

void nova_vm_unlock(nova_vm *vm)
{
        locks--;
        alarms_at_free = vm->alarms;
}

/* The thread does not run. */
void nova_mutex_unlock(nova_mutex *)
{
}

uint64_t nova_vm_now(void *)
{
        return 0;
}

uint64_t nova_tsc_of_ns(uint64_t ns)
{
        return ns;
}

void nova_semaphore_up(nova_semaphore *)
{
}

int nova_semaphore_down_until(nova_semaphore *, uint64_t)
{
        return 0;
}

void nova_sleep_until(uint64_t)
{
}

int nova_thread_create(nova_thread **, const nova_thread_attr *, void *(*)(void *), void *)
{
        return 0;
}

int nova_thread_join(nova_thread *, void **)
{
        return 0;
}

nova_thread *nova_thread_self(void)
{
        return nullptr;
}

void nova_thread_on_fault(nova_thread *, void (*)(void *), void *)
{
}

void novavmm_vm_break(nova_vm *)
{
}

void novavmm_vcpu_late_nmis(void *, uint64_t)
{
}
}

namespace
{

TEST(timer, an_alarm_is_added_with_the_machine_locked)
{
        nova_vm vm = {};
        nova_alarm alarm = {};

        EXPECT_EQ(nova_vm_add_alarm(&vm, &alarm), 0);
        EXPECT_EQ(alarms_at_lock, 0u);
        EXPECT_EQ(alarms_at_free, 1u);
        EXPECT_EQ(locks, 0u);
        EXPECT_EQ(vm.alarm[0], &alarm);
}

TEST(timer, refuses_more_alarms_than_a_machine_holds)
{
        nova_vm vm = {};
        nova_alarm alarm = {};

        for (unsigned i = 0; i < NOVA_VM_ALARMS; i++)
                EXPECT_EQ(nova_vm_add_alarm(&vm, &alarm), 0);
        EXPECT_EQ(nova_vm_add_alarm(&vm, &alarm), ENOSPC);
        EXPECT_EQ(vm.alarms, unsigned{NOVA_VM_ALARMS});
        EXPECT_EQ(locks, 0u);
}

} // namespace
