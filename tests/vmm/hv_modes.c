/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest executes the instruction for hypercalls in each mode and ring. In protected mode and in
 * long mode at CPL 0 it is a call, with the registers of the mode; elsewhere it raises #UD. The
 * argument `no-v86` leaves out virtual-8086 mode: with SVM, Bochs (2.7) stops in this mode. */
#include <string.h>

#include "novavmm/hv.h"
#include "novavmm/load.h"

#include "guest_code.h"
#include "machine.h"

#define CODE_AT    0x1000
#define UD_AT      0x2000
#define GDT_AT     0x3000
#define IDT_AT     0x3800
#define TSS_AT     0x5000
#define STATE_AT   0x7000
#define STACK_AT   0x9000
#define USER_STACK 0xa000
#define PAE_AT     0x30000 /* page tables for 32-bit paging with PAE */
#define LONG_AT    0x34000 /* page tables for long mode */
#define VECTOR_UD  6

#define SEGMENTS  6
#define AR_CODE16 0x9b
#define AR_RING   0x20 /* unit of the DPL in the attributes of a segment */
#define AR_TSS    0x89
#define AR_BUSY   0x02
#define AR_V86    0xf3
#define FLAG_VM   0x20000

/* Outcome of the instruction, at STATE_AT. */
struct state {
        uint32_t result; /* EAX after the instruction */
        uint32_t after;  /* 1: it completed */
        uint32_t faults; /* 1: #UD */
};

/* The number of the call is 0x9000 in EDX:EAX, for 32 bits, and 0x9100 in RCX, for 64 bits.
 * write_code() replaces the three NOPs by the instruction. */
#define BODY                                                                              \
        "movl $0x9000, %eax\nmovl $0, %edx\nmovl $0x9100, %ecx\n.byte 0x90, 0x90, 0x90\n" \
        "movl %eax, 0x7000\nmovl $1, 0x7004\nhlt\n"
GUEST_CODE(code_16, 16, BODY);
GUEST_CODE(code_32, 32, BODY);
GUEST_CODE(code_64, 64, BODY);
/* Enables PAE and paging first. */
GUEST_CODE(code_pae, 32,
           "movl $0x20, %eax\nmovl %eax, %cr4\nmovl $0x30000, %eax\nmovl %eax, %cr3\n"
           "movl %cr0, %eax\norl $0x80000000, %eax\nmovl %eax, %cr0\n" BODY);

/* Handlers of #UD. After virtual-8086 mode, SS is the only valid segment for data. */
GUEST_CODE(ud_16, 16, "movl $1, 0x7008\nhlt\n");
GUEST_CODE(ud_32, 32, "movl $1, %ss:0x7008\nhlt\n");
GUEST_CODE(ud_64, 64, "movl $1, 0x7008\nhlt\n");

/* Modes in which a guest executes the instruction. */
enum mode { REAL, V86, PROTECTED_16, PROTECTED_32, PAE, COMPATIBILITY, LONG };

static const struct row {
        const char *name;
        enum mode mode;
        unsigned ring;
        unsigned bits; /* width of the call's registers; 0: #UD instead of a call */
} rows[] = {
        {"real mode", REAL, 0, 0},
        {"virtual-8086 mode", V86, 3, 0},
        {"16 bits", PROTECTED_16, 0, 32},
        {"16 bits, ring 3", PROTECTED_16, 3, 0},
        {"32 bits", PROTECTED_32, 0, 32},
        {"32 bits, ring 1", PROTECTED_32, 1, 0},
        {"32 bits, ring 2", PROTECTED_32, 2, 0},
        {"32 bits, ring 3", PROTECTED_32, 3, 0},
        {"32 bits with PAE", PAE, 0, 32},
#if __SIZEOF_POINTER__ == 8
        {"compatibility mode", COMPATIBILITY, 0, 32},
        {"compatibility mode, ring 3", COMPATIBILITY, 3, 0},
        {"64 bits", LONG, 0, 64},
        {"64 bits, ring 3", LONG, 3, 0},
#endif
};

