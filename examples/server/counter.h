/* SPDX-License-Identifier: BSD-2-Clause */
/* The protocol of the service `counter`, which server and client share. */
#ifndef COUNTER_H
#define COUNTER_H

#include <novart/protocol.h>

enum counter_operation {
        COUNTER_ADD = NOVA_OPERATION_FIRST, /* word: the number to add; answer: the session's sum */
};

#endif
