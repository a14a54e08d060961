/* SPDX-License-Identifier: BSD-2-Clause */
/* Work for another CPU. The node is part of the EC or SC that it is about, so that sending never
 * allocates and never fails; work that comes while the mail is under way is merged. */
#ifndef SCHED_MAIL_H
#define SCHED_MAIL_H

#include "lib/types.h"

struct cpu;

#define MAIL_WAKE   0x1 /* EC: it is ready again. SC: put it into the run queue */
#define MAIL_RECALL 0x2 /* EC: look at its pending bits */
#define MAIL_END    0x4 /* EC: end it, or a step of that */
#define MAIL_DROP   0x8 /* EC, SC: nothing refers to it any more */

struct mail {
        struct mail *next;
        uint32_t work;  /* MAIL_…; not 0 while the mail is in a CPU's list */
        uint32_t about; /* OBJECT_EC or OBJECT_SC */
};

/** Of a new object: no work. */
static inline void mail_init(struct mail *mail, uint32_t about)
{
        mail->work = 0;
        mail->about = about;
}

/** Sends work to a CPU. */
void mail_send(struct cpu *cpu, struct mail *mail, uint32_t work);

#define MAIL_STEP 8 /* mails that are received with interrupts off */

/** Does the work of up to MOST mails sent to this CPU. Returns what is left of MOST;
 * 0: the CPU has sent itself an interrupt for the rest. */
unsigned mail_receive(struct cpu *cpu, unsigned most);

/** An interrupt may have come for mail: receives some, unless a decision lets it wait. */
void mail_interrupt(struct cpu *cpu);

#endif
