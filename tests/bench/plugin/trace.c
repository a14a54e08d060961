/* SPDX-License-Identifier: BSD-2-Clause */
/* A QEMU plugin that examines the kernel's instructions in a timed operation: those between two
 * RDTSC instructions outside the kernel. The machine must have one CPU.
 *
 * Arguments: out=FILE for the results, from=ADDRESS where the kernel begins. The program under test
 * names the operation by a marker (kinds.h). For each operation the file has `trace NUMBER
 * INSTRUCTIONS LOCKED CR3 SERIALISING MSR LINES WRITTEN` and `path NUMBER ADDRESS…`. Both
 * describe the sample with the median number of instructions, or the first of several such
 * samples. */
#include "kinds.h"

#include <inttypes.h>

#define OPERATIONS 256
#define SAMPLES    1024
#define PATH       65536
#define LINES      8192
#define LINE_SHIFT 6

struct sample {
        uint32_t instructions, kind[KINDS], lines, written;
        unsigned order;
        uint64_t *path; /* path of the first sample with this number of instructions */
};

static struct operation {
        struct sample sample[SAMPLES];
        unsigned samples;
} operations[OPERATIONS];

static struct operation *operation; /* the operation that was named last */
static bool marked;                 /* the next store names an operation */
static bool timing;                 /* between the two readings of the TSC */
static struct sample current;
static uint64_t path[PATH];
static uint64_t lines[LINES]; /* bit 0 of each: the line was written */

static void note_line(uint64_t address, bool store)
{
        const uint64_t line = address >> LINE_SHIFT << 1;

        for (unsigned i = 0; i < current.lines; i++)
                if ((lines[i] & ~(uint64_t)1) == line) {
                        current.written += store && !(lines[i] & 1);
                        lines[i] |= store;
                        return;
                }
        if (current.lines == LINES)
                return;
        lines[current.lines++] = line | store;
        current.written += store;
}

static void on_memory(unsigned cpu, memory_info info, uint64_t address, void *unused)
{
        (void)cpu;
        (void)unused;
        if (timing && address >= kernel_from)
                note_line(address, qemu_plugin_mem_is_store(info));
}

/* Counts an instruction of the kernel. data: its offset from kernel_from, shifted left by 3 bits,
 * and its kind in the low bits. */
static void in_kernel(unsigned cpu, void *data)
{
        const uint64_t value = (uint64_t)(uintptr_t)data;

        (void)cpu;
        if (!timing)
                return;
        if (current.instructions < PATH)
                path[current.instructions] = kernel_from | value >> 3;
        current.instructions++;
        current.kind[value & 7]++;
}

static unsigned path_length(const struct sample *sample)
{
        return sample->instructions < PATH ? sample->instructions : PATH;
}

static uint64_t *keep_path(void)
{
        for (unsigned i = 0; i < operation->samples; i++)
                if (operation->sample[i].instructions == current.instructions)
                        return operation->sample[i].path;

        const size_t size = path_length(&current) * sizeof(*path);
        uint64_t *const kept = malloc(size + 1);

        if (!kept)
                abort();
        memcpy(kept, path, size);
        return kept;
}

static void end_sample(void)
{
        if (operation->samples == SAMPLES)
                return;
        current.order = operation->samples;
        current.path = keep_path();
        operation->sample[operation->samples++] = current;
}

static void at_rdtsc(unsigned cpu, void *unused)
{
        (void)cpu;
        (void)unused;
        if (!operation)
                return;
        if (timing)
                end_sample();
        timing = !timing;
        memset(&current, 0, sizeof(current));
}

static void at_mark(unsigned cpu, void *unused)
{
        (void)cpu;
        (void)unused;
        marked = true;
        timing = false;
}

static void on_user_memory(unsigned cpu, memory_info info, uint64_t address, void *unused)
{
        (void)cpu;
        (void)unused;
        if (!marked || !qemu_plugin_mem_is_store(info))
                return;
        marked = false;
        operation = address & 0xff ? &operations[address & 0xff] : NULL;
}

static void in_user(struct qemu_plugin_insn *insn)
{
        static const uint8_t rdtsc[] = {0x0f, 0x31};

        if (is_mark(insn))
                qemu_plugin_register_vcpu_insn_exec_cb(insn, at_mark, CB_NO_REGS, NULL);
        else if (is_code(insn, rdtsc, sizeof(rdtsc)))
                qemu_plugin_register_vcpu_insn_exec_cb(insn, at_rdtsc, CB_NO_REGS, NULL);
        else
                qemu_plugin_register_vcpu_mem_cb(insn, on_user_memory, CB_NO_REGS,
                                                 MEMORY_READ_AND_WRITE, NULL);
}

static void translated(plugin_id id, struct qemu_plugin_tb *tb)
{
        (void)id;
        for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
                struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
                const uint64_t address = qemu_plugin_insn_vaddr(insn);

                if (address < kernel_from) {
                        in_user(insn);
                        continue;
                }
                const enum kind kind = kind_of(insn, kernel_from > UINT32_MAX);
                const uint64_t data = (address - kernel_from) << 3 | kind;
                qemu_plugin_register_vcpu_insn_exec_cb(insn, in_kernel, CB_NO_REGS,
                                                       (void *)(uintptr_t)data);
                qemu_plugin_register_vcpu_mem_cb(insn, on_memory, CB_NO_REGS, MEMORY_READ_AND_WRITE,
                                                 NULL);
        }
}

static int compare(const void *a, const void *b)
{
        const struct sample *x = a, *y = b;

        if (x->instructions != y->instructions)
                return x->instructions > y->instructions ? 1 : -1;
        return x->order > y->order ? 1 : -1;
}

static const struct sample *median(struct operation *o)
{
        unsigned i = o->samples / 2;

        qsort(o->sample, o->samples, sizeof(o->sample[0]), compare);
        while (i && o->sample[i - 1].instructions == o->sample[i].instructions)
                i--;
        return &o->sample[i];
}

static void results(FILE *out)
{
        for (unsigned i = 0; i < OPERATIONS; i++) {
                struct operation *o = &operations[i];
                if (!o->samples)
                        continue;
                const struct sample *s = median(o);
                fprintf(out, "trace %u %u %u %u %u %u %u %u\npath %u", i, s->instructions,
                        s->kind[LOCKED], s->kind[CR3], s->kind[SERIALISING], s->kind[MSR], s->lines,
                        s->written, i);
                for (unsigned k = 0; k < path_length(s); k++)
                        fprintf(out, " %" PRIx64, s->path[k]);
                fputc('\n', out);
        }
}

int qemu_plugin_install(plugin_id id, const struct qemu_info *info, int argc, char **argv)
{
        (void)info;
        return plugin_begin_kernel(id, argc, argv, translated, results);
}
