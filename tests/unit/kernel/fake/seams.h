/* SPDX-License-Identifier: BSD-2-Clause */
/* Included before every file of these tests: the machine-dependent parts of the kernel's headers,
 * in a form that runs on the host. Pool addresses are physical addresses; the blocks of CPUs are an
 * array; privileged instructions and "which CPU am I" are fakes. */
#ifndef UNIT_KERNEL_FAKE_SEAMS_H
#define UNIT_KERNEL_FAKE_SEAMS_H

/* In place of arch/x86_64/layout.h. */
#define ARCH_LAYOUT_H
#define POOL_OFFSET     0ul
#define WINDOW_BASE     0xffff810000000000ul
#define CPU_BASE        ((unsigned long)fake_cpu_blocks)
#define SEL_USER_CODE32 0x1b
#define SEL_USER_DATA   0x23
#define SEL_USER_CODE   0x2b
#define MMIO_BASE       ((unsigned long)fake_device)

#ifdef __cplusplus
/* C allows a struct and a function with the same name; in C++ the function hides the struct's
 * constructor. */
#pragma GCC diagnostic ignored "-Wshadow"
#define _Static_assert static_assert
#define _Noreturn __attribute__((noreturn))
extern "C" {
#endif

extern char fake_cpu_blocks[];
extern char fake_device[];

#define cpu_self        cpu_self_by_stack
#define read_cr3        real_read_cr3
#define write_cr3       real_write_cr3
#define write_cr3_of_pd real_write_cr3_of_pd
#define read_cr4        real_read_cr4
#define write_cr4       real_write_cr4
#define cli             real_cli
#define sti             real_sti
#define sti_hlt         real_sti_hlt
#define pause           real_pause
#define rdtsc           real_rdtsc
#define clflush         real_clflush
#define load_ds         real_load_ds
#define load_es         real_load_es
#define load_fs         real_load_fs
#define load_gs         real_load_gs
#define load_ds_from    real_load_ds_from
#define load_es_from    real_load_es_from
#define load_fs_from    real_load_fs_from
#define load_gs_from    real_load_gs_from
#include "arch/x86/cpu.h"
#include "arch/x86/insn.h"
#undef cpu_self
#undef read_cr3
#undef write_cr3
#undef write_cr3_of_pd
#undef read_cr4
#undef write_cr4
#undef cli
#undef sti
#undef sti_hlt
#undef pause
#undef rdtsc
#undef clflush
#undef load_ds
#undef load_es
#undef load_fs
#undef load_gs
#undef load_ds_from
#undef load_es_from
#undef load_fs_from
#undef load_gs_from

struct cpu *cpu_self(void);
word_t read_cr3(void);
void write_cr3(word_t value);
void write_cr3_of_pd(word_t value);
word_t read_cr4(void);
void write_cr4(word_t value);
void cli(void);
void sti(void);
void sti_hlt(void);
void fake_pause(void);
uint64_t rdtsc(void);
void clflush(const volatile void *address);
void load_ds(uint16_t selector);
void load_es(uint16_t selector);
void load_fs(uint16_t selector);
void load_gs(uint16_t selector);
void load_ds_from(const uint16_t *selector);
void load_es_from(const uint16_t *selector);
void load_fs_from(const uint16_t *selector);
void load_gs_from(const uint16_t *selector);

#ifdef __cplusplus
}
#else
#define pause fake_pause
#endif

#endif
