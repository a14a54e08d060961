/* SPDX-License-Identifier: BSD-2-Clause */
/* The identity that a guest reports: MSR 0x40000000. TLFS 3.9, 3.10 */
#include <stdio.h>

#include "novavmm/hv.h"

#define OPEN_SOURCE (UINT64_C(1) << 63)

static unsigned field(uint64_t identity, unsigned shift, unsigned mask)
{
        return (unsigned)(identity >> shift) & mask;
}

/* Open source: bits 56 to 62 system, 48 to 55 for the system's use, 16 to 47 version, 0 to 15
 * build. */
static void open_source(uint64_t identity, char *text, size_t bytes)
{
        static const char *const names[] = {NULL, "Linux", "FreeBSD", "Xen", "illumos"};
        const unsigned system = field(identity, 56, 0x7f);

        if (!system || system >= sizeof(names) / sizeof(*names))
                snprintf(text, bytes, "open-source system %u, version 0x%x", system,
                         field(identity, 16, 0xffffffff));
        else
                snprintf(text, bytes, "%s %u.%u.%u", names[system], field(identity, 32, 0xffff),
                         field(identity, 24, 0xff), field(identity, 16, 0xff));
}

/* Others: bits 48 to 62 vendor, 40 to 47 system, 32 to 39 major version, 24 to 31 minor version, 16
 * to 23 service version, 0 to 15 build. */
void nova_hv_identity_text(uint64_t identity, char *text, size_t bytes)
{
        if (identity & OPEN_SOURCE)
                open_source(identity, text, bytes);
        else
                snprintf(text, bytes, "system %u of vendor %u, version %u.%u.%u, build %u",
                         field(identity, 40, 0xff), field(identity, 48, 0x7fff),
                         field(identity, 32, 0xff), field(identity, 24, 0xff),
                         field(identity, 16, 0xff), field(identity, 0, 0xffff));
}
