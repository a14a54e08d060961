/* SPDX-License-Identifier: BSD-2-Clause */
/* Services of the programs of the test `flood`. */
#ifndef NOVA_TESTS_SECURE_FLOOD_H
#define NOVA_TESTS_SECURE_FLOOD_H

#include "probe.h"

/* The service `flooder` takes a kind of PROBE_FLOOD, or one of these: its VMM computes, or copies a
 * page of its guest out again and again, with the priority of a guest. The service answers with the
 * number of calls since the last request, and with the number of wrong statuses among them. */
#define FLOOD_IDLE  PROBE_FLOOD_KINDS
#define FLOOD_SPIN  (FLOOD_IDLE + 1)
#define FLOOD_COPY  (FLOOD_IDLE + 2)
#define FLOOD_KINDS (FLOOD_IDLE + 3)

/* The service `ordinary` boots a normal VM. It answers 1 if the VM has ended as expected. */

#endif
