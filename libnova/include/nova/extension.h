/* SPDX-License-Identifier: BSD-2-Clause */
/* Layer 0 of the extensions: hypercalls and flags that the interface of 2012 lacks. Each of them
 * needs a feature that the HIP announces. A kernel without the feature returns NOVA_BAD_HYP or
 * ignores the flag. */
#ifndef NOVA_EXTENSION_H
#define NOVA_EXTENSION_H

#include "nova/hypercall.h"

/**
 * Extension: creates a protection domain with an account of its own.
 *
 * The new account alone pays for the tables of the PD's spaces and for the objects that name the PD
 * as owner. The account's limit counts as used in the owner's account. Needs the HIP feature
 * NOVA_HIP_QUOTA; a kernel without the feature creates a PD that uses the owner's account.
 * @code
 * if (nova_hip_has(hip, NOVA_HIP_QUOTA))
 *         status = nova_create_pd_account(pd, NOVA_SEL_ROOT_PD, 0, 256 * 1024);
 * @endcode
 * @param pd, owner, initial as for nova_create_pd()
 * @param bytes limit of the new account, the account itself included
 * @retval NOVA_SUCCESS the PD exists
 * @retval NOVA_BAD_CAP @p pd is not null, or @p owner is not a PD or lacks NOVA_PD_PD
 * @retval NOVA_BAD_PAR @p bytes does not suffice for the account itself
 * @retval NOVA_OUT_OF_MEMORY the owner's account has less than @p bytes left or is nested 64 deep,
 *                            or @p bytes does not suffice for @p initial
 * @par Who may call
 * Any thread whose PD holds @p owner with NOVA_PD_PD.
 * @spec extension
 */
static inline enum nova_status nova_create_pd_account(nova_sel_t pd, nova_sel_t owner,
                                                      nova_crd_t initial, nova_word_t bytes)
{
        nova_crd_check(initial);
        return nova_status_of(nova_trap_4(nova_hypercall_id(NOVA_CREATE_PD, NOVA_PD_ACCOUNT, pd),
                                          owner, initial, bytes));
}

/**
 * Extension: semaphore down with a deadline.
 *
 * A counter above 0 is decremented regardless of the deadline. A deadline in the past, such as 0,
 * never waits. Needs the HIP feature NOVA_HIP_TIMEOUT.
 * @code
 * const uint64_t second = (uint64_t)hip->tsc_khz * 1000;
 *
 * status = nova_sm_down_until(sm, 0, nova_rdtsc() + second);
 * if (status == NOVA_COM_TIM)
 *         nova_printf(&console, "no up within a second\n");
 * @endcode
 * @param sm       semaphore capability with NOVA_SM_DN
 * @param flags    0, or NOVA_SM_ZC: a counter above 0 becomes 0
 * @param deadline value of the TSC of the caller's CPU
 * @retval NOVA_SUCCESS done
 * @retval NOVA_COM_TIM the counter was 0 until the deadline
 * @retval NOVA_BAD_CAP @p sm is not a semaphore or lacks NOVA_SM_DN, or it was destroyed meanwhile
 * @par Who may call
 * Any thread whose PD holds @p sm with NOVA_SM_DN. May block.
 * @spec extension
 */
static inline enum nova_status nova_sm_down_until(nova_sel_t sm, nova_word_t flags,
                                                  uint64_t deadline)
{
        nova_word_t a2 = (nova_word_t)(deadline >> 32), a3 = (uint32_t)deadline;

        return nova_status_of(nova_trap_3(
                nova_hypercall_id(NOVA_SM_CTRL, NOVA_SM_DN_OP | NOVA_SM_TIMEOUT | flags, sm), &a2,
                &a3));
}

/**
 * Extension: destroys a PD with all its ECs, empties its spaces and frees its memory. Also destroys
 * the PDs that the PD's threads created.
 *
 * Callers of the PD's ECs get COM_ABT. From then on, capabilities for the PD act as null
 * capabilities. May take long. Needs the HIP feature NOVA_HIP_DESTROY.
 * @code
 * nova_pd_destroy(pd);
 * nova_revoke(nova_crd_obj(pd, 0, NOVA_PERM_ALL), NOVA_REVOKE_SR); // frees the selector
 * @endcode
 * @param pd PD capability with all five permissions
 * @retval NOVA_SUCCESS the PD is gone; if another thread was destroying it, this call did the rest
 * @retval NOVA_BAD_CAP @p pd is not a PD or lacks a permission, or the PD has already ended
 * @retval NOVA_BAD_HYP the kernel does not have this extension
 * @par Who may call
 * Any thread whose PD holds @p pd with all permissions. A call for the thread's own PD does not
 * return.
 * @spec extension
 */
