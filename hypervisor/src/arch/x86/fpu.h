/* SPDX-License-Identifier: BSD-2-Clause */
/* FPU, SSE and AVX state. The registers keep the state of the EC that used them last on this CPU;
 * CR0.TS makes everybody else's first use an #NM, which switches. */
#ifndef ARCH_FPU_H
#define ARCH_FPU_H

#include "lib/types.h"

struct cpu;
struct ec;

/* Of the memory for a state: alignment and bytes. SDM 1, 13.4 */
#define FPU_ALIGN    64
#define FPU_SIZE_MIN 512
#define FPU_SIZE_MAX 3072

/** Finds out what state the CPUs have. Once, before fpu_size. false: no memory. */
bool fpu_boot(void);

/** Switches the state components on, on this CPU. */
void fpu_init_cpu(void);

/** Bytes of a saved state. */
size_t fpu_size(void);

/** Prepares memory for a state to be saved into. */
void fpu_prepare(void *state);

/** Lets ec use the registers if they are its own; no other EC may. */
void fpu_switch(struct cpu *cpu, const struct ec *ec);

/** #NM: loads the state of ec, or the initial one. */
void fpu_load(struct cpu *cpu, struct ec *ec);

/** The guest of a virtual CPU is entered: the registers are its own, and XCR0 becomes xcr0. */
void fpu_enter_guest(struct cpu *cpu, struct ec *ec, uint64_t xcr0);

/** Another EC runs: XCR0 is the kernel's again. */
void fpu_leave_guest(struct cpu *cpu);

/** Whether a guest may write a value to XCR0. */
bool fpu_xcr0_is_valid(uint64_t value);

/** Forgets the state of an EC that ends. */
void fpu_drop(struct ec *ec);

#endif
