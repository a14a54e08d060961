/* SPDX-License-Identifier: BSD-2-Clause */
/* The load of the CPUs. */
#ifndef EXAMPLES_STATUS_LOAD_H
#define EXAMPLES_STATUS_LOAD_H

#include <stdbool.h>

#include "novart/parent_status.h"

/* A CPU. */
struct load {
        struct nova_parent_cpu times; /* the CPU's times at the last reading */
        unsigned percent;             /* load in the last second; at first, since the boot */
};

/* Reads the times of all CPUs of the program each second from now on.
 * @return 0 or an errno value */
int load_begin(void);

/* Returns false if the program does not have the CPU, or its times are not known yet. */
bool load_get(unsigned cpu, struct load *load);

#endif
