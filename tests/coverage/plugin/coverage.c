/* SPDX-License-Identifier: BSD-2-Clause */
/* A QEMU plugin that records the instructions of the kernel that ran, and the directions of its
 * conditional jumps.
 *
 * Arguments: map=FILE, text=ADDRESS:SIZE of the kernel's code, boot=ADDRESS:SIZE of its part that
 * runs before paging. FILE has a byte for each byte of text and then of boot, with the bits below.
 * All emulators that run the same kernel share the file: each maps it and only sets bits, so an
 * emulator that is killed loses nothing.
 *
 * An edge counts only between a jump and one of its two targets: after an interrupt or an exception
 * another block follows. A guest's code can lie at the kernel's addresses: from a VMRUN to the
 * instruction after it nothing counts. The boot part lies where programs lie later: it counts until
 * the CPU has run the text. */
#include "../../bench/plugin/plugin.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#define CPUS 64

enum {
        RUN = 1,
        PASSED = 2,
        TAKEN = 4
}; /* an instruction ran; a jump was not taken, or was taken */

struct range {
        uint64_t start, size;
};

/* A block of instructions that QEMU translated; lives as long as the plugin. */
struct block {
        uint64_t first;
        uint64_t end;          /* address after its last instruction */
        uint64_t jump, target; /* the conditional jump that ends it, and its target; or 0 */
        uint64_t after;        /* address after its VMRUN, or 0 */
        size_t count;
        bool marked;
        uint64_t insns[];
};

static struct cpu {
        const struct block *last; /* the block that ran before, or NULL */
        uint64_t back_at;         /* a guest runs until this address comes; 0: no guest runs */
        bool in_text;             /* the text has run */
} cpus[CPUS];

static struct range text, boot;
static uint8_t *map;
static const char *map_file;

static bool is_in(const struct range *range, uint64_t address)
{
        return address - range->start < range->size;
}

static void mark(uint64_t address, uint8_t bit)
{
        uint64_t index;

        if (is_in(&text, address))
                index = address - text.start;
        else if (is_in(&boot, address))
                index = text.size + (address - boot.start);
        else
                return;
        if (!(__atomic_load_n(&map[index], __ATOMIC_RELAXED) & bit))
                __atomic_fetch_or(&map[index], bit, __ATOMIC_RELAXED);
}

static void at_block(unsigned index, void *data)
{
        struct block *const block = data;
        struct cpu *const cpu = &cpus[index % CPUS];
        const struct block *const last = cpu->last;

        if (cpu->back_at && block->first != cpu->back_at)
                return;
        cpu->back_at = block->after;
        if (is_in(&text, block->first))
                cpu->in_text = true;
        else if (cpu->in_text)
                return;
        if (last && last->jump && block->first == last->target)
                mark(last->jump, TAKEN);
        else if (last && last->jump && block->first == last->end)
                mark(last->jump, PASSED);
        cpu->last = block;
        if (block->marked)
                return;
        block->marked = true;
        for (size_t i = 0; i < block->count; i++)
                mark(block->insns[i], RUN);
}

/* Finds the displacement of a conditional jump, Jcc with 8 or 32 bits. @return true if the
 * instruction is such a jump */
static bool jump_displacement(const uint8_t *bytes, size_t size, int32_t *displacement)
{
        if (size == 2 && (bytes[0] & 0xf0) == 0x70) {
                *displacement = (int8_t)bytes[1];
                return true;
        }
        if (size == 6 && bytes[0] == 0x0f && (bytes[1] & 0xf0) == 0x80) {
                memcpy(displacement, bytes + 2, sizeof(*displacement));
                return true;
        }
        return false;
}

static void translated(plugin_id id, struct qemu_plugin_tb *tb)
{
        static const uint8_t vmrun[] = {0x0f, 0x01, 0xd8};
        const uint64_t first = qemu_plugin_tb_vaddr(tb);
        const size_t count = qemu_plugin_tb_n_insns(tb);
        int32_t displacement;
        struct block *block;

        (void)id;
        if (!is_in(&text, first) && !is_in(&boot, first))
                return;
        block = calloc(1, sizeof(*block) + count * sizeof(block->insns[0]));
        if (!block)
                abort();
        block->first = first;
        block->count = count;
        for (size_t i = 0; i < count; i++) {
                const struct qemu_plugin_insn *const insn = qemu_plugin_tb_get_insn(tb, i);
                const uint64_t address = qemu_plugin_insn_vaddr(insn);

                block->insns[i] = address;
                block->end = address + qemu_plugin_insn_size(insn);
                if (is_code(insn, vmrun, sizeof(vmrun)))
                        block->after = block->end;
                if (jump_displacement(qemu_plugin_insn_data(insn), qemu_plugin_insn_size(insn),
                                      &displacement)) {
                        block->jump = address;
                        block->target = block->end + (uint64_t)(int64_t)displacement;
                        if (text.start <= UINT32_MAX)
                                block->target &= UINT32_MAX;
                }
        }
        qemu_plugin_register_vcpu_tb_exec_cb(tb, at_block, CB_NO_REGS, block);
}

static bool take_range(const char *argument, const char *name, struct range *range)
{
        const size_t length = strlen(name);
        char *rest;

        if (strncmp(argument, name, length))
                return false;
        range->start = strtoull(argument + length, &rest, 0);
        range->size = *rest == ':' ? strtoull(rest + 1, NULL, 0) : 0;
        return true;
}

int qemu_plugin_install(plugin_id id, const struct qemu_info *info, int argc, char **argv)
{
        int fd;

        (void)info;
        for (int i = 0; i < argc; i++) {
                if (!strncmp(argv[i], "map=", 4))
                        map_file = argv[i] + 4;
                else if (!take_range(argv[i], "text=", &text))
                        take_range(argv[i], "boot=", &boot);
        }
        if (!map_file || !text.size)
                return 1;
        fd = open(map_file, O_RDWR | O_CLOEXEC);
        if (fd < 0)
                return 1;
        map = mmap(NULL, text.size + boot.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        close(fd);
        if (map == MAP_FAILED)
                return 1;
        qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
        return 0;
}
