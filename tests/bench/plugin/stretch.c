/* SPDX-License-Identifier: BSD-2-Clause */
/* A QEMU plugin that finds the longest stretches of kernel instructions with interrupts off, on
 * each CPU separately: from an entry, the STI of an interrupt window, or the end of a VMRUN, to the
 * next STI, VMRUN or return: IRET, SYSRET, SYSEXIT. The kernel raises no exceptions of its own, so
 * an IRET always leads to code with interrupts on. Execution before the first user instruction is
 * the kernel's start and does not count.
 *
 * Waiting is counted separately: rounds of at most ROUND instructions from one PAUSE to the next,
 * for locks, other CPUs or a device.
 *
 * Arguments: out=FILE for the results, from=ADDRESS where the kernel begins, bound=NUMBER. When a
 * stretch ends above the bound, FILE.above gets a line at once, `above CPU LENGTH WAITED` and its
 * details. At the end FILE gets for each CPU `longest CPU LENGTH WAITED` and its details, and
 * `waited CPU MOST` with the longest wait of one stretch. Details are `FIRST LAST begin ADDRESS...
 * end ADDRESS... hot ADDRESS:COUNT...`: the calls, innermost last, that were active where the
 * stretch began and where it ended, and the addresses of most of its instructions. */
#include "plugin.h"

#include <inttypes.h>
#include <pthread.h>

#define CPUS    64
#define DEPTH   48  /* maximum depth of calls */
#define ROUND   160 /* maximum instructions of a round of waiting */
#define HOT     512 /* maximum number of pieces of code of a stretch */
#define REPORTS 500 /* maximum number of reported stretches above the bound */
#define LONG    500 /* instructions after which a stretch is recorded in detail */

#define ROM 0xff000000u /* from here to 4 GiB: firmware, in the kernel's half on x86-32 */

enum { PLAIN, END, PAUSE, CALL, RET };

/* A piece of code that QEMU translated; lives as long as the plugin. */
struct piece {
        /* Addresses of its first instruction, and of the one after its VMRUN (0: it has none). */
        uint64_t address, after;
        uint64_t count;
};

struct calls {
        unsigned depth;
        uint64_t at[DEPTH]; /* instructions that call; deeper ones are not recorded */
};

struct hot {
        uint64_t address, count;
};

struct stretch {
        uint64_t length, waited, first, last;
        struct calls begin, end;
        struct hot hot[HOT];
};

/* Each CPU has cache lines of its own, because a separate host thread counts each CPU. */
static struct cpu {
        _Alignas(64) struct stretch now;
        struct stretch longest;
        uint64_t since_pause, most_waited;
        uint64_t back_at; /* a guest runs until this address; 0: no guest runs */
        struct calls calls;
        bool begun;    /* the CPU's start is over */
        bool entering; /* the next instruction of the kernel is an entry */
        bool paused;
        bool ran; /* the kernel runs at its own addresses; firmware ran before */
} cpus[CPUS];

static uint64_t bound = UINT64_MAX;
static unsigned reports;
static bool started; /* a user instruction was executed; those of firmware do not count */
static pthread_mutex_t file_lock = PTHREAD_MUTEX_INITIALIZER;

static void print_calls(FILE *out, const char *name, const struct calls *calls)
{
        fprintf(out, " %s", name);
        for (unsigned i = 0; i < calls->depth && i < DEPTH; i++)
                fprintf(out, " %" PRIx64, calls->at[i]);
}

static void print(FILE *out, const char *word, unsigned cpu, const struct stretch *s)
{
        fprintf(out, "%s %u %" PRIu64 " %" PRIu64 " %" PRIx64 " %" PRIx64, word, cpu, s->length,
                s->waited, s->first, s->last);
        print_calls(out, "begin", &s->begin);
        print_calls(out, "end", &s->end);
        fputs(" hot", out);
        for (unsigned i = 0; i < HOT && s->length >= LONG; i++)
                if (s->hot[i].count)
                        fprintf(out, " %" PRIx64 ":%" PRIu64, s->hot[i].address, s->hot[i].count);
        fputc('\n', out);
}

