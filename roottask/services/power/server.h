/* SPDX-License-Identifier: BSD-2-Clause */
/* The service power, for a program that contains it. */
#ifndef NOVART_POWER_SERVER_H
#define NOVART_POWER_SERVER_H

#include "novart/service.h"

/* Resets the machine (NOVA_EXT_MACHINE_RESET) or powers it off.
 * @return an errno value, only after a failure */
typedef int power_switch(nova_word_t operation);

/* Starts the service.
 * @return 0 or an errno value */
int power_service_start(power_switch *function);

#endif
