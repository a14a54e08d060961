/* SPDX-License-Identifier: BSD-2-Clause */
/* Duration of each case in the endurance run. */
#include "stress.h"

const unsigned stress_ms = 60000;
