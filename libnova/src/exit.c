/* SPDX-License-Identifier: BSD-2-Clause */
/* The library's copy of nova/inline/exit.h. */
#include "nova/inline/exit.h"
