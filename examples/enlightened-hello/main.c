/* SPDX-License-Identifier: BSD-2-Clause */
/* A monitor whose guest finds and uses the hypercall interface, including calls that the monitor
 * adds. */
#include <stdio.h>
#include <string.h>

#include "novavmm/hv.h"
#include "novavmm/load.h"
#include "novavmm/pc.h"

#define GUEST_AT 0x100000
#define TABLES   0x1000 /* three page tables: an identity mapping of the first 2 MiB */
#define STACK    0x9000

/* guest.S */
extern const char guest_begin[], guest_end[];

static struct nova_vm vm;
static struct nova_pc pc;
static struct nova_hv hv;
static uint64_t greeting[4]; /* numbers that the guest sent */

static enum nova_hv_status add(const struct nova_hv_action *action)
{
        const uint64_t *const numbers = action->input;

        *(uint64_t *)action->output = numbers[0] + numbers[1];
        return NOVA_HV_SUCCESS;
}

static enum nova_hv_status greet(const struct nova_hv_action *action)
{
        memcpy(greeting, action->input, sizeof(greeting) / 2);
        return NOVA_HV_SUCCESS;
}

static enum nova_hv_status greet_long(const struct nova_hv_action *action)
{
        memcpy(greeting, action->input, sizeof(greeting));
        return NOVA_HV_SUCCESS;
}

/* Calls of this monitor. The last one's parameters need XMM registers. */
static const struct nova_hv_call calls[] = {
        {.code = 0x9000, .input = 16, .output = 8, .function = add, .name = "add"},
        {.code = 0x9001, .input = 16, .fast = true, .function = greet, .name = "greet"},
        {.code = 0x9002, .input = 32, .fast = true, .function = greet_long, .name = "long greet"},
};

static int enable(void)
{
        const struct nova_hv_config config = {.privileges = NOVA_HV_PRIVILEGES_USUAL,
                                              .xmm_input = true};
        int error = nova_hv_enable(&hv, &vm, &config);

        for (unsigned i = 0; i < sizeof(calls) / sizeof(*calls) && !error; i++)
                error = nova_hv_add(&hv, &calls[i]);
        return error;
}

static void load(void)
{
        static const uint64_t tables[] = {TABLES + 0x1003, TABLES + 0x2003, 0x83};

        for (unsigned i = 0; i < 3; i++)
                nova_guest_write(&vm.memory, TABLES + i * 0x1000, &tables[i], sizeof(tables[i]));
        nova_guest_write(&vm.memory, GUEST_AT, guest_begin, (size_t)(guest_end - guest_begin));
        nova_registers_long(&vm.vcpu[0].start, GUEST_AT, TABLES, 8, 16);
        vm.vcpu[0].start.state.sp = STACK;
}

static void report(enum nova_vm_end end)
{
        char identity[80];

        nova_hv_identity_text(hv.identity, identity, sizeof(identity));
        printf("The guest says that it is %s.\n", identity);
        printf("The guest greeted with %u, %u, %u and %u.\n", (unsigned)greeting[0],
               (unsigned)greeting[1], (unsigned)greeting[2], (unsigned)greeting[3]);
        printf("The guest %s.\n", nova_vm_end_text(end));
}

int main(void)
{
        const struct nova_vm_config config = {.name = "hello",
                                              .memory = 2u << 20,
                                              .mtd = {[NOVA_VM_EXIT_HYPERCALL] = NOVA_MTD_XMM}};
        int error = nova_vm_create(&vm, &config);

        if (!error)
                error = nova_pc_create(&pc, &vm);
        if (!error)
                error = enable();
        if (error) {
                printf("The machine cannot be created: %s.\n", nova_vm_why(&vm, error));
                return 1;
        }
        load();
        error = nova_vm_run(&vm);
        if (error) {
                printf("The machine cannot run: %s.\n", nova_vm_why(&vm, error));
                return 1;
        }

        const enum nova_vm_end end = nova_vm_wait(&vm);

        nova_pc_flush(&pc);
        report(end);
        return end != NOVA_VM_OFF;
}
