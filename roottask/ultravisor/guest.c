/* SPDX-License-Identifier: BSD-2-Clause */
/* Ultracalls and hypercalls of a secure guest: number in RAX, parameters in RBX, RCX, RDX and RSI,
 * status in RAX. */
#include <stdio.h>

#include "nova/hypercall.h"
#include "novart/time.h"
#include "novavmm/registers.h"
#include "vm.h"

#define VECTOR_UD 6
#define SOON_NS   100000
#define BYTES     3 /* length of VMCALL and VMMCALL */

#define H_RANDOM   0x300u
#define ULTRACALLS 0xf000u /* ultracalls have this number or a higher one */
#define GFN_MAX    (UINT64_C(1) << 40)

typedef enum nova_u_status page_function(struct pages *pages, uint64_t gpa);

static void sleep_soon(void *unused)
{
        (void)unused;
        nova_sleep(SOON_NS);
}

void guest_wait_for_others(struct nova_vcpu *vcpu)
{
        struct nova_vm *const machine = vcpu->vm;

        for (unsigned i = 0; i < machine->vcpus; i++)
                if (&machine->vcpu[i] != vcpu && machine->vcpu[i].gives)
                        nova_ec_ctrl(machine->vcpu[i].ec);
        nova_vcpu_call_out(vcpu, sleep_soon, NULL);
}

/* Performs a function for a page. If another virtual CPU's reply may map the page, tries again
 * after an exit of that virtual CPU. */
static enum nova_u_status insist(struct nova_vcpu *vcpu, uint64_t gpa, page_function *function)
{
        struct vm *const vm = vm_of(vcpu);
        enum nova_u_status status = NOVA_U_BUSY;

        while (status == NOVA_U_BUSY && vm->machine.end == NOVA_VM_RUNS) {
                vm_lock();
                status = function(&vm->pages, gpa);
                vm_unlock();
                if (status == NOVA_U_BUSY)
                        guest_wait_for_others(vcpu);
        }
        return status;
}

/* Tells the VMM that the guest no longer uses a shared page. */
static void release(struct nova_vcpu *vcpu, uint64_t gpa)
{
        const uint64_t parameters[4] = {gpa, NOVA_H_PAGE_IN_NONSHARED, NOVA_UV_ORDER_PAGE, 0};

        reflect(vcpu, NOVA_H_SVM_PAGE_IN, parameters, NULL);
}

static void rest(void *unused)
{
        (void)unused;
}

bool guest_pause(struct nova_vcpu *vcpu)
{
        return nova_vcpu_call_out(vcpu, rest, NULL);
}

/* Performs a function for each page of a range that has been checked. */
static enum nova_u_status each(struct nova_vcpu *vcpu, uint64_t gfn, uint64_t count,
                               page_function *function)
{
        enum nova_u_status status = NOVA_U_SUCCESS;
        uint64_t ahead = 0;

        for (uint64_t i = 0; i < count && !status; i++) {
                if (i == ahead)
                        ahead += memory_unmap_ahead(vm_of(vcpu), (gfn + i) << NOVA_PAGE_BITS,
                                                    count - i);
                status = insist(vcpu, (gfn + i) << NOVA_PAGE_BITS, function);
                if (!status && function == page_unshare)
                        release(vcpu, (gfn + i) << NOVA_PAGE_BITS);
                if (i % PAGE_PART == PAGE_PART - 1)
                        guest_pause(vcpu);
        }
        return status;
}

/* Returns the status of the parameters of UV_SHARE_PAGE and UV_UNSHARE_PAGE. */
static enum nova_u_status check(struct vm *vm, uint64_t gfn, uint64_t count)
{
        enum nova_u_status status = NOVA_U_SUCCESS;

        vm_lock();
        if (gfn >= GFN_MAX || !page_find(&vm->pages, gfn << NOVA_PAGE_BITS))
                status = NOVA_U_PARAMETER;
        else if (!count || !page_has(&vm->pages, gfn << NOVA_PAGE_BITS, count))
                status = NOVA_U_P2;
        vm_unlock();
        return status;
}

