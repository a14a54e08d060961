/* SPDX-License-Identifier: BSD-2-Clause */
/* The library's copy of nova/inline/portal.h. */
#include "nova/inline/portal.h"
