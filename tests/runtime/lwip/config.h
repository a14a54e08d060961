/* SPDX-License-Identifier: BSD-2-Clause */
/* lwIP's tests include this file, but need no definition from it. */
#ifndef TESTS_RUNTIME_LWIP_CONFIG_H
#define TESTS_RUNTIME_LWIP_CONFIG_H

#endif
