/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef ULTRAVISOR_SERVER_H
#define ULTRAVISOR_SERVER_H

/* Starts the service. @return as nova_service_start() */
int server_start(void);

#endif
