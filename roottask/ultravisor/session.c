/* SPDX-License-Identifier: BSD-2-Clause */
/* The operations of a session that are not ultracalls: attachment of virtual CPUs, UV_ESM of a
 * normal guest, and interrupts and starts of virtual CPUs of a secure guest. */
#include "session.h"

#include <errno.h>
#include <string.h>

#include "novart/time.h"
#include "vm.h"

/* Longest wait in ns for a machine's lock: longer than its holders keep it without a pause. */
#define PATIENCE_NS 5000000

/* Returns the VM that a request names; the lock is held. */
static struct vm *named(const struct nova_request *request)
{
        return vm_find(request->state, request->word[0]);
}

/* A virtual CPU runs on the ultravisor's time. A VMM that may not use a CPU has no thread that
 * calls from it, and gets no virtual CPU there (decision 546). */
int session_attach(struct nova_request *request)
{
        const nova_word_t number = request->word[1], cpu = request->word[2];
        nova_sel_t old = 0;
        struct vm *vm;
        int error = EINVAL;

        if (!request->item || number >= NOVA_VM_VCPUS)
                return EINVAL;
        if (cpu != request->cpu)
                return EPERM;
        vm_lock();
        vm = named(request);
        if (vm && vm->state == VM_NORMAL && number <= vm->vcpus) {
                const nova_sel_t portal = nova_request_take(request);

                old = vm->vcpu[number].portal;
                vm->vcpu[number].portal = portal;
                vm->vcpu[number].cpu = cpu;
                if (number == vm->vcpus)
                        vm->vcpus++;
                error = 0;
        }
        vm_unlock();
        if (old)
                nova_service_drop(vm_service, old);
        return error;
}

/* Ends the use of a VM that was to be started. @return true if the caller must stop it, because it
 * did not start and no other call stops it */
static bool leave(struct vm *vm, enum nova_u_status status)
{
        bool stop;

        vm_lock();
        vm->users--;
        stop = status && vm->state == VM_CONVERTING;
        if (stop)
                vm->state = VM_ENDING;
        vm_unlock();
        return stop;
}

int session_esm(struct nova_request *request)
{
        enum nova_u_status status = NOVA_U_INVALID;
        struct vm *vm;
        bool stop;

        vm_lock();
        vm = named(request);
        if (vm && vm->state == VM_NORMAL && vm->vcpus && vm->normal) {
                vm->state = VM_CONVERTING;
                vm->users++;
                vm->pages.converting = true;
                vm->blob = request->word[1];
                vm->params = request->word[2];
                status = NOVA_U_SUCCESS;
        } else if (vm && vm->state == VM_SECURE) {
                status = NOVA_U_BUSY;
        }
        vm_unlock();
        if (!status) {
                status = vm_start(vm);
                stop = leave(vm, status);
                if (stop)
                        vm_stop(vm);
        }
        nova_request_answer(request, (nova_word_t)(intptr_t)status);
        return 0;
}

/* Begins to use the machine of a VM, which is not destroyed meanwhile.
 * @return the virtual CPU; NULL: there is none */
static struct nova_vcpu *use(const struct nova_request *request, struct vm **vm)
{
        struct nova_vcpu *vcpu = NULL;

        vm_lock();
        *vm = named(request);
        if (*vm && (*vm)->state == VM_SECURE && request->word[1] < (*vm)->vcpus) {
                vcpu = &(*vm)->machine.vcpu[request->word[1]];
                (*vm)->users++;
        }
        vm_unlock();
        return vcpu;
}

static void release(struct vm *vm)
{
        vm_lock();
        vm->users--;
        vm_unlock();
}

/* An action on a virtual CPU of a secure VM, with the machine's lock held. @return errno value */
typedef int vcpu_action(struct vcpu *own, struct nova_vcpu *vcpu, nova_word_t vector);

/* Waits only a short time for the machine's lock, because this handler also serves the other VMMs
 * on its CPU. The lock passes to its waiters in their order, so a second wait is rarely necessary.
 * @return EBUSY: the client calls again */
static int act(const struct nova_request *request, vcpu_action *action)
{
        struct vm *vm;
        struct nova_vcpu *const vcpu = use(request, &vm);
        int error;

        if (!vcpu)
                return EINVAL;
        error = nova_vm_lock_until(&vm->machine, nova_deadline_in(PATIENCE_NS)) ? EBUSY : 0;
        if (!error) {
                error = action(&vm->vcpu[vcpu->number], vcpu, request->word[2]);
                nova_vm_unlock(&vm->machine);
        }
        release(vm);
        return error;
}

static int kick_vcpu(struct vcpu *own, struct nova_vcpu *vcpu, nova_word_t unused)
{
        (void)unused;
        __atomic_store_n(&own->ask, true, __ATOMIC_RELEASE);
        nova_vcpu_kick(vcpu);
        return 0;
}

static int start_vcpu(struct vcpu *own, struct nova_vcpu *vcpu, nova_word_t vector)
{
        if (vector > UINT8_MAX || !(own->starts[vector / 64] >> vector % 64 & 1) ||
            vcpu->activity != NOVA_VCPU_OFF)
                return EPERM;
        memset(own->starts, 0, sizeof(own->starts));
        own->resets = false;
        nova_vcpu_start_at(vcpu, (uint8_t)vector);
        return 0;
}

static int reset_vcpu(struct vcpu *own, struct nova_vcpu *vcpu, nova_word_t unused)
{
        (void)unused;
        if (!own->resets)
                return EPERM;
        own->resets = false;
        memset(own->held, 0, sizeof(own->held));
        vcpu->held_back = false;
        nova_vcpu_reset(vcpu);
        return 0;
}

int session_kick(struct nova_request *request)
{
        return act(request, kick_vcpu);
}

int session_start(struct nova_request *request)
{
        return act(request, start_vcpu);
}

int session_reset(struct nova_request *request)
{
        return act(request, reset_vcpu);
}

/* Returns the state of a VM. In UV_ESM the machine ends if the VMM cannot be called, or after
 * H_SVM_INIT_ABORT. */
static enum nova_uv_state state_of(const struct vm *vm)
{
        const bool ended = vm->has_machine && vm->machine.end != NOVA_VM_RUNS;

        switch (vm->state) {
        case VM_CONVERTING:
                return ended ? NOVA_UV_ENDED : NOVA_UV_CONVERTING;
        case VM_SECURE:
                return ended ? NOVA_UV_ENDED : NOVA_UV_SECURE;
        default:
                return NOVA_UV_NORMAL;
        }
}

int session_state(struct nova_request *request)
{
        enum nova_uv_state answer = NOVA_UV_NORMAL;
        const struct vm *vm;

        vm_lock();
        vm = named(request);
        if (vm)
                answer = state_of(vm);
        vm_unlock();
        nova_request_answer(request, answer);
        return 0;
}

int session_attributes(struct nova_request *request)
{
        const struct page *page;
        struct vm *vm;

        vm_lock();
        vm = named(request);
        page = vm ? page_find(&vm->pages, request->word[1]) : NULL;
        if (page) {
                nova_request_answer(request, page->attributes[PAGE_SECURE_PLACE]);
                nova_request_answer(request, page->attributes[PAGE_SHARED_PLACE]);
        }
        vm_unlock();
        return page ? 0 : EINVAL;
}
