/* SPDX-License-Identifier: BSD-2-Clause */
/* Machines that end, again and again, while a thread of a higher priority interrupts the handler of
 * their virtual CPU. The end of a machine takes the handler's time away. The machine must be
 * destroyed, and no lock may stay held, whatever code the handler was executing. */
#include <stdio.h>

#include "nova/arch/tsc.h"
#include "nova/qpd.h"
#include "novart/program.h"
#include "novart/sync.h"
#include "novart/thread.h"
#include "novavmm/load.h"

#include "guest_code.h"
#include "machine.h"

#define MACHINES 400u
#define OTHER    1u       /* CPU of the virtual CPU */
#define BYTES    0x10000u /* RAM of a machine */
#define GUEST_AT 0x1000u
#define SPIN     64u /* longest time of the interrupting thread, in 1/1024 ms */
#define PAUSE    2u  /* its longest pause */

GUEST_CODE(guest, 16, "1: pause\njmp 1b\n");

static bool done;

static uint64_t random_ticks(uint32_t *seed, unsigned most)
{
        *seed = *seed * 1664525 + 1013904223;
        return (uint64_t)nova_program.hip->tsc_khz * ((*seed >> 16) % most + 1) >> 10;
}

/* Takes the CPU for a while, and leaves it for a while. */
static void *interrupt(void *unused)
{
        struct nova_semaphore never = NOVA_SEMAPHORE_INITIALIZER(0);
        uint32_t seed = 1;

        (void)unused;
        while (!__atomic_load_n(&done, __ATOMIC_ACQUIRE)) {
                const uint64_t end = nova_rdtsc() + random_ticks(&seed, SPIN);

                while (nova_rdtsc() < end)
                        __builtin_ia32_pause();
                nova_semaphore_down_until(&never, nova_rdtsc() + random_ticks(&seed, PAUSE));
        }
        return NULL;
}

/* @return false if the machine cannot be created or does not run */
static bool play(void)
{
        static const uint8_t cpus[] = {OTHER};
        static struct nova_vm vm;
        const struct nova_vm_config config = {.name = "short", .memory = BYTES, .cpus = cpus};
        bool runs;

        if (!machine_create(&vm, &config, NULL))
                return false;
        runs = !nova_flat_load(&vm.memory, guest, GUEST_BYTES(guest), GUEST_AT,
                               &vm.vcpu[0].start) &&
               !nova_vm_run(&vm);
        nova_vm_destroy(&vm);
        return runs;
}

int main(void)
{
        const struct nova_thread_attr attr = {
                .name = "above", .cpu = OTHER, .priority = NOVA_PRIO_MAX};
        struct nova_thread *thread;
        unsigned good = 0;

        if (nova_thread_create(&thread, &attr, interrupt, NULL))
                return 1;
        while (good < MACHINES && play())
                good++;
        __atomic_store_n(&done, true, __ATOMIC_RELEASE);
        nova_thread_join(thread, NULL);
        printf("%u of %u machines ended.\n", good, MACHINES);
        return good != MACHINES;
}
