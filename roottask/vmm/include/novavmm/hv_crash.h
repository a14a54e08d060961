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

/** A guest's report. The guest defines the meaning of the parameters. TLFS, appendix C */
struct nova_hv_crash {
        uint64_t parameter[NOVA_HV_CRASH_PARAMETERS]; /**< values of MSRs 0x40000100 to
                                                       * 0x40000104 */
        char text[NOVA_HV_CRASH_TEXT]; /**< text of the guest, or ""; characters outside of ASCII
                                        * are replaced */
};

/**
 * Receives a report of virtual processor @p vcpu, with the machine locked. The function may print.
 * A guest may report as often as it likes.
 * @code
 * extern nova_hv_crash_function crashed; // prints the report's text, for example
 * extern struct nova_vm vm;
 * static struct nova_hv hv;
 * const struct nova_hv_config config = {.privileges = NOVA_HV_PRIVILEGES_USUAL, .crashed =
 * crashed};
 *
 * nova_hv_enable(&hv, &vm, &config);
 * @endcode
 */
typedef void nova_hv_crash_function(void *context, unsigned vcpu,
                                    const struct nova_hv_crash *crash);

#ifdef __cplusplus
}
#endif

#endif
