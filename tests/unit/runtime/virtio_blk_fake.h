/* SPDX-License-Identifier: BSD-2-Clause */
/* A device, its queue and a block service for the driver `virtio-blk`. */
#ifndef UNIT_VIRTIO_BLK_FAKE_H
#define UNIT_VIRTIO_BLK_FAKE_H

#include <stdint.h>

#define FAKE_FAILED UINT64_MAX

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

/* Starts the driver as fake_silent() does, but the device does not answer request n, of any type,
 * if bit n of @p requests is set. The driver may fail within 4 s. @return the identity of the disk,
 * or FAKE_FAILED */
uint64_t fake_stalled(uint32_t requests, const char *serial);

/* Starts the driver as fake_stalled() does, but the device takes @p ns ns for each request. */
uint64_t fake_slow(uint64_t ns, const char *serial);

#endif