static inline enum nova_status nova_pd_destroy(nova_sel_t pd)
{
        nova_word_t operation = NOVA_EXT_PD_DESTROY;

        return nova_status_of(
                nova_trap_2(nova_hypercall_id(NOVA_EXTENSION, NOVA_EXT_OBJECT, pd), &operation));
}

/**
 * Extension: gives an object a name for the kernel's messages.
 *
 * A PD can be named once. PDs that its threads create later inherit its name. So a name that a
 * parent gives to a child identifies the child and all its descendants, regardless of the
 * capabilities that they hold. The kernel reports when an event shuts down a thread that the root
 * PD has named. Needs the HIP feature NOVA_HIP_NAME.
 * @code
 * static const char name[NOVA_NAME_SIZE] = "driver"; // the rest is 0
 *
 * nova_name_set(pd, name);
 * @endcode
 * @param object capability with all five permissions for a PD, EC, portal or semaphore
 * @param name   NOVA_NAME_SIZE bytes, padded with 0
 * @retval NOVA_SUCCESS done
 * @retval NOVA_BAD_CAP @p object is not such an object or lacks a permission
 * @retval NOVA_BAD_PAR @p object is a PD that already has a name
 * @retval NOVA_BAD_HYP the kernel does not have this extension
 * @par Who may call
 * Any thread whose PD holds @p object with all permissions.
 * @spec extension
 */
static inline enum nova_status nova_name_set(nova_sel_t object, const char name[NOVA_NAME_SIZE])
{
        const size_t rest = NOVA_NAME_SIZE - sizeof(nova_word_t);
        nova_word_t begin, end = 0;

        __builtin_memcpy(&begin, name, sizeof(begin));
        __builtin_memcpy(&end, name + sizeof(begin), rest);
        return nova_status_of(
                nova_trap_4(nova_hypercall_id(NOVA_EXTENSION, NOVA_EXT_OBJECT, object),
                            NOVA_EXT_NAME_SET, begin, end));
}

/**
 * Extension: reads an object's name.
 * @code
 * char name[NOVA_NAME_SIZE];
 *
 * if (nova_name_get(pd, name) == NOVA_SUCCESS)
 *         nova_printf(&console, "%.*s\n", (int)sizeof(name), name);
 * @endcode
 * @param object    capability for a PD, EC, portal or semaphore
 * @param[out] name the name; no terminating 0 if it has NOVA_NAME_SIZE bytes
 * @retval NOVA_SUCCESS @p name is valid
 * @retval NOVA_BAD_CAP @p object is not such an object
 * @retval NOVA_BAD_HYP the kernel does not have this extension
 * @par Who may call
 * Any thread whose PD holds @p object.
 * @spec extension
 */
static inline enum nova_status nova_name_get(nova_sel_t object, char name[NOVA_NAME_SIZE])
{
        const size_t rest = NOVA_NAME_SIZE - sizeof(nova_word_t);
        nova_word_t begin = NOVA_EXT_NAME_GET, end = 0;
        const nova_word_t status = nova_trap_3(
                nova_hypercall_id(NOVA_EXTENSION, NOVA_EXT_OBJECT, object), &begin, &end);

        __builtin_memcpy(name, &begin, sizeof(begin));
        __builtin_memcpy(name + sizeof(begin), &end, rest);
        return nova_status_of(status);
}

/**
 * Extension: lowers the limits on priority, quantum and CPUs for threads of a PD.
 *
 * The limit becomes the intersection of the old and the new limit, so it never rises. The limit
 * applies regardless of the capabilities that the PD holds. The PD's threads cannot create SCs of a
 * higher priority (NOVA_BAD_PAR), nor ECs, SCs or routes of interrupts on other CPUs
 * (NOVA_BAD_CPU). A longer quantum is cut to the limit. Existing objects do not change. If another
 * PD acts on behalf of this PD, the other PD's limit applies. A new PD starts with the limit of the
 * PD whose thread creates it; the root PD has no limit. Needs the HIP feature NOVA_HIP_LIMIT.
 * @code
 * nova_create_pd(pd, NOVA_SEL_ROOT_PD, 0);
 * nova_pd_limit(pd, nova_qpd(10000, 20), 0x1); // 10 ms, priority 20, CPU 0
 * @endcode
 * @param pd       PD capability with all five permissions
 * @param qpd      descriptor of the highest priority (0: no SC at all) and of the longest quantum
 *                 (0: unchanged). A plain priority is a valid descriptor
 * @param cpus     CPUs that the limit allows; bit n: CPU n
 * @retval NOVA_SUCCESS done
 * @retval NOVA_BAD_CAP @p pd names no PD or lacks a permission
 * @retval NOVA_BAD_HYP the kernel does not have this extension
 * @par Who may call
 * Any thread whose PD holds @p pd with all permissions. @p pd may be the thread's own PD.
 * @spec extension
 */
