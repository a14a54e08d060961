/* SPDX-License-Identifier: BSD-2-Clause */
/* The report of an enlightened guest that crashes. */
#ifndef NOVAVMM_HV_CRASH_H
#define NOVAVMM_HV_CRASH_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NOVA_HV_CRASH_PARAMETERS 5   /**< number of values in a report */
#define NOVA_HV_CRASH_TEXT       512 /**< longest text, with its terminator; more is cut off */

/** A guest's report. TLFS, appendix C: the meaning of the parameters is the guest's. */
struct nova_hv_crash {
        uint64_t parameter[NOVA_HV_CRASH_PARAMETERS]; /**< MSRs 0x40000100 to 0x40000104 */
        char text[NOVA_HV_CRASH_TEXT]; /**< the guest's text, or ""; ASCII, other characters are
                                        * replaced */
};

/** Receives a report of virtual processor @p vcpu, with the machine locked. A guest may report as
 * often as it likes. */
typedef void nova_hv_crash_function(void *context, unsigned vcpu,
                                    const struct nova_hv_crash *crash);

#ifdef __cplusplus
}
#endif

#endif
