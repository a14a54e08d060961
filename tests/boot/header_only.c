/* SPDX-License-Identifier: BSD-2-Clause */
/* The beginning of a roottask without libnova.a: all of the library comes from its headers. */
#include "nova/inline/start.h"
