/* SPDX-License-Identifier: BSD-2-Clause */
/* The start of the ultravisor's service. */
#ifndef ULTRAVISOR_SERVER_H
#define ULTRAVISOR_SERVER_H

/* Kernel memory in bytes that the sessions of one VMM can charge to the ultravisor. */
#define SERVER_CLIENT_BYTES 0x100000u

struct nova_service;

/* Starts the service. @return the result of nova_service_start() */
int server_start(void);

/* disabled.c: starts a service whose ultracalls all fail with U_FUNCTION. */
int server_start_disabled(struct nova_service **service);

#endif
