/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds the HPET that a device argument names. The kernel does not use HPETs, so PDs can request
 * their pages. */
#ifndef DEVICE_HPET_H
#define DEVICE_HPET_H

#include "lib/types.h"

struct pd;

/** Finds the HPET that a device argument names. The argument is the address of the HPET's first
 * register in the PD, or the selector of the register's page. *number: the HPET's number in its
 * ACPI table. Returns false if there is no such HPET. @spec 5.5.2 */
bool hpet_find(struct pd *pd, word_t device, uint16_t *number);

#endif
