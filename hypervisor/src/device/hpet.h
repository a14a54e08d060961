/* SPDX-License-Identifier: BSD-2-Clause */
/* HPETs: which one a program means. The kernel uses none, so their pages can be requested. */
#ifndef DEVICE_HPET_H
#define DEVICE_HPET_H

#include "lib/types.h"

struct pd;

/** The HPET that a device argument names in a PD: the address of its first register, else the
 *  selector of its page. number: as its ACPI table says. false: it names none. @spec 5.5.2 */
bool hpet_find(struct pd *pd, word_t device, uint16_t *number);

#endif
