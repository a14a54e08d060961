/* SPDX-License-Identifier: BSD-2-Clause */
/* Layer 0: one function per hypercall, nothing but moves into registers and the trap. @spec 5
 *
 * Every function returns the kernel's status. Selectors name capabilities in the caller's PD, a
 * new object's capability goes to a selector that is null there. "Owner" is a capability for the
 * PD that pays for the object. Whatever needs kernel memory may return NOVA_OUT_OF_MEMORY (an
 * extension; HIP feature NOVA_HIP_OOM). */
#ifndef NOVA_HYPERCALL_H
#define NOVA_HYPERCALL_H

#include "nova/abi/crd.h"
#include "nova/abi/hypercall.h"
#include "nova/abi/mtd.h"
#include "nova/abi/qpd.h"
#include "nova/abi/status.h"
#include "nova/arch/trap.h"

/** @defgroup layer0 Layer 0: hypercalls
 *  @{ */

NOVA_STATIC_ASSERT(NOVA_REPLY_ID == NOVA_REPLY, "number of reply");

/** The status in the @p word that a hypercall left in its first argument register: bits 7..0.
 *  @spec 5.1 */
static inline enum nova_status nova_status_of(nova_word_t word)
{
        return (enum nova_status)(word & 0xff);
}

/**
 * Send the caller's UTCB through a portal and wait for the reply, which arrives in the same UTCB.
 *
 * Blocks until the reply. Any thread may call; not a virtual CPU.
 * @param portal selector of a portal whose EC is on the caller's CPU
 * @param flags  0 or an OR of NOVA_CALL_DB (do not wait for a busy callee), NOVA_CALL_DD (do not
 *               donate the scheduling context), NOVA_CALL_DL (extension: a cycle is DEADLOCK)
 * @retval NOVA_SUCCESS  the reply is in the UTCB
 * @retval NOVA_COM_TIM  the callee is busy and DB is set, is dead, or waits for the caller itself
 * @retval NOVA_COM_ABT  the callee died while it served the call
 * @retval NOVA_BAD_CAP  @p portal names no portal
 * @retval NOVA_BAD_CPU  the callee is on another CPU
 * @retval NOVA_DEADLOCK the callee waits for the caller itself, and DL is set
 * @spec 5.2.1
 */
static inline enum nova_status nova_call(nova_sel_t portal, nova_word_t flags)
{
        return nova_status_of(nova_trap_1(nova_hypercall_id(NOVA_CALL, flags, portal)));
}

/**
 * Send the UTCB to the caller, if there is one, and wait for the next request.
 *
 * Never returns: the next request enters at the portal's instruction pointer with the portal's
 * selector in the first argument register. A global thread sleeps for ever.
 * @param sp stack pointer with which the next request enters
 * @spec 5.2.2
 */
__attribute__((noreturn)) static inline void nova_reply(nova_word_t sp)
{
        nova_trap_reply(NOVA_REPLY_ID, sp);
}

/**
 * Create a protection domain.
 *
 * @param pd      selector for the new PD
 * @param owner   PD capability with NOVA_PD_PD; the new one gets its permissions
 * @param initial range of the caller's object capabilities to delegate; arrives at selector 0 on.
 *                0 for none
 * @retval NOVA_SUCCESS the PD exists
 * @retval NOVA_BAD_CAP @p pd is taken, or @p owner names no PD or lacks NOVA_PD_PD
 * @retval NOVA_OUT_OF_MEMORY no kernel memory is left
 * @spec 5.3.1
 */
static inline enum nova_status nova_create_pd(nova_sel_t pd, nova_sel_t owner, nova_crd_t initial)
{
        nova_word_t a2 = owner, a3 = initial;

        return nova_status_of(nova_trap_3(nova_hypercall_id(NOVA_CREATE_PD, 0, pd), &a2, &a3));
}

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
 * @spec extension
 */
static inline enum nova_status nova_create_pd_account(nova_sel_t pd, nova_sel_t owner,
                                                      nova_crd_t initial, nova_word_t bytes)
{
        return nova_status_of(nova_trap_4(nova_hypercall_id(NOVA_CREATE_PD, NOVA_PD_ACCOUNT, pd),
                                          owner, initial, bytes));
}

