/* SPDX-License-Identifier: BSD-2-Clause */
/* What a report about an exit is made of, wherever it goes. */
#ifndef NOVAVMM_SRC_REPORT_H
#define NOVAVMM_SRC_REPORT_H

#include "novavmm/vcpu.h"

/* Takes a report, in pieces of lines. */
struct report_sink {
        void (*write)(void *context, const char *text);
        void *context; /* handed to it */
};

/* Tells what a virtual CPU whose exit is answered did, or a part of the machine that it uses (@p
 * what: " cannot go on:"), why, and its registers. */
void novavmm_report_exit(struct nova_vcpu *vcpu, const struct report_sink *to, const char *what,
                         const char *cause);

/* Tells that a virtual CPU has reset its machine, with its registers, and ends it. */
void novavmm_report_reset(struct nova_vcpu *vcpu);

/* Ends the line within which the guest's text on the console ended, if it did. */
void novavmm_report_begin_line(struct nova_vm *vm);

#endif
