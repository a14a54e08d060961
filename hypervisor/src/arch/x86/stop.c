/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of the kernel. The first CPU that stops prints a report; all others halt. */
#include "lib/stop.h"

#include "arch/x86/insn.h"
#include "arch/x86/lapic.h"
#include "arch/x86/regs.h"
#include "arch/x86/vectors.h"
#include "lib/atomic.h"
#include "lib/console.h"
#include "sched/cpu.h"

#define BACKTRACE_MAX 24
#define CPUS_END      (CPU_BASE + (word_t)NOVA_CPU_MAX * CPU_BLOCK_SIZE)

extern char image_text_start[], image_text_end[], boot_stack[], boot_stack_top[];

static uint32_t stopping;

static _Noreturn void stop_halt(void)
{
        for (;;) {
                cli();
                hlt();
        }
}

static void stop_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void stop_say(const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        console_print_unlocked(format, arguments);
        va_end(arguments);
}

static bool stop_is_in_cpu_block(word_t address)
{
        return address >= CPU_BASE && address < CPUS_END;
}

/* Halts all other started CPUs. The firmware may still use CPUs that were not started. */
static void stop_others(void)
{
        const word_t here = (word_t)__builtin_frame_address(0);

        if (!stop_is_in_cpu_block(here))
                return;
        for (unsigned id = 0; id < NOVA_CPU_MAX; id++)
                if (cpu_is_online(id) && id != cpu_self()->id)
                        lapic_send_ipi(cpu_by_id(id)->arch.apic_id, LAPIC_NMI);
}

/* Returns to the first caller only. Any later caller halts, including the first CPU if an error
 * occurs in its report. */
static void stop_begin(void)
{
        cli();
        if (atomic_exchange_u32(&stopping, 1))
                stop_halt();
        stop_others();
        console_enable_serial();
}

static _Noreturn void stop_end(void)
{
        stop_say("NOVA: stopped\n");
        stop_halt();
}

/* Returns true if a frame pointer points into a kernel stack. *end becomes the stack's end. */
static bool stop_stack_of(word_t frame, word_t *end)
{
        const word_t offset = frame & (CPU_BLOCK_SIZE - 1), block = frame - offset;
        const word_t here = (word_t)__builtin_frame_address(0);
        /* the blocks of other CPUs are mapped only once these CPUs have started */
        const bool mapped = stop_is_in_cpu_block(frame) &&
                            (block == (here & ~(word_t)(CPU_BLOCK_SIZE - 1)) ||
                             cpu_is_online((unsigned)((block - CPU_BASE) / CPU_BLOCK_SIZE)));

        if (mapped && offset >= CPU_STACK_LIMIT && offset < CPU_STACK_TOP) {
                *end = block + CPU_STACK_TOP;
                return true;
        }
        if (mapped && offset >= CPU_EMERGENCY && offset < CPU_EMERGENCY_END) {
                *end = block + CPU_EMERGENCY_END;
                return true;
        }
        *end = (word_t)boot_stack_top;
        return frame >= (word_t)boot_stack && frame < *end;
}

static bool stop_is_text(word_t address)
{
        return address >= (word_t)image_text_start && address < (word_t)image_text_end;
}

/* Prints the callers by following frame pointers. Returns their number. */
static unsigned stop_say_callers(word_t frame)
{
        unsigned callers = 0;
        word_t end;

        while (callers < BACKTRACE_MAX && frame % sizeof(word_t) == 0 &&
               stop_stack_of(frame, &end) && end - frame >= 2 * sizeof(word_t) &&
               stop_is_text(((const word_t *)frame)[1])) {
                stop_say(" 0x%zx", (size_t)((const word_t *)frame)[1]);
                callers++;
                if (*(const word_t *)frame <= frame)
                        break;
                frame = *(const word_t *)frame;
        }
        return callers;
}

/* Prints all words on the stack that look like return addresses. Used if there are no frame
 * pointers. */