static inline enum nova_status nova_pd_limit(nova_sel_t pd, nova_qpd_t qpd, uint64_t cpus)
{
        return nova_status_of(nova_trap_5(nova_hypercall_id(NOVA_EXTENSION, NOVA_EXT_OBJECT, pd),
                                          NOVA_EXT_PD_LIMIT, qpd, (uint32_t)cpus,
                                          (nova_word_t)(cpus >> 32)));
}

/**
 * Extension: limits the kernel memory that a message to a thread may charge to its PD.
 *
 * The receiver of a delegation pays for the kernel's records and tables. With a limit, a message to
 * the EC (a call, or the reply to its own call) charges at most @p bytes to the account of the EC's
 * PD. The kernel does not transfer an item that would exceed the limit. The receiver gets a null
 * item instead, and later items may use the rest of the limit. The limit can be changed at any
 * time. The reply to an event is not limited. Needs the HIP feature NOVA_HIP_RECEIVE.
 * @code
 * // A message to this server costs its PD at most two pages of kernel memory.
 * status = nova_ec_receive(ec, 2 * NOVA_PAGE_SIZE);
 * @endcode
 * @param ec    EC capability with all five permissions
 * @param bytes limit in bytes of kernel memory. There is no limit with NOVA_EC_RECEIVE_ALL (the
 *              initial value) or any other value of at least 2^32 - 1
 * @retval NOVA_SUCCESS done
 * @retval NOVA_BAD_CAP @p ec is not an EC or lacks a permission
 * @retval NOVA_BAD_HYP the kernel does not have this extension
 * @par Who may call
 * Any thread whose PD holds @p ec with all permissions.
 * @spec extension
 */
static inline enum nova_status nova_ec_receive(nova_sel_t ec, nova_word_t bytes)
{
        nova_word_t operation = NOVA_EXT_EC_RECEIVE;

        return nova_status_of(nova_trap_3(nova_hypercall_id(NOVA_EXTENSION, NOVA_EXT_OBJECT, ec),
                                          &operation, &bytes));
}

/**
 * Extension: ends the calling thread as if its EC were destroyed.
 *
 * A caller that waits for the thread's reply gets COM_ABT. The address of the thread's UTCB becomes
 * free. Does not return if the kernel has the extension (HIP feature NOVA_HIP_EXIT).
 * @retval NOVA_BAD_HYP the kernel does not have this extension
 * @par Who may call
 * Any thread, for itself.
 * @spec extension
 */
static inline enum nova_status nova_thread_exit(void)
{
        nova_word_t operation = NOVA_EXT_THREAD_EXIT;

        return nova_status_of(
                nova_trap_2(nova_hypercall_id(NOVA_EXTENSION, NOVA_EXT_THREAD, 0), &operation));
}

/**
 * Extension: sets the base of the calling thread's local storage: the base of FS on x86-64, of GS
 * on x86-32.
 *
 * On x86-32, while a thread with a base runs, the kernel chooses the selector in GS. Needs the HIP
 * feature NOVA_HIP_TLS.
 * @param base the base address; 0: none
 * @retval NOVA_SUCCESS the base is loaded now and whenever the thread runs
 * @retval NOVA_BAD_PAR @p base is not a user address (x86-64)
 * @retval NOVA_BAD_HYP the kernel does not have this extension
 * @par Who may call
 * Any thread, for itself.
 * @spec extension
 */
static inline enum nova_status nova_thread_tls(nova_word_t base)
{
        nova_word_t operation = NOVA_EXT_THREAD_TLS;

        return nova_status_of(nova_trap_3(nova_hypercall_id(NOVA_EXTENSION, NOVA_EXT_THREAD, 0),
                                          &operation, &base));
}

