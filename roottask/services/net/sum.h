/* SPDX-License-Identifier: BSD-2-Clause */
/* Open checksums of frames (novart/service/net.h), for receivers that do not accept them. */
#ifndef NOVART_NET_SUM_H
#define NOVART_NET_SUM_H

#include "novart/service/net.h"

/* Prepares a frame, which was copied already, for a receiver. Fills in an open checksum if the
 * receiver does not accept it. If another program changes the frame meanwhile, the checksum becomes
 * wrong.
 * @param sum the word that describes the frame's checksum: 0, or valid for @p bytes
 * @return the word for the receiver */
uint32_t net_sum_pass(uint8_t *frame, uint32_t bytes, uint32_t sum, bool accepts);

#endif
