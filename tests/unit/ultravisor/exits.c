/* SPDX-License-Identifier: BSD-2-Clause */
/* The functions that exit.c and guest.c call, without a kernel (see exits.h). */
#include "exits.h"

#include <string.h>

#include "novart/time.h"
#include "novavmm/registers.h"
#include "vm.h"

#define PAGES 16u

struct message exits_call[EXITS_CALLS];
unsigned exits_calls, exits_left;
struct exits_port exits_port;
int exits_convert;
bool exits_dry;
struct nova_service *vm_service;
struct frames memory_frames;

static struct vm machine;
static struct nova_utcb_state registers;

uint64_t exits_bx(void)
{
        return registers.bx;
}

uint64_t exits_ax(void)
{
        return registers.ax;
}

/* Stands in for the library's handlers, as far as they reach devices. */
static void use_ports(struct nova_vcpu *vcpu)
{
        const struct nova_bus *const ports = &vcpu->vm->ports;

        exits_left++;
        if (vcpu->exit != NOVA_VM_EXIT_PORT)
                return;
        if (exits_port.write)
                nova_bus_put(ports, exits_port.port, exits_port.bytes, registers.ax);
        else
                registers.ax = nova_bus_get(ports, exits_port.port, exits_port.bytes);
}

void exits_handle(enum nova_vm_exit cause, uint64_t ax, uint64_t bx, bool user)
{
        struct nova_vcpu *const vcpu = &machine.machine.vcpu[0];

        memset(&machine, 0, sizeof(machine));
        memset(&registers, EXITS_MARK, sizeof(registers));
        registers.flags = NOVA_FLAG_RESERVED;
        registers.ss.ar = user ? 0xf3 : 0x93;
        registers.ax = (nova_word_t)ax;
        registers.bx = (nova_word_t)bx;
        machine.vcpus = 1;
        machine.state = VM_CONVERTING;
        machine.machine.vcpus = 1;
        machine.machine.serving = vcpu;
        vcpu->vm = &machine.machine;
        vcpu->exit = cause;
        vcpu->state = &registers;
        for (unsigned i = 0; i < NOVA_VM_EXIT_COUNT; i++)
                machine.machine.handler[i] = use_ports;
        exit_init(&machine);
        exits_calls = exits_left = 0;
        machine.machine.handler[cause](vcpu);
}

int reflect_message(struct nova_vcpu *vcpu, const struct message *message, uint64_t *value)
{
        (void)vcpu;
        if (exits_calls < EXITS_CALLS)
                exits_call[exits_calls] = *message;
        exits_calls++;
        if (value)
                *value = 0x77;
        return NOVA_H_SUCCESS;
}

int reflect(struct nova_vcpu *vcpu, enum nova_h_call call, const uint64_t parameters[4],
            uint64_t *value)
{
        const struct message message = message_make(call, parameters);

        return reflect_message(vcpu, &message, value);
}

void reflect_init(struct vm *vm)
{
        (void)vm;
}

/* Pages 0 to PAGES - 1 exist, and the first one is shared. */

struct page *page_find(struct pages *pages, uint64_t gpa)
{
        static struct page page;

        (void)pages;
        return gpa / FRAME_BYTES < PAGES ? &page : NULL;
}

bool page_has(const struct pages *pages, uint64_t gpa, uint64_t count)
{
        (void)pages;
        return count <= PAGES && gpa / FRAME_BYTES + count <= PAGES;
}

enum nova_u_status page_share(struct pages *pages, uint64_t gpa)
{
        (void)pages;
        (void)gpa;
        return NOVA_U_SUCCESS;
}

enum nova_u_status page_unshare(struct pages *pages, uint64_t gpa)
{
        (void)pages;
        (void)gpa;
        return NOVA_U_SUCCESS;
}

bool page_next_shared(const struct pages *pages, struct page_hand *hand, uint64_t *gpa)
{
        static bool more;

        (void)pages;
        (void)hand;
        *gpa = 0;
        more = !more;
        return more;
}

uint64_t memory_unmap_ahead(struct vm *vm, uint64_t gpa, uint64_t count)
{
        (void)vm;
        (void)gpa;
        return count;
}

bool memory_exit(struct nova_vcpu *vcpu)
{
        (void)vcpu;
        return false;
}

void memory_drop_aliases(struct nova_vcpu *vcpu)
{
        (void)vcpu;
}

void access_init(struct vm *vm)
{
        (void)vm;
}

void cpu_cpuid(struct nova_vcpu *vcpu, nova_vcpu_handler *usual)
{
        usual(vcpu);
}

bool cpu_rdmsr(struct nova_vcpu *vcpu)
{
        (void)vcpu;
        return false;
}

bool vm_may_report(struct vm *vm)
{
        (void)vm;
        return false;
}

enum nova_u_status convert(struct vm *vm, struct nova_vcpu *vcpu)
{
        (void)vm;
        (void)vcpu;
        return (enum nova_u_status)exits_convert;
}

enum crypto_result crypto_random(void *to, size_t bytes)
{
        if (exits_dry)
                return CRYPTO_BAD;
        memset(to, 0x11, bytes);
        return CRYPTO_OK;
}

uint64_t secrets_read(const struct secrets *secrets, const struct seal *seal, uint64_t port,
                      unsigned bytes)
{
        (void)secrets;
        (void)seal;
        (void)port;
        (void)bytes;
        return 0x22;
}

void secrets_write(struct secrets *secrets, uint64_t port, unsigned bytes, uint64_t value)
{
        (void)secrets;
        (void)port;
        (void)bytes;
        (void)value;
}

/* Functions of the runtime and the library. */

void vm_lock(void)
{
}

void vm_unlock(void)
{
}

void nova_service_notify(struct nova_service *service, const void *state)
{
        (void)service;
        (void)state;
}

void nova_vm_on(struct nova_vm *vm, enum nova_vm_exit exit, nova_vcpu_handler *handler)
{
        vm->handler[exit] = handler;
}

void nova_vm_end_with(struct nova_vm *vm, enum nova_vm_end end)
{
        vm->end = end;
}

bool nova_vcpu_call_out(struct nova_vcpu *vcpu, void (*function)(void *), void *argument)
{
        (void)vcpu;
        (void)function;
        (void)argument;
        return true;
}

void nova_vcpu_keep_message(struct nova_vcpu *vcpu, void (*function)(void *), void *argument)
{
        (void)vcpu;
        (void)function;
        (void)argument;
}

void nova_vcpu_raise(struct nova_vcpu *vcpu, unsigned vector)
{
        (void)vcpu;
        (void)vector;
}

void nova_vcpu_skip(struct nova_vcpu *vcpu, unsigned bytes)
{
        (void)vcpu;
        (void)bytes;
}

void nova_sleep(uint64_t ns)
{
        (void)ns;
}
