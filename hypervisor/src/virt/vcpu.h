/* SPDX-License-Identifier: BSD-2-Clause */
/* Running virtual CPUs: what SVM and VMX have in common. @spec 7.2, 8.2 */
#ifndef VIRT_VCPU_H
#define VIRT_VCPU_H

#include "nova/abi/mtd.h"
#include "object/vcpu.h"

/* Groups of state that few messages carry: one test for all of them. */
#define VCPU_SEGMENTS                                                                     \
        (NOVA_MTD_DS_ES | NOVA_MTD_FS_GS | NOVA_MTD_CS_SS | NOVA_MTD_TR | NOVA_MTD_LDTR | \
         NOVA_MTD_GDTR | NOVA_MTD_IDTR)
#define VCPU_SYSTEM (NOVA_MTD_CR | NOVA_MTD_DR | NOVA_MTD_SYS | NOVA_MTD_CR8)

/* In the injection info of a message with CR8, an extension: the guest's next write of CR8 is an
 * event. Without CR8, as in 2012, the bit means nothing. */
#define VCPU_CR8_WINDOW 0x4000

/** Whether a message asks for that. */
static inline bool vcpu_wants_cr8_window(uint32_t info, nova_mtd_t mtd)
{
        return info & VCPU_CR8_WINDOW && mtd & NOVA_MTD_CR8 && sizeof(word_t) == 8;
}

/** Finds out how virtual CPUs work on this machine. Once, at boot. false: no memory. */
bool vcpu_boot(void);

/** Writes what an MTD asks for of a virtual CPU into the handler's UTCB, and the header. */
void vcpu_to_utcb(const struct ec *ec, struct nova_utcb *utcb, nova_mtd_t mtd);

/** Takes from the handler's UTCB what the MTD in its first word names. The number of typed items
 *  that the answer holds. */
unsigned vcpu_from_utcb(struct ec *ec, const struct nova_utcb *utcb);

/** The first event of a virtual CPU (a continuation). */
_Noreturn void block_on_vcpu_startup(struct ec *self);

/** Enters the guest, after a last look at pending work (a continuation). */
_Noreturn void resume_guest(struct ec *self);

/** A thread will run on a CPU where a guest ran. */
void vcpu_leave(struct cpu *cpu);

/** Makes sure that a virtual CPU's tag has no translations that its guest table lost. Where the CPU
 *  ran out of tags it begins a round of new ones: cpu.tag_flush says that all have to be flushed.
 *  Whether it is another tag. */
bool vcpu_take_tag(struct cpu *cpu, struct ec *ec);

/** Whatever the guest's own tables said is forgotten at the next entry. */
void vcpu_forget_translations(struct ec *ec);

/** DR0 to DR3 of a virtual CPU, wherever they are. On its own CPU. */
void vcpu_read_debug_registers(const struct ec *ec, uint64_t dr[4]);

/** Time that the guest's TSC should not have run: its virtual CPU was ready and another one ran.
 *  Counts once. */
uint64_t vcpu_take_stolen_time(struct vcpu *vcpu);

/** Does a guest's port access if the PD has the ports. false: it has not. */
bool vcpu_access_port(struct ec *self, unsigned port, unsigned bytes, bool in);

#endif
