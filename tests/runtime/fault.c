/* SPDX-License-Identifier: BSD-2-Clause */
/* Every exception that a program can raise: each is reported with its name, and the other threads
 * continue. With the argument "rare", only those that QEMU does not emulate. */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cpu.h"
#include "novart/fault.h"
#include "novart/program.h"
#include "novart/region.h"
#include "novart/thread.h"
#include "tap.h"

static volatile uintptr_t nothing;

static void divide(void)
{
        __asm__ volatile("xorl %%ecx, %%ecx; divl %%ecx" : : : "eax", "ecx", "edx");
}

static void single_step(void)
{
#if __SIZEOF_POINTER__ == 8
        __asm__ volatile("leaq -128(%%rsp), %%rsp; pushfq; orq $0x100, (%%rsp); popfq; nop"
                         :
                         :
                         : "memory");
#else
        __asm__ volatile("pushfl; orl $0x100, (%%esp); popfl; nop" : : : "memory");
#endif
}

static void breakpoint(void)
{
        __asm__ volatile("int3");
}

static void overflow(void)
{
        __asm__ volatile("int $4");
}

#if __SIZEOF_POINTER__ == 4
static void bound(void)
{
        static const int32_t limits[2] = {3, 5};

        /* bound %eax, (%ecx), which assemblers spell differently */
        __asm__ volatile(".byte 0x62, 0x01" : : "a"(7), "c"(limits), "m"(limits));
}
#endif

static void invalid(void)
{
        __asm__ volatile("ud2");
}

static void privileged(void)
{
        __asm__ volatile("hlt");
}

static void x87(void)
{
        static const uint16_t control = 0x0300;

        __asm__ volatile("fninit; fldcw %0; fldz; fld1; fdivp; fwait" : : "m"(control));
}

static void read_null(void)
{
        nothing = *(volatile unsigned char *)nothing;
}

static void write_code(void)
{
        *(volatile char *)(uintptr_t)write_code = 1;
}

static void run_data(void)
{
        static char data[16];

        ((void (*)(void))((uintptr_t)data + nothing))(); /* an indirect call */
}

static void jump_to_null(void)
{
        ((void (*)(void))nothing)();
}

static void wild_stack(void)
{
#if __SIZEOF_POINTER__ == 8
        __asm__ volatile("movq $16, %%rsp; pushq %%rax" : : : "memory");
#else
        __asm__ volatile("movl $16, %%esp; pushl %%eax" : : : "memory");
#endif
}

static unsigned (*again)(unsigned depth);

static unsigned recurse(unsigned depth)
{
        volatile char frame[512];

        frame[depth % 512] = (char)depth;
        return again(depth + 1) + (unsigned)frame[depth % 512];
}

static void overflow_stack(void)
{
        again = recurse;
        recurse(0);
}

/* Has a frame larger than stack and guard page. The first access to the frame must not reach beyond
 * both. */
static void large_frame(void)
{
        static volatile unsigned lowest; /* the compiler does not know that it is 0 */
        volatile char frame[300000];

        frame[lowest] = 1;
        (void)frame[lowest];
}

__attribute__((noinline)) static void innermost(void)
{
        *(volatile char *)(nothing + 8) = 1;
        __asm__ volatile("" : : : "memory");
}

__attribute__((noinline)) static void middle(void)
{
        innermost();
        __asm__ volatile("" : : : "memory");
}

static void nested(void)
{
        middle();
        __asm__ volatile("" : : : "memory");
}

static void unaligned(void)
{
        static const unsigned char bytes[8];

#if __SIZEOF_POINTER__ == 8
        __asm__ volatile("leaq -128(%%rsp), %%rsp; pushfq; orl $0x40000, (%%rsp); popfq; "
                         "movl (%0), %%eax"
                         :
                         : "r"(bytes + 1)
                         : "eax", "memory");
#else
        __asm__ volatile("pushfl; orl $0x40000, (%%esp); popfl; movl (%0), %%eax"
                         :
                         : "r"(bytes + 1)
                         : "eax", "memory");
#endif
}

