/* SPDX-License-Identifier: BSD-2-Clause */
/* Secure guests: serves the calls of the ultravisor with the machine's devices. */
#include "secure.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "create_error.h"
#include "nova/crd.h"
#include "nova/hypercall.h"
#include "nova/utcb.h"
#include "novart/error.h"
#include "novart/program.h"
#include "novart/selector.h"
#include "novart/time.h"
#include "novavmm/registers.h"
#include "novavmm/virtio.h"
#include "vm.h"

#define VECTOR_UD  6
#define CALL_BYTES 3 /* length of VMCALL and VMMCALL */
#define CALL_WORDS 5 /* words of a call of the ultravisor */
#define LPID       1
#define SOON_NS    100000

/* Selectors of an attached virtual CPU: its portal, and the semaphore of wait_for_end(). */
#define PORTAL_ORDER 1
#define PORTAL_REST  1

/* A call of the ultravisor, and the answer. */
struct call {
        nova_word_t number, word[4];
        nova_word_t status, value;
};

static struct nova_secure *secure_of(const struct nova_vcpu *vcpu)
{
        return vcpu->vm->secure;
}

static nova_word_t interrupt(const struct nova_vcpu *vcpu)
{
        const struct nova_vm_interrupts *const from = &vcpu->vm->interrupts;
        const int vector =
                novavmm_vcpu_has_interrupt(vcpu) ? from->take(from->context, vcpu->number) : -1;

        return vector < 0 ? UINT32_MAX : (nova_word_t)vector;
}

/* Performs an access to a port or to a device's memory: address, bytes, write, value. */
static nova_word_t access(const struct nova_bus *bus, const nova_word_t word[4])
{
        const unsigned bytes = (unsigned)word[1];

        if (!bytes || bytes > 8)
                return 0;
        if (!word[2])
                return (nova_word_t)nova_bus_get(bus, word[0], bytes);
        nova_bus_put(bus, word[0], bytes, word[3]);
        return 0;
}

/* Performs a call with the machine's devices.
 * @return false if the machine has ended */
static bool use_device(struct nova_vcpu *vcpu, struct call *call, nova_word_t *more)
{
        struct nova_vm *const vm = vcpu->vm;
        bool runs;

        nova_vm_lock(vm);
        vm->serving = vm->secure->serving = vcpu;
        if (call->number == NOVA_H_PORT)
                call->value = access(&vm->ports, call->word);
        else if (call->number == NOVA_H_MEMORY)
                call->value = access(&vm->mmio, call->word);
        else
                call->value = interrupt(vcpu);
        if (vm->look && vm->end == NOVA_VM_RUNS)
                vm->look(vm->look_context);
        *more = novavmm_vcpu_has_interrupt(vcpu);
        vm->secure->serving = NULL;
        runs = vm->end == NOVA_VM_RUNS;
        nova_vm_unlock(vm);
        return runs;
}

/* Lets a handler wait until the connection ends. The virtual CPU may lose its SC at any moment of
 * the wait, so the handler holds no lock meanwhile (see novavmm_vcpu_rest()). */
static void wait_for_end(struct nova_secure *secure, unsigned number)
{
        while (!__atomic_load_n(&secure->over, __ATOMIC_ACQUIRE))
                nova_sm_down(secure->portal[number] + PORTAL_REST);
}

/* Serves a call that needs the machine's devices. The call runs on the time of the virtual CPU.
 * When the ultravisor ends the virtual CPU, no call may hold the machine's lock: `busy` counts the
 * calls that may do so, and a machine that has ended no longer answers. */
static void serve_device(struct nova_vcpu *vcpu, struct call *call, nova_word_t *more)
{
        struct nova_secure *const secure = secure_of(vcpu);
        bool runs;

        __atomic_add_fetch(&secure->busy, 1, __ATOMIC_SEQ_CST);
        runs = __atomic_load_n(&vcpu->vm->end, __ATOMIC_SEQ_CST) == NOVA_VM_RUNS &&
               use_device(vcpu, call, more);
        __atomic_sub_fetch(&secure->busy, 1, __ATOMIC_SEQ_CST);
        if (!runs)
                wait_for_end(secure, vcpu->number);
}

static nova_word_t word_of(enum nova_h_status status)
{
        return (nova_word_t)(intptr_t)status;
}

static enum nova_h_status init_start(struct nova_secure *secure)
{
        enum nova_u_status status;

        if (!secure->converting || secure->started)
                return NOVA_H_UNSUPPORTED;
        status = nova_uv_register_mem_slot(&secure->uv, 0, secure->vm->memory.bytes, 0, 0);
        secure->started = !status;
        return novavmm_secure_answer(status);
}