static void report(unsigned cpu, const struct stretch *s)
{
        char name[4096];
        FILE *out;

        snprintf(name, sizeof(name), "%s.above", file);
        pthread_mutex_lock(&file_lock);
        out = open_results(name, "a");
        print(out, "above", cpu, s);
        close_results(out, name);
        pthread_mutex_unlock(&file_lock);
}

static void end_stretch(unsigned index, struct cpu *cpu)
{
        struct stretch *const now = &cpu->now;

        if (!now->first)
                return;
        if (now->waited > cpu->most_waited && cpu->begun)
                cpu->most_waited = now->waited;
        if (cpu->begun && now->length > cpu->longest.length) {
                now->end = cpu->calls;
                cpu->longest = *now;
        }
        if (cpu->begun && now->length > bound && reports++ < REPORTS) {
                now->end = cpu->calls;
                report(index, now);
        }
        if (__atomic_load_n(&started, __ATOMIC_RELAXED))
                cpu->begun = true;
        now->length = now->waited = now->first = 0;
        cpu->since_pause = 0;
        cpu->paused = false;
}

/* Copies the recorded calls only: most stretches begin with none. */
static void copy_calls(struct calls *to, const struct calls *from)
{
        to->depth = from->depth;
        memcpy(to->at, from->at, (from->depth < DEPTH ? from->depth : DEPTH) * sizeof(*to->at));
}

static void begin_stretch(struct cpu *cpu, uint64_t address)
{
        if (cpu->entering)
                cpu->calls.depth = 0;
        cpu->entering = false;
        cpu->now.first = address;
        copy_calls(&cpu->now.begin, &cpu->calls);
}

static void count_hot(struct stretch *s, const struct piece *piece)
{
        unsigned i = (unsigned)(piece->address * 0x9e3779b97f4a7c15 >> 40) % HOT;

        for (unsigned tries = 0; tries < 8; tries++, i = (i + 1) % HOT) {
                if (!s->hot[i].count)
                        s->hot[i].address = piece->address;
                if (s->hot[i].address == piece->address) {
                        s->hot[i].count += piece->count;
                        return;
                }
        }
}

static void at_user(unsigned index, struct cpu *cpu)
{
        end_stretch(index, cpu);
        /* All CPUs read `started` at each end of a stretch, so a write each time would be slow. */
        if (cpu->ran && !__atomic_load_n(&started, __ATOMIC_RELAXED))
                __atomic_store_n(&started, true, __ATOMIC_RELAXED);
        cpu->entering = true;
}

static void at_piece(unsigned index, void *data)
{
        const struct piece *const piece = data;
        struct cpu *const cpu = &cpus[index % CPUS];

        if (cpu->back_at && piece->address != cpu->back_at)
                return;
        cpu->back_at = 0;
        if (piece->address - ROM <= UINT32_MAX - ROM)
                return;
        if (piece->address < kernel_from) {
                at_user(index, cpu);
                return;
        }
        if (!cpu->now.first)
                begin_stretch(cpu, piece->address);
        cpu->ran = true;
        cpu->now.last = piece->address;
        if (cpu->now.length < LONG && cpu->now.length + piece->count >= LONG)
                memset(cpu->now.hot, 0, sizeof(cpu->now.hot));
        cpu->now.length += piece->count;
        cpu->since_pause += piece->count;
        if (cpu->now.length >= LONG)
                count_hot(&cpu->now, piece);
        if (piece->after) {
                end_stretch(index, cpu);
                cpu->back_at = piece->after;
                cpu->entering = true;
        }
}

/* Returns true if the CPU executes an instruction of the kernel at this moment, not of a guest. */
static bool in_kernel(const struct cpu *cpu)
{
        return !cpu->back_at;
}

/* Handles an STI, or an exit of the kernel. */
static void at_end(unsigned index, void *unused)
{
        struct cpu *const cpu = &cpus[index % CPUS];

        (void)unused;
        if (in_kernel(cpu))
                end_stretch(index, cpu);
}

