/* SPDX-License-Identifier: BSD-2-Clause */
/* Names and texts of status codes. @spec 5.1 */
#ifndef NOVA_STATUS_H
#define NOVA_STATUS_H

#include "nova/abi/status.h"

/** Returns the name of a status as in the specification ("BAD_CAP"), or "unknown". @spec 5.1 */
static inline const char *nova_status_name(enum nova_status status)
{
        switch ((unsigned)status) {
#define NOVA_STATUS_NAME(number, name, text) \
        case number:                         \
                return #name;
                NOVA_STATUS_ROWS(NOVA_STATUS_NAME)
#undef NOVA_STATUS_NAME
        default:
                return "unknown";
        }
}

/**
 * Returns the meaning of a status ("invalid capability"), or "unknown status".
 * @code
 * status = nova_call(pt, 0);
 * if (status != NOVA_SUCCESS)
 *         nova_printf(&console, "call: %s\n", nova_status_text(status));
 * @endcode
 * @spec 5.1
 */
static inline const char *nova_status_text(enum nova_status status)
{
        switch ((unsigned)status) {
#define NOVA_STATUS_TEXT(number, name, text) \
        case number:                         \
                return (text);
                NOVA_STATUS_ROWS(NOVA_STATUS_TEXT)
#undef NOVA_STATUS_TEXT
        default:
                return "unknown status";
        }
}

#endif
