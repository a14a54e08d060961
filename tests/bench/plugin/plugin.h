/* SPDX-License-Identifier: BSD-2-Clause */
/* The common part of the benchmarks' QEMU plugins: the part of QEMU's plugin interface (version 1)
 * that they use, their arguments and their markers. Each plugin is one source file. */
#ifndef NOVA_TESTS_BENCH_PLUGIN_H
#define NOVA_TESTS_BENCH_PLUGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t plugin_id;
typedef uint32_t memory_info;
struct qemu_info;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum { CB_NO_REGS };
enum { MEMORY_READ_AND_WRITE = 3 };

extern void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id,
                                                  void (*cb)(plugin_id, struct qemu_plugin_tb *));
extern void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb,
                                                 void (*cb)(unsigned, void *), int flags,
                                                 void *data);
extern void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
                                                   void (*cb)(unsigned, void *), int flags,
                                                   void *data);
extern void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn,
                                             void (*cb)(unsigned, memory_info, uint64_t, void *),
                                             int flags, int access, void *data);
extern bool qemu_plugin_mem_is_store(memory_info info);
struct qemu_plugin_hwaddr;
extern struct qemu_plugin_hwaddr *qemu_plugin_get_hwaddr(memory_info info, uint64_t address);
extern bool qemu_plugin_hwaddr_is_io(const struct qemu_plugin_hwaddr *at);
extern uint64_t qemu_plugin_hwaddr_phys_addr(const struct qemu_plugin_hwaddr *at);
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

static const char *file;                  /* out=FILE: gets the results */
static uint64_t kernel_from = UINT64_MAX; /* from=ADDRESS: start of the kernel, if given */

static void (*write_results)(FILE *out);

/* Opens a file for results. Ends QEMU if this fails. */
static FILE *open_results(const char *name, const char *mode)
{
        FILE *const out = fopen(name, mode);

        if (!out) {
                perror(name);
                abort();
        }
        return out;
}

/* Closes a file for results. Ends QEMU if the file does not have all of them. */
static void close_results(FILE *out, const char *name)
{
        const bool failed = ferror(out);

        if (fclose(out) || failed) {
                perror(name);
                abort();
        }
}

static void plugin_end(plugin_id id, void *unused)
{
        FILE *const out = open_results(file, "w");

        (void)id;
        (void)unused;
        write_results(out);
        close_results(out, file);
}

/* Reads the arguments and registers both functions. @return the value for qemu_plugin_install():
 * not 0 if there is no FILE */
static int plugin_begin(plugin_id id, int argc, char **argv,
                        void (*translated)(plugin_id, struct qemu_plugin_tb *),
                        void (*results)(FILE *out))
{
        for (int i = 0; i < argc; i++) {
                if (!strncmp(argv[i], "out=", 4))
                        file = strdup(argv[i] + 4);
                else if (!strncmp(argv[i], "from=", 5))
                        kernel_from = strtoull(argv[i] + 5, NULL, 0);
        }
        if (!file)
                return 1;
        write_results = results;
        qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
        qemu_plugin_register_atexit_cb(id, plugin_end, NULL);
        return 0;
}

/* Calls plugin_begin(), and requires the argument from=. @return like plugin_begin(); also not 0
 * if there is no ADDRESS */
static inline int plugin_begin_kernel(plugin_id id, int argc, char **argv,
                                      void (*translated)(plugin_id, struct qemu_plugin_tb *),
                                      void (*results)(FILE *out))
{
        return plugin_begin(id, argc, argv, translated, results) || kernel_from == UINT64_MAX;
}

/* Returns true if an instruction has these bytes. */
static inline bool is_code(const struct qemu_plugin_insn *insn, const void *bytes, size_t count)
{
        return qemu_plugin_insn_size(insn) == count &&
               !memcmp(qemu_plugin_insn_data(insn), bytes, count);
}

/* Checks whether an instruction can be the marker by which a program reports its operation: a NOP
 * of seven bytes. Stores its displacement.
 * @return true if the instruction is such a NOP */
static inline bool is_long_nop(const struct qemu_plugin_insn *insn, uint32_t *displacement)
{
        static const uint8_t nop[] = {0x0f, 0x1f, 0x80};
        const uint8_t *const bytes = qemu_plugin_insn_data(insn);

        if (qemu_plugin_insn_size(insn) != sizeof(nop) + sizeof(*displacement) ||
            memcmp(bytes, nop, sizeof(nop)))
                return false;
        memcpy(displacement, bytes + sizeof(nop), sizeof(*displacement));
        return true;
}

#endif