/**
 * Extension: resets the machine or powers it off. Needs the HIP feature NOVA_HIP_MACHINE.
 * @code
 * // Returns only if the machine cannot be powered off.
 * status = nova_machine(NOVA_EXT_MACHINE_OFF);
 * nova_printf(&console, "still on: %s\n", nova_status_text(status));
 * @endcode
 * @param operation NOVA_EXT_MACHINE_RESET or NOVA_EXT_MACHINE_OFF
 * @retval NOVA_BAD_CAP the caller is not in the root PD
 * @retval NOVA_BAD_FTR ACPI does not describe how to power off
 * @retval NOVA_BAD_HYP the kernel does not have this extension or operation
 * @par Who may call
 * Threads of the root PD.
 * @spec extension
 */
static inline enum nova_status nova_machine(nova_word_t operation)
{
        return nova_status_of(
                nova_trap_2(nova_hypercall_id(NOVA_EXTENSION, NOVA_EXT_MACHINE, 0), &operation));
}

/**
 * Extension: moves kernel memory to a PD's account from its parent account.
 * @code
 * // The child has used up its account: 64 KiB more from the account of the root PD.
 * status = nova_quota_give(pd, NOVA_SEL_ROOT_PD, 64 * 1024);
 * @endcode
 * @param pd    PD capability with all five permissions, of a PD with an account of its own
 * @param payer PD capability with NOVA_PD_PD, of a PD that uses the paying account
 * @param bytes number of bytes to move
 * @retval NOVA_SUCCESS the limits have changed
 * @retval NOVA_BAD_CAP @p pd or @p payer is not a PD or lacks a permission, or @p payer does not
 *                      use the parent account of @p pd's account
 * @retval NOVA_BAD_PAR @p pd has no account of its own
 * @retval NOVA_OUT_OF_MEMORY the payer's account has less than @p bytes left
 * @retval NOVA_BAD_HYP the kernel does not have this extension
 * @par Who may call
 * Any thread whose PD holds @p pd with all permissions and @p payer with NOVA_PD_PD.
 * @spec extension
 */
static inline enum nova_status nova_quota_give(nova_sel_t pd, nova_sel_t payer, nova_word_t bytes)
{
        return nova_status_of(nova_trap_4(nova_hypercall_id(NOVA_EXTENSION, NOVA_EXT_QUOTA, pd),
                                          NOVA_EXT_QUOTA_GIVE, bytes, payer));
}

/**
 * Extension: moves unused kernel memory from a PD's account back to its parent account.
 * @code
 * if (nova_quota_take(pd, 64 * 1024) == NOVA_OUT_OF_MEMORY)
 *         nova_printf(&console, "the child has used the memory\n");
 * @endcode
 * @param pd    PD capability with all five permissions, of a PD with an account of its own
 * @param bytes number of bytes to move
 * @retval NOVA_SUCCESS the limits have changed
 * @retval NOVA_BAD_CAP @p pd names no PD or lacks a permission
 * @retval NOVA_BAD_PAR @p pd has no account of its own
 * @retval NOVA_OUT_OF_MEMORY the account has less than @p bytes unused
 * @retval NOVA_BAD_HYP the kernel does not have this extension
 * @par Who may call
 * Any thread whose PD holds @p pd with all permissions.
 * @spec extension
 */
static inline enum nova_status nova_quota_take(nova_sel_t pd, nova_word_t bytes)
{
        nova_word_t operation = NOVA_EXT_QUOTA_TAKE;

        return nova_status_of(nova_trap_3(nova_hypercall_id(NOVA_EXTENSION, NOVA_EXT_QUOTA, pd),
                                          &operation, &bytes));
}

/**
 * Extension: reads the usage and the limit of the account that a PD uses.
 * @code
 * nova_word_t used, limit;
 *
 * if (nova_quota_query(pd, &used, &limit) == NOVA_SUCCESS)
 *         nova_printf(&console, "%zu of %zu bytes\n", (size_t)used, (size_t)limit);
 * @endcode
 * @param pd         PD capability
 * @param[out] used  bytes charged to the account, plus bytes given to its child accounts
 * @param[out] limit maximum of @p used in bytes
 * @retval NOVA_SUCCESS the outputs are valid
 * @retval NOVA_BAD_CAP @p pd names no PD
 * @retval NOVA_BAD_HYP the kernel does not have this extension
 * @par Who may call
 * Any thread whose PD holds @p pd.
 * @spec extension
 */
static inline enum nova_status nova_quota_query(nova_sel_t pd, nova_word_t *used,
                                                nova_word_t *limit)
{
        *used = NOVA_EXT_QUOTA_QUERY;
        return nova_status_of(
                nova_trap_3(nova_hypercall_id(NOVA_EXTENSION, NOVA_EXT_QUOTA, pd), used, limit));
}

#endif
