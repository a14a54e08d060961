/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes reports about exits, to any destination. */
#ifndef NOVAVMM_SRC_REPORT_H
#define NOVAVMM_SRC_REPORT_H

#include "novavmm/vcpu.h"

/* Receives a report, in parts of lines. */
struct report_sink {
        void (*write)(void *context, const char *text);
        void *context; /* argument of the function */
};

/* Reports an error of a virtual CPU whose exit is being handled, or of a device that it uses, with
 * the reason and the virtual CPU's registers. The first sentence names the virtual CPU; then
 * follow @p what, for example " cannot continue:", and the reason, @p cause. */
void novavmm_report_exit(struct nova_vcpu *vcpu, const struct report_sink *to, const char *what,
                         const char *cause);

/* Reports that a virtual CPU has reset its machine, with the virtual CPU's registers, and ends the
 * machine. */
void novavmm_report_reset(struct nova_vcpu *vcpu);

#endif
