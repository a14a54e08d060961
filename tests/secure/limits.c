/* SPDX-License-Identifier: BSD-2-Clause */
/* A VMM that starts when the ultravisor's tables of sessions, VMs and virtual CPUs are full. The
 * other programs (crowd.c) have eight sessions, and eight VMs in the first four of them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../runtime/tap.h"
#include "ask.h"
#include "honest.h"

#define CROWDS 4u  /* the first two have VMs */
#define NO_CPU 40u /* number of a CPU that the machine does not have */

static struct nova_session *crowd[CROWDS];

/* Creates a machine with the library. @return its sentence if that failed, NULL if it did not */
static const char *create(struct nova_vm *vm)
{
        static struct nova_secure secure;
        const struct nova_vm_config config = {
                .name = "ninth", .memory = 2u << 20, .secure = &secure};
        int error = nova_secure_open(&secure, "ultravisor");

        if (error)
                return strerror(error);
        error = nova_vm_create(vm, &config);
        return error ? nova_vm_why(vm, error) : NULL;
}

static void sessions(void)
{
        struct nova_session *ninth = NULL;

        check(nova_session_open_trusting(&ninth, "ultravisor", NULL) == ENFILE,
              "the ninth session is refused");
        check(ask(crowd[CROWDS - 1], NULL, 0, NULL, 0) &&
                      !nova_session_open_trusting(&ninth, "ultravisor", NULL),
              "it is accepted when another one is closed");
        nova_session_close(ninth);
}

static void vms(void)
{
        static struct nova_vm vm;
        const char *const why = create(&vm);

        if (why)
                printf("The ninth machine cannot be created: %s.\n", why);
        check(why, "the ninth VM is refused");
        check(ask(crowd[0], NULL, 0, NULL, 0), "a VMM ends its session with two VMs");
        check(honest_start(3), "the ninth VM is accepted");
}

/* Attaches virtual CPUs from the second one on. */
static void vcpus(void)
{
        const nova_word_t cpu = nova_thread_cpu();
        unsigned attached = 1;

        check(nova_uv_attach(&uv, 0, NO_CPU, portal) == ENODEV &&
                      nova_uv_attach(&uv, 0, NOVA_CPU_MAX, portal) == ENODEV,
              "a virtual CPU is refused on a CPU that the ultravisor does not have");
        check(nova_uv_attach(&uv, 2, cpu, portal) == EINVAL,
              "virtual CPUs are numbered without gaps");
        while (attached < NOVA_VM_VCPUS && !nova_uv_attach(&uv, attached, cpu, portal))
                attached++;
        check(attached == NOVA_VM_VCPUS && nova_uv_attach(&uv, attached, cpu, portal) == EINVAL,
              "a VM has at most eight virtual CPUs");
        check(honest_become_secure() == NOVA_U_PERMISSION, "its image allows fewer of them");
}

static unsigned refused; /* number of virtual CPUs that were refused during UV_ESM */

/* Attaches the virtual CPU that the VM has already, and a second one. Returns how many were
 * refused. */
static unsigned attach_both(void)
{
        const nova_word_t cpu = nova_thread_cpu();
        unsigned count = 0;

        for (unsigned i = 0; i < 2; i++)
                count += nova_uv_attach(&uv, i, cpu, portal) == EINVAL;
        return count;
}

static void attach_early(struct call *call)
{
        if (call->number == NOVA_H_SVM_PAGE_IN && call->word[0] == KERNEL)
                refused = attach_both();
}

/* Enters a VM, which becomes secure with one virtual CPU. */
static void one_vcpu(void)
{
        uv.lpid++;
        check(!nova_uv_write_pate(&uv, 0, MEMORY) &&
                      nova_uv_esm(&uv, BLOB, PARAMS) == NOVA_U_INVALID,
              "UV_ESM of a VM without a virtual CPU is invalid");
        honest_attack = attach_early;
        check(!nova_uv_attach(&uv, 0, nova_thread_cpu(), portal) &&
                      honest_become_secure() == NOVA_U_SUCCESS && guest(PROBE_READ, KERNEL, 0),
              "a VM with one virtual CPU becomes secure");
        check(refused == 2, "a virtual CPU is refused during UV_ESM");
        check(attach_both() == 2, "a virtual CPU is refused when the VM is secure");
        check(nova_uv_kick(&uv, 1) == EINVAL && !nova_uv_kick(&uv, 0) &&
                      guest(PROBE_READ, KERNEL, 0) && honest_end() == NOVA_U_SUCCESS,
              "a virtual CPU that the VM does not have takes no interrupt");
}

int main(void)
{
        static const char *const names[CROWDS] = {"first", "second", "third", "fourth"};

        for (unsigned i = 0; i < CROWDS; i++)
                if (nova_session_open(&crowd[i], names[i], NULL))
                        return 1;
        sessions();
        vms();
        vcpus();
        one_vcpu();
        return tap_end();
}
