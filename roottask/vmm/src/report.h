/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of a report about an exit, for any destination. */
#ifndef NOVAVMM_SRC_REPORT_H
#define NOVAVMM_SRC_REPORT_H

#include "novavmm/vcpu.h"

/* Receives a report, in parts of lines. */
struct report_sink {
        void (*write)(void *context, const char *text);
        void *context; /* argument of the function */
};

/* Reports an error of a virtual CPU whose exit is being handled, or of a device that it uses, with
 * the reason and the virtual CPU's registers. @p what is the verb of the sentence: " cannot
 * continue:". */
void novavmm_report_exit(struct nova_vcpu *vcpu, const struct report_sink *to, const char *what,
                         const char *cause);

/* Reports that a virtual CPU has reset its machine, with its registers, and ends the machine. */
void novavmm_report_reset(struct nova_vcpu *vcpu);

#endif