/* Stops the normal guest for ever: the ultravisor runs the guest now. Virtual CPU 0 is in UV_ESM,
 * which does not return; no NMI may wake it. The others can only start as secure ones. */
static void leave_normal(struct nova_vm *vm)
{
        vm->hide_state = true;
        vm->report_reset = false;
        vm->secure->secure = true;
        vm->vcpu[0].nmi = false;
        for (unsigned i = 1; i < vm->vcpus; i++)
                novavmm_vcpu_stop(&vm->vcpu[i]);
}

/* Makes the guest a secure one before its first instruction. See serve_device() for `busy`. */
static void become_secure(struct nova_secure *secure)
{
        struct nova_vm *const vm = secure->vm;

        __atomic_add_fetch(&secure->busy, 1, __ATOMIC_SEQ_CST);
        if (__atomic_load_n(&vm->end, __ATOMIC_SEQ_CST) == NOVA_VM_RUNS) {
                nova_vm_lock(vm);
                leave_normal(vm);
                nova_vm_unlock(vm);
        }
        __atomic_sub_fetch(&secure->busy, 1, __ATOMIC_SEQ_CST);
}

/* Ends UV_ESM if it is in progress. It can succeed only after H_SVM_INIT_START. */
static enum nova_h_status init_end(struct nova_secure *secure, enum nova_u_status status)
{
        if ((!status && !secure->started) ||
            !__atomic_exchange_n(&secure->converting, false, __ATOMIC_ACQ_REL))
                return NOVA_H_UNSUPPORTED;
        secure->started = status == NOVA_U_SUCCESS;
        secure->status = status;
        if (!status)
                become_secure(secure);
        nova_semaphore_up(&secure->converted);
        return NOVA_H_SUCCESS;
}

static void serve(struct nova_vcpu *vcpu, struct call *call, nova_word_t *more)
{
        struct nova_secure *const secure = secure_of(vcpu);

        switch (call->number) {
        case NOVA_H_PORT:
        case NOVA_H_MEMORY:
        case NOVA_H_INTERRUPT:
                serve_device(vcpu, call, more);
                break;
        case NOVA_H_SVM_INIT_START:
                call->status = word_of(init_start(secure));
                break;
        case NOVA_H_SVM_INIT_DONE:
                call->status = word_of(init_end(secure, NOVA_U_SUCCESS));
                break;
        case NOVA_H_SVM_INIT_ABORT:
                call->status = word_of((int)call->word[0] ? init_end(secure, (int)call->word[0])
                                                          : NOVA_H_PARAMETER);
                break;
        case NOVA_H_SVM_PAGE_IN:
        case NOVA_H_SVM_PAGE_OUT:
                call->status = word_of(novavmm_secure_move(secure, call->number, call->word));
                break;
        case NOVA_H_GUEST: /* only the ultravisor makes the calls H_SVM_…, and no others exist */
                call->status = word_of(call->word[0] >= NOVA_H_SVM_PAGE_IN &&
                                                       call->word[0] <= NOVA_H_SVM_INIT_ABORT
                                               ? NOVA_H_UNSUPPORTED
                                               : NOVA_H_FUNCTION);
                break;
        default:
                call->status = word_of(NOVA_H_FUNCTION);
        }
}

static void dispatch(nova_sel_t portal, struct nova_utcb *utcb, void *argument)
{
        struct call call = {.status = NOVA_H_SUCCESS};
        nova_word_t more = 0;

        (void)portal;
        if (nova_utcb_word_count(utcb) >= CALL_WORDS) {
                call.number = utcb->word[0];
                memcpy(call.word, &utcb->word[1], sizeof(call.word));
        }
        serve(argument, &call, &more);

        const nova_word_t answer[] = {call.status, call.value, more};

        nova_utcb_set_windows(utcb, 0, 0);
        nova_utcb_clear(utcb);
        nova_utcb_put_words(utcb, answer, sizeof(answer) / sizeof(answer[0]));
}

/* A call of UV_ESM: addresses of the blob and of the boot parameters, and its status. */
struct esm {
        struct nova_secure *secure;
        uint64_t blob, params;
        enum nova_u_status status;
};

/* Makes the ultracalls of UV_ESM. They use the thread's UTCB, in which the exit's message is. */
static void convert(void *argument)
{
        struct esm *const esm = argument;
        struct nova_secure *const secure = esm->secure;

        esm->status = nova_uv_esm(&secure->uv, esm->blob, esm->params);
        if (esm->status)
                return;
        nova_semaphore_down(&secure->converted);
        esm->status = secure->status;
        if (esm->status)
                nova_uv_svm_terminate(&secure->uv);
}

