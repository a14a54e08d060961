/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef ULTRAVISOR_SERVER_H
#define ULTRAVISOR_SERVER_H

/* Kernel memory in bytes that the sessions of one VMM can charge to the ultravisor. */
#define SERVER_CLIENT_BYTES 0x100000u

/* Starts the service. @return as nova_service_start() */
int server_start(void);

#endif
