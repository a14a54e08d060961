/* SPDX-License-Identifier: BSD-2-Clause */
/* The common part of drivers whose services have rings. */
#ifndef NOVART_RING_DRIVER_H
#define NOVART_RING_DRIVER_H

#include "novart/service.h"

/* Prints a sentence, and ends the program. */
_Noreturn void driver_fail(const char *sentence);

/* Prints a sentence, and ends the program with a status that prevents its restart. It is for errors
 * that a restart does not cure, such as a property of the device. */
_Noreturn void driver_refuse(const char *sentence);

/* Serves the device and the clients until the program ends.
 * @param error     result of the start of the service; if it is not 0, the program ends with a
 *                  message
 * @param interrupt semaphore of the device's interrupt
 * @param handle    called with the service's lock after each interrupt */
_Noreturn void driver_run(int error, nova_sel_t interrupt, void (*handle)(void));

#endif