static enum nova_u_status unshare_all(struct nova_vcpu *vcpu)
{
        struct vm *const vm = vm_of(vcpu);
        enum nova_u_status status = NOVA_U_SUCCESS;
        struct page_hand hand = {0, 0};
        uint64_t gpa;
        bool more = true;

        while (more && !status && vm->machine.end == NOVA_VM_RUNS) {
                vm_lock();
                more = page_next_shared(&vm->pages, &hand, &gpa);
                vm_unlock();
                if (gpa == UINT64_MAX)
                        guest_pause(vcpu);
                else
                        status = each(vcpu, gpa / FRAME_BYTES, 1, page_unshare);
                if (status == NOVA_U_PARAMETER)
                        status = NOVA_U_SUCCESS; /* the VMM has removed the slot meanwhile */
        }
        return status;
}

static enum nova_u_status perform(struct nova_vcpu *vcpu, unsigned number)
{
        struct vm *const vm = vm_of(vcpu);
        const uint64_t gfn = vcpu->state->bx, count = vcpu->state->cx;
        enum nova_u_status status;

        switch (number) {
        case NOVA_UV_ESM:
                return NOVA_U_SUCCESS; /* it is secure already */
        case NOVA_UV_UNSHARE_ALL_PAGES:
                return unshare_all(vcpu);
        default:
                status = check(vm, gfn, count);
                return status ? status
                              : each(vcpu, gfn, count,
                                     number == NOVA_UV_SHARE_PAGE ? page_share : page_unshare);
        }
}

/* Returns the status of an ultracall. */
static enum nova_u_status ultracall(struct nova_vcpu *vcpu, uint64_t number)
{
        static const struct {
                unsigned number;
                enum nova_uv_caller caller;
                enum nova_u_status elsewhere;
        } calls[] = {
#define CALL(name, function, number, caller, elsewhere, ...) \
        {number, NOVA_UV_##caller, NOVA_U_##elsewhere},
                NOVA_UV_CALL_ROWS(CALL)
#undef CALL
        };

        for (unsigned i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
                if (calls[i].number == number)
                        return calls[i].caller == NOVA_UV_BY_GUEST ? perform(vcpu, (unsigned)number)
                                                                   : calls[i].elsewhere;
        return NOVA_U_FUNCTION;
}

static void report_no_number(void *vm)
{
        if (vm_may_report(vm))
                printf("A secure guest gets no random number: the CPU returns none.\n");
}

static nova_word_t random_call(struct nova_vcpu *vcpu)
{
        uint64_t value;

        if (crypto_random(&value, sizeof(value)) != CRYPTO_OK) {
                nova_vcpu_keep_message(vcpu, report_no_number, vm_of(vcpu)); /* it takes locks */
                return (nova_word_t)NOVA_H_FUNCTION;
        }
        vcpu->state->bx = (nova_word_t)value;
        return NOVA_H_SUCCESS;
}

/* Passes a hypercall to the VMM: its number and parameters are the guest's message. */
static nova_word_t hypercall(struct nova_vcpu *vcpu)
{
        const struct message message = message_of_hypercall(vcpu->state);
        uint64_t value;
        const int status = reflect_message(vcpu, &message, &value);

        return (nova_word_t)(status ? (uint64_t)(int64_t)status : value);
}

void guest_call(struct nova_vcpu *vcpu)
{
        const uint64_t number = vcpu->state->ax;
        nova_word_t result;

        if (nova_registers_privilege(vcpu->state)) {
                nova_vcpu_raise(vcpu, VECTOR_UD);
                return;
        }
        if (number >= ULTRACALLS)
                result = (nova_word_t)(int64_t)ultracall(vcpu, number);
        else
                result = number == H_RANDOM ? random_call(vcpu) : hypercall(vcpu);
        vcpu->state->ax = result;
        vcpu->changed |= NOVA_MTD_ACDB;
        nova_vcpu_skip(vcpu, BYTES);
}
