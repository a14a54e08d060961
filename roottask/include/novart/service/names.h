/* SPDX-License-Identifier: BSD-2-Clause */
/* The service `names`: programs publish capabilities under names, others look them up. */
#ifndef NOVART_SERVICE_NAMES_H
#define NOVART_SERVICE_NAMES_H

#include "novart/session.h"

/** @defgroup names Service names
 *
 * | operation | words | items | answer |
 * |---|---|---|---|
 * | PUBLISH | the name | capabilities, hotspot 0 | – |
 * | WITHDRAW | the name | – | – |
 * | LOOKUP | permissions; the name | – | item: the capabilities |
 *
 * Errors of PUBLISH: EINVAL no item or no valid name; EEXIST taken; EDQUOT the client has
 * NOVA_NAMES_CLIENT_MAX; ENOSPC the service has as many as it can have. Of WITHDRAW: ENOENT; EPERM
 * another client's. Of LOOKUP: ENOENT; EACCES none of the permissions.
 *
 * A name is 1 to 31 letters, digits and `.-_/`, ended by a 0 or the message. Capabilities come with
 * the permissions that both the publisher and the one who looks up say. A name goes when its
 * publisher's session ends, and what was looked up with it. Sessions are notified of each new name.
 *  @{ */

#define NOVA_NAMES_PUBLISH  (NOVA_OPERATION_FIRST + 0) /**< make a name known */
#define NOVA_NAMES_WITHDRAW (NOVA_OPERATION_FIRST + 1) /**< take it back */
#define NOVA_NAMES_LOOKUP   (NOVA_OPERATION_FIRST + 2) /**< get what it stands for */

#define NOVA_NAMES_ORDER      6  /**< a name stands for up to 2^6 capabilities: one per CPU */
#define NOVA_NAMES_CLIENT_MAX 16 /**< names of one session */

/** @} */

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Open a session.
 *
 * @param[out] names to be closed by nova_session_close()
 * @return as nova_session_open()
 */
int nova_names_open(struct nova_session **names);

/**
 * Publish object capabilities.
 *
 * @param names the session
 * @param name  1 to 31 letters, digits and `.-_/`
 * @param crd   what it stands for, and the permissions that others get at most
 * @retval 0      done
 * @retval EINVAL no valid name, or no such capabilities
 * @retval EEXIST the name is taken
 * @retval EDQUOT the session has NOVA_NAMES_CLIENT_MAX names
 * @retval ENOSPC the service has as many as it can have; else as nova_session_call()
 */
int nova_names_publish(struct nova_session *names, const char *name, nova_crd_t crd);

/**
 * Take a name back, and all that others got by it.
 *
 * @param names the session
 * @param name  as published
 * @retval 0      done
 * @retval ENOENT there is no such name
 * @retval EPERM  it is another session's; else as nova_session_call()
 */
int nova_names_withdraw(struct nova_session *names, const char *name);

/**
 * Get what a name stands for.
 *
 * @param names    the session
 * @param name     as published
 * @param window   free selectors that receive it, and the permissions that are wanted
 * @param deadline wait until the name is published, at most until this TSC value; 0: do not wait
 * @retval 0         done
 * @retval ENOENT    there is no such name, or its publisher has died
 * @retval EACCES    none of the permissions is to be had
 * @retval ETIMEDOUT it was not published in time; else as nova_session_call()
 */
int nova_names_lookup(struct nova_session *names, const char *name, nova_crd_t window,
                      uint64_t deadline);

#ifdef __cplusplus
}
#endif

#endif
