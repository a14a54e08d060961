/* SPDX-License-Identifier: BSD-2-Clause */
/* Guests at edges: operands that begin in a device or in RAM and end in another device, and
 * instructions at the end of the address space or of 64 KiB. */
#include <stdio.h>
#include <string.h>

#include "novavmm/load.h"

#include "guest_code.h"
#include "machine.h"

#define GUEST_AT     0x1000
#define RAM          (2u << 20)
#define DEVICE_BYTES 0x1000u
#define PORT         0x81
#define NOTES_AT     0x500

/* Two devices lie after the guest's RAM, two others at ports. */
GUEST_CODE(operands, 32,
           "        movl $0x44332211, %eax\n"
           "        movl %eax, 0x1ffffe\n" /* RAM and a device */
           "        movl 0x1ffffe, %ebx\n"
           "        movl %ebx, 0x500\n"
           "        addl %eax, 0x1ffffe\n"
           "        movl %eax, 0x200ffd\n" /* two devices */
           "        movl 0x200ffd, %ebx\n"
           "        movl %ebx, 0x504\n"
           "        cld\n"
           "        movl $0x200fff, %edi\n"
           "        stosl\n"
           "        movl $0x200fff, %esi\n"
           "        movl $0x508, %edi\n"
           "        movsl\n"
           "        movl %eax, 0x201ffe\n" /* a device and nothing */
           "        movl 0x201ffe, %ebx\n"
           "        movl %ebx, 0x50c\n"
           "        outw %ax, $0x81\n"
           "        inw $0x81, %ax\n"
           "        movl %eax, 0x510\n"
           "        hlt\n");

/* The code at 0, which follows the last byte of 4 GiB. */
GUEST_CODE(first, 32,
           "        movl $1, 0x500\n"
           "        hlt\n");

/* The code after 64 KiB, and the handler of exception 13, which is at 0x2000. */
GUEST_CODE(beyond, 16,
           "        movl $2, 0x500\n"
           "        hlt\n");
GUEST_CODE(handler, 16,
           "        movl $1, 0x500\n"
           "        hlt\n");

/* A device that records the values written to it. */
struct store {
        uint64_t at;
        uint8_t memory[DEVICE_BYTES];
};

static uint64_t store_read(void *device, uint64_t address, unsigned bytes)
{
        const struct store *const store = device;
        uint64_t value = 0;

        memcpy(&value, store->memory + (address - store->at), bytes);
        return value;
}

static void store_write(void *device, uint64_t address, unsigned bytes, uint64_t value)
{
        struct store *const store = device;

        memcpy(store->memory + (address - store->at), &value, bytes);
}

static struct nova_vm vm;
static struct store memory[2], ports[2];

static int add_stores(struct nova_bus *bus, struct store *store, uint64_t at, uint64_t bytes)
{
        int error = 0;

        for (unsigned i = 0; i < 2 && !error; i++, at += bytes) {
                const struct nova_bus_range range = {at, at + bytes - 1, store_read, store_write,
                                                     &store[i]};

                memset(&store[i], 0, sizeof(store[i]));
                store[i].at = at;
                error = nova_bus_add(bus, &range);
        }
        return error;
}

static bool create(const char *name)
{
        const struct nova_vm_config config = {.name = name, .memory = RAM};

        return machine_create(&vm, &config, NULL) &&
               !add_stores(&vm.mmio, memory, RAM, DEVICE_BYTES) &&
               !add_stores(&vm.ports, ports, PORT, 1);
}

/* Runs the guest. @return its notes, 32 bits each; false if it did not halt */
static bool run(uint32_t *notes, size_t bytes)
{
        nova_vm_run(&vm);

        const bool halted = nova_vm_wait(&vm) == NOVA_VM_HALTED;

        nova_guest_read(&vm.memory, NOTES_AT, notes, bytes);
        nova_vm_destroy(&vm);
        return halted;
}

static bool run_operands(void)
{
        static const uint32_t want[] = {0x44332211, 0x44332211, 0x44332211, 0xffff2211, 0x44332211};
        static const uint8_t end[] = {0x11, 0x22};
        uint32_t notes[5];

        if (!create("operands"))
                return false;
        nova_guest_write(&vm.memory, GUEST_AT, operands, GUEST_BYTES(operands));
        nova_registers_protected(&vm.vcpu[0].start, GUEST_AT, 8, 16);
        return run(notes, sizeof(notes)) && !memcmp(notes, want, sizeof(want)) &&
               store_read(&memory[0], RAM, 2) == 0x8866 && memory[0].memory[0xfff] == 0x11 &&
               store_read(&memory[1], RAM + DEVICE_BYTES, 4) == 0x00443322 &&
               !memcmp(memory[1].memory + 0xffe, end, sizeof(end)) && ports[0].memory[0] == 0x11 &&
               ports[1].memory[0] == 0x22;
}

/* Runs an instruction that exits at the last two bytes of 4 GiB. The segment begins at 0x3000, so
 * that these bytes lie in RAM. */
static bool run_last(const char *name, const char *instruction)
{
        uint32_t note = 0;

        if (!create(name))
                return false;
        nova_guest_write(&vm.memory, 0x2ffe, instruction, 2);
        nova_guest_write(&vm.memory, 0x3000, first, GUEST_BYTES(first));
        nova_registers_protected(&vm.vcpu[0].start, 0xfffffffe, 8, 16);
        vm.vcpu[0].start.state.cs.base = 0x3000;
        return run(&note, sizeof(note)) && note == 1;
}

/* Runs CPUID at the last two bytes of 64 KiB, in real mode. Beyond the segment's limit there is
 * exception 13, except in QEMU, which does not check the limits of code segments. No CPU wraps
 * around to 0. */
static bool run_real(const char *name, bool big)
{
        struct nova_utcb_state *const start = &vm.vcpu[0].start.state;
        uint32_t note = 0;

        if (!create(name))
                return false;
        nova_guest_write(&vm.memory, 13 * 4, (uint16_t[]){0x2000, 0}, 4);
        nova_guest_write(&vm.memory, 0x2000, handler, GUEST_BYTES(handler));
        nova_guest_write(&vm.memory, 0xfffe, "\x0f\xa2", 2);
        nova_guest_write(&vm.memory, 0x10000, beyond, GUEST_BYTES(beyond));
        nova_registers_real(&vm.vcpu[0].start, 0, 0xfffe);
        start->sp = 0x8000;
        if (big) {
                start->cs.limit = 0xffffffff;
                start->cs.ar |= 0x800; /* the limit counts pages */
        }
        return run(&note, sizeof(note)) && (note == 2 || (note == 1 && !big));
}

static unsigned check(const char *what, bool good)
{
        printf("%s: %s\n", what, good ? "as on a CPU" : "wrong");
        return good;
}

int main(void)
{
        unsigned good = check("operands", run_operands());

        good += check("CPUID at 4 GiB", run_last("cpuid", "\x0f\xa2"));
        good += check("OUT at 4 GiB", run_last("out", "\xe6\x80"));
        good += check("CPUID at 64 KiB", run_real("real", false));
        good += check("CPUID at 64 KiB in a big segment", run_real("big", true));
        return good != 5;
}
