/* SPDX-License-Identifier: BSD-2-Clause */
/* A 64-bit guest that makes fast calls whose parameters and output are in XMM registers. After each
 * call, all registers must have the values that the call defines. */
#include <string.h>

#include "novavmm/hv.h"
#include "novavmm/load.h"

#include "guest_code.h"
#include "machine.h"

#define GUEST_AT   0x100000
#define TABLES_AT  0x1000 /* page tables, which map the first 2 MiB one to one */
#define BITS_AT    0x8000 /* EDX of CPUID leaf 0x40000003 */
#define STACK_AT   0x9000
#define VALUES_AT  0x20000 /* call values; 0 ends the list */
#define XMM_AT     0x21000 /* XMM0 to XMM15 before each call, then MXCSR */
#define RESULTS_AT 0x30000

#define FAST     0x10000u
#define MXCSR    0x5f80u /* not the initial value */
#define XMM_BOTH 0x8010u

/* Registers after a call. */
struct result {
        uint8_t xmm[256];
        uint64_t ax, cx, dx, r8;
        uint32_t mxcsr;
        uint8_t unused[220];
};

_Static_assert(sizeof(struct result) == 512, "the guest's code knows the size");

#define LOAD(n, at)  "movups " #at ", %xmm" #n "\n"
#define STORE(n, at) "movups %xmm" #n ", " #at "(%rbx)\n"

GUEST_CODE(guest, 64,
           "movl $0x40000000, %ecx\nmovl $1, %eax\nxorl %edx, %edx\nwrmsr\n"
           "movl $0x40000001, %ecx\nmovl $0x10001, %eax\nwrmsr\n"
           "movl $0x40000003, %eax\ncpuid\nmovl %edx, 0x8000\n"
           "movl $0x20000, %ebp\nmovl $0x30000, %ebx\n"
           "1: movq (%rbp), %rcx\ntestq %rcx, %rcx\njz 2f\nldmxcsr 0x21100\n" LOAD(0, 0x21000) LOAD(
                   1, 0x21010) LOAD(2, 0x21020) LOAD(3, 0x21030) LOAD(4, 0x21040) LOAD(5, 0x21050)
                   LOAD(6, 0x21060) LOAD(7, 0x21070) LOAD(8, 0x21080) LOAD(9, 0x21090) LOAD(
                           10, 0x210a0) LOAD(11, 0x210b0) LOAD(12,
                                                               0x210c0) LOAD(13,
                                                                             0x210d0) LOAD(14,
                                                                                           0x210e0)
                           LOAD(15,
                                0x210f0) "movabsq $0x0706050403020100, %rdx\nmovabsq "
                                         "$0x0f0e0d0c0b0a0908, %r8\n"
                                         "movl $0x10000, %eax\ncall *%rax\n" STORE(0, 0) STORE(
                                                 1, 16) STORE(2, 32) STORE(3, 48) STORE(4, 64)
                                                 STORE(5, 80) STORE(6, 96) STORE(7, 112) STORE(
                                                         8, 128) STORE(9, 144)
                                                         STORE(10, 160) STORE(11, 176) STORE(
                                                                 12, 192) STORE(13, 208)
                                                                 STORE(14, 224) STORE(
                                                                         15,
                                                                         240) "movq %rax, "
                                                                              "256(%rbx)\nmovq "
                                                                              "%rcx, "
                                                                              "264(%rbx)\nmovq "
                                                                              "%rdx, 272(%rbx)\n"
                                                                              "movq %r8, "
                                                                              "280(%rbx)\nstmxcsr "
                                                                              "288(%rbx)\n"
                                                                              "addq $512, "
                                                                              "%rbx\naddq $8, "
                                                                              "%rbp\njmp 1b\n2: "
                                                                              "cli\nhlt\n");

/* The calls: bytes of input and output, and the status. */
static const struct {
        uint16_t input, output;
        enum nova_hv_status status;
} rows[] = {
        {17, 0, NOVA_HV_SUCCESS},        {20, 0, NOVA_HV_SUCCESS},
        {31, 0, NOVA_HV_SUCCESS},        {32, 0, NOVA_HV_SUCCESS},
        {33, 0, NOVA_HV_SUCCESS},        {112, 0, NOVA_HV_SUCCESS},
        {16, 96, NOVA_HV_SUCCESS},       {20, 80, NOVA_HV_SUCCESS},
        {32, 77, NOVA_HV_SUCCESS},       {0, 112, NOVA_HV_SUCCESS},
        {0, 8, NOVA_HV_SUCCESS},         {24, 16, NOVA_HV_INVALID_PARAMETER},
        {113, 0, NOVA_HV_INVALID_INPUT}, {20, 88, NOVA_HV_INVALID_INPUT},
        {100, 8, NOVA_HV_INVALID_INPUT},
};

#define ROWS (sizeof(rows) / sizeof(*rows))

static struct nova_vm vm;
static struct nova_pc pc;
static struct nova_hv hv;
static struct nova_hv_call calls[ROWS];
static unsigned performed, wrong;

