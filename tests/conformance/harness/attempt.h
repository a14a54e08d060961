/* SPDX-License-Identifier: BSD-2-Clause */
/* Attempts: pieces of code that raise an event, and the functions by which a case runs them and
 * checks the event. */
#ifndef CONFORMANCE_ATTEMPT_H
#define CONFORMANCE_ATTEMPT_H

#include "harness.h"

#define IDS_DE "7.2-02 8.2-02"
#define IDS_DB "7.2-03 8.2-03"
#define IDS_BP "7.2-04 8.2-04"
#define IDS_UD "7.2-07 8.2-07"
#define IDS_GP "7.2-10 8.2-10"
#define IDS_PF "7.2-11 8.2-11"
#define IDS_MF "7.2-12 8.2-12"

#define ONLY(number) (1u << (number))
#define FAULTS       (ONLY(NOVA_EXC_GP) | ONLY(NOVA_EXC_PF) | ONLY(NOVA_EXC_SS))

/* Runs code. Returns the number of the event that it raises, or NO_EVENT. The state in the event's
 * message is in self->state. The thread resumes at out, which leads to attempt_over(). */
word_t raised_by_at(void (*code)(void), word_t out);
word_t raised_by(void (*code)(void));
/* Runs code three times, and expects one of the events in the mask each time: an attempt must leave
 * nothing behind that changes the next attempt. */
void expect_one_of(void (*code)(void), unsigned numbers, word_t out);
_Noreturn void attempt_over(void);

/* Defines a function that consists of these instructions. */
#define CODE(name_, text_)                                                            \
        __asm__(".text\n.globl code_" #name_ "\ncode_" #name_ ":\n" text_ "\nret\n"); \
        void code_##name_(void);

/* Instructions that need no stack. They loop until the time that the last spin_for() has set is
 * over; it is at most a second. They overwrite EAX and EDX. */
#define SPIN "9: rdtsc; sub spin_from, %eax; cmp spin_ticks, %eax; jb 9b\n"
void spin_for(unsigned ms);

#define RAISES_ON(area_, name_, ids_, numbers_, text_, needs_)               \
        CODE(name_, text_)                                                   \
        CASE_ON(area_, name_, ids_, needs_)                                  \
        {                                                                    \
                expect_one_of(code_##name_, numbers_, (word_t)attempt_over); \
        }

#define RAISES(area_, name_, ids_, numbers_, text_) \
        RAISES_ON(area_, name_, ids_, numbers_, text_, NULL)

#if __SIZEOF_POINTER__ == 8
#define SP "%rsp"
#define AX "%rax"
#define DI "%rdi"
#else
#define SP "%esp"
#define AX "%eax"
#define DI "%edi"
#endif

#endif