/**
 * Create an execution context: a thread, or with @p utcb 0 a virtual CPU.
 *
 * A local thread (no flag) serves portals on the time of its callers. A global thread runs on
 * scheduling contexts of its own and begins with a STARTUP event. Addresses are those of the PD
 * in which the EC runs, so they are words and not pointers.
 * @param ec         selector for the new EC
 * @param pd         PD capability with NOVA_PD_EC: where the EC runs
 * @param utcb       page-aligned address of its UTCB, free in that PD; 0 for a virtual CPU
 * @param cpu        number of the CPU on which it runs
 * @param sp         its first stack pointer
 * @param event_base its events go to portals at this selector + event number, in its own PD
 * @param flags      0 or NOVA_EC_GLOBAL
 * @retval NOVA_SUCCESS the EC exists
 * @retval NOVA_BAD_CAP @p ec is taken, or @p pd names no PD or lacks NOVA_PD_EC
 * @retval NOVA_BAD_PAR the UTCB's page is taken or is not a user address
 * @retval NOVA_BAD_FTR a virtual CPU is asked for and the machine has neither VMX nor SVM
 * @retval NOVA_BAD_CPU there is no such CPU
 * @retval NOVA_OUT_OF_MEMORY no kernel memory is left
 * @spec 5.3.2
 */
static inline enum nova_status nova_create_ec(nova_sel_t ec, nova_sel_t pd, nova_word_t utcb,
                                              nova_word_t cpu, nova_word_t sp,
                                              nova_sel_t event_base, nova_word_t flags)
{
        return nova_status_of(nova_trap_5(nova_hypercall_id(NOVA_CREATE_EC, flags, ec), pd,
                                          utcb | cpu, sp, event_base));
}

/**
 * Create a scheduling context, which makes a global thread or a virtual CPU run.
 *
 * @param sc    selector for the new SC
 * @param owner PD capability with NOVA_PD_SC
 * @param ec    EC capability with NOVA_EC_SC: a global thread or a virtual CPU
 * @param qpd   quantum (microseconds) and priority, as nova_qpd() makes it
 * @retval NOVA_SUCCESS the SC exists and is ready
 * @retval NOVA_BAD_CAP @p sc is taken; @p owner names no PD or lacks NOVA_PD_SC; @p ec names no
 *                      EC, lacks NOVA_EC_SC or is a local thread
 * @retval NOVA_BAD_PAR priority or quantum is 0
 * @retval NOVA_OUT_OF_MEMORY no kernel memory is left
 * @spec 5.3.3
 */
static inline enum nova_status nova_create_sc(nova_sel_t sc, nova_sel_t owner, nova_sel_t ec,
                                              nova_qpd_t qpd)
{
        return nova_status_of(
                nova_trap_4(nova_hypercall_id(NOVA_CREATE_SC, 0, sc), owner, ec, qpd));
}

/**
 * Create a portal to a local thread.
 *
 * @param pt    selector for the new portal; the handler is told this number
 * @param owner PD capability with NOVA_PD_PT
 * @param ec    EC capability with NOVA_EC_PT: a local thread
 * @param mtd   state that an event message through this portal carries
 * @param ip    address at which requests enter
 * @retval NOVA_SUCCESS the portal exists
 * @retval NOVA_BAD_CAP @p pt is taken; @p owner names no PD or lacks NOVA_PD_PT; @p ec names no
 *                      EC, lacks NOVA_EC_PT or is a global thread
 * @retval NOVA_OUT_OF_MEMORY no kernel memory is left
 * @spec 5.3.4
 */
static inline enum nova_status nova_create_pt(nova_sel_t pt, nova_sel_t owner, nova_sel_t ec,
                                              nova_mtd_t mtd, nova_word_t ip)
{
        return nova_status_of(
                nova_trap_5(nova_hypercall_id(NOVA_CREATE_PT, 0, pt), owner, ec, mtd, ip));
}

/**
 * Create a semaphore.
 *
 * @param sm    selector for the new semaphore
 * @param owner PD capability with NOVA_PD_SM
 * @param count initial value of the counter
 * @retval NOVA_SUCCESS the semaphore exists
 * @retval NOVA_BAD_CAP @p sm is taken, or @p owner names no PD or lacks NOVA_PD_SM
 * @retval NOVA_OUT_OF_MEMORY no kernel memory is left
 * @spec 5.3.5
 */
static inline enum nova_status nova_create_sm(nova_sel_t sm, nova_sel_t owner, nova_word_t count)
{
        nova_word_t a2 = owner, a3 = count;

        return nova_status_of(nova_trap_3(nova_hypercall_id(NOVA_CREATE_SM, 0, sm), &a2, &a3));
}

