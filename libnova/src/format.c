/* SPDX-License-Identifier: BSD-2-Clause */
/* The library's copy of nova/inline/format.h. */
#include "nova/inline/format.h"
