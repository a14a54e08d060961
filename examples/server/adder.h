/* SPDX-License-Identifier: BSD-2-Clause */
/* The protocol between the adder and its clients. */
#ifndef ADDER_H
#define ADDER_H

#include <novart/protocol.h>

/* Word: a number. Answer: the sum of all numbers of this session. */
#define ADDER_ADD (NOVA_OPERATION_FIRST + 0)

#endif
