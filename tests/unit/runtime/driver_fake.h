/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of the runtime that all drivers under test call in the same way. */
#ifndef UNIT_DRIVER_FAKE_H
#define UNIT_DRIVER_FAKE_H

/* Starts the driver, up to its call of driver_run(). */
void fake_driver_start(char *name);

/* Starts the driver, which may call driver_fail() before driver_run(). In all other cases
 * driver_fail() aborts. @return the sentence that the driver gives, or NULL */
const char *fake_driver_try(char *name);

/* Calls the function that the driver has given to driver_run(). */
void fake_driver_interrupt(void);

#endif