#define ROWS (sizeof(rows) / sizeof(*rows))

static struct nova_vm vm;
static struct nova_pc pc;
static struct nova_hv hv;
static unsigned calls_32, calls_64;

static enum nova_hv_status count_32(const struct nova_hv_action *action)
{
        (void)action;
        calls_32++;
        return NOVA_HV_SUCCESS;
}

static enum nova_hv_status count_64(const struct nova_hv_action *action)
{
        (void)action;
        calls_64++;
        return NOVA_HV_SUCCESS;
}

static const struct nova_hv_call of_32 = {.code = 0x9000, .function = count_32, .name = "32"};
static const struct nova_hv_call of_64 = {.code = 0x9100, .function = count_64, .name = "64"};

static bool is_long(enum mode mode)
{
        return mode == COMPATIBILITY || mode == LONG;
}

/* Writes code with the instruction of the CPU's vendor in place of the three NOPs. */
static void write_code(const char *code, size_t bytes)
{
        const uint8_t vmcall[] = {0x0f, 0x01, 0xc1}, vmmcall[] = {0x0f, 0x01, 0xd9};
        size_t at = 0;

        while (memcmp(code + at, "\x90\x90\x90", 3) != 0)
                at++;
        nova_guest_write(&vm.memory, CODE_AT, code, bytes);
        nova_guest_write(&vm.memory, CODE_AT + at, vm.svm ? vmmcall : vmcall, sizeof(vmcall));
}

static void write_tables(enum mode mode)
{
        const uint64_t gdt[] = {0, is_long(mode) ? 0xaf9b000000ffff : 0xcf9b000000ffff,
                                0xcf93000000ffff};
        const uint64_t gate[2] = {UINT64_C(0x8e0000080000) | UD_AT, 0};
        const uint32_t tss[] = {0, STACK_AT, is_long(mode) ? 0 : 0x10};
        const uint32_t vector = UD_AT;
        const uint64_t pae[] = {(PAE_AT + 0x1000) | 1, 0, 0, 0};
        const uint64_t large = 0x87;

        nova_guest_write(&vm.memory, GDT_AT, gdt, sizeof(gdt));
        nova_guest_write(&vm.memory, IDT_AT + VECTOR_UD * (is_long(mode) ? 16u : 8u), gate,
                         is_long(mode) ? 16 : 8);
        nova_guest_write(&vm.memory, TSS_AT, tss, sizeof(tss));
        if (mode == REAL)
                nova_guest_write(&vm.memory, VECTOR_UD * sizeof(vector), &vector, sizeof(vector));
        nova_guest_write(&vm.memory, PAE_AT, pae, sizeof(pae));
        nova_guest_write(&vm.memory, PAE_AT + 0x1000, &large, sizeof(large));
        for (uint64_t i = 0; i < 3; i++) {
                const uint64_t entry = i < 2 ? (LONG_AT + (i + 1) * 0x1000) | 7 : large;

                nova_guest_write(&vm.memory, LONG_AT + i * 0x1000, &entry, sizeof(entry));
        }
}

static void load_code(enum mode mode)
{
        const bool real = mode == REAL;

        if (mode == LONG)
                write_code(code_64, GUEST_BYTES(code_64));
        else if (mode == PAE)
                write_code(code_pae, GUEST_BYTES(code_pae));
        else if (real || mode == V86 || mode == PROTECTED_16)
                write_code(code_16, GUEST_BYTES(code_16));
        else
                write_code(code_32, GUEST_BYTES(code_32));
        if (is_long(mode))
                nova_guest_write(&vm.memory, UD_AT, ud_64, GUEST_BYTES(ud_64));
        else
                nova_guest_write(&vm.memory, UD_AT, real ? ud_16 : ud_32,
                                 real ? GUEST_BYTES(ud_16) : GUEST_BYTES(ud_32));
}

/* Sets a segment of virtual-8086 mode, with base 0. */
static void set_v86(struct nova_segment *segment)
{
        segment->sel = 0;
        segment->ar = AR_V86;
        segment->limit = 0xffff;
}

