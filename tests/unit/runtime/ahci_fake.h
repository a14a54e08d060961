/* SPDX-License-Identifier: BSD-2-Clause */
/* A controller and a block service for the driver `ahci`. The disk executes commands when the test
 * says so. */
#ifndef UNIT_AHCI_FAKE_H
#define UNIT_AHCI_FAKE_H

#include <stdbool.h>
#include <stdint.h>

#define FAKE_SLOTS          32
#define FAKE_COMMAND_BLOCKS (64 * 0xffffu) /* blocks that one command can discard */

enum fake_operation { FAKE_READ, FAKE_WRITE, FAKE_FLUSH, FAKE_DISCARD };

extern uint32_t fake_looks; /* number of checks by the watchdog */
extern uint32_t fake_busy;  /* slots whose commands the disk has */

/* Starts the driver once, and gives the disk no commands. */
void fake_reset(void);

/* Starts a request as the service does. */
void fake_start(unsigned number, enum fake_operation operation, uint32_t blocks);

/* Lets the disk end its commands, or fail, and raise its interrupt. */
void fake_end_commands(bool failed);

/* Returns the stamp of a request; 0: its time limit does not run. */
uint32_t fake_stamp(unsigned number);

/* Called for each command and for the end of each request. */
void fake_sent(unsigned slot);
void fake_ended(unsigned number, int error);

#endif
