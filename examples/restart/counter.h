/* SPDX-License-Identifier: BSD-2-Clause */
/* The protocol of the service `counter`. */
#ifndef COUNTER_H
#define COUNTER_H

#include <novart/protocol.h>

enum {
        COUNTER_NEXT = NOVA_OPERATION_FIRST, /* no words; answer: the number of the call */
};

#endif
