/* SPDX-License-Identifier: BSD-2-Clause */
/* A QEMU plugin that finds the longest run of kernel instructions with interrupts off: from an
 * entry, or from the STI of an interrupt window, to the next STI, VMRUN or return to user mode.
 * Rounds of a loop that waits do not count: at most ROUND instructions from a PAUSE to the next.
 *
 * Arguments: out=FILE for the results, from=ADDRESS where the kernel begins. The program under test
 * names its operation by a marker, which is a NOP of seven bytes with MARK and a number in its
 * displacement. For each mark the file has a line `run MARK LENGTH FIRST LAST`. */
#include "plugin.h"

#include <inttypes.h>

#define CPUS       64
#define MARKS      256
#define MARK       0x4d4b0000u /* mark in the upper half of a displacement */
#define OPCODE_STI 0xfb
#define ROUND      160

struct run {
        uint64_t length, first, last;
};

static struct cpu {
        struct run run;
        bool begun;  /* the first run, the kernel's start, is over; it is not an entry */
        bool paused; /* there was a PAUSE in this run */
        uint64_t since_pause;
} cpus[CPUS];

static struct run longest[MARKS];
static unsigned mark;

static void end_run(struct cpu *cpu)
{
        if (!cpu->run.length)
                return;
        if (cpu->begun && cpu->run.length > longest[mark].length)
                longest[mark] = cpu->run;
        cpu->begun = true;
        cpu->paused = false;
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

static void at_pause(unsigned index, void *address)
{
        struct cpu *cpu = &cpus[index % CPUS];

        in_kernel(index, address);
        if (cpu->paused && cpu->since_pause <= ROUND)
                cpu->run.length -= cpu->since_pause;
        cpu->paused = true;
        cpu->since_pause = 0;
}

static void at_end(unsigned index, void *address)
{
        in_kernel(index, address);
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

/* Returns true for STI, VMRUN and returns to user mode. VMRUN and the returns count, because an
 * interrupt may arrive before the next instruction, and its entry would then continue the run. */
static bool ends_run(const struct qemu_plugin_insn *insn)
{
        static const uint8_t iret[] = {0xcf}, iretq[] = {0x48, 0xcf}, sysret[] = {0x48, 0x0f, 0x07},
                             sysexit[] = {0x0f, 0x35}, vmrun[] = {0x0f, 0x01, 0xd8},
                             sti[] = {OPCODE_STI};

        return is_code(insn, iret, sizeof(iret)) || is_code(insn, iretq, sizeof(iretq)) ||
               is_code(insn, sysret, sizeof(sysret)) || is_code(insn, sysexit, sizeof(sysexit)) ||
               is_code(insn, vmrun, sizeof(vmrun)) || is_code(insn, sti, sizeof(sti));
}

static void translated(plugin_id id, struct qemu_plugin_tb *tb)
{
        static const uint8_t pause[] = {0xf3, 0x90};

        (void)id;
        for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
                struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
                const uint64_t address = qemu_plugin_insn_vaddr(insn);
                void (*cb)(unsigned, void *) = in_user;
                uint64_t data = address;
                uint32_t number;

                if (address >= kernel_from)
                        cb = ends_run(insn)                        ? at_end
                             : is_code(insn, pause, sizeof(pause)) ? at_pause
                                                                   : in_kernel;
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
        return plugin_begin_kernel(id, argc, argv, translated, results);
}
