/* SPDX-License-Identifier: BSD-2-Clause */
/* The service `names`: programs publish capabilities under names, and other programs look them
 * up. */
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
 * Errors of PUBLISH: EINVAL no item or an invalid name; EEXIST the name is taken; EDQUOT the
 * session has NOVA_NAMES_CLIENT_MAX names; ENOSPC the service's table is full. Errors of WITHDRAW:
 * ENOENT; EPERM the name belongs to another session. Errors of LOOKUP: ENOENT; EACCES none of the
 * permissions is available.
 *
 * A name is 1 to 31 letters, digits and `.-_/`, ended by a 0 or by the end of the message. A
 * looked-up capability has the permissions that both the publisher and the client of LOOKUP name.
 * When the publisher's session ends, the service removes the name and revokes the capabilities that
 * were looked up under it. The service notifies all sessions of each new name.
 *  @{ */

#define NOVA_NAMES_PUBLISH  (NOVA_OPERATION_FIRST + 0) /**< publish a name */
#define NOVA_NAMES_WITHDRAW (NOVA_OPERATION_FIRST + 1) /**< withdraw a name */
#define NOVA_NAMES_LOOKUP   (NOVA_OPERATION_FIRST + 2) /**< get the capabilities of a name */

#define NOVA_NAMES_ORDER      6  /**< order: a name has up to 2^6 capabilities, one per CPU */
#define NOVA_NAMES_CLIENT_MAX 16 /**< maximum number of names per session */

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Opens a session.
 *
 * @param[out] names the session, to be closed by nova_session_close()
 * @return as nova_session_open()
 */
int nova_names_open(struct nova_session **names);

/**
 * Publishes object capabilities under a name.
 * @code
 * struct nova_session *names;
 * const nova_sel_t sm = nova_sel_alloc(0);
 *
 * if (sm != NOVA_SEL_NONE && nova_create_sm(sm, nova_program.pd, 0) == NOVA_SUCCESS &&
 *     nova_names_open(&names) == 0)
 *         nova_names_publish(names, "door", nova_crd_obj(sm, 0, NOVA_SM_UP));
 * @endcode
 * @param names the session
 * @param name  1 to 31 letters, digits and `.-_/`
 * @param crd   the capabilities, and the maximum permissions for other programs
 * @retval 0      done
 * @retval EINVAL the name is invalid, or there are no such capabilities
 * @retval EEXIST the name is taken
 * @retval EDQUOT the session has NOVA_NAMES_CLIENT_MAX names
 * @retval ENOSPC the service's table is full; other values as for nova_session_call()
 */
int nova_names_publish(struct nova_session *names, const char *name, nova_crd_t crd);

/**
 * Withdraws a name and revokes the capabilities that other programs looked up under it.
 *
 * @param names the session
 * @param name  as published
 * @retval 0      done
 * @retval ENOENT there is no such name
 * @retval EPERM  it belongs to another session; other values as for nova_session_call()
 */
int nova_names_withdraw(struct nova_session *names, const char *name);

/**
 * Looks up the capabilities of a name.
 * @code
 * struct nova_session *names;
 * const nova_sel_t sel = nova_sel_alloc(0);
 * const nova_crd_t window = nova_crd_obj(sel, 0, NOVA_SM_UP);
 *
 * if (sel != NOVA_SEL_NONE && nova_names_open(&names) == 0 &&
 *     nova_names_lookup(names, "door", window, nova_deadline_in(1000000000)) == 0)
 *         nova_sm_up(sel);
 * @endcode
 * @param names    the session
 * @param name     as published
 * @param window   free selectors for the capabilities, and the requested permissions
 * @param deadline TSC value until which to wait for the name to be published; 0: do not wait
 * @retval 0         done
 * @retval ENOENT    there is no such name, or its publisher has died
 * @retval EACCES    none of the permissions is available
 * @retval ETIMEDOUT it was not published in time; other values as for nova_session_call()
 */
int nova_names_lookup(struct nova_session *names, const char *name, nova_crd_t window,
                      uint64_t deadline);

#ifdef __cplusplus
}
#endif

/** @} */

#endif
