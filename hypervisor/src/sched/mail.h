/* SPDX-License-Identifier: BSD-2-Clause */
/* Work for another CPU. The mail node is part of the EC or SC that the work concerns, so that
 * sending never allocates and never fails. Work that is sent before the CPU receives the mail is
 * added to the mail. */
#ifndef SCHED_MAIL_H
#define SCHED_MAIL_H

#include "lib/types.h"

struct cpu;

#define MAIL_WAKE   0x1 /* EC: make it ready. SC: put it into the run queue */
#define MAIL_RECALL 0x2 /* EC: look at its pending bits */
#define MAIL_END    0x4 /* EC: end it, or do one step of its end */
#define MAIL_DROP   0x8 /* EC, SC: no references are left */

struct mail {
        struct mail *next;
        uint32_t work;  /* MAIL_…; not 0 while the mail is in a CPU's list */
        uint32_t about; /* OBJECT_EC or OBJECT_SC */
};

/** Initialises the mail node of a new object, with no work. */
static inline void mail_init(struct mail *mail, uint32_t about)
{
        mail->work = 0;
        mail->about = about;
}

/** Sends work to a CPU. May be called on any CPU. */
void mail_send(struct cpu *cpu, struct mail *mail, uint32_t work);

#define MAIL_STEP      8 /* maximum number of mails received with interrupts off */
#define MAIL_END_COUNT 4 /* the end of an EC or SC counts as this number of mails */

/** Does the work of up to MOST mails sent to this CPU. Returns the unused part of MOST. If it is 0,
 * the CPU has sent itself an interrupt for the mails that remain. */
unsigned mail_receive(struct cpu *cpu, unsigned most);

/** Handles an interrupt that may announce mail: receives up to MAIL_STEP mails, unless a decision
 * delays mail. */
void mail_interrupt(struct cpu *cpu);

#endif
