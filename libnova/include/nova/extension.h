/* SPDX-License-Identifier: BSD-2-Clause */
/* Layer 0 of the extensions: hypercalls and flags that the interface of 2012 lacks. Each needs a
 * feature of the HIP; a kernel without it answers NOVA_BAD_HYP, or ignores a flag. */
#ifndef NOVA_EXTENSION_H
#define NOVA_EXTENSION_H

#include "nova/hypercall.h"

/** @addtogroup layer0
 *  @{ */

/**
 * Extension: create a protection domain with an account of its own.
 *
 * What it pays for, tables of its spaces and objects that name it as owner, comes out of its
 * account and of no other. The account's limit counts as used in the owner's account. Needs the HIP
 * feature NOVA_HIP_QUOTA; a kernel without it makes a PD without an account.
 * @param pd, owner, initial as for nova_create_pd()
 * @param bytes limit of the new account, the account itself included
 * @retval NOVA_SUCCESS the PD exists
 * @retval NOVA_BAD_CAP @p pd is taken, or @p owner names no PD or lacks NOVA_PD_PD
 * @retval NOVA_BAD_PAR @p bytes is too little for the account itself
 * @retval NOVA_OUT_OF_MEMORY the owner's account has not so much left, or is 64 accounts deep; or
 *                      @p bytes is too little for @p initial
 * @par Who may call
 * Any thread whose PD holds @p owner with NOVA_PD_PD.
 * @spec extension
 */
static inline enum nova_status nova_create_pd_account(nova_sel_t pd, nova_sel_t owner,
                                                      nova_crd_t initial, nova_word_t bytes)
{
        return nova_status_of(nova_trap_4(nova_hypercall_id(NOVA_CREATE_PD, NOVA_PD_ACCOUNT, pd),
                                          owner, initial, bytes));
}

/**
 * Extension: semaphore down that waits until a moment only.
 *
 * A counter above 0 is taken whatever the moment; a moment that has passed, such as 0, never waits.
 * Needs the HIP feature NOVA_HIP_TIMEOUT.
 * @param sm       semaphore capability with NOVA_SM_DN
 * @param flags    0, or NOVA_SM_ZC: a counter above 0 becomes 0
 * @param deadline value of the TSC of the caller's CPU
 * @retval NOVA_SUCCESS done
 * @retval NOVA_COM_TIM the counter was 0 until the deadline
 * @retval NOVA_BAD_CAP @p sm names no semaphore or lacks NOVA_SM_DN, or it died meanwhile
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
 * Extension: end a PD with all its ECs, empty its spaces and free its memory.
 *
 * Callers of its ECs get COM_ABT; capabilities for it act as null from then on. Needs the HIP
 * feature NOVA_HIP_DESTROY.
 * @param pd PD capability with all five permissions
 * @retval NOVA_SUCCESS the PD is gone
 * @retval NOVA_BAD_CAP @p pd names no PD or lacks a permission
 * @retval NOVA_BAD_HYP the kernel does not have this extension
 * @par Who may call
 * Any thread whose PD holds @p pd with all permissions; for its own PD it does not return.
 * @spec extension
 */
static inline enum nova_status nova_pd_destroy(nova_sel_t pd)
{
        nova_word_t operation = NOVA_EXT_PD_DESTROY;

        return nova_status_of(
                nova_trap_2(nova_hypercall_id(NOVA_EXTENSION, NOVA_EXT_OBJECT, pd), &operation));
}

/**
 * Extension: give an object a name, which the kernel shows when it speaks of it.
 *
 * A PD is named once, and the PDs that its threads create afterwards have its name: so a name that
 * a parent gave says whose child somebody is, whatever that child holds. Of a thread whose name the
 * root PD gave the kernel says when it is shut down by an event. Needs the HIP feature
 * NOVA_HIP_NAME.
 * @param object capability with all five permissions for a PD, EC, portal or semaphore
 * @param name   NOVA_NAME_SIZE bytes, the rest filled with 0
 * @retval NOVA_SUCCESS done
 * @retval NOVA_BAD_CAP @p object names no such object or lacks a permission
 * @retval NOVA_BAD_PAR @p object is a PD that has a name
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
 * Extension: read an object's name.
 *
 * @param object    capability for a PD, EC, portal or semaphore
 * @param[out] name its name, not ended by a 0 if it has NOVA_NAME_SIZE bytes
 * @retval NOVA_SUCCESS @p name is valid
 * @retval NOVA_BAD_CAP @p object names no such object
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
 * Extension: lower the limit of what threads of a PD may ask of the kernel.
 *
 * The limit becomes what is in the old one and in the new one, so it never rises. From then on,
 * whatever capabilities the PD holds, its threads cannot create SCs of a higher priority
 * (NOVA_BAD_PAR) or with a longer quantum (which is cut), nor ECs, SCs or routes of interrupts on
 * other CPUs (NOVA_BAD_CPU). What exists stays as it is, and what others do for the PD is theirs. A
 * new PD begins with the limit of the PD whose thread creates it; the root PD has none. Needs the
 * HIP feature NOVA_HIP_LIMIT.
 * @code
 * nova_create_pd(pd, NOVA_SEL_ROOT_PD, 0);
 * nova_pd_limit(pd, nova_qpd(10000, 20), 0x1); // 10 ms, priority 20, CPU 0
 * @endcode
 * @param pd       PD capability with all five permissions
 * @param qpd      the greatest priority, 0: no SC at all; and the longest quantum, 0: as before. A
 *                 priority alone is such a descriptor, too
 * @param cpus     bit n: CPU n
 * @retval NOVA_SUCCESS done
 * @retval NOVA_BAD_CAP @p pd names no PD or lacks a permission
 * @retval NOVA_BAD_HYP the kernel does not have this extension
 * @par Who may call
 * Any thread whose PD holds @p pd with all permissions, also for its own PD.
 * @spec extension
 */
