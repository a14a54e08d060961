/* SPDX-License-Identifier: BSD-2-Clause */
/* Translation of the ranges that a sender names to those of the receiver. */
#ifndef IPC_TRANSLATION_H
#define IPC_TRANSLATION_H

#include "nova/abi/crd.h"
#include "space/space.h"

/** Translates a sender's range to the range of the receiver's space from which it was derived,
 * clipped to the window. Both spaces have the same type. 0: it is not derived from there. */
nova_crd_t translation_find(struct space *sender, nova_crd_t crd, struct space *receiver,
                            nova_crd_t window);

#endif
