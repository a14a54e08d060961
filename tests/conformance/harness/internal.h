/* SPDX-License-Identifier: BSD-2-Clause */
/* Declarations that the harness's files share and cases do not need. */
#ifndef CONFORMANCE_INTERNAL_H
#define CONFORMANCE_INTERNAL_H

#include "harness.h"

extern struct thread *mirror; /* permanent local thread on the boot CPU for requests */

void machine_init(void);
void threads_init(void);
/* Selectors below this number belong to the harness. Those above belong to cases. */
#define PERMANENT_SEL_END 0x4000

/* Sets the range from which sel_alloc() takes selectors. */
void sel_range(nova_sel_t first, nova_sel_t end);

/* sel_mark() returns the next selector of the range. sel_release() revokes and frees all selectors
 * that sel_alloc() has returned since. */
nova_sel_t sel_mark(void);
void sel_release(nova_sel_t mark);

/* Returns the thread of an event portal, or NULL. */
struct thread *thread_of_event(nova_sel_t portal);
/* Answers a page fault in the image with the rest of the image. Returns false if the address is not
 * in the image. */
bool event_answer_image(struct nova_utcb *u, word_t address);
/* Answers an event in its handler's message buffer. */
void event_serve(struct thread *keeper, word_t portal);
/* Fails the case because of an event that it did not expect. */
void case_stray_event(const struct thread *t, unsigned n, const struct nova_utcb_state *state);

void portal_dispatch(word_t portal, struct thread *t);
void portal_dispatch_other(word_t portal, struct thread *t);
_Noreturn void global_main(struct thread *t);
_Noreturn void harness_main(void);

/* Returns the TSC at the end of the case's time. */
uint64_t case_deadline(void);

#endif