static void set_segments(struct nova_utcb_state *state, const struct row *row)
{
        struct nova_segment *const all[SEGMENTS] = {&state->cs, &state->ss, &state->ds,
                                                    &state->es, &state->fs, &state->gs};
        const uint16_t rights = (uint16_t)(AR_RING * row->ring);

        for (unsigned i = 0; i < SEGMENTS; i++) {
                all[i]->sel |= (uint16_t)row->ring;
                all[i]->ar |= rights;
                if (row->mode == V86)
                        set_v86(all[i]);
        }
        if (row->mode == PROTECTED_16) {
                state->cs.ar = AR_CODE16 | rights;
                state->cs.limit = 0xffff;
        }
        if (row->mode == COMPATIBILITY)
                state->cs.ar = 0xc9b | rights;
        if (row->mode == V86)
                state->flags |= FLAG_VM;
}

static void load(const struct row *row)
{
        struct nova_utcb_event *const start = &vm.vcpu[0].start;
        struct nova_utcb_state *const state = &start->state;

        write_tables(row->mode);
        load_code(row->mode);
        if (row->mode == REAL) {
                nova_registers_real(start, 0, CODE_AT);
                state->sp = STACK_AT;
                return;
        }
        if (is_long(row->mode))
                nova_registers_long(start, CODE_AT, LONG_AT, 8, 16);
        else
                nova_registers_protected(start, CODE_AT, 8, 16);
        set_segments(state, row);
        state->sp = row->ring ? USER_STACK : STACK_AT;
        state->gdtr.base = GDT_AT;
        state->gdtr.limit = 23;
        state->idtr.base = IDT_AT;
        state->idtr.limit = (VECTOR_UD + 1) * 16 - 1;
        state->tr.sel = 0x28;
        state->tr.base = TSS_AT;
        state->tr.limit = 0x67;
        /* QEMU (7.2) terminates when it looks for a stack in a busy TSS; VMX demands a busy TSS. */
        state->tr.ar = vm.svm ? AR_TSS : AR_TSS | AR_BUSY;
}

/* Runs a guest in a mode. @return whether the instruction had the expected effect */
static bool try(const struct row *row)
{
        static const struct nova_vm_config config = {
                .name = "modes", .memory = 2u << 20, .local_apic = true};
        static const struct nova_hv_config enlightened = {.privileges = NOVA_HV_PRIVILEGES_USUAL};
        struct state state;
        enum nova_vm_end end;
        bool good;

        calls_32 = calls_64 = 0;
        if (!machine_create(&vm, &config, &pc) || nova_hv_enable(&hv, &vm, &enlightened) ||
            nova_hv_add(&hv, &of_32) || nova_hv_add(&hv, &of_64))
                return false;
        load(row);
        nova_hv_msr_set(&hv, 0, 0x40000000, 1);
        nova_hv_msr_set(&hv, 0, 0x40000001, 0x10001);
        nova_vm_run(&vm);
        end = nova_vm_wait(&vm);
        nova_guest_read(&vm.memory, STATE_AT, &state, sizeof(state));
        nova_pc_destroy(&pc);
        nova_vm_destroy(&vm);
        good = end == NOVA_VM_HALTED && calls_32 == (row->bits == 32) &&
               calls_64 == (row->bits == 64) && state.faults == !row->bits &&
               state.after == !!row->bits && !state.result;
        printf("%s: %u calls by EDX:EAX, %u by RCX, %u #UD, result 0x%x: the guest %s\n", row->name,
               calls_32, calls_64, (unsigned)state.faults, (unsigned)state.result,
               nova_vm_end_text(end));
        return good;
}

int main(int argc, char **argv)
{
        const bool v86 = argc != 2 || strcmp(argv[1], "no-v86") != 0;
        unsigned good = 0, all = 0;

        for (size_t i = 0; i < ROWS; i++) {
                if (rows[i].mode == V86 && !v86)
                        continue;
                good += try(&rows[i]);
                all++;
        }
        printf("%u of %u modes: as expected\n", good, all);
        return good != all;
}
