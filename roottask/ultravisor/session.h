/* SPDX-License-Identifier: BSD-2-Clause */
/* Handlers of the operation NOVA_ULTRAVISOR_ATTACH and of those that follow it
 * (novart/service/ultravisor.h). */
#ifndef ULTRAVISOR_SESSION_H
#define ULTRAVISOR_SESSION_H

struct nova_request;

/* Handle a request. @return errno value */
int session_attach(struct nova_request *request);
int session_esm(struct nova_request *request);
int session_kick(struct nova_request *request);
int session_start(struct nova_request *request);
int session_reset(struct nova_request *request);
int session_state(struct nova_request *request);
int session_attributes(struct nova_request *request);

#endif
