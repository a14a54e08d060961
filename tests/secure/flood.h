/* SPDX-License-Identifier: BSD-2-Clause */
/* Services of the programs of the test `flood`. */
#ifndef NOVA_TESTS_SECURE_FLOOD_H
#define NOVA_TESTS_SECURE_FLOOD_H

#include "probe.h"

/* The service `flooder` takes a kind of PROBE_FLOOD, or FLOOD_IDLE. It answers with the number of
 * calls since the last request, and with the number of wrong statuses among them. */
#define FLOOD_IDLE PROBE_FLOOD_KINDS

/* The service `ordinary` boots a normal VM. It answers 1 if the VM has ended as expected. */

#endif