/**
 * Take the permissions of a range away from everybody who got them from the caller.
 *
 * Can take long, and is complete on every CPU when it returns.
 * @param crd   the range and the permissions to take
 * @param flags 0, or NOVA_REVOKE_SR to take them from the caller as well
 * @retval NOVA_SUCCESS always
 * @spec 5.3.6
 */
static inline enum nova_status nova_revoke(nova_crd_t crd, nova_word_t flags)
{
        nova_word_t a2 = crd;

        return nova_status_of(nova_trap_2(nova_hypercall_id(NOVA_REVOKE, flags, 0), &a2));
}

/**
 * Find out what the caller holds at a selector.
 *
 * @param[in,out] crd in: type and base; out: the whole range that holds it with its permissions,
 *                    or 0 if nothing is there
 * @retval NOVA_SUCCESS always
 * @spec 5.3.7
 */
static inline enum nova_status nova_lookup(nova_crd_t *crd)
{
        return nova_status_of(nova_trap_2(nova_hypercall_id(NOVA_LOOKUP, 0, 0), crd));
}

/**
 * Recall an EC: before it next runs in user or guest mode it sends a RECALL event.
 *
 * @param ec EC capability with NOVA_EC_CT
 * @retval NOVA_SUCCESS the event is pending; several recalls may become one event
 * @retval NOVA_BAD_CAP @p ec names no EC or lacks NOVA_EC_CT
 * @spec 5.4.1
 */
static inline enum nova_status nova_ec_ctrl(nova_sel_t ec)
{
        return nova_status_of(nova_trap_1(nova_hypercall_id(NOVA_EC_CTRL, 0, ec)));
}

/**
 * Read how long a scheduling context has run.
 *
 * @param sc            SC capability with NOVA_SC_CT
 * @param[out] time_us  consumed time in microseconds, as of the last switch away from it; 0 if
 *                      the hypercall fails
 * @retval NOVA_SUCCESS @p time_us is valid
 * @retval NOVA_BAD_CAP @p sc names no SC or lacks NOVA_SC_CT
 * @spec 5.4.2
 */
static inline enum nova_status nova_sc_ctrl(nova_sel_t sc, uint64_t *time_us)
{
        nova_word_t high = 0, low = 0;
        const nova_word_t word = nova_trap_3(nova_hypercall_id(NOVA_SC_CTRL, 0, sc), &high, &low);

        *time_us = (uint64_t)high << 32 | (uint32_t)low;
        return nova_status_of(word);
}

/**
 * Semaphore up: release the thread that has waited longest, or add one to the counter.
 *
 * @param sm semaphore capability with NOVA_SM_UP
 * @retval NOVA_SUCCESS done
 * @retval NOVA_BAD_CAP @p sm names no semaphore or lacks NOVA_SM_UP
 * @spec 5.4.3
 */
static inline enum nova_status nova_sm_up(nova_sel_t sm)
{
        return nova_status_of(nova_trap_1(nova_hypercall_id(NOVA_SM_CTRL, NOVA_SM_UP_OP, sm)));
}

/**
 * Semaphore down: take one off the counter, or wait while it is 0.
 *
 * On an interrupt semaphore it also lets the interrupt in again.
 * @param sm semaphore capability with NOVA_SM_DN
 * @retval NOVA_SUCCESS done
 * @retval NOVA_BAD_CAP @p sm names no semaphore or lacks NOVA_SM_DN, or it died meanwhile
 * @spec 5.4.3
 */
static inline enum nova_status nova_sm_down(nova_sel_t sm)
{
        return nova_status_of(nova_trap_1(nova_hypercall_id(NOVA_SM_CTRL, NOVA_SM_DN_OP, sm)));
}

/**
 * Semaphore down to zero: as nova_sm_down(), but a counter above 0 becomes 0.
 *
 * @param sm semaphore capability with NOVA_SM_DN
 * @retval NOVA_SUCCESS done
 * @retval NOVA_BAD_CAP @p sm names no semaphore or lacks NOVA_SM_DN, or it died meanwhile
 * @spec 5.4.3
 */
