/* SPDX-License-Identifier: BSD-2-Clause */
/* A QEMU plugin that counts instructions inside and outside of guests: VMRUN begins a guest, the
 * instruction behind it ends it. Argument: out=FILE; it gets `host N guest N entries N`. One CPU.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The plugin interface, version 1, as far as it is used here. */
typedef uint64_t plugin_id;
struct qemu_info;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum { CB_NO_REGS };

extern void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id,
                                                  void (*cb)(plugin_id, struct qemu_plugin_tb *));
extern void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb,
                                                 void (*cb)(unsigned, void *), int flags,
                                                 void *data);
extern void qemu_plugin_register_atexit_cb(plugin_id id, void (*cb)(plugin_id, void *), void *data);
extern size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
extern uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
extern struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i);
extern const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
extern size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
extern uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);

extern int qemu_plugin_version;
int qemu_plugin_version = 1;

int qemu_plugin_install(plugin_id id, const struct qemu_info *info, int argc, char **argv);

/* A piece of code that QEMU translated. */
struct piece {
        uint64_t address, after; /* its first instruction; what follows its VMRUN, or 0 */
        uint64_t count;
};

static uint64_t counts[2], entries, back_at = UINT64_MAX;
static bool inside;
static const char *file;

static void run(unsigned cpu, void *data)
{
        const struct piece *const piece = data;

        (void)cpu;
        if (inside && piece->address == back_at)
                inside = false;
        counts[inside] += piece->count;
        if (!inside && piece->after) {
                inside = true;
                entries++;
                back_at = piece->after;
        }
}

static void translate(plugin_id id, struct qemu_plugin_tb *tb)
{
        static const uint8_t vmrun[] = {0x0f, 0x01, 0xd8};
        struct piece *const piece = calloc(1, sizeof(*piece)); /* lives as long as the code */
        struct qemu_plugin_insn *last;

        (void)id;
        if (!piece)
                abort();
        piece->count = qemu_plugin_tb_n_insns(tb);
        piece->address = qemu_plugin_tb_vaddr(tb);
        last = qemu_plugin_tb_get_insn(tb, (size_t)piece->count - 1);
        if (qemu_plugin_insn_size(last) == sizeof(vmrun) &&
            !memcmp(qemu_plugin_insn_data(last), vmrun, sizeof(vmrun)))
                piece->after = qemu_plugin_insn_vaddr(last) + sizeof(vmrun);
        qemu_plugin_register_vcpu_tb_exec_cb(tb, run, CB_NO_REGS, piece);
}

static void write_results(plugin_id id, void *unused)
{
        FILE *const out = fopen(file, "w");

        (void)id;
        (void)unused;
        if (!out)
                abort();
        fprintf(out, "host %" PRIu64 " guest %" PRIu64 " entries %" PRIu64 "\n", counts[0],
                counts[1], entries);
        fclose(out);
}

int qemu_plugin_install(plugin_id id, const struct qemu_info *info, int argc, char **argv)
{
        (void)info;
        for (int i = 0; i < argc; i++)
                if (!strncmp(argv[i], "out=", 4))
                        file = argv[i] + 4;
        if (!file)
                return -1;
        qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
        qemu_plugin_register_atexit_cb(id, write_results, NULL);
        return 0;
}
