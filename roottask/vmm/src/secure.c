/* SPDX-License-Identifier: BSD-2-Clause */
/* Secure guests: serves the calls of the ultravisor with the machine's devices. */
#include "secure.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "create_error.h"
#include "nova/utcb.h"
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
        vm->serving = vcpu;
        if (call->number == NOVA_H_PORT)
                call->value = access(&vm->ports, call->word);
        else if (call->number == NOVA_H_MEMORY)
                call->value = access(&vm->mmio, call->word);
        else
                call->value = interrupt(vcpu);
        if (vm->look && vm->end == NOVA_VM_RUNS)
                vm->look(vm->look_context);
        *more = novavmm_vcpu_has_interrupt(vcpu);
        runs = vm->end == NOVA_VM_RUNS;
        nova_vm_unlock(vm);
        return runs;
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
                nova_semaphore_down(&secure->over);
}

static nova_word_t word_of(enum nova_h_status status)
{
        return (nova_word_t)(intptr_t)status;
}

/* Returns the answer to a call for which the library made an ultracall. Flags and order are
 * parameters 2 and 3 of the call, and parameters 4 and 5 of the ultracall. */
static enum nova_h_status answer_of(enum nova_u_status status)
{
        switch (status) {
        case NOVA_U_SUCCESS:
                return NOVA_H_SUCCESS;
        case NOVA_U_P4:
                return NOVA_H_P2;
        case NOVA_U_P5:
                return NOVA_H_P3;
        default:
                return NOVA_H_PARAMETER;
        }
}

static enum nova_h_status init_start(struct nova_secure *secure)
{
        enum nova_u_status status;

        if (!secure->converting || secure->started)
                return NOVA_H_UNSUPPORTED;
        status = nova_uv_register_mem_slot(&secure->uv, 0, secure->vm->memory.bytes, 0, 0);
        secure->started = !status;
        return answer_of(status);
}

/* Use of a page of the machine's RAM after the guest has become secure, and the place of the
 * encrypted page with the same number. */
struct nova_secure_place {
        enum { PLACE_FREE, PLACE_SHARED, PLACE_ENCRYPTED } use;
        uint32_t owner; /* if ENCRYPTED: number of the guest's page */
        uint32_t at;    /* page of the RAM that holds the encrypted page, + 1; 0: it is not out */
};

static uint32_t page_count(const struct nova_secure *secure)
{
        return (uint32_t)(secure->vm->memory.bytes / NOVA_PAGE_SIZE);
}

/* Finds a free page of the RAM, the one with the same number if possible.
 * @return its number; page_count(): none is free */
static uint32_t find_free(struct nova_secure *secure, uint32_t page)
{
        const uint32_t count = page_count(secure);

        if (secure->place[page].use == PLACE_FREE)
                return page;
        for (uint32_t i = 0; i < count; i++) {
                secure->hand = (secure->hand + 1) % count;
                if (secure->place[secure->hand].use == PLACE_FREE)
                        return secure->hand;
        }
        return count;
}

/* Notes where an encrypted page is. Its previous place, if any, becomes free. */
static void put(struct nova_secure *secure, uint32_t page, uint32_t at)
{
        if (secure->place[page].at)
                secure->place[secure->place[page].at - 1].use = PLACE_FREE;
        secure->place[at].use = PLACE_ENCRYPTED;
        secure->place[at].owner = page;
        secure->place[page].at = at + 1;
}

/* Moves an encrypted page away from a page of the RAM that is to be shared. No copy stays, because
 * the ultravisor would accept the copy as the guest's page. */
static bool make_free(struct nova_secure *secure, uint32_t page)
{
        char *const base = (char *)secure->vm->memory.base;
        uint32_t to;

        if (secure->place[page].use != PLACE_ENCRYPTED)
                return true;
        to = find_free(secure, page);
        if (to == page_count(secure))
                return false;
        memcpy(base + (size_t)to * NOVA_PAGE_SIZE, base + (size_t)page * NOVA_PAGE_SIZE,
               NOVA_PAGE_SIZE);
        memset(base + (size_t)page * NOVA_PAGE_SIZE, 0, NOVA_PAGE_SIZE);
        put(secure, secure->place[page].owner, to);
        return true;
}

static uint64_t address_of(uint32_t page)
{
        return (uint64_t)page * NOVA_PAGE_SIZE;
}

static enum nova_u_status share(struct nova_secure *secure, uint32_t page)
{
        if (!make_free(secure, page))
                return NOVA_U_BUSY;
        secure->place[page].use = PLACE_SHARED;
        return nova_uv_page_in(&secure->uv, address_of(page), address_of(page), 0,
                               NOVA_UV_ORDER_PAGE);
}

static enum nova_u_status return_page(struct nova_secure *secure, uint32_t page)
{
        const uint32_t at = secure->place[page].at - 1;
        const enum nova_u_status status = nova_uv_page_in(&secure->uv, address_of(at),
                                                          address_of(page), 0, NOVA_UV_ORDER_PAGE);

        if (!status) {
                secure->place[at].use = PLACE_FREE;
                secure->place[page].at = 0;
                secure->pages_returned++;
        }
        return status;
}

/* Provides the page of the RAM that has the number of the guest's page: it holds a part of the
 * image, or a page that the monitor itself has moved out. If another virtual CPU has received that
 * page meanwhile and asks for its shared place, the page of the RAM becomes the shared place. */