static void at_pause(unsigned index, void *unused)
{
        struct cpu *const cpu = &cpus[index % CPUS];

        (void)unused;
        if (!in_kernel(cpu))
                return;
        if (cpu->paused && cpu->since_pause <= ROUND) {
                cpu->now.length -= cpu->since_pause;
                cpu->now.waited += cpu->since_pause;
        }
        cpu->since_pause = 0;
        cpu->paused = true;
}

static void at_call(unsigned index, void *address)
{
        struct cpu *const cpu = &cpus[index % CPUS];
        struct calls *const calls = &cpu->calls;

        if (!in_kernel(cpu))
                return;
        if (calls->depth < DEPTH)
                calls->at[calls->depth] = (uint64_t)(uintptr_t)address;
        calls->depth++;
}

static void at_ret(unsigned index, void *unused)
{
        struct cpu *const cpu = &cpus[index % CPUS];

        (void)unused;
        if (in_kernel(cpu) && cpu->calls.depth)
                cpu->calls.depth--;
}

static unsigned kind_of(const struct qemu_plugin_insn *insn)
{
        const uint8_t *bytes = qemu_plugin_insn_data(insn);
        size_t size = qemu_plugin_insn_size(insn);

        if (size == 2 && bytes[0] == 0xf3 && bytes[1] == 0x90)
                return PAUSE;
        if (size > 1 && (bytes[0] & 0xf0) == 0x40 && kernel_from > UINT32_MAX)
                bytes++, size--; /* REX */
        if (size == 2 && bytes[0] == 0x0f && (bytes[1] == 0x07 || bytes[1] == 0x35))
                return END; /* SYSRET, SYSEXIT */
        switch (bytes[0]) {
        case 0xfb: /* STI */
        case 0xcf: /* IRET */
                return size == 1 ? END : PLAIN;
        case 0xe8:
                return CALL;
        case 0xff:
                return size > 1 && (bytes[1] >> 3 & 7) == 2 ? CALL : PLAIN;
        case 0xc3:
                return RET;
        default:
                return PLAIN;
        }
}

static void translated(plugin_id id, struct qemu_plugin_tb *tb)
{
        static void (*const cbs[])(unsigned, void *) = {
                NULL, at_end, at_pause, at_call, at_ret,
        };
        static const uint8_t vmrun[] = {0x0f, 0x01, 0xd8};
        struct piece *const piece = calloc(1, sizeof(*piece));

        (void)id;
        if (!piece)
                abort();
        piece->address = qemu_plugin_tb_vaddr(tb);
        piece->count = qemu_plugin_tb_n_insns(tb);
        for (size_t i = 0; i < piece->count; i++) {
                struct qemu_plugin_insn *const insn = qemu_plugin_tb_get_insn(tb, i);
                const uint64_t address = qemu_plugin_insn_vaddr(insn);

                if (address < kernel_from)
                        break;
                if (is_code(insn, vmrun, sizeof(vmrun)))
                        piece->after = address + sizeof(vmrun);
                const unsigned kind = kind_of(insn);
                if (cbs[kind])
                        qemu_plugin_register_vcpu_insn_exec_cb(insn, cbs[kind], CB_NO_REGS,
                                                               (void *)(uintptr_t)address);
        }
        qemu_plugin_register_vcpu_tb_exec_cb(tb, at_piece, CB_NO_REGS, piece);
}

static void results(FILE *out)
{
        for (unsigned i = 0; i < CPUS; i++) {
                if (!cpus[i].begun)
                        continue;
                print(out, "longest", i, &cpus[i].longest);
                fprintf(out, "waited %u %" PRIu64 "\n", i, cpus[i].most_waited);
        }
}

int qemu_plugin_install(plugin_id id, const struct qemu_info *info, int argc, char **argv)
{
        (void)info;
        for (int i = 0; i < argc; i++)
                if (!strncmp(argv[i], "bound=", 6))
                        bound = strtoull(argv[i] + 6, NULL, 0);
        return plugin_begin_kernel(id, argc, argv, translated, results);
}
