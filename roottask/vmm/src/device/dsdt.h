/* SPDX-License-Identifier: BSD-2-Clause */
/* The body of the DSDT. */
#ifndef NOVAVMM_SRC_DSDT_H
#define NOVAVMM_SRC_DSDT_H

#include <stddef.h>
#include <stdint.h>

extern const uint8_t novavmm_dsdt_body[];
extern const size_t novavmm_dsdt_bytes;

#endif
