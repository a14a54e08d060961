/* SPDX-License-Identifier: BSD-2-Clause */
/* FPU, SSE and AVX state. The registers keep the state of the EC that used them last on this CPU.
 * CR0.TS turns the first use by any other EC into an #NM, which switches the state. */
#ifndef ARCH_FPU_H
#define ARCH_FPU_H

#include "lib/types.h"

struct cpu;
struct ec;
struct pd;

/* Alignment and size in bytes of the memory for a state (SDM 1, 13.4). */
#define FPU_ALIGN    64
#define FPU_SIZE_MIN 512
#define FPU_SIZE_MAX 3072

/* Number of XMM registers that messages contain, and the size of each. */
#define FPU_XMM      6
#define FPU_XMM_SIZE 16

/** Determines the state components of the CPUs. Call once, before fpu_size(). false: no memory. */
bool fpu_boot(void);

/** Returns true if this CPU has the state components of the boot CPU, in the same layout. */
bool fpu_suits_cpu(void);

/** Enables the state components on this CPU. */
void fpu_init_cpu(void);

/** Returns the size of a saved state in bytes. */
size_t fpu_size(void);

/** Prepares memory into which a state will be saved. */
void fpu_prepare(void *state);

/** Lets ec use the registers if they hold its state; otherwise its first use is an #NM. */
void fpu_switch(struct cpu *cpu, const struct ec *ec);

/** Removes the state of another PD's EC from the registers. Call after a switch to pd. */
void fpu_hide(struct cpu *cpu, const struct pd *pd);

/** Handles #NM: loads the state of ec, or the initial state. */
void fpu_load(struct cpu *cpu, struct ec *ec);

/** Prepares to enter the guest of a virtual CPU: loads its state and sets XCR0 to xcr0. */
void fpu_enter_guest(struct cpu *cpu, struct ec *ec, uint64_t xcr0);

/** Restores the kernel's XCR0 before another EC runs. */
void fpu_leave_guest(struct cpu *cpu);

/** Returns true if a guest may write a value to XCR0. */
bool fpu_xcr0_is_valid(uint64_t value);

/** Copies XMM0 to XMM5 of ec, which belongs to this CPU, to or from memory. */
void fpu_read_xmm(const struct ec *ec, uint8_t to[FPU_XMM][FPU_XMM_SIZE]);
void fpu_write_xmm(struct ec *ec, const uint8_t from[FPU_XMM][FPU_XMM_SIZE]);

/** Discards the state of an EC that ends. */
void fpu_drop(struct ec *ec);

#endif
