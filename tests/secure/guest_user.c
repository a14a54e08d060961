/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes the ultracall UV_ESM in user mode. For this the guest sets up descriptors, a task state
 * segment, and a handler of #UD. */
#include "guest_user.h"

#include <novauv/guest.h>

#include "guest_gate.h"

#ifdef __x86_64__

#define PRESENT_USER 0x4u                  /* bit of an entry of a page table */
#define ADDRESS_BITS 0x0000007ffffff000ull /* without the encryption bit, which is bit 39 */

#define USER_CODE   0x23
#define USER_DATA   0x2b
#define TASK        0x30
#define VECTOR_UD   6
#define STACK_BYTES 2048

static struct __attribute__((packed)) {
        uint32_t reserved;
        uint64_t kernel_stack;
        uint8_t rest[92];
} task;

static uint64_t gdt[8] = {
        [GUEST_CODE / 8] = 0x00af9b000000ffff,
        [GUEST_CODE / 8 + 1] = 0x00cf93000000ffff,
        [USER_CODE / 8] = 0x00affb000000ffff,
        [USER_DATA / 8] = 0x00cff3000000ffff,
};
static uint64_t idt[2 * (VECTOR_UD + 1)];
static uint8_t kernel_stack[STACK_BYTES], user_stack[STACK_BYTES];

uint32_t guest_user_enter(uint64_t stack, void (*call)(void));
void guest_user_fault(void);
void guest_user_amd(void);
void guest_user_intel(void);

/* Makes the call in user mode, and then executes UD2. The handler of #UD returns 1 if the call
 * raised the exception, and 2 if UD2 did. */
__asm__(".pushsection .text\n"
        "guest_user_enter:\n"
        "push %rbx\npush %rbp\npush %r12\npush %r13\npush %r14\npush %r15\n"
        "mov %rsp, guest_user_saved(%rip)\n"
        "pushq $0x2b\npush %rdi\npushq $2\npushq $0x23\n"
        "push %rsi\nmov %rsi, guest_user_call_at(%rip)\n"
        "mov $0xf110, %eax\niretq\n"
        "guest_user_amd: vmmcall\nud2\n"
        "guest_user_intel: vmcall\nud2\n"
        "guest_user_fault:\n"
        "pop %rcx\n"
        "mov $1, %eax\ncmp guest_user_call_at(%rip), %rcx\nje 2f\nmov $2, %eax\n"
        "2: mov guest_user_saved(%rip), %rsp\n"
        "pop %r15\npop %r14\npop %r13\npop %r12\npop %rbp\npop %rbx\nret\n"
        ".popsection\n"
        ".local guest_user_saved\n.comm guest_user_saved, 8, 8\n"
        ".local guest_user_call_at\n.comm guest_user_call_at, 8, 8\n");

static uint64_t *table(uint64_t entry)
{
        return (uint64_t *)(uintptr_t)(entry & ADDRESS_BITS);
}

/* Gives user mode access to the block of 2 MiB that contains the program. */
static void open_pages(void)
{
        const uint64_t address = (uintptr_t)guest_user_enter;
        uint64_t entry;

        __asm__ volatile("mov %%cr3, %0" : "=r"(entry));
        for (unsigned shift = 39; shift >= 21; shift -= 9) {
                uint64_t *const place = table(entry) + (address >> shift & 511);

                *place |= PRESENT_USER;
                entry = *place;
        }
        __asm__ volatile("mov %%cr3, %0\nmov %0, %%cr3" : "=r"(entry) : : "memory");
}

static void load_tables(void)
{
        const struct operand gdtr = {sizeof(gdt) - 1, (uintptr_t)gdt};
        const struct operand idtr = {sizeof(idt) - 1, (uintptr_t)idt};
        const uint64_t at = (uintptr_t)&task;

        task.kernel_stack = (uintptr_t)kernel_stack + sizeof(kernel_stack);
        gdt[TASK / 8] = (sizeof(task) - 1) | (at & 0xffffff) << 16 | UINT64_C(0x89) << 40 |
                        (at >> 24 & 0xff) << 56;
        gdt[TASK / 8 + 1] = at >> 32;
        guest_set_gate(idt, VECTOR_UD, guest_user_fault);
        __asm__ volatile("lgdt %0\nlidt %1" : : "m"(gdtr), "m"(idtr));
        __asm__ volatile("ltr %w0" : : "r"(TASK));
}

uint32_t guest_user_call(void)
{
        static bool ready;

        if (!ready) {
                open_pages();
                load_tables();
                ready = true;
        }
        return guest_user_enter((uintptr_t)user_stack + sizeof(user_stack),
                                nova_guest_is_amd() ? guest_user_amd : guest_user_intel);
}

#else

uint32_t guest_user_call(void)
{
        return 0; /* secure guests need the kernel for x86-64 */
}

#endif
