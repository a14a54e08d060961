/* SPDX-License-Identifier: BSD-2-Clause */
/* A device, its queue and a block service for the driver `virtio-blk`. */
#ifndef UNIT_VIRTIO_BLK_FAKE_H
#define UNIT_VIRTIO_BLK_FAKE_H

#include <stdbool.h>
#include <stdint.h>

/* Reads some blocks of 512 bytes. The device reports @p bytes bytes as written and, unless
 * @p status is negative, writes a status. @return the error with which the request ends */
int fake_read(uint32_t blocks, uint32_t bytes, int status);

/* Starts the driver. @param serial the disk's serial number, of 20 bytes; NULL: the device does not
 * support the request for it. @return the identity of the disk */
uint64_t fake_identity(const char *serial);

/* Starts the driver with a device that never answers the request for its serial number.
 * @return true if the driver offers the disk, with the identity 0, after it has reset the device,
 * and in half of the time that clients wait */
bool fake_silent(void);

#endif
