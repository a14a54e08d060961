/* SPDX-License-Identifier: BSD-2-Clause */
/* A QEMU plugin that counts the instructions of all CPUs while a program has marked an operation: a
 * NOP of seven bytes with IO_MARK + its number in the displacement, 0 for the end.
 *
 * Arguments: out=FILE, from=ADDRESS where the kernel begins, profile=NUMBER. For each operation
 * FILE gets `count NUMBER TIMES PROGRAMS KERNEL MEDIAN LEAST`: the number of its marks, the total
 * instructions in programs and in the kernel, and the median and the minimum of one mark's
 * instructions. For the operation of the profile it also gets `code ADDRESS COUNT BYTES` for each
 * piece of code that ran: its address, the instructions, and its first bytes, because programs
 * share their addresses. */
#include "plugin.h"

#include <inttypes.h>

#define IO_MARK    0x4d4b9000u
#define OPERATIONS 16
#define SPANS      4096
#define BYTES      8

enum { PROGRAMS, KERNEL };

/* A piece of code that QEMU translated; lives as long as the plugin. */
struct piece {
        struct piece *next;
        uint64_t address, count, ran;
        bool in_kernel;
        uint8_t bytes[BYTES];
};

static struct operation {
        uint64_t counts[2];
        unsigned times;
        uint64_t span[SPANS];
} operations[OPERATIONS];

static struct piece *pieces;
static unsigned operation, profiled;
static uint64_t since; /* instructions of the operation since its mark */

static void run(unsigned cpu, void *data)
{
        struct piece *const piece = data;

        (void)cpu;
        if (!operation)
                return;
        operations[operation].counts[piece->in_kernel] += piece->count;
        since += piece->count;
        if (operation == profiled)
                piece->ran += piece->count;
}

static void at_mark(unsigned cpu, void *number)
{
        struct operation *const ended = &operations[operation];

        (void)cpu;
        if (operation && ended->times < SPANS)
                ended->span[ended->times++] = since;
        operation = (unsigned)(uintptr_t)number % OPERATIONS;
        since = 0;
}

static void translated(plugin_id id, struct qemu_plugin_tb *tb)
{
        struct piece *const piece = calloc(1, sizeof(*piece));
        uint32_t mark;

        (void)id;
        if (!piece)
                abort();
        piece->count = qemu_plugin_tb_n_insns(tb);
        piece->address = qemu_plugin_tb_vaddr(tb);
        piece->in_kernel = piece->address >= kernel_from;
        piece->next = pieces;
        pieces = piece;
        for (size_t i = 0, at = 0; i < piece->count; i++) {
                struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
                const size_t size = qemu_plugin_insn_size(insn);

                for (size_t n = 0; n < size && at < BYTES; n++)
                        piece->bytes[at++] = ((const uint8_t *)qemu_plugin_insn_data(insn))[n];
                if (is_long_nop(insn, &mark) && mark - IO_MARK < OPERATIONS)
                        qemu_plugin_register_vcpu_insn_exec_cb(insn, at_mark, CB_NO_REGS,
                                                               (void *)(uintptr_t)(mark - IO_MARK));
        }
        qemu_plugin_register_vcpu_tb_exec_cb(tb, run, CB_NO_REGS, piece);
}

static int compare(const void *a, const void *b)
{
        const uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;

        return (one > other) - (one < other);
}

static void results(FILE *out)
{
        for (unsigned i = 1; i < OPERATIONS; i++) {
                struct operation *const o = &operations[i];

                if (!o->times)
                        continue;
                qsort(o->span, o->times, sizeof(o->span[0]), compare);
                fprintf(out, "count %u %u %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", i,
                        o->times, o->counts[PROGRAMS], o->counts[KERNEL], o->span[o->times / 2],
                        o->span[0]);
        }
        for (const struct piece *piece = pieces; piece; piece = piece->next) {
                if (!piece->ran)
                        continue;
                fprintf(out, "code %#" PRIx64 " %" PRIu64 " ", piece->address, piece->ran);
                for (unsigned i = 0; i < BYTES; i++)
                        fprintf(out, "%02x", piece->bytes[i]);
                fprintf(out, "\n");
        }
}

int qemu_plugin_install(plugin_id id, const struct qemu_info *info, int argc, char **argv)
{
        (void)info;
        for (int i = 0; i < argc; i++)
                if (!strncmp(argv[i], "profile=", 8))
                        profiled = (unsigned)strtoul(argv[i] + 8, NULL, 0);
        return plugin_begin_kernel(id, argc, argv, translated, results);
}
