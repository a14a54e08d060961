/* SPDX-License-Identifier: BSD-2-Clause */
/* Cases of the endurance run: long. */
#include "stress.h"

const unsigned stress_ms = 60000;
