/* SPDX-License-Identifier: BSD-2-Clause */
/* A QEMU plugin that finds the longest run of kernel instructions with interrupts off: from an
 * entry, or from the STI of an interrupt window, to the next STI, VMRUN or return to user mode.
 * Rounds of a loop that waits do not count. A round is at most ROUND instructions from a PAUSE to
 * the next.
 *
 * Arguments: out=FILE for the results, from=ADDRESS where the kernel begins, and address ranges of
 * functions that keep the CPU from other threads. keep=FIRST-END: interrupt windows in this range
 * do not end the run. next=FIRST-END: the first window after this range does not end the run. The
 * return from an interrupt in such a window does not end the run either. The program under test
 * names its operation by a marker, which is a NOP of seven bytes with MARK and a number in its
 * displacement. For each mark the file has a line `run MARK LENGTH FIRST LAST`. */
#include "plugin.h"

#include <inttypes.h>

#define CPUS       64
#define MARKS      256
#define MARK       0x4d4b0000u /* mark in the upper half of a displacement */
#define OPCODE_CLI 0xfa
#define OPCODE_STI 0xfb
#define ROUND      160
#define RANGES     8

struct run {
        uint64_t length, first, last;
};

static struct cpu {
        struct run run;
        bool begun;  /* the first run has ended; it is the kernel's start and does not count */
        bool paused; /* there was a PAUSE in this run */
        bool kept;   /* the next window does not end the run */
        bool window; /* a window that does not end the run is open */
        uint64_t since_pause;
} cpus[CPUS];

static struct run longest[MARKS];
static unsigned mark;

struct ranges {
        unsigned count;
        struct {
                uint64_t first, end;
        } range[RANGES];
};

static struct ranges keep, next;

static void end_run(struct cpu *cpu)
{
        if (!cpu->run.length)
                return;
        if (cpu->begun && cpu->run.length > longest[mark].length)
                longest[mark] = cpu->run;
        cpu->begun = true;
        cpu->paused = cpu->kept = cpu->window = false;
        cpu->run.length = 0;
}

static void in_kernel(unsigned index, void *address)
{
        struct run *run = &cpus[index % CPUS].run;

        if (!run->length)
                run->first = (uint64_t)(uintptr_t)address;
        run->last = (uint64_t)(uintptr_t)address;
        run->length++;
        cpus[index % CPUS].since_pause++;
}

static void in_keeping(unsigned index, void *address)
{
        in_kernel(index, address);
        cpus[index % CPUS].kept = true;
}

/* Handles an STI. */
static void at_window(unsigned index, void *address)
{
        struct cpu *cpu = &cpus[index % CPUS];

        in_kernel(index, address);
        cpu->window = cpu->kept;
        cpu->kept = false;
        if (!cpu->window)
                end_run(cpu);
}

/* Handles an STI of a function that keeps the CPU. */
static void at_kept_window(unsigned index, void *address)
{
        in_kernel(index, address);
        cpus[index % CPUS].window = true;
}

/* Handles a CLI. */
static void at_window_end(unsigned index, void *address)
{
        in_kernel(index, address);
        cpus[index % CPUS].window = false;
}

static void at_pause(unsigned index, void *address)
{
        struct cpu *cpu = &cpus[index % CPUS];

        in_kernel(index, address);
        if (cpu->paused && cpu->since_pause <= ROUND)
                cpu->run.length -= cpu->since_pause;
        cpu->paused = true;
        cpu->since_pause = 0;
}

/* Handles a VMRUN or a return. */
static void at_end(unsigned index, void *address)
{
        in_kernel(index, address);
        if (!cpus[index % CPUS].window)
                end_run(&cpus[index % CPUS]);
}

static void in_user(unsigned index, void *unused)
{
        (void)unused;
        end_run(&cpus[index % CPUS]);
}

static void at_mark(unsigned index, void *number)
{
        in_user(index, NULL);
        mark = (unsigned)(uintptr_t)number % MARKS;
}

