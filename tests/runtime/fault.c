/* SPDX-License-Identifier: BSD-2-Clause */
/* Every exception that a program can raise here: each is reported with its name, and the others go
 * on. What #AC and #XM need is not emulated. */
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

        ((void (*)(void))(uintptr_t)data)();
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

/* The handler of events reads the program's name when it writes a report. */
static const char *name;

static void break_handler(void)
{
        nova_program.name = (const char *)16;
        invalid();
}

static const struct {
        const char *name;
        void (*raise)(void);
} cases[] = {
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
        {"nested", nested},
        {"break_handler", break_handler},
        {"after_breaking", invalid},
};

static void *run(void *argument)
{
        cases[(uintptr_t)argument].raise();
        return NULL;
}

/* A thread that must end by an event, while the others of this program go on. */
static void raise(size_t i, nova_word_t cpu)
{
        const struct nova_thread_attr attr = {.name = cases[i].name, .cpu = cpu};
        struct nova_thread *thread;
        void *result = NULL;

        check(nova_thread_create(&thread, &attr, run, (void *)(uintptr_t)i) == 0 &&
                      nova_thread_join(thread, &result) == 0 && result == NOVA_FAULT_RESULT,
              cases[i].name);
        nova_program.name = name;
}

/* The same report from all CPUs at once: their lines must not be mixed. */
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
                            nova_thread_create(&thread[count], &attr, run, (void *)i) == 0)
                                count++;
        }
        while (count)
                nova_thread_join(thread[--count], NULL);
        printf("all are back\n");
}

int main(void)
{
        nova_word_t cpu = nova_program.cpu;

        name = nova_program.name;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                raise(i, cpu);
                cpu = next_cpu(cpu);
                if (cases[i].raise == break_handler)
                        for (size_t k = 0; k < NOVA_CPU_MAX; k++)
                                if (nova_program_has_cpu(k))
                                        raise(i + 1, k);
        }
        at_once();
        tap_end();
        *(volatile char *)nothing = 1; /* the main thread's end is the program's */
        return 0;
}
