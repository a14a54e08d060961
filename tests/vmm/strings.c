/* SPDX-License-Identifier: BSD-2-Clause */
/* Guests whose string instructions access ports and devices: the moved data must be what a CPU
 * would have moved. */
#include <stdio.h>
#include <string.h>

#include "novavmm/load.h"

#include "guest_code.h"
#include "machine.h"

#define GUEST_AT  0x1000
#define DEVICE_AT 0xd0000000u
#define PORT      0x1f0
#define TEXT_AT   0x10f00 /* text for more iterations than one exit handles, across pages */
#define TEXT      5000u
#define INPUT_AT  0x20ffe
#define INPUT     600u
#define COPY_AT   0x40000

/* Runs in protected mode. */
GUEST_CODE(flat, 32,
           "        cld\n"
           "        movw $0x1f0, %dx\n"
           "        movl $0x10f00, %esi\n"
           "        movl $5000, %ecx\n"
           "        rep outsb\n"
           "        movl $0x20ffe, %edi\n"
           "        movl $600, %ecx\n"
           "        rep insl\n"
           "        movl $0x10f00, %esi\n" /* memory to device */
           "        movl $0xd0000000, %edi\n"
           "        movl $256, %ecx\n"
           "        rep movsl\n"
           "        movl $0xd0000000, %esi\n" /* device to memory, downwards */
           "        addl $1023, %esi\n"
           "        movl $0x403ff, %edi\n"
           "        movl $1024, %ecx\n"
           "        std\n"
           "        rep movsb\n"
           "        cld\n"
           "        movl $0xd0000004, %esi\n"
           "        lodsl\n"
           "        movl $0xd0000800, %edi\n"
           "        stosl\n"
           "        movl $0xd0000000, %edi\n" /* searches for the first byte that is 7 */
           "        movl $1024, %ecx\n"
           "        movb $7, %al\n"
           "        repne scasb\n"
           "        movl %edi, 0x50000\n"
           "        hlt\n");

/* Runs in real mode, where a word that crosses the end of its segment raises exception 13. */
GUEST_CODE(real, 16,
           "        xorw %ax, %ax\n"
           "        movw %ax, %ds\n"
           "        movw $0x1000 + fault - real, 13 * 4\n"
           "        movw %ax, 13 * 4 + 2\n"
           "        movw %ax, %ss\n"
           "        movw $0x8000, %sp\n"
           "        movw $0x3000, %ax\n"
           "        movw %ax, %es\n"
           "        movw $0x1f0, %dx\n"
           "        movw $0xfffd, %di\n"
           "        movw $2, %cx\n"
           "real_ins:\n"
           "        rep insw\n"
           "        hlt\n"
           "fault:  movw %di, 0x500\n"
           "        movw %cx, 0x502\n"
           "        popw 0x504\n"
           "        hlt\n");

extern const char real_ins[];

/* A port, and memory with a device after it. */
struct probe {
        unsigned received, wrong, given;
        uint8_t memory[4096];
};

static uint8_t text(unsigned i)
{
        return (uint8_t)(i * 7 + i / 256);
}

static uint64_t port_read(void *device, uint64_t port, unsigned bytes)
{
        struct probe *const probe = device;

        (void)port;
        (void)bytes;
        return 0x1000000u + probe->given++;
}

static void port_write(void *device, uint64_t port, unsigned bytes, uint64_t value)
{
        struct probe *const probe = device;

        (void)port;
        probe->wrong += bytes != 1 || value != text(probe->received);
        probe->received++;
}

static uint64_t memory_read(void *device, uint64_t address, unsigned bytes)
{
        const struct probe *const probe = device;
        uint64_t value = 0;

        memcpy(&value, probe->memory + (address - DEVICE_AT), bytes);
        return value;
}

static void memory_write(void *device, uint64_t address, unsigned bytes, uint64_t value)
{
        struct probe *const probe = device;

        memcpy(probe->memory + (address - DEVICE_AT), &value, bytes);
}

static bool check(const char *what, bool good)
{
        printf("%s: %s\n", what, good ? "as on a CPU" : "wrong");
        return good;
}

/* Returns 32 bits at an address of the guest. */
static uint32_t peek(const struct nova_vm *vm, uint64_t address)
{
        uint32_t value = 0;

        nova_guest_read(&vm->memory, address, &value, sizeof(value));
        return value;
}

static bool check_flat(const struct nova_vm *vm, const struct probe *probe)
{
        unsigned inputs = 0, copies = 0, first = 0;
        bool good = vm->end == NOVA_VM_HALTED;

        for (unsigned i = 0; i < INPUT; i++)
                inputs += peek(vm, INPUT_AT + 4 * i) == 0x1000000 + i;
        for (unsigned i = 0; i < 1024; i++)
                copies += probe->memory[i] == text(i) && (uint8_t)peek(vm, COPY_AT + i) == text(i);
        while (text(first) != 7)
                first++;
        good &= check("outs", probe->received == TEXT && !probe->wrong);
        good &= check("ins", inputs == INPUT);
        good &= check("movs", copies == 1024);
        good &= check("lods and stos", !memcmp(probe->memory + 0x800, probe->memory + 4, 4));
        return good & check("scas", peek(vm, 0x50000) == DEVICE_AT + first + 1);
}

/* Checks that the first iteration was done, and that the second one faulted at the instruction. */
static bool check_real(const struct nova_vm *vm, const struct probe *probe)
{
        return vm->end == NOVA_VM_HALTED && probe->given == 1 && peek(vm, 0x500) == 0x1ffff &&
               (uint16_t)peek(vm, 0x504) == GUEST_AT + (real_ins - real);
}

static bool run(const char *code, const char *end, bool real_mode,
                bool (*judge)(const struct nova_vm *vm, const struct probe *probe))
{
        static struct nova_vm vm;
        static struct probe probe;
        const struct nova_vm_config config = {.name = "strings", .memory = 2u << 20};
        const struct nova_bus_range port = {PORT, PORT + 3, port_read, port_write, &probe};
        const struct nova_bus_range memory = {DEVICE_AT, DEVICE_AT + sizeof(probe.memory) - 1,
                                              memory_read, memory_write, &probe};

        if (!machine_create(&vm, &config, NULL))
                return false;
        memset(&probe, 0, sizeof(probe));
        nova_bus_add(&vm.ports, &port);
        nova_bus_add(&vm.mmio, &memory);
        for (unsigned i = 0; i < TEXT; i++)
                nova_guest_write(&vm.memory, TEXT_AT + i, (uint8_t[]){text(i)}, 1);
        nova_guest_write(&vm.memory, GUEST_AT, code, (size_t)(end - code));
        if (real_mode)
                nova_registers_real(&vm.vcpu[0].start, 0, GUEST_AT);
        else
                nova_registers_protected(&vm.vcpu[0].start, GUEST_AT, 8, 16);
        nova_vm_run(&vm);
        nova_vm_wait(&vm);

        const bool good = judge(&vm, &probe);

        nova_vm_destroy(&vm);
        return good;
}

int main(void)
{
        const bool first = run(flat, flat_end, false, check_flat);
        const bool second = check("fault", run(real, real_end, true, check_real));

        return !(first && second);
}
