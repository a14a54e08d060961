/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's command line. */
#ifndef LIB_CMDLINE_H
#define LIB_CMDLINE_H

#include "lib/types.h"

/** Value of mitigations=: the flaws of speculation that the kernel treats. */
enum mitigations {
        MITIGATIONS_AUTO, /* flaws that the CPU may have, without the costliest treatments */
        MITIGATIONS_OFF,
        MITIGATIONS_FULL /* all flaws, as thoroughly as the CPU allows */
};

/** Options of the command line. */
struct cmdline {
        bool serial;   /* messages go to COM1 */
        bool no_iommu; /* the I/O MMUs stay off */
        enum mitigations mitigations;
        uint64_t kmem; /* bytes of the kernel pool; 0: the kernel decides */
};

extern struct cmdline cmdline;

/** Parses a command line and fills in cmdline. Reports unknown words. The first word may be the
 * kernel's file name.
 * room: size of the buffer with the text. If the text fills the buffer, its last word may be cut
 * and then look like another option. Such a word is reported and ignored. */
void cmdline_parse(const char *text, size_t room);

#endif
