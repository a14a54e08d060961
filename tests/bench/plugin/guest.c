/* SPDX-License-Identifier: BSD-2-Clause */
/* A QEMU plugin that counts instructions inside and outside of guests: VMRUN begins a guest, the
 * instruction behind it ends it. Argument: out=FILE; it gets `host N guest N entries N`. One CPU.
 */
#include "plugin.h"

#include <inttypes.h>

/* A piece of code that QEMU translated. */
struct piece {
        uint64_t address, after; /* its first instruction; what follows its VMRUN, or 0 */
        uint64_t count;
};

static uint64_t counts[2], entries, back_at = UINT64_MAX;
static bool inside;

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
        if (is_code(last, vmrun, sizeof(vmrun)))
                piece->after = qemu_plugin_insn_vaddr(last) + sizeof(vmrun);
        qemu_plugin_register_vcpu_tb_exec_cb(tb, run, CB_NO_REGS, piece);
}

static void results(FILE *out)
{
        fprintf(out, "host %" PRIu64 " guest %" PRIu64 " entries %" PRIu64 "\n", counts[0],
                counts[1], entries);
}

int qemu_plugin_install(plugin_id id, const struct qemu_info *info, int argc, char **argv)
{
        (void)info;
        return plugin_begin(id, argc, argv, translate, results);
}
