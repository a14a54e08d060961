/* SPDX-License-Identifier: BSD-2-Clause */
/* The start of a roottask without libnova.a: the library's headers contain everything. */
#include "nova/inline/start.h"
