/* SPDX-License-Identifier: BSD-2-Clause */
/* The library's copy of nova/inline/start.h: a program that has its own _start does not link it. */
#include "nova/inline/start.h"