static bool is_mark(const struct qemu_plugin_insn *insn, uint32_t *number)
{
        return is_long_nop(insn, number) && (*number & 0xffff0000u) == MARK;
}

/* Returns true for VMRUN and for the returns to user mode. They end the run, because an interrupt
 * may arrive before the next instruction, and its entry would then continue the run. */
static bool ends_run(const struct qemu_plugin_insn *insn)
{
        static const uint8_t iret[] = {0xcf}, iretq[] = {0x48, 0xcf}, sysret[] = {0x48, 0x0f, 0x07},
                             sysexit[] = {0x0f, 0x35}, vmrun[] = {0x0f, 0x01, 0xd8};

        return is_code(insn, iret, sizeof(iret)) || is_code(insn, iretq, sizeof(iretq)) ||
               is_code(insn, sysret, sizeof(sysret)) || is_code(insn, sysexit, sizeof(sysexit)) ||
               is_code(insn, vmrun, sizeof(vmrun));
}

static bool is_in(const struct ranges *ranges, uint64_t address)
{
        for (unsigned i = 0; i < ranges->count; i++)
                if (address >= ranges->range[i].first && address < ranges->range[i].end)
                        return true;
        return false;
}

/* Adds the range of an argument that matches FORMAT. @return false if there are too many ranges */
static bool read_range(struct ranges *ranges, const char *format, const char *argument)
{
        uint64_t first, end;

        if (sscanf(argument, format, &first, &end) != 2)
                return true; /* another argument */
        if (ranges->count == RANGES)
                return false;
        ranges->range[ranges->count].first = first;
        ranges->range[ranges->count++].end = end;
        return true;
}

/* Returns the function that counts an instruction of the kernel. */
static void (*counter_of(const struct qemu_plugin_insn *insn))(unsigned, void *)
{
        static const uint8_t pause[] = {0xf3, 0x90}, sti[] = {OPCODE_STI}, cli[] = {OPCODE_CLI};
        const uint64_t address = qemu_plugin_insn_vaddr(insn);

        if (ends_run(insn))
                return at_end;
        if (is_code(insn, sti, sizeof(sti)))
                return is_in(&keep, address) ? at_kept_window : at_window;
        if (is_code(insn, cli, sizeof(cli)))
                return at_window_end;
        if (is_code(insn, pause, sizeof(pause)))
                return at_pause;
        return is_in(&next, address) ? in_keeping : in_kernel;
}

static void translated(plugin_id id, struct qemu_plugin_tb *tb)
{
        (void)id;
        for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
                struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
                const uint64_t address = qemu_plugin_insn_vaddr(insn);
                void (*cb)(unsigned, void *) = in_user;
                uint64_t data = address;
                uint32_t number;

                if (address >= kernel_from)
                        cb = counter_of(insn);
                else if (is_mark(insn, &number))
                        cb = at_mark, data = number & 0xffff;
                else if (i)
                        continue; /* the first instruction of a block is enough to end a run */
                qemu_plugin_register_vcpu_insn_exec_cb(insn, cb, CB_NO_REGS,
                                                       (void *)(uintptr_t)data);
        }
}

static void results(FILE *out)
{
        for (unsigned i = 0; i < MARKS; i++)
                if (longest[i].length)
                        fprintf(out, "run %u %" PRIu64 " %#" PRIx64 " %#" PRIx64 "\n", i,
                                longest[i].length, longest[i].first, longest[i].last);
}

int qemu_plugin_install(plugin_id id, const struct qemu_info *info, int argc, char **argv)
{
        (void)info;
        for (int i = 0; i < argc; i++)
                if (!read_range(&keep, "keep=%" SCNx64 "-%" SCNx64, argv[i]) ||
                    !read_range(&next, "next=%" SCNx64 "-%" SCNx64, argv[i]))
                        return 1;
        return plugin_begin_kernel(id, argc, argv, translated, results);
}
