/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest's ultracall from user mode. */
#ifndef NOVA_TESTS_SECURE_GUEST_USER_H
#define NOVA_TESTS_SECURE_GUEST_USER_H

#include <stdbool.h>
#include <stdint.h>

/* Makes an ultracall in user mode.
 * @return 1 if it raised #UD, 2 if it returned */
uint32_t guest_user_call(void);

#endif
