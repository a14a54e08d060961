/* SPDX-License-Identifier: BSD-2-Clause */
/* The window: the part of the kernel half that differs between PDs. It holds TSSs and the I/O
 * permission bitmap. The TSSs of all CPUs lie in the last two pages of the 64 KiB below the bitmap,
 * so that a 16-bit offset reaches the bitmap. The TSS pages are the same frames in all address
 * spaces. PDs without ports share a page of ones, mapped as both bitmap pages. So a write of CR3
 * also switches the bitmap. */
#ifndef ARCH_WINDOW_H
#define ARCH_WINDOW_H

#include "layout.h"

#define TSS_STRIDE    128
#define TSS_BASE      (WINDOW_BASE + 0xe000)
#define IO_BITMAP     (WINDOW_BASE + 0x10000)
#define IO_BITMAP_END (WINDOW_BASE + 0x12000) /* a page of ones */

#endif
