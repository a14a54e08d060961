/* SPDX-License-Identifier: BSD-2-Clause */
/* Monitors whose own functions raise an exception, one after the other. Each time the machine ends,
 * and the program continues with the next one. */
#include <stdio.h>
#include <string.h>

#include "novart/time.h"
#include "novavmm/load.h"
#include "novavmm/vm.h"

#define GUEST_AT 0x1000
#define PORT     0x80

static struct nova_vm vm;

static volatile uintptr_t nowhere = 8;

static void crash(void)
{
        *(volatile char *)nowhere = 1;
}

static void crash_at_exit(struct nova_vcpu *vcpu)
{
        (void)vcpu;
        crash();
}

static void crash_at_write(void *device, uint64_t port, unsigned bytes, uint64_t value)
{
        (void)device;
        (void)port;
        (void)bytes;
        (void)value;
        crash();
}

static void crash_at_alarm(void *device, uint64_t now)
{
        (void)device;
        (void)now;
        crash();
}

static bool crash_when_asked(void *context, unsigned vcpu)
{
        (void)context;
        if (vm.vcpu[vcpu].exits > 1)
                crash();
        return false;
}

/* Real mode: CPUID; OUT %AL, $0x80; an endless loop. */
static const char guest[] = "\x0f\xa2\xe6\x80\xeb\xfe";

static bool run(const char *name, enum nova_vm_end (*prepare)(void))
{
        const struct nova_vm_config config = {.name = name, .memory = 2u << 20};
        const int error = nova_vm_create(&vm, &config);

        if (error) {
                printf("%s: %s\n", name, strerror(error));
                return false;
        }

        const enum nova_vm_end expected = prepare();

        if (nova_flat_load(&vm.memory, guest, sizeof(guest), GUEST_AT, &vm.vcpu[0].start) ||
            nova_vm_run(&vm))
                return false;

        const enum nova_vm_end end = nova_vm_wait(&vm);

        nova_vm_destroy(&vm);
        printf("%s: it %s%s\n", name, nova_vm_end_text(end), end == expected ? "" : ", wrong");
        return end == expected;
}

static enum nova_vm_end break_exit(void)
{
        nova_vm_on(&vm, NOVA_VM_EXIT_CPUID, crash_at_exit);
        return NOVA_VM_ERROR;
}

static enum nova_vm_end break_device(void)
{
        const struct nova_bus_range range = {PORT, PORT, NULL, crash_at_write, NULL};

        return nova_bus_add(&vm.ports, &range) ? NOVA_VM_RUNS : NOVA_VM_ERROR;
}

static enum nova_vm_end break_alarm(void)
{
        static struct nova_alarm alarm = {.expire = crash_at_alarm};

        alarm.deadline = nova_vm_now(NULL);
        return nova_vm_add_alarm(&vm, &alarm) ? NOVA_VM_RUNS : NOVA_VM_ERROR;
}

static enum nova_vm_end break_interrupts(void)
{
        vm.interrupts.pending = crash_when_asked;
        return NOVA_VM_ERROR;
}

static bool calls;  /* the function below runs */
static bool locked; /* another thread has locked the machine */
static bool stayed; /* the machine did not end while it was locked */

static void crash_in_call(void *unused)
{
        (void)unused;
        __atomic_store_n(&calls, true, __ATOMIC_RELEASE);
        while (!__atomic_load_n(&locked, __ATOMIC_ACQUIRE))
                nova_sleep(1000000);
        crash();
}

static void call_at_exit(struct nova_vcpu *vcpu)
{
        nova_vcpu_call_out(vcpu, crash_in_call, NULL);
}

/* Locks the machine while the function of its handler crashes. */
static void *lock(void *unused)
{
        while (!__atomic_load_n(&calls, __ATOMIC_ACQUIRE))
                nova_sleep(1000000);
        nova_vm_lock(&vm);
        __atomic_store_n(&locked, true, __ATOMIC_RELEASE);
        nova_sleep(300000000);
        stayed = vm.end == NOVA_VM_RUNS;
        nova_vm_unlock(&vm);
        return unused;
}

static struct nova_thread *locker;

static enum nova_vm_end break_call(void)
{
        nova_vm_on(&vm, NOVA_VM_EXIT_CPUID, call_at_exit);
        return nova_thread_create(&locker, NULL, lock, NULL) ? NOVA_VM_RUNS : NOVA_VM_ERROR;
}

static void end_at_write(void *device, uint64_t port, unsigned bytes, uint64_t value)
{
        (void)device;
        (void)port;
        (void)bytes;
        (void)value;
        nova_vm_end_with(&vm, NOVA_VM_OFF);
}

static enum nova_vm_end break_nothing(void)
{
        const struct nova_bus_range range = {PORT, PORT, NULL, end_at_write, NULL};

        return nova_bus_add(&vm.ports, &range) ? NOVA_VM_RUNS : NOVA_VM_OFF;
}

int main(void)
{
        const bool good = run("exit", break_exit) && run("device", break_device) &&
                          run("alarm", break_alarm) && run("interrupts", break_interrupts) &&
                          run("call", break_call) && !nova_thread_join(locker, NULL) && stayed &&
                          run("nothing", break_nothing);

        printf("%s\n", good ? "All machines ended." : "Not as expected.");
        return !good;
}
