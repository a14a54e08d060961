/* SPDX-License-Identifier: BSD-2-Clause */
/* The first VMM, which is honest. Its guest checks all of its pages until the attack of the other
 * VMM is over, and once more after that. */
#include <stdio.h>
#include <string.h>

#include <novart/parent.h>
#include <novart/session.h>
#include <novavmm/secure.h>

#include "tasks.h"

static struct nova_vm vm;
static struct nova_secure secure;
static bool over; /* the other VMM has ended */
static unsigned next, checks, wrong;
static bool last, greets;

/* Returns the guest's next task. The last round over its pages begins after the attack. */
static uint64_t give_task(void *device, uint64_t port, unsigned bytes)
{
        (void)device;
        (void)port;
        (void)bytes;
        if (next == PAGES) {
                greets = last;
                last = __atomic_load_n(&over, __ATOMIC_ACQUIRE);
                next = 0;
        }
        return greets ? TASK_GREET : next++;
}

static void take_result(void *device, uint64_t port, unsigned bytes, uint64_t result)
{
        char text[64] = "";

        (void)device;
        (void)port;
        (void)bytes;
        if (!greets) {
                checks++;
                wrong += result != RESULT_RIGHT;
                return;
        }
        nova_guest_read(&vm.memory, result, text, sizeof(text) - 1);
        printf("The first guest says: %s\n"
               "It has checked its pages %u times, and %u times one was wrong.\n",
               text, checks, wrong);
        nova_vm_end_with(&vm, NOVA_VM_OFF);
}

/* Waits until the other VMM has ended: it provides a service that has no operation. */
static void wait_for_end(void)
{
        struct nova_session *attack;

        if (!nova_session_open(&attack, "attack", NULL))
                while (!nova_session_wait(attack, NOVA_FOREVER))
                        ;
        __atomic_store_n(&over, true, __ATOMIC_RELEASE);
}

/* Waits for the end of the guest. @return the program's status */
static int finish(void)
{
        const bool lost = nova_vm_wait(&vm) != NOVA_VM_OFF;

        if (lost)
                printf("The first guest %s; see the reason above.\n",
                       nova_secure_is_secure(&secure) ? "was lost" : "has not become secure");
        nova_vm_destroy(&vm);
        return lost || wrong > 0;
}

static int fail(const char *what, const char *why)
{
        printf("%s: %s.\n", what, why);
        return 1;
}

int main(void)
{
        const struct nova_bus_range ports = {TASK_PORT, RESULT_PORT + 3, give_task, take_result,
                                             NULL};
        const void *image;
        size_t bytes;
        int error = nova_parent_module("sealed.img", &image, &bytes);

        if (error)
                return fail("The module sealed.img cannot be read", strerror(error));
        error = nova_secure_open(&secure, "ultravisor");
        if (error)
                return fail("The ultravisor cannot be reached", nova_secure_why(error));

        const struct nova_vm_config config = {
                .name = "first", .memory = nova_sealed_memory(image, bytes), .secure = &secure};

        error = nova_vm_create(&vm, &config);
        if (!error)
                error = nova_bus_add(&vm.ports, &ports);
        if (error)
                return fail("The machine cannot be created", nova_vm_why(&vm, error));

        const char *const why = nova_sealed_load(&vm.memory, image, bytes, &vm.vcpu[0].start);

        if (why)
                return nova_vm_not_loaded(&vm, why);
        error = nova_vm_run(&vm);
        if (error)
                return fail("The machine cannot run", nova_vm_why(&vm, error));
        wait_for_end();
        return finish();
}
