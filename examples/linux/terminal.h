/* SPDX-License-Identifier: BSD-2-Clause */
/* The serial line as the console of a monitor that is a program of a system. */
#ifndef EXAMPLES_LINUX_TERMINAL_H
#define EXAMPLES_LINUX_TERMINAL_H

/* Uses the device `serial` for the program's output and input. Without the device, does nothing. */
void terminal_use(void);

#endif