static inline enum nova_status nova_pd_limit(nova_sel_t pd, nova_qpd_t qpd, uint64_t cpus)
{
        return nova_status_of(nova_trap_5(nova_hypercall_id(NOVA_EXTENSION, NOVA_EXT_OBJECT, pd),
                                          NOVA_EXT_PD_LIMIT, qpd, (uint32_t)cpus,
                                          (nova_word_t)(cpus >> 32)));
}

/**
 * Extension: limit what a message to a thread may cost the thread's PD.
 *
 * Who receives a delegation pays for its records and tables. From then on a message to the EC, a
 * call or the reply to its own call, takes no more than the limit from the account of its PD. An
 * item that would is null, and what it had taken is given back; the items after it may use what is
 * left. The limit may be set again. The answer to an event has none. Needs the HIP feature
 * NOVA_HIP_RECEIVE.
 * @param ec    EC capability with all five permissions
 * @param bytes of kernel memory; NOVA_EC_RECEIVE_ALL, as at first, or 4 GiB less
 *              a byte: as much as a message takes
 * @retval NOVA_SUCCESS done
 * @retval NOVA_BAD_CAP @p ec names no EC or lacks a permission
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
 * Extension: end the calling thread, as if its EC were destroyed.
 *
 * Who waits for its reply gets COM_ABT; its UTCB's address is free. Returns only if the kernel does
 * not have the extension (HIP feature NOVA_HIP_EXIT), with NOVA_BAD_HYP.
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
 * Extension: set the calling thread's storage base: FS base on x86-64, base of GS on x86-32.
 *
 * On x86-32 GS then is a selector of the kernel's choice while the thread runs. Needs the HIP
 * feature NOVA_HIP_TLS.
 * @param base the address; 0: none
 * @retval NOVA_SUCCESS the base is loaded, and is whenever the thread runs
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
 * Extension: reset the machine, or switch it off. Needs the HIP feature NOVA_HIP_MACHINE.
 *
 * @param operation NOVA_EXT_MACHINE_RESET or NOVA_EXT_MACHINE_OFF
 * @retval NOVA_BAD_CAP the caller is not in the root PD
 * @retval NOVA_BAD_FTR ACPI does not say how to switch the machine off
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
 * Extension: move kernel memory to a PD's account from the one that it was cut from.
 *
 * @param pd    PD capability with all five permissions, of a PD with an account of its own
 * @param payer PD capability with NOVA_PD_PD, of a PD that uses the account that pays
 * @param bytes how much
 * @retval NOVA_SUCCESS the limits have changed
 * @retval NOVA_BAD_CAP @p pd or @p payer names no PD or lacks a permission, or @p payer uses
 * another account than the one that @p pd's was cut from
 * @retval NOVA_BAD_PAR @p pd has no account of its own
 * @retval NOVA_OUT_OF_MEMORY the payer's account has not so much left
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
 * Extension: move unused kernel memory from a PD's account back to the one that it was cut from.
 *
 * @param pd    PD capability with all five permissions, of a PD with an account of its own
 * @param bytes how much
 * @retval NOVA_SUCCESS the limits have changed
 * @retval NOVA_BAD_CAP @p pd names no PD or lacks a permission
 * @retval NOVA_BAD_PAR @p pd has no account of its own
 * @retval NOVA_OUT_OF_MEMORY not so much is unused
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
 * Extension: what the account that a PD uses has, in bytes.
 *
 * @param pd         PD capability
 * @param[out] used  charged or given on
 * @param[out] limit how much can be
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

/** @} */

#endif
