/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls that read and write registers of virtual processors. */
#ifndef NOVAVMM_SRC_HV_REGISTERS_H
#define NOVAVMM_SRC_HV_REGISTERS_H

#include "novavmm/hv.h"

/* Code of the call that writes registers. It may move overlay pages. */
#define NOVAVMM_HV_SET_REGISTERS 0x0051u

nova_hv_function novavmm_hv_get_register, novavmm_hv_set_register;

#endif
