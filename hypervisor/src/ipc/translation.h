/* SPDX-License-Identifier: BSD-2-Clause */
/* Translation: finds the range of the receiver from which a sender's range was derived. */
#ifndef IPC_TRANSLATION_H
#define IPC_TRANSLATION_H

#include "nova/abi/crd.h"
#include "space/space.h"

/** Returns the range of the receiver's space from which a sender's range was derived, clipped to
 * the window; 0 if the sender's range was not derived from that space. Both spaces have the same
 * type. */
nova_crd_t translation_find(struct space *sender, nova_crd_t crd, struct space *receiver,
                            nova_crd_t window);

#endif
