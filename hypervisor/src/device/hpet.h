/* SPDX-License-Identifier: BSD-2-Clause */
/* HPETs, as device arguments name them. The kernel does not use HPETs, so PDs can request their
 * pages. */
#ifndef DEVICE_HPET_H
#define DEVICE_HPET_H

#include "lib/types.h"

struct pd;

/** Finds the HPET that a device argument names in a PD: by the address of its first register, else
 * by the selector of its page. number: from its ACPI table. false: no such HPET. @spec 5.5.2 */
bool hpet_find(struct pd *pd, word_t device, uint16_t *number);

#endif
