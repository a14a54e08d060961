/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of the bits of a message transfer descriptor. @spec 7.4 */
#ifndef NOVA_MTD_H
#define NOVA_MTD_H

#include "nova/abi/mtd.h"

/** Number of bits that mean something. */
#define NOVA_MTD_BITS 21

/** Name of bit number @p bit ("ACDB"), or "reserved". @spec 7.4 */
static inline const char *nova_mtd_name(unsigned bit)
{
        switch (bit) {
#define NOVA_MTD_NAME(number, name, fields) \
        case number:                        \
                return #name;
                NOVA_MTD_ROWS(NOVA_MTD_NAME)
#undef NOVA_MTD_NAME
        default:
                return "reserved";
        }
}

/** The state that bit number @p bit moves ("ax, cx, dx, bx"), or "". @spec 7.4 */
static inline const char *nova_mtd_fields(unsigned bit)
{
        switch (bit) {
#define NOVA_MTD_FIELDS(number, name, fields) \
        case number:                          \
                return (fields);
                NOVA_MTD_ROWS(NOVA_MTD_FIELDS)
#undef NOVA_MTD_FIELDS
        default:
                return "";
        }
}

#endif
