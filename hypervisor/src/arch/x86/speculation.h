/* SPDX-License-Identifier: BSD-2-Clause */
/* Treatment of the CPU's flaws of speculation (docs/kernel/speculation.md).
 *
 * The text of the kernel has sites: instructions at entries, exits and switches. The boot code
 * replaces a site by a jump or a call to a stub if a treatment is needed there. Without treatments
 * the paths have no extra instructions. */
#ifndef ARCH_X86_SPECULATION_H
#define ARCH_X86_SPECULATION_H

/* Kinds of sites. */
#define SITE_ENTRY      0 /* entry from user mode */
#define SITE_EXIT       1 /* return to user mode */
#define SITE_GUEST_EXIT 2 /* exit of a guest */
#define SITE_SWITCH     3 /* load of another PD's address space */

/* A call and a jump with an offset of 32 bits. */
#define SITE_CALL      0xe8
#define SITE_JUMP      0xe9
#define SITE_JUMP_SIZE 5

#ifndef __ASSEMBLER__

#include "lib/types.h"

struct cpu;
struct nova_boot;
struct pd;

/* Actions, and the slots in the stubs that can call them (speculation.S). Each action is a function
 * of its own, so that a trace of addresses can name it. The actions preserve all registers but the
 * flags. */
void speculation_ibrs(void);
void speculation_ibpb(void);
void speculation_l1d_flush(void);
void speculation_fill_return_stack(void);
void speculation_overwrite_history(void);
void speculation_verw(void);
void speculation_divide(void);
extern uint8_t speculation_slot_entry_ibpb[], speculation_slot_entry_ibrs[],
        speculation_slot_entry_stack[], speculation_slot_entry_history[],
        speculation_slot_guest_ibpb[], speculation_slot_guest_ibrs[],
        speculation_slot_guest_stack[], speculation_slot_guest_history[],
        speculation_slot_guest_divide[];

/** Actions before each entry of a guest, as bits TREAT_…; 0: no treatment needs an action
 * there. */
extern uint32_t speculation_at_guest_entry;

/** Reads the boot CPU's features, chooses the treatments, and patches the text, which must still be
 * writable. Call once, after the command line is known and before other CPUs start. */
void speculation_boot(void);

/** Returns true if this CPU can execute the treatments of the boot CPU and needs no others. */
bool speculation_suits_cpu(void);

/** Prints a line for each flaw of the CPU, and enters the flaws into the boot information. */
void speculation_report(struct nova_boot *boot);

/** Makes the permanent settings of this CPU. */
void speculation_init_cpu(void);

/** Treats flaws after the address space of current_pd was loaded. The stub of the switch calls
 * it. */
void speculation_switched(void);

/** Treats flaws before the guest of a PD is entered. */
void speculation_enter_guest(struct cpu *cpu, const struct pd *pd);

#endif
#endif