static enum nova_u_status provide(struct nova_secure *secure, const nova_word_t word[4],
                                  uint32_t page)
{
        enum nova_u_status status;

        if (secure->place[page].use == PLACE_ENCRYPTED)
                return NOVA_U_P3; /* it holds another page of the guest */
        status = nova_uv_page_in(&secure->uv, word[0], word[0], 0, word[2]);
        if (!status && !secure->converting)
                secure->place[page].use = PLACE_SHARED;
        return status;
}

static enum nova_u_status page_in(struct nova_secure *secure, const nova_word_t word[4])
{
        const uint32_t page = (uint32_t)(word[0] / NOVA_PAGE_SIZE);

        if (word[1] & NOVA_H_PAGE_IN_NONSHARED) {
                if (secure->place[page].use == PLACE_SHARED)
                        secure->place[page].use = PLACE_FREE;
                return NOVA_U_SUCCESS;
        }
        if (word[1] & NOVA_H_PAGE_IN_SHARED)
                return share(secure, page);
        if (secure->place[page].at)
                return return_page(secure, page);
        return provide(secure, word, page);
}

static enum nova_u_status page_out(struct nova_secure *secure, const nova_word_t word[4])
{
        const uint32_t page = (uint32_t)(word[0] / NOVA_PAGE_SIZE);
        enum nova_u_status status;
        const uint32_t to = find_free(secure, page);

        if (to == page_count(secure))
                return NOVA_U_BUSY;
        status = nova_uv_page_out(&secure->uv, address_of(to), word[0], 0, word[2]);
        if (!status) {
                put(secure, page, to);
                secure->pages_out++;
        }
        return status;
}

/* Checks a call for a page in the order of its parameters: page, flags, order. Only the parts of
 * an image, which move during UV_ESM, have more than one page. */
static enum nova_h_status check_page(const struct nova_secure *secure, const struct call *call)
{
        const bool is_in = call->number == NOVA_H_SVM_PAGE_IN;
        const nova_word_t most =
                is_in && secure->converting ? NOVA_UV_ORDER_MAX : NOVA_UV_ORDER_PAGE;

        if (!secure->started)
                return NOVA_H_UNSUPPORTED;
        if (call->word[0] % NOVA_PAGE_SIZE || call->word[0] >= secure->vm->memory.bytes)
                return NOVA_H_PARAMETER;
        if (call->word[1] > (is_in ? NOVA_H_PAGE_IN_NONSHARED : 0u)) /* not both flags */
                return NOVA_H_P2;
        if (call->word[2] < NOVA_UV_ORDER_PAGE || call->word[2] > most)
                return NOVA_H_P3;
        return NOVA_H_SUCCESS;
}

/* Moves a page for the ultravisor. */
static enum nova_h_status move_page(struct nova_secure *secure, const struct call *call)
{
        enum nova_h_status wrong = check_page(secure, call);
        enum nova_u_status status;

        if (wrong)
                return wrong;
        __atomic_add_fetch(&secure->busy, 1, __ATOMIC_SEQ_CST);
        nova_mutex_lock(&secure->lock);
        status = call->number == NOVA_H_SVM_PAGE_IN ? page_in(secure, call->word)
                                                    : page_out(secure, call->word);
        nova_mutex_unlock(&secure->lock);
        __atomic_sub_fetch(&secure->busy, 1, __ATOMIC_SEQ_CST);
        return answer_of(status);
}

/* Ends UV_ESM if it is in progress. It can succeed only after H_SVM_INIT_START. */
static enum nova_h_status init_end(struct nova_secure *secure, enum nova_u_status status)
{
        if ((!status && !secure->started) ||
            !__atomic_exchange_n(&secure->converting, false, __ATOMIC_ACQ_REL))
                return NOVA_H_UNSUPPORTED;
        secure->started = status == NOVA_U_SUCCESS;
        secure->status = status;
        secure->secure = status == NOVA_U_SUCCESS;
        if (secure->secure) {
                secure->vm->hide_state = true;
                secure->vm->report_reset = false;
        }
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
                call->status = word_of(move_page(secure, call));
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
        memset(secure->place, 0, page_count(secure) * sizeof(*secure->place));
        secure->pages_out = secure->pages_returned = 0;
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
        if (secure->secure)
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
        const nova_sel_t portal = nova_sel_alloc(0);

        if (portal == NOVA_SEL_NONE)
                return EAGAIN;
        secure->portal[number] = portal;
        int error =
                nova_handler_create(&secure->handler[number], vcpu->cpu, "secure", dispatch, vcpu);
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
        vm->memory.keeps_cuts = true; /* the ultravisor uses it, too */
        error = enter(secure);
        if (error == ENOSYS)
                return 0; /* the guest stays normal: its UV_ESM returns U_FUNCTION */
        secure->place = calloc(page_count(secure), sizeof(*secure->place));
        if (!error && !secure->place)
                error = ENOMEM;
        for (unsigned i = 0; i < vm->vcpus && !error; i++)
                error = attach_vcpu(secure, i);
        if (!error)
                error = nova_session_enable_notify(secure->uv.session);
        return error ? error : nova_thread_create(&secure->watcher, &attr, watch, secure);
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
        for (unsigned i = 0; i < vm->vcpus; i++) {
                nova_semaphore_up(&secure->over);
                if (secure->portal[i])
                        nova_sel_release(secure->portal[i], 0);
                if (secure->handler[i])
                        nova_handler_destroy(secure->handler[i]);
        }
        free(secure->place);
        memset(secure, 0, sizeof(*secure));
}

bool novavmm_secure_kick(struct nova_vcpu *vcpu)
{
        const struct nova_secure *const secure = secure_of(vcpu);

        if (!secure || !secure->secure)
                return false;
        if (vcpu->vm->serving != vcpu) /* else the answer says that an interrupt is pending */
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