static inline enum nova_status nova_sm_zero(nova_sel_t sm)
{
        return nova_status_of(
                nova_trap_1(nova_hypercall_id(NOVA_SM_CTRL, NOVA_SM_DN_OP | NOVA_SM_ZC, sm)));
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
 * Let a PCI device reach the memory of a PD.
 *
 * @param pd     PD capability
 * @param device the device's memory-mapped configuration space in the caller's PD
 * @param rid    requester id that the device uses (bus, device, function)
 * @retval NOVA_SUCCESS the device is assigned
 * @retval NOVA_BAD_CAP @p pd names no PD
 * @retval NOVA_BAD_DEV @p device or @p rid names no PCI device, or there is no I/O MMU
 * @spec 5.5.1
 */
static inline enum nova_status nova_assign_pci(nova_sel_t pd, nova_word_t device, nova_word_t rid)
{
        nova_word_t a2 = device, a3 = rid;

        return nova_status_of(nova_trap_3(nova_hypercall_id(NOVA_ASSIGN_PCI, 0, pd), &a2, &a3));
}

/**
 * Route a global system interrupt to a CPU; it then ups its interrupt semaphore there.
 *
 * A pin is unmasked, too, unless its level-triggered interrupt is being served: then the next down
 * does that. For a message the device's own registers have to be programmed with the results; after
 * another assign_gsi, for another CPU, anew.
 *
 * @param sm               interrupt semaphore capability
 * @param device           for a GSI that is no I/O APIC pin, who sends the message, in the caller's
 *                         PD: an address inside the configuration space of a PCI function, or that
 *                         of the first register of an HPET; or the number of that page. Ignored for
 *                         pins
 * @param cpu              number of the CPU
 * @param[out] msi_address what to write into the device's MSI address register, 0 for a pin
 * @param[out] msi_data    what to write into its data register, 0 for a pin
 * @retval NOVA_SUCCESS the interrupt is routed
 * @retval NOVA_BAD_CPU there is no such CPU, or no interrupt of a device can reach it
 * @retval NOVA_BAD_CAP @p sm names no interrupt semaphore
 * @retval NOVA_BAD_DEV the interrupt is no I/O APIC pin and @p device is no PCI device or HPET
 * @spec 5.5.2
 */
static inline enum nova_status nova_assign_gsi(nova_sel_t sm, nova_word_t device, nova_word_t cpu,
                                               uint32_t *msi_address, uint32_t *msi_data)
{
        nova_word_t a2 = device, a3 = cpu;
        const nova_word_t word = nova_trap_3(nova_hypercall_id(NOVA_ASSIGN_GSI, 0, sm), &a2, &a3);

        *msi_address = (uint32_t)a2;
        *msi_data = (uint32_t)a3;
        return nova_status_of(word);
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
 * Of a thread whose name the root PD gave the kernel says when it is shut down by an event. Needs
 * the HIP feature NOVA_HIP_NAME.
 * @param object capability with all five permissions for a PD, EC, portal or semaphore
 * @param name   NOVA_NAME_SIZE bytes, the rest filled with 0
 * @retval NOVA_SUCCESS done
 * @retval NOVA_BAD_CAP @p object names no such object or lacks a permission
 * @spec extension
 */
static inline enum nova_status nova_name_set(nova_sel_t object, const char name[NOVA_NAME_SIZE])
{
        nova_word_t word[2] = {0, 0};

        for (unsigned i = 0; i < NOVA_NAME_SIZE; i++)
                ((char *)word)[i] = name[i];
        return nova_status_of(
                nova_trap_4(nova_hypercall_id(NOVA_EXTENSION, NOVA_EXT_OBJECT, object),
                            NOVA_EXT_NAME_SET, word[0], word[1]));
}

/**
 * Extension: read an object's name.
 *
 * @param object    capability for a PD, EC, portal or semaphore
 * @param[out] name its name, not ended by a 0 if it has NOVA_NAME_SIZE bytes
 * @retval NOVA_SUCCESS @p name is valid
 * @retval NOVA_BAD_CAP @p object names no such object
 * @spec extension
 */
static inline enum nova_status nova_name_get(nova_sel_t object, char name[NOVA_NAME_SIZE])
{
        nova_word_t word[2] = {NOVA_EXT_NAME_GET, 0};
        const nova_word_t status = nova_trap_3(
                nova_hypercall_id(NOVA_EXTENSION, NOVA_EXT_OBJECT, object), &word[0], &word[1]);

        for (unsigned i = 0; i < NOVA_NAME_SIZE; i++)
                name[i] = ((const char *)word)[i];
        return nova_status_of(status);
}

/**
 * Extension: end the calling thread, as if its EC were destroyed.
 *
 * Who waits for its reply gets COM_ABT; its UTCB's address is free. Returns only if the kernel does
 * not have the extension (HIP feature NOVA_HIP_EXIT), with NOVA_BAD_HYP.
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
 * @retval NOVA_BAD_PAR @p base is no user address (x86-64)
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
 * @retval NOVA_BAD_FTR ACPI does not tell how to switch the machine off
 * @retval NOVA_BAD_HYP the kernel does not have this extension or operation
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
