/* SPDX-License-Identifier: BSD-2-Clause */
/* The window of the address space that differs between PDs: TSSs and I/O permission bitmap.
 *
 * The TSSs of all CPUs lie in the last two pages of the 64 KiB below the bitmap, so that a 16-bit
 * bitmap offset reaches it. The TSS pages are the same frames in all address spaces. A PD without
 * ports sees a shared page of ones in both bitmap pages, so that bitmap and CR3 switch together. */
#ifndef ARCH_WINDOW_H
#define ARCH_WINDOW_H

#include "layout.h"

#define TSS_STRIDE    128
#define TSS_BASE      (WINDOW_BASE + 0xe000)
#define IO_BITMAP     (WINDOW_BASE + 0x10000)
#define IO_BITMAP_END (WINDOW_BASE + 0x12000) /* one page of ones */

#endif
