/* SPDX-License-Identifier: BSD-2-Clause */
/* Takes the place of the C library's header: a test compares flags with lwIP's own numbers, which
 * lwIP defines if no header has done so. */
#ifndef TESTS_RUNTIME_LWIP_FCNTL_H
#define TESTS_RUNTIME_LWIP_FCNTL_H

#endif
