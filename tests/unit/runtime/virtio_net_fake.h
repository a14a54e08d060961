/* SPDX-License-Identifier: BSD-2-Clause */
/* A device and a network service for the driver `virtio-net`, with a client that submits requests
 * as fast as the driver takes them. */
#ifndef UNIT_VIRTIO_NET_FAKE_H
#define UNIT_VIRTIO_NET_FAKE_H

#include <stdbool.h>

/* The content of a ring of the client. */
enum fake_ring { FAKE_EMPTY, FAKE_GOOD, FAKE_MALFORMED };

extern unsigned fake_received, fake_sent; /* requests taken from the rings */

/* Gives the driver a turn. @return true if the driver wants another one */
bool fake_serve(enum fake_ring receive, enum fake_ring transmit);

#endif
