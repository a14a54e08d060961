/* SPDX-License-Identifier: BSD-2-Clause */
/* A monitor that places a sealed image as docs/manual/secure-format.md describes, and runs its stub
 * as a normal guest. There is no ultravisor, so the monitor itself fails the ultracall. */
#include <stdio.h>
#include <string.h>

#include "novart/module.h"
#include "novavmm/pc.h"
#include "novavmm/secure.h"

#define U_FUNCTION  0xfffffffeu
#define VMMCALL_LEN 3u
#define PAGE        4096u

/* Fields of the start page, and of one of its parts. */
#define BLOB_PLACE_AT 48u
#define PARAMS_AT     64u
#define PARTS_AT      72u
#define ROWS_AT       80u
#define ROW_BYTES     32u
#define ROW_KIND      0u
#define ROW_OFFSET    8u
#define ROW_PLACE     16u
#define ROW_BYTES_AT  24u
#define KIND_ACPI     6u

static struct nova_vm vm;
static struct nova_pc pc;
static const uint8_t *image;
static size_t image_bytes;

static uint64_t get(unsigned at, unsigned bytes)
{
        uint64_t value = 0;

        memcpy(&value, image + at, bytes);
        return value;
}

/* Returns true if a part is in the guest's memory already, as the PC's ACPI tables are. */
static bool is_there(uint64_t offset, uint64_t place, uint64_t bytes)
{
        const void *const there = nova_guest_pointer(&vm.memory, place, bytes);

        return there && !memcmp(there, image + offset, bytes);
}

static void compare_tables(void)
{
        for (unsigned i = 0; i < get(PARTS_AT, 4); i++) {
                const unsigned row = ROWS_AT + i * ROW_BYTES;

                if (get(row + ROW_KIND, 4) == KIND_ACPI &&
                    is_there(get(row + ROW_OFFSET, 8), get(row + ROW_PLACE, 8),
                             get(row + ROW_BYTES_AT, 8)))
                        puts("The sealed ACPI tables are those of the PC.");
        }
}

/* Fails the ultracall, as a monitor without an ultravisor does. */
static void fail_call(struct nova_vcpu *vcpu)
{
        struct nova_utcb_state *const state = vcpu->state;

        printf("Call 0x%x: blob %s, boot parameters %s.\n", (unsigned)state->ax,
               state->bx == get(BLOB_PLACE_AT, 8) ? "as in the image" : "elsewhere",
               state->cx == get(PARAMS_AT, 8) ? "as in the image" : "elsewhere");
        state->ax = U_FUNCTION;
        vcpu->changed |= NOVA_MTD_ACDB;
        nova_vcpu_skip(vcpu, VMMCALL_LEN);
}

static int create(void)
{
        const struct nova_vm_config config = {.name = "sealed",
                                              .memory = nova_sealed_memory(image, image_bytes),
                                              .local_apic = true};
        int error = nova_vm_create(&vm, &config);

        if (!error)
                error = nova_pc_create(&pc, &vm);
        if (error)
                printf("The machine cannot be created: %s.\n", nova_vm_why(&vm, error));
        return error;
}

int main(void)
{
        const char *why;
        const void *file;

        if (nova_module_open("sealed.img", &file, &image_bytes) || image_bytes < PAGE)
                return 1;
        image = file;
        if (create())
                return 1;
        compare_tables();
        why = nova_sealed_load(&vm.memory, image, image_bytes, &vm.vcpu[0].start);
        if (why)
                return nova_vm_not_loaded(&vm, why);
        nova_vm_on(&vm, NOVA_VM_EXIT_HYPERCALL, fail_call);
        if (nova_vm_run(&vm))
                return 1;

        const enum nova_vm_end end = nova_vm_wait(&vm);

        nova_pc_flush(&pc);
        printf("The guest %s.\n", nova_vm_end_text(end));
        return end != NOVA_VM_HALTED;
}
