/* SPDX-License-Identifier: BSD-2-Clause */
/* A QEMU plugin for operations that several CPUs execute at the same time: it counts each CPU's
 * instructions in the kernel, and the lines of memory that the CPUs share there.
 *
 * Arguments: out=FILE for the results, from=ADDRESS where the kernel begins, entry=ADDRESS of the
 * roottask's first instruction. The program under test names operations by a marker (kinds.h);
 * execution before the roottask is the operation BOOT. For each operation and each CPU that was in
 * the kernel the file has `cpu NUMBER CPU INSTRUCTIONS LOCKED LINES SHARED`. A line is shared if
 * several CPUs accessed it and at least one of them wrote to it. Lines are distinguished by
 * physical address. Waiting does not count: a round of at most SPIN instructions from one PAUSE to
 * the next. */
#include "kinds.h"

#include <inttypes.h>

#define CPUS       32
#define OPERATIONS 256
#define BOOT       255
#define LINES      (1u << 18)
#define LINE_SHIFT 6
#define SPIN       64

static struct count {
        uint64_t instructions, locked, lines, shared;
} counts[OPERATIONS][CPUS];

static struct cpu {
        struct count since_pause;
        bool paused; /* there was a PAUSE since the operation began */
        bool marked; /* the next store names an operation */
} cpus[CPUS];

/* Keyed by physical address and operation. */
static struct line {
        uint64_t key; /* 0: free */
        uint32_t readers, writers;
} lines[LINES];

static unsigned used; /* number of lines with a key; less than LINES, so that searches end */
static unsigned operation = BOOT;
static uint64_t entry = UINT64_MAX;

static struct line *line_at(uint64_t address)
{
        const uint64_t key = ((address >> LINE_SHIFT) + 1) << 8 | operation;
        unsigned i = (unsigned)(key * 0x9e3779b97f4a7c15 >> 32) % LINES;

        for (; lines[i].key && lines[i].key != key; i = (i + 1) % LINES)
                ;
        if (!lines[i].key && ++used == LINES) {
                fputs("the plugin's table of lines is full: raise LINES in cpus.c\n", stderr);
                exit(EXIT_FAILURE);
        }
        lines[i].key = key;
        return &lines[i];
}

static void on_memory(unsigned cpu, memory_info info, uint64_t address, void *unused)
{
        struct qemu_plugin_hwaddr *const at = qemu_plugin_get_hwaddr(info, address);

        (void)unused;
        if (!operation || operation == BOOT || cpu >= CPUS || !at || qemu_plugin_hwaddr_is_io(at))
                return;
        struct line *const line = line_at(qemu_plugin_hwaddr_phys_addr(at));
        if (qemu_plugin_mem_is_store(info))
                line->writers |= 1u << cpu;
        else
                line->readers |= 1u << cpu;
}

static void in_kernel(unsigned cpu, void *locked)
{
        if (!operation || cpu >= CPUS)
                return;
        counts[operation][cpu].instructions++;
        counts[operation][cpu].locked += locked != NULL;
        cpus[cpu].since_pause.instructions++;
        cpus[cpu].since_pause.locked += locked != NULL;
}

static void at_pause(unsigned cpu, void *unused)
{
        struct count *const since = cpu < CPUS ? &cpus[cpu].since_pause : NULL;

        in_kernel(cpu, unused);
        if (!since)
                return;
        if (cpus[cpu].paused && since->instructions <= SPIN) {
                counts[operation][cpu].instructions -= since->instructions;
                counts[operation][cpu].locked -= since->locked;
        }
        cpus[cpu].paused = operation != 0;
        memset(since, 0, sizeof(*since));
}

static void begin(unsigned number)
{
        operation = number;
        for (unsigned i = 0; i < CPUS; i++) {
                cpus[i].paused = false;
                memset(&cpus[i].since_pause, 0, sizeof(cpus[i].since_pause));
        }
}

static void at_entry(unsigned cpu, void *unused)
{
        (void)cpu;
        (void)unused;
        if (operation == BOOT)
                begin(0);
}

static void at_mark(unsigned cpu, void *unused)
{
        (void)unused;
        if (cpu < CPUS)
                cpus[cpu].marked = true;
}

static void on_user_memory(unsigned cpu, memory_info info, uint64_t address, void *unused)
{
        (void)unused;
        if (cpu >= CPUS || !cpus[cpu].marked || !qemu_plugin_mem_is_store(info))
                return;
        cpus[cpu].marked = false;
        begin(address & 0xff);
}

static void in_user(struct qemu_plugin_insn *insn)
{
        if (qemu_plugin_insn_vaddr(insn) == entry)
                qemu_plugin_register_vcpu_insn_exec_cb(insn, at_entry, CB_NO_REGS, NULL);
        if (is_mark(insn))
                qemu_plugin_register_vcpu_insn_exec_cb(insn, at_mark, CB_NO_REGS, NULL);
        else
                qemu_plugin_register_vcpu_mem_cb(insn, on_user_memory, CB_NO_REGS,
                                                 MEMORY_READ_AND_WRITE, NULL);
}

static void translated(plugin_id id, struct qemu_plugin_tb *tb)
{
        static const uint8_t pause[] = {0xf3, 0x90};

        (void)id;
        for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
                struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);

                if (qemu_plugin_insn_vaddr(insn) < kernel_from) {
                        in_user(insn);
                        continue;
                }
                const bool locked = kind_of(insn, kernel_from > UINT32_MAX) == LOCKED;
                qemu_plugin_register_vcpu_insn_exec_cb(
                        insn, is_code(insn, pause, sizeof(pause)) ? at_pause : in_kernel,
                        CB_NO_REGS, locked ? counts : NULL);
                qemu_plugin_register_vcpu_mem_cb(insn, on_memory, CB_NO_REGS, MEMORY_READ_AND_WRITE,
                                                 NULL);
        }
}

static void count_lines(const struct line *line)
{
        const uint32_t all = line->readers | line->writers;
        const bool shared = line->writers && all & (all - 1);

        for (unsigned cpu = 0; cpu < CPUS; cpu++) {
                if (!(all >> cpu & 1))
                        continue;
                counts[line->key & 0xff][cpu].lines++;
                counts[line->key & 0xff][cpu].shared += shared;
        }
}

static void results(FILE *out)
{
        for (unsigned i = 0; i < LINES; i++)
                if (lines[i].key)
                        count_lines(&lines[i]);
        for (unsigned i = 1; i < OPERATIONS; i++)
                for (unsigned cpu = 0; cpu < CPUS; cpu++) {
                        const struct count *c = &counts[i][cpu];
                        if (c->instructions)
                                fprintf(out,
                                        "cpu %u %u %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
                                        "\n",
                                        i, cpu, c->instructions, c->locked, c->lines, c->shared);
                }
}

int qemu_plugin_install(plugin_id id, const struct qemu_info *info, int argc, char **argv)
{
        (void)info;
        for (int i = 0; i < argc; i++)
                if (!strncmp(argv[i], "entry=", 6))
                        entry = strtoull(argv[i] + 6, NULL, 0);
        return plugin_begin_kernel(id, argc, argv, translated, results);
}
