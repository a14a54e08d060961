/* SPDX-License-Identifier: BSD-2-Clause */
/* Cases of the default run: short. */
#include "stress.h"

const unsigned stress_ms = 400;