static void expect(bool right, const char *what, size_t row)
{
        if (right)
                return;
        printf("input %u, output %u: %s is wrong\n", rows[row].input, rows[row].output, what);
        wrong++;
}

/* Performs the next row's call: parameter byte n is n, output byte n is 0x80 + n. */
static enum nova_hv_status perform(const struct nova_hv_action *action)
{
        const unsigned row = performed++;
        const uint8_t *const input = action->input;
        uint8_t *const output = action->output;

        for (unsigned i = 0; i < rows[row].input; i++)
                expect(input[i] == i, "a parameter", row);
        for (unsigned i = 0; i < rows[row].output; i++)
                output[i] = (uint8_t)(0x80 + i);
        return rows[row].status;
}

static void check(size_t row)
{
        const size_t begin = (rows[row].input + 15u) & ~15u, end = begin + rows[row].output;
        uint8_t registers[16 + 256];
        struct result result;

        for (unsigned i = 0; i < sizeof(registers); i++)
                registers[i] = (uint8_t)i;
        if (rows[row].status == NOVA_HV_SUCCESS)
                for (size_t i = begin; i < ((end + 7) & ~(size_t)7); i++)
                        registers[i] = i < end ? (uint8_t)(0x80 + i - begin) : 0;
        nova_guest_read(&vm.memory, RESULTS_AT + row * sizeof(result), &result, sizeof(result));
        expect(result.ax == (uint64_t)rows[row].status, "the status", row);
        expect(result.cx == (calls[row].code | FAST), "RCX", row);
        expect(!memcmp(&result.dx, registers, 8), "RDX", row);
        expect(!memcmp(&result.r8, registers + 8, 8), "R8", row);
        expect(!memcmp(result.xmm, registers + 16, 96), "one of XMM0 to XMM5", row);
        expect(!memcmp(result.xmm + 96, registers + 112, 160), "one of XMM6 to XMM15", row);
        expect(result.mxcsr == MXCSR, "MXCSR", row);
}

static void load(void)
{
        static const uint64_t tables[] = {TABLES_AT + 0x1003, TABLES_AT + 0x2003, 0x83};
        const uint32_t mxcsr = MXCSR;
        uint64_t values[ROWS + 1] = {0};
        uint8_t xmm[256];

        for (unsigned i = 0; i < sizeof(xmm); i++)
                xmm[i] = (uint8_t)(16 + i);
        for (unsigned i = 0; i < ROWS; i++)
                values[i] = calls[i].code | FAST;
        for (unsigned i = 0; i < 3; i++)
                nova_guest_write(&vm.memory, TABLES_AT + i * 0x1000, &tables[i], 8);
        nova_guest_write(&vm.memory, GUEST_AT, guest, GUEST_BYTES(guest));
        nova_guest_write(&vm.memory, VALUES_AT, values, sizeof(values));
        nova_guest_write(&vm.memory, XMM_AT, xmm, sizeof(xmm));
        nova_guest_write(&vm.memory, XMM_AT + sizeof(xmm), &mxcsr, sizeof(mxcsr));
        nova_registers_long(&vm.vcpu[0].start, GUEST_AT, TABLES_AT, 8, 16);
        vm.vcpu[0].start.state.sp = STACK_AT;
        vm.vcpu[0].start.state.cr4 |= 0x200; /* OSFXSR */
}

static int enable(void)
{
        const struct nova_hv_config config = {
                .privileges = NOVA_HV_PRIVILEGES_USUAL, .xmm_input = true, .xmm_output = true};
        int error = nova_hv_enable(&hv, &vm, &config);

        for (unsigned i = 0; i < ROWS && !error; i++) {
                calls[i] = (struct nova_hv_call){.code = (uint16_t)(0x9000 + i),
                                                 .input = rows[i].input,
                                                 .output = rows[i].output,
                                                 .fast = true,
                                                 .function = perform,
                                                 .name = "perform"};
                error = nova_hv_add(&hv, &calls[i]);
        }
        return error;
}

int main(void)
{
        struct nova_vm_config config = {.name = "xmm", .memory = 2u << 20};
        uint32_t bits = 0;
        enum nova_vm_end end;

        if (!machine_create(&vm, &config, &pc))
                return 1;
        printf("without XMM registers: %s\n", nova_vm_why(&vm, enable()));
        nova_vm_destroy(&vm);
        config.mtd[NOVA_VM_EXIT_HYPERCALL] = NOVA_MTD_XMM;
        if (!machine_create(&vm, &config, &pc) || enable())
                return 1;
        load();
        nova_vm_run(&vm);
        end = nova_vm_wait(&vm);
        nova_guest_read(&vm.memory, BITS_AT, &bits, sizeof(bits));
        for (unsigned i = 0; i < ROWS; i++)
                check(i);
        printf("%u calls, %u performed, %u wrong, bits 0x%x: the guest %s\n", (unsigned)ROWS,
               performed, wrong, (unsigned)bits & XMM_BOTH, nova_vm_end_text(end));
        return wrong != 0;
}
