/* SPDX-License-Identifier: BSD-2-Clause */
/* Translates the status of a hypercall to the errno values that the runtime's functions return. */
#ifndef NOVART_ERROR_H
#define NOVART_ERROR_H

#include <errno.h>

#include "nova/abi/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Returns the errno value for a status.
 * @code
 * extern nova_sel_t sm;
 * const int error = nova_errno_of(nova_sm_up(sm));
 *
 * if (error)
 *         printf("up: %s\n", strerror(error));
 * @endcode
 * @retval 0          NOVA_SUCCESS
 * @retval ETIMEDOUT  NOVA_COM_TIM
 * @retval ECONNRESET NOVA_COM_ABT: the callee died
 * @retval ENOSYS     NOVA_BAD_HYP: the kernel does not have this extension
 * @retval EBADF      NOVA_BAD_CAP
 * @retval EINVAL     NOVA_BAD_PAR
 * @retval ENOTSUP    NOVA_BAD_FTR
 * @retval ENXIO      NOVA_BAD_CPU
 * @retval ENODEV     NOVA_BAD_DEV
 * @retval ENOMEM     NOVA_OUT_OF_MEMORY: the account of kernel memory is used up
 * @retval EDEADLK    NOVA_DEADLOCK
 * @retval EIO        any other value
 */
int nova_errno_of(enum nova_status status);

#ifdef __cplusplus
}
#endif

#endif
