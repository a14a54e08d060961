/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes accesses that its monitor sees, with bytes PROBE_MARK in all registers but for what an
 * access needs: general registers, CR2, DR0 to DR3, x87 and XMM registers, and the bases of FS and
 * GS. CR8 has too few bits. */
#include "guest_marks.h"

#include <novauv/guest.h>

#include "guest_view.h"
#include "probe.h"

#ifdef __x86_64__

#define MARK_64 0xa7a7a7a7a7a7a7a7ull
#define MARK_32 0xa7a7a7a700000000ull
#define MARK_16 0xa7a7a7a7a7a70000ull
#define MARK_8  0xa7a7a7a7a7a7a700ull

/* The registers that some access needs. */
struct registers {
        uint64_t ax, bx, cx, dx, di;
};

/* The x87 and XMM registers in the form of FXRSTOR. */
#define FPU_BYTES     512u
#define FPU_CONTROL   0x37fu  /* at 0: no exceptions */
#define FPU_TAGS_AT   4u      /* a bit for each register in use */
#define FPU_MXCSR     0x1f80u /* no exceptions */
#define FPU_MXCSR_AT  24u
#define FPU_FIRST     32u /* registers of x87, 16 bytes each, ... */
#define FPU_XMM       160u
#define FPU_LAST      416u /* ... and of XMM */
#define X87_BYTES     10u
#define X87_ROW       16u
#define MSR_FS_BASE   0xc0000100u
#define MSR_KERNEL_GS 0xc0000102u
#define MARK_BASE     0xffffa7a7a7a7a7a7ull /* an address must be canonical */

uint8_t guest_marks_fpu[FPU_BYTES] __attribute__((aligned(16)));

/* The registers at the next access, and the stack pointer after it. */
struct registers guest_marks_now;
uint64_t guest_marks_stack;

void guest_marks_out_long(void);
void guest_marks_out_byte(void);
void guest_marks_in(void);
void guest_marks_store(void);
void guest_marks_load(void);
void guest_marks_call_amd(void);
void guest_marks_call_intel(void);

#define ACCESS(name, instruction) \
        "guest_marks_" name ": call guest_marks_load_all\n" instruction "\njmp guest_marks_end\n"

/* Each function loads the registers, makes its access, and restores what its caller needs. */
/* clang-format off */
__asm__(".pushsection .text\n"
        ACCESS("out_long", "outl %eax, %dx")
        ACCESS("out_byte", "outb %al, %dx")
        ACCESS("in", "inl %dx, %eax")
        ACCESS("store", "movb %al, (%rdi)")
        ACCESS("load", "movl (%rdi), %eax")
        ACCESS("call_amd", "vmmcall")
        ACCESS("call_intel", "vmcall")
        "guest_marks_load_all:\n"
        "pop %rax\npush %rbx\npush %rbp\npush %r12\npush %r13\npush %r14\npush %r15\n"
        "mov %rsp, guest_marks_stack(%rip)\npush %rax\nmovabs $0xa7a7a7a7a7a7a7a7, %rsi\n"
        "fxrstor64 guest_marks_fpu(%rip)\n"
        "mov %rsi, %cr2\nmov %rsi, %dr0\nmov %rsi, %dr1\nmov %rsi, %dr2\nmov %rsi, %dr3\n"
        "mov %rsi, %rbp\nmov %rsi, %r8\nmov %rsi, %r9\nmov %rsi, %r10\nmov %rsi, %r11\n"
        "mov %rsi, %r12\nmov %rsi, %r13\nmov %rsi, %r14\nmov %rsi, %r15\n"
        "mov guest_marks_now(%rip), %rax\nmov guest_marks_now+8(%rip), %rbx\n"
        "mov guest_marks_now+16(%rip), %rcx\nmov guest_marks_now+24(%rip), %rdx\n"
        "mov guest_marks_now+32(%rip), %rdi\nret\n"
        "guest_marks_end:\n"
        "mov guest_marks_stack(%rip), %rsp\npop %r15\npop %r14\npop %r13\npop %r12\n"
        "pop %rbp\npop %rbx\nret\n.popsection\n");
/* clang-format on */

static void access(void (*function)(void), struct registers registers)
{
        guest_marks_now = registers;
        function();
}

static void make_all(void)
{
        const uint64_t port = MARK_16 | PROBE_MARK_PORT;
        const uint64_t place = (uintptr_t)guest_view(PROBE_MARK_PLACE);

        access(guest_marks_out_long,
               (struct registers){MARK_32 | PROBE_MARK_LONG, MARK_64, MARK_64, port, MARK_64});
        access(guest_marks_out_byte,
               (struct registers){MARK_8 | PROBE_MARK_BYTE, MARK_64, MARK_64, port, MARK_64});
        access(guest_marks_in, (struct registers){MARK_64, MARK_64, MARK_64, port, MARK_64});
        access(guest_marks_store,
               (struct registers){MARK_8 | PROBE_MARK_BYTE, MARK_64, MARK_64, MARK_64, place});
        access(guest_marks_load, (struct registers){MARK_64, MARK_64, MARK_64, MARK_64, place});
        access(nova_guest_is_amd() ? guest_marks_call_amd : guest_marks_call_intel,
               (struct registers){PROBE_MARK_CALL, 0x31, 0x32, 0x33, MARK_64});
        access(guest_marks_load,
               (struct registers){MARK_64, MARK_64, MARK_64, MARK_64, PROBE_MARK_PAGE + 0x7a0});
}

static void set_bases(uint64_t base)
{
        for (uint32_t msr = MSR_FS_BASE; msr <= MSR_KERNEL_GS; msr++)
                __asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)base), "d"(base >> 32));
}

/* Enables x87 and XMM registers, and prepares marks for them. */
static void make_fpu(void)
{
        uint64_t scratch;

        for (unsigned i = FPU_FIRST; i < FPU_LAST; i++)
                if (i >= FPU_XMM || i % X87_ROW < X87_BYTES)
                        guest_marks_fpu[i] = PROBE_MARK;
        *(uint16_t *)guest_marks_fpu = FPU_CONTROL;
        guest_marks_fpu[FPU_TAGS_AT] = 0xff;
        *(uint32_t *)(guest_marks_fpu + FPU_MXCSR_AT) = FPU_MXCSR;
        __asm__ volatile("mov %%cr0, %0\nand $~0xc, %0\nmov %0, %%cr0\n"
                         "mov %%cr4, %0\nor $0x200, %0\nmov %0, %%cr4"
                         : "=&r"(scratch));
}

uint32_t guest_marks(unsigned rounds)
{
        make_fpu();
        set_bases(MARK_BASE);
        __asm__ volatile("sti");
        for (unsigned i = 0; i < rounds; i++)
                make_all();
        __asm__ volatile("cli");
        set_bases(0);
        return rounds * PROBE_MARK_KINDS;
}

#else

/* Is never called: secure guests need the x86-64 kernel. */
uint32_t guest_marks(unsigned rounds)
{
        return rounds;
}

#endif
