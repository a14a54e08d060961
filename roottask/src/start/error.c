/* SPDX-License-Identifier: BSD-2-Clause */
/* Translates a status into an errno value. */
#include "novart/error.h"

int nova_errno_of(enum nova_status status)
{
        static const unsigned char table[] = {
                [NOVA_SUCCESS] = 0,          [NOVA_COM_TIM] = ETIMEDOUT,
                [NOVA_COM_ABT] = ECONNRESET, [NOVA_BAD_HYP] = ENOSYS,
                [NOVA_BAD_CAP] = EBADF,      [NOVA_BAD_PAR] = EINVAL,
                [NOVA_BAD_FTR] = ENOTSUP,    [NOVA_BAD_CPU] = ENXIO,
                [NOVA_BAD_DEV] = ENODEV,     [NOVA_OUT_OF_MEMORY] = ENOMEM,
                [NOVA_DEADLOCK] = EDEADLK,
        };

        return (unsigned)status < sizeof(table) ? table[status] : EIO;
}
