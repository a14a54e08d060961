/* SPDX-License-Identifier: BSD-2-Clause */
/* Duration of each case in the default run. */
#include "stress.h"

const unsigned stress_ms = 400;
