/* SPDX-License-Identifier: BSD-2-Clause */
/* A QEMU plugin that counts instructions inside and outside of guests: a guest runs from a VMRUN up
 * to the instruction after it. The CPUs take turns in one thread (-icount). A program or a guest
 * begins section n of the counts, on all CPUs, with a mark (../sections.h).
 *
 * Arguments: out=FILE, from=ADDRESS where the kernel begins. Without from, no exit reasons are
 * recorded. For each section, FILE gets `section N times N host N guest N entries N start N`. Times
 * is the number of its marks; start is the number of the host's instructions before the first
 * entries of the CPUs. For each exit reason, FILE gets `exit CODE TIMES INSTRUCTIONS`: the host's
 * instructions from the exit to the CPU's next entry, or to the end. An exit counts in the section
 * in which it ends. The code is the one that the kernel loads from the control block after the
 * guest has run: the first load of 8 bytes at EXIT_CODE in a page. */
#include "../sections.h"
#include "plugin.h"

#include <inttypes.h>

#define EXIT_CODE 0x70
#define CODES     0x500 /* the last one stands for all others */
#define CPUS      8

#define PAGE       0x1000u
#define BYTES_MOST 15 /* maximum length of an instruction */

/* A piece of code that QEMU translated. */
struct piece {
        /* Addresses of its first instruction, and of the one after its VMRUN (0: it has none). */
        uint64_t address, after;
        uint64_t count;
        uint64_t cut; /* see cut_of() */
};

/* A function of QEMU itself, because its plugin interface shows the address of a load but not the
 * value. The symbol is weak: in a QEMU that hides it, no exit reason is known. */
extern void cpu_physical_memory_rw(uint64_t address, void *data, uint64_t size, bool write)
        __attribute__((weak));
extern unsigned qemu_plugin_mem_size_shift(memory_info info);

static struct section {
        uint64_t marks, counts[2], entries, start;
        uint64_t times[CODES], instructions[CODES];
} sections[SECTIONS], *section = sections;

static struct cpu {
        uint64_t since;   /* instructions of the host since the last exit, or since the start */
        uint64_t back_at; /* the instruction after the last VMRUN */
        uint64_t cut;     /* cut of the last piece */
        unsigned code;    /* reason of the last exit */
        bool entered;     /* there was a VMRUN */
        bool inside, asking;
} cpus[CPUS];

static void leave(struct cpu *cpu)
{
        cpu->inside = false;
        cpu->asking = true;
        cpu->since = 0;
        cpu->code = CODES - 1;
}

static void end_exit(struct cpu *cpu)
{
        if (!cpu->entered) {
                section->start += cpu->since;
                return;
        }
        section->times[cpu->code]++;
        section->instructions[cpu->code] += cpu->since;
        cpu->asking = false;
}

static struct cpu *find(unsigned number)
{
        if (number >= CPUS)
                abort();
        return &cpus[number];
}

/* Takes back the count of the previous piece's last instruction, which is also the first
 * instruction of this piece. */
static void take_back(struct cpu *cpu)
{
        section->counts[cpu->inside]--;
        cpu->since -= !cpu->inside;
}

static void run(unsigned number, void *data)
{
        struct cpu *const cpu = find(number);
        const struct piece *const piece = data;

        if (cpu->cut && piece->address == cpu->cut)
                take_back(cpu);
        cpu->cut = piece->cut;
        if (cpu->inside && piece->address == cpu->back_at)
                leave(cpu);
        section->counts[cpu->inside] += piece->count;
        if (cpu->inside)
                return;
        cpu->since += piece->count;
        if (piece->after) {
                end_exit(cpu);
                cpu->entered = cpu->inside = true;
                section->entries++;
                cpu->back_at = piece->after;
        }
}

static void at_section(unsigned cpu, void *data)
{
        (void)cpu;
        section = data;
        section->marks++;
}

static void on_load(unsigned number, memory_info info, uint64_t address, void *unused)
{
        struct cpu *const cpu = find(number);
        struct qemu_plugin_hwaddr *at;
        uint64_t value = UINT64_MAX;

        (void)unused;
        if (!cpu->asking || (address & 0xfff) != EXIT_CODE || address < kernel_from ||
            qemu_plugin_mem_is_store(info) || qemu_plugin_mem_size_shift(info) != 3)
                return;
        at = qemu_plugin_get_hwaddr(info, address);
        if (!at || !cpu_physical_memory_rw)
                return;
        cpu_physical_memory_rw(qemu_plugin_hwaddr_phys_addr(at), &value, sizeof(value), false);
        cpu->code = value < CODES ? (unsigned)value : CODES - 1;
        cpu->asking = false;
}

/* Returns the address of the last instruction if it may lie in two pages, else 0. QEMU (7.2) shows
 * such an instruction as the last one of a piece, with the bytes of the first page, but begins the
 * next piece with it. */
static uint64_t cut_of(const struct qemu_plugin_insn *last, uint64_t count)
{
        const uint64_t at = qemu_plugin_insn_vaddr(last);

        return count > 1 && at % PAGE > PAGE - BYTES_MOST ? at : 0;
}

static void translate(plugin_id id, struct qemu_plugin_tb *tb)
{
        static const uint8_t vmrun[] = {0x0f, 0x01, 0xd8};
        struct piece *const piece = calloc(1, sizeof(*piece)); /* lives as long as the code */
        struct qemu_plugin_insn *last;
        uint32_t mark;

        (void)id;
        if (!piece)
                abort();
        piece->count = qemu_plugin_tb_n_insns(tb);
        piece->address = qemu_plugin_tb_vaddr(tb);
        last = qemu_plugin_tb_get_insn(tb, (size_t)piece->count - 1);
        piece->cut = cut_of(last, piece->count);
        if (is_code(last, vmrun, sizeof(vmrun)))
                piece->after = qemu_plugin_insn_vaddr(last) + sizeof(vmrun);
        qemu_plugin_register_vcpu_tb_exec_cb(tb, run, CB_NO_REGS, piece);
        for (size_t i = 0; i < piece->count; i++) {
                struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);

                if (piece->address >= kernel_from)
                        qemu_plugin_register_vcpu_mem_cb(insn, on_load, CB_NO_REGS,
                                                         MEMORY_READ_AND_WRITE, NULL);
                if (is_long_nop(insn, &mark) && mark - SECTION_MARK < SECTIONS)
                        qemu_plugin_register_vcpu_insn_exec_cb(insn, at_section, CB_NO_REGS,
                                                               &sections[mark - SECTION_MARK]);
        }
}

static void print_section(FILE *out, unsigned number)
{
        const struct section *const s = &sections[number];

        if (!s->counts[0] && !s->counts[1])
                return;
        fprintf(out, "section %u times %" PRIu64 " host %" PRIu64 " guest %" PRIu64, number,
                s->marks, s->counts[0], s->counts[1]);
        fprintf(out, " entries %" PRIu64 " start %" PRIu64 "\n", s->entries, s->start);
        for (unsigned i = 0; i < CODES; i++)
                if (s->times[i])
                        fprintf(out, "exit %#x %" PRIu64 " %" PRIu64 "\n", i, s->times[i],
                                s->instructions[i]);
}

static void results(FILE *out)
{
        for (unsigned i = 0; i < CPUS; i++)
                if (!cpus[i].inside)
                        end_exit(&cpus[i]);
        for (unsigned i = 0; i < SECTIONS; i++)
                print_section(out, i);
}

int qemu_plugin_install(plugin_id id, const struct qemu_info *info, int argc, char **argv)
{
        (void)info;
        return plugin_begin(id, argc, argv, translate, results);
}