static unsigned stop_say_candidates(word_t sp)
{
        unsigned found = 0;
        word_t end;

        if (sp % sizeof(word_t) || !stop_stack_of(sp, &end))
                return 0;
        for (; sp < end && found < BACKTRACE_MAX; sp += sizeof(word_t)) {
                if (!stop_is_text(*(const word_t *)sp))
                        continue;
                stop_say(" 0x%zx", (size_t) * (const word_t *)sp);
                found++;
        }
        return found;
}

static void stop_say_backtrace(word_t frame, word_t sp)
{
        stop_say("NOVA: called from");
        if (!stop_say_callers(frame) && !stop_say_candidates(sp))
                stop_say(" nowhere in the kernel");
        stop_say("\n");
}

static void stop_say_control_registers(word_t sp)
{
        stop_say("NOVA: sp 0x%zx cr0 0x%zx cr2 0x%zx cr3 0x%zx cr4 0x%zx\n", (size_t)sp,
                 (size_t)read_cr0(), (size_t)read_cr2(), (size_t)read_cr3(), (size_t)read_cr4());
}

static void stop_say_cpu(void)
{
        const word_t here = (word_t)__builtin_frame_address(0);

        if (stop_is_in_cpu_block(here))
                stop_say(" (CPU %u)", cpu_self()->id);
        stop_say("\n");
}

void kernel_stop(const char *format, ...)
{
        va_list arguments;

        stop_begin();
        stop_say("NOVA: ");
        va_start(arguments, format);
        console_print_unlocked(format, arguments);
        va_end(arguments);
        stop_say_cpu();
        const word_t sp = (word_t)__builtin_frame_address(0);
        stop_say_control_registers(sp);
        stop_say_backtrace(sp, sp);
        stop_end();
}

static const char *stop_vector_name(unsigned vector)
{
        static const char *const names[] = {
                "divide error",
                "debug exception",
                "NMI",
                "breakpoint",
                "overflow",
                "bound exceeded",
                "invalid opcode",
                "device not available",
                "double fault",
                "exception 9",
                "invalid TSS",
                "segment not present",
                "stack fault",
                "general protection fault",
                "page fault",
                "exception 15",
                "FPU error",
                "alignment check",
                "machine check",
                "SIMD error",
                "virtualization exception",
                "control protection",
        };

        return vector < array_size(names) ? names[vector] : "unexpected event";
}

void kernel_stop_exception(unsigned vector, const struct regs *regs, word_t cr2)
{
        stop_begin();
        stop_say("NOVA: %s (vector %u) in %s", stop_vector_name(vector), vector,
                 regs->cs & 3 ? "user mode" : "the kernel");
        stop_say_cpu();
        stop_say("NOVA: ip 0x%zx cs 0x%zx flags 0x%zx error 0x%zx cr2 0x%zx\n", (size_t)regs->ip,
                 (size_t)regs->cs, (size_t)regs->flags, (size_t)regs->error, (size_t)cr2);
        stop_say("NOVA: ax 0x%zx bx 0x%zx cx 0x%zx dx 0x%zx si 0x%zx di 0x%zx bp 0x%zx\n",
                 (size_t)regs->ax, (size_t)regs->bx, (size_t)regs->cx, (size_t)regs->dx,
                 (size_t)regs->si, (size_t)regs->di, (size_t)regs->bp);
        stop_say(REGS_WIDE_FORMAT, REGS_WIDE_VALUES(regs));
        /* For a trap from the kernel, an x86-32 CPU pushes no stack pointer: the interrupted stack
         * continues after the frame. */
        const bool pushed = sizeof(word_t) == 8 || regs->cs & 3 || vector == VECTOR_NMI ||
                            vector == VECTOR_DOUBLE_FAULT;
        const word_t sp = pushed ? regs->sp : (word_t)&regs->sp;
        stop_say_control_registers(sp);
        stop_say_backtrace(regs->cs & 3 ? 0 : regs->bp, regs->cs & 3 ? 0 : sp);
        stop_end();
}
