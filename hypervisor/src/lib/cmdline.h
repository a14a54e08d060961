/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's command line. */
#ifndef LIB_CMDLINE_H
#define LIB_CMDLINE_H

#include "lib/types.h"

/** What the command line says. */
struct cmdline {
        bool serial;   /* messages go to COM1 */
        bool no_iommu; /* an I/O MMU is left off */
        uint64_t kmem; /* bytes of the kernel pool; 0: the kernel decides */
};

extern struct cmdline cmdline;

/** Reads a command line and fills cmdline; says which words it does not know. The first word may be
 *  the kernel's file name. */
void cmdline_parse(const char *text);

#endif