/* UV_ESM of the normal guest. If it succeeds, this guest never continues. */
static enum nova_u_status esm(struct nova_vcpu *vcpu)
{
        struct nova_secure *const secure = secure_of(vcpu);
        struct esm call = {secure, vcpu->state->bx, vcpu->state->cx, NOVA_U_INVALID};

        if (!secure->place)
                return NOVA_U_FUNCTION;
        if (vcpu->number)
                return NOVA_U_INVALID;
        novavmm_secure_clear(secure);
        secure->started = false;
        secure->conversions++;
        __atomic_store_n(&secure->converting, true, __ATOMIC_SEQ_CST);
        nova_vcpu_call_out(vcpu, convert, &call);
        if (call.status)
                secure->converting = false;
        return call.status;
}

/* The guest is normal, so all other ultracalls fail. */
static void hypercall(struct nova_vcpu *vcpu)
{
        const struct nova_secure *const secure = secure_of(vcpu);
        const nova_word_t number = vcpu->state->ax;
        enum nova_u_status status = NOVA_U_FUNCTION;

        if (nova_registers_privilege(vcpu->state)) {
                nova_vcpu_raise(vcpu, VECTOR_UD);
                return;
        }
        if (number == NOVA_UV_ESM)
                status = esm(vcpu);
        else if (secure->place && (number == NOVA_UV_SHARE_PAGE || number == NOVA_UV_UNSHARE_PAGE ||
                                   number == NOVA_UV_UNSHARE_ALL_PAGES))
                status = NOVA_U_INVALID;
        if (number == NOVA_UV_ESM && status)
                vcpu->vm->report_halt = false; /* the stub prints the status and halts */
        vcpu->state->ax = (nova_word_t)(intptr_t)status;
        vcpu->changed |= NOVA_MTD_ACDB;
        nova_vcpu_skip(vcpu, CALL_BYTES);
        if (number == NOVA_UV_ESM && !status)
                vcpu->activity = NOVA_VCPU_DEAD;
}

/* Aborts UV_ESM if the ultravisor cannot call this VMM: then the normal guest continues. This
 * thread may be late, so the state that it has read may be that of an earlier UV_ESM. */
static void abort_late(struct nova_secure *secure, unsigned conversion)
{
        if (__atomic_load_n(&secure->converting, __ATOMIC_SEQ_CST) &&
            secure->conversions == conversion)
                init_end(secure, NOVA_U_FUNCTION);
}

/* Ends the machine when the ultravisor has ended the guest. */
static void *watch(void *argument)
{
        struct nova_secure *const secure = argument;

        while (!nova_session_wait(secure->uv.session, NOVA_FOREVER)) {
                const unsigned conversion = __atomic_load_n(&secure->conversions, __ATOMIC_SEQ_CST);

                if (nova_uv_state(&secure->uv) != NOVA_UV_ENDED)
                        continue;
                if (!secure->secure) {
                        abort_late(secure, conversion);
                        continue;
                }
                nova_vm_lock(secure->vm);
                nova_vm_end_with(secure->vm, NOVA_VM_ERROR);
                nova_vm_unlock(secure->vm);
        }
        return NULL;
}

static int attach_vcpu(struct nova_secure *secure, unsigned number)
{
        struct nova_vcpu *const vcpu = &secure->vm->vcpu[number];
        const nova_sel_t portal = nova_sel_alloc(PORTAL_ORDER);
        int error;

        if (portal == NOVA_SEL_NONE)
                return EAGAIN;
        secure->portal[number] = portal;
        error = nova_errno_of(nova_create_sm(portal + PORTAL_REST, nova_program.pd, 0));
        if (!error)
                error = nova_handler_create(&secure->handler[number], vcpu->cpu, "secure", dispatch,
                                            vcpu);
        if (!error)
                error = nova_handler_portal(secure->handler[number], portal, 0);
        error = error ? error : nova_uv_attach(&secure->uv, number, vcpu->cpu, portal);
        return novavmm_create_error_secure(secure->vm, error);
}

/* Enters the machine in the ultravisor's table.
 * @return error number; ENOSYS: there is no ultravisor, or it is disabled */
