/* SPDX-License-Identifier: BSD-2-Clause */
/* A device, its queue and a block service for the driver `virtio-blk`. */
#ifndef UNIT_VIRTIO_BLK_FAKE_H
#define UNIT_VIRTIO_BLK_FAKE_H

#include <stdint.h>

/* Reads some blocks of 512 bytes. The device reports @p bytes bytes as written and, unless
 * @p status is negative, writes a status. @return the error with which the request ends */
int fake_read(uint32_t blocks, uint32_t bytes, int status);

/* Starts the driver. @param serial the disk's serial number, of 20 bytes; NULL: the device does not
 * support the request for it. @return the identity of the disk */
uint64_t fake_identity(const char *serial);

/* Starts the driver as fake_identity() does. The device does not answer the first @p requests
 * requests for its serial number. Aborts unless the driver resets the device after each of them,
 * and offers the disk within 4 s. @return the identity of the disk */
uint64_t fake_silent(unsigned requests, const char *serial);

#endif
