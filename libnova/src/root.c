/* SPDX-License-Identifier: BSD-2-Clause */
/* The library's copy of nova/inline/root.h. */
#include "nova/inline/root.h"