static int enter(struct nova_secure *secure)
{
        const struct nova_guest_memory *const memory = &secure->vm->memory;
        enum nova_u_status status;
        int error;

        if (!secure->uv.session)
                return ENOSYS;
        error = nova_session_share(secure->uv.session, memory->base,
                                   (unsigned)(memory->bytes / NOVA_PAGE_SIZE));
        status = nova_uv_write_pate(&secure->uv, 0, memory->bytes);
        if (status == NOVA_U_FUNCTION) /* it is disabled, and accepts no memory either */
                return ENOSYS;
        if (!error && status)
                error = ENOSPC;
        return novavmm_create_error_secure(secure->vm, error);
}

int novavmm_secure_attach(struct nova_vm *vm)
{
        const struct nova_thread_attr attr = {.name = "secure", .cpu = NOVA_CPU_SELF};
        struct nova_secure *const secure = vm->secure;
        int error;

        secure->vm = vm;
        secure->uv.lpid = LPID;
        nova_vm_on(vm, NOVA_VM_EXIT_HYPERCALL, hypercall);
        vm->virtio_features = NOVA_VIRTIO_ACCESS_PLATFORM;
        vm->memory.keeps_cuts = true; /* the ultravisor uses the RAM, too */
        error = enter(secure);
        if (error == ENOSYS)
                return 0; /* the guest stays normal: its UV_ESM returns U_FUNCTION */
        if (!novavmm_secure_places(secure) && !error)
                error = nova_vm_no_memory(vm, novavmm_secure_places_bytes(secure));
        for (unsigned i = 0; i < vm->vcpus && !error; i++)
                error = attach_vcpu(secure, i);
        if (!error)
                error = nova_session_enable_notify(secure->uv.session);
        return error ? error : nova_thread_create(&secure->watcher, &attr, watch, secure);
}

/* Ends a handler before its semaphore's selector is free: the handler may be about to use it. If
 * there is no memory to end the handler, it is discarded: its only caller has closed the session,
 * so without its portal it gets no time, and it holds no lock (see serve_device()). */
static void detach_vcpu(struct nova_secure *secure, unsigned number)
{
        const nova_sel_t portal = secure->portal[number];

        if (!portal)
                return;
        nova_sm_up(portal + PORTAL_REST);
        if (secure->handler[number] && nova_handler_destroy(secure->handler[number])) {
                nova_revoke(nova_crd_obj(portal, 0, NOVA_PERM_ALL), NOVA_REVOKE_SR);
                nova_handler_discard(secure->handler[number]);
        }
        nova_sel_release(portal, PORTAL_ORDER);
}

void novavmm_secure_detach(struct nova_vm *vm)
{
        struct nova_secure *const secure = vm->secure;

        if (!secure->uv.session)
                return;
        while (__atomic_load_n(&secure->busy, __ATOMIC_SEQ_CST))
                nova_sleep(SOON_NS);
        nova_uv_svm_terminate(&secure->uv);
        if (secure->watcher) {
                nova_session_cancel(secure->uv.session);
                nova_thread_join(secure->watcher, NULL);
        }
        nova_session_close(secure->uv.session);
        __atomic_store_n(&secure->over, true, __ATOMIC_RELEASE);
        for (unsigned i = 0; i < vm->vcpus; i++)
                detach_vcpu(secure, i);
        free(secure->place);
        memset(secure, 0, sizeof(*secure));
}

bool novavmm_secure_kick(struct nova_vcpu *vcpu)
{
        const struct nova_secure *const secure = secure_of(vcpu);

        if (!secure || !secure->secure)
                return false;
        if (secure->serving != vcpu) /* else the answer says that an interrupt is pending */
                nova_uv_kick(&secure->uv, vcpu->number);
        return true;
}

bool novavmm_secure_start(struct nova_vcpu *vcpu, uint8_t vector)
{
        const struct nova_secure *const secure = secure_of(vcpu);

        if (!secure || !secure->secure)
                return false;
        nova_uv_start(&secure->uv, vcpu->number, vector);
        return true;
}

bool novavmm_secure_reset(struct nova_vcpu *vcpu)
{
        const struct nova_secure *const secure = secure_of(vcpu);

        if (!secure || !secure->secure)
                return false;
        nova_uv_reset(&secure->uv, vcpu->number);
        return true;
}

int nova_secure_open(struct nova_secure *secure, const char *service)
{
        memset(secure, 0, sizeof(*secure));
        return nova_session_open_trusting(&secure->uv.session, service, NULL);
}

void nova_secure_close(struct nova_secure *secure)
{
        if (secure->uv.session)
                nova_session_close(secure->uv.session);
        memset(secure, 0, sizeof(*secure));
}

bool nova_secure_is_secure(const struct nova_secure *secure)
{
        return secure->secure;
}