static void vector(void)
{
        static const uint32_t control = 0; /* no exception of SSE is masked */

        __asm__ volatile("ldmxcsr %0; xorps %%xmm1, %%xmm1; divss %%xmm1, %%xmm1" : : "m"(control));
}

static void open_nothing(void)
{
        open((const char *)nothing, O_RDONLY);
}

/* The saved name of the program. The handler of events reads the name when it writes a report, so a
 * bad name makes the handler fault. */
static const char *name;

static void break_handler(void)
{
        nova_program.name = (const char *)16;
        invalid();
}

struct fault {
        const char *name;
        void (*raise)(void);
};

static const struct fault cases[] = {
        {"divide", divide},
        {"single_step", single_step},
        {"breakpoint", breakpoint},
        {"overflow", overflow},
#if __SIZEOF_POINTER__ == 4
        {"bound", bound},
#endif
        {"invalid", invalid},
        {"privileged", privileged},
        {"x87", x87},
        {"read_null", read_null},
        {"write_code", write_code},
        {"run_data", run_data},
        {"jump_to_null", jump_to_null},
        {"wild_stack", wild_stack},
        {"overflow_stack", overflow_stack},
        {"large_frame", large_frame},
        {"nested", nested},
        {"open_nothing", open_nothing},
        {"break_handler", break_handler},
        {"after_breaking", invalid},
};

static const struct fault rare[] = {
        {"unaligned", unaligned},
        {"vector", vector},
};

static void *run(void *argument)
{
        ((const struct fault *)argument)->raise();
        return NULL;
}

/* Starts a thread that an event must end, while the program's other threads continue. */
static void run_fault(const struct fault *fault, nova_word_t cpu)
{
        const struct nova_thread_attr attr = {.name = fault->name, .cpu = cpu};
        struct nova_thread *thread;
        void *result = NULL;

        check(nova_thread_create(&thread, &attr, run, (void *)(uintptr_t)fault) == 0 &&
                      nova_thread_join(thread, &result) == 0 && result == NOVA_FAULT_RESULT,
              fault->name);
        nova_program.name = name;
}

/* Lets all CPUs report a fault at once. Their lines must not be mixed. */
static void at_once(void)
{
        const struct nova_thread_attr like = {.name = "nested", .cpu = 0};
        struct nova_thread *thread[NOVA_CPU_MAX];
        unsigned count = 0;

        for (nova_word_t cpu = 0; cpu < NOVA_CPU_MAX; cpu++) {
                struct nova_thread_attr attr = like;

                attr.cpu = cpu;
                for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
                        if (cases[i].raise == nested && nova_program_has_cpu(cpu) &&
                            nova_thread_create(&thread[count], &attr, run,
                                               (void *)(uintptr_t)&cases[i]) == 0)
                                count++;
        }
        while (count)
                nova_thread_join(thread[--count], NULL);
        printf("all are back\n");
}

static int raise_rare(void)
{
        for (size_t i = 0; i < sizeof(rare) / sizeof(rare[0]); i++)
                run_fault(&rare[i], nova_program.cpu);
        return tap_end();
}

int main(int argc, char **argv)
{
        nova_word_t cpu = nova_program.cpu;

        name = nova_program.name;
        if (argc > 1 && strcmp(argv[1], "rare") == 0)
                return raise_rare();
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                run_fault(&cases[i], cpu);
                cpu = next_cpu(cpu);
                if (cases[i].raise == break_handler)
                        for (size_t k = 0; k < NOVA_CPU_MAX; k++)
                                if (nova_program_has_cpu(k))
                                        run_fault(&cases[i + 1], k);
        }
        at_once();
        check(open("absent", O_RDONLY) == -1, "open() has kept no lock when its caller faulted");
        tap_end();
        *(volatile char *)nothing = 1; /* the end of the main thread ends the program */
        return 0;
}
