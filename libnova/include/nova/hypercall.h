/* SPDX-License-Identifier: BSD-2-Clause */
/* Layer 0: one function per hypercall, which only loads registers and traps (spec 5). The functions
 * of extensions are in nova/extension.h, which this header includes.
 *
 * Every function returns the kernel's status. Selectors name capabilities in the caller's PD. The
 * selector for a new object must be null. The parameter "owner" names a capability for the PD that
 * pays for the object. Every hypercall that needs kernel memory may return NOVA_OUT_OF_MEMORY (an
 * extension; HIP feature NOVA_HIP_OOM). */
#ifndef NOVA_HYPERCALL_H
#define NOVA_HYPERCALL_H

#include "nova/abi/crd.h"
#include "nova/abi/hypercall.h"
#include "nova/abi/mtd.h"
#include "nova/abi/qpd.h"
#include "nova/abi/status.h"
#include "nova/arch/trap.h"
#include "nova/crd.h"

NOVA_STATIC_ASSERT(NOVA_REPLY_ID == NOVA_REPLY, "number of reply");

/** Returns the status in the @p word that a hypercall left in its first argument register: bits
 * 7..0.
 *  @spec 5.1 */
static inline enum nova_status nova_status_of(nova_word_t word)
{
        return (enum nova_status)(word & 0xff);
}

/**
 * Sends the caller's UTCB through a portal and waits for the reply, which arrives in the same UTCB.
 *
 * Blocks until the reply.
 * @code
 * nova_utcb_clear(utcb);
 * nova_utcb_put(utcb, 7);
 * status = nova_call(pt, 0);
 * if (status == NOVA_SUCCESS)
 *         nova_printf(&console, "reply: %zu words\n", (size_t)nova_utcb_word_count(utcb));
 * @endcode
 * @param portal selector of a portal whose EC is on the caller's CPU
 * @param flags  0 or an OR of NOVA_CALL_DB (do not wait for a busy callee), NOVA_CALL_DD (do not
 *               donate the scheduling context), NOVA_CALL_DL (extension: return NOVA_DEADLOCK if
 *               the callee waits for the caller)
 * @retval NOVA_SUCCESS  the reply is in the UTCB
 * @retval NOVA_COM_TIM  the callee has ended; or it is busy and DB is set; or it waits for the
 *                       caller, and DL is not set
 * @retval NOVA_COM_ABT  the callee ended while it served the call
 * @retval NOVA_BAD_CAP  @p portal is not a portal
 * @retval NOVA_BAD_CPU  the callee is on another CPU
 * @retval NOVA_DEADLOCK the callee waits for the caller, and DL is set
 * @par Who may call
 * Any thread, for a portal that its PD holds; no permission is needed. Not virtual CPUs.
 * @spec 5.2.1
 */
static inline enum nova_status nova_call(nova_sel_t portal, nova_word_t flags)
{
        return nova_status_of(nova_trap_1(nova_hypercall_id(NOVA_CALL, flags, portal)));
}

/**
 * Sends the UTCB to the caller, if there is one, and waits for the next request.
 *
 * Never returns: the next request enters at the portal's instruction pointer with the portal's
 * selector in the first argument register.
 * @param sp stack pointer with which the next request enters
 * @par Who may call
 * Local threads. A global thread that replies sleeps for ever, as do its SCs.
 * @spec 5.2.2
 */
__attribute__((noreturn)) static inline void nova_reply(nova_word_t sp)
{
        nova_trap_reply(NOVA_REPLY_ID, sp);
}

/**
 * Creates a protection domain.
 * @code
 * // The child's selectors 0 to 63 receive the caller's base to base + 63.
 * const nova_sel_t base = nova_root_sel_order(&root, 6);
 *
 * status = nova_create_pd(pd, NOVA_SEL_ROOT_PD, nova_crd_obj(base, 6, NOVA_PERM_ALL));
 * @endcode
 * @param pd      selector for the new PD
 * @param owner   PD capability with NOVA_PD_PD; the capability for the new PD gets this
 *                capability's permissions
 * @param initial range of the caller's object capabilities to delegate to selectors 0 and above of
 *                the new PD; 0 for none. The base must be a multiple of the size (see
 *                nova_root_sel_order()), because the kernel rounds it down; nova_crd_check() checks
 *                it
 * @retval NOVA_SUCCESS the PD exists
 * @retval NOVA_BAD_CAP @p pd is not null, or @p owner is not a PD or lacks NOVA_PD_PD
 * @retval NOVA_OUT_OF_MEMORY no kernel memory is left
 * @par Who may call
 * Any thread whose PD holds @p owner with NOVA_PD_PD.
 * @spec 5.3.1
 */
static inline enum nova_status nova_create_pd(nova_sel_t pd, nova_sel_t owner, nova_crd_t initial)
{
        nova_word_t a2 = owner, a3 = initial;

        nova_crd_check(initial); /* the PD would get the wrong capabilities */
        return nova_status_of(nova_trap_3(nova_hypercall_id(NOVA_CREATE_PD, 0, pd), &a2, &a3));
}

/**
 * Creates an execution context: a thread, or a virtual CPU if @p utcb is 0.
 *
 * A local thread (no flag) serves portals on the time of its callers. A global thread runs on
 * scheduling contexts of its own and begins with a STARTUP event. All addresses are addresses in
 * the PD in which the EC runs, so they are words and not pointers.
 * @code
 * static unsigned char stack[4096];
 * void serve(nova_sel_t portal, struct nova_utcb *message, void *argument);
 *
 * const nova_word_t page = nova_root_utcb(&root);
 * const nova_word_t sp =
 *         nova_portal_stack(stack, sizeof(stack), serve, (struct nova_utcb *)page, NULL);
 *
 * status = nova_create_ec(ec, NOVA_SEL_ROOT_PD, page, cpu, sp, 0, 0);
 * @endcode
 * @param ec         selector for the new EC
 * @param pd         PD capability with NOVA_PD_EC: the PD in which the EC runs
 * @param utcb       page-aligned address for the UTCB, free in that PD; 0 for a virtual CPU
 * @param cpu        number of the CPU on which the EC runs
 * @param sp         initial stack pointer
 * @param event_base first selector of the event portals in that PD: event n goes to event_base + n
 * @param flags      for a thread: 0 or NOVA_EC_GLOBAL; for a virtual CPU: 0 or NOVA_EC_TSC
 *                   (extension, HIP feature NOVA_HIP_TSC)
 * @retval NOVA_SUCCESS the EC exists
 * @retval NOVA_BAD_CAP @p ec is not null, or @p pd is not a PD or lacks NOVA_PD_EC
 * @retval NOVA_BAD_PAR the page at @p utcb is taken or is not at a user address
 * @retval NOVA_BAD_FTR @p utcb is 0, and the HIP announces neither NOVA_HIP_VMX nor NOVA_HIP_SVM
 * @retval NOVA_BAD_CPU there is no such CPU, or the CPU is outside the caller's limit
 *                      (nova_pd_limit())
 * @retval NOVA_OUT_OF_MEMORY no kernel memory is left
 * @par Who may call
 * Any thread whose PD holds @p pd with NOVA_PD_EC.
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
 * Creates a scheduling context, which makes a global thread or a virtual CPU run. If its priority
 * is above the caller's, the new thread runs at once, before this function returns. A roottask's
 * first thread has priority 1.
 * @code
 * // The root EC has priority 1, too, so it continues until its quantum ends.
 * status = nova_create_sc(sc, NOVA_SEL_ROOT_PD, ec, nova_qpd(10000, 1));
 * @endcode
 * @param sc    selector for the new SC
 * @param owner PD capability with NOVA_PD_SC
 * @param ec    EC capability with NOVA_EC_SC: a global thread or a virtual CPU
 * @param qpd   quantum (microseconds) and priority, as nova_qpd() makes it
 * @retval NOVA_SUCCESS the SC exists and is ready
 * @retval NOVA_BAD_CAP @p sc is not null; @p owner is not a PD or lacks NOVA_PD_SC; @p ec is not an
 *                      EC, lacks NOVA_EC_SC or is a local thread
 * @retval NOVA_BAD_PAR priority or quantum is 0, or the priority is above the caller's limit
 *                      (nova_pd_limit())
 * @retval NOVA_BAD_CPU the CPU of @p ec is outside the caller's limit (nova_pd_limit())
 * @retval NOVA_OUT_OF_MEMORY no kernel memory is left
 * @par Who may call
 * Any thread whose PD holds @p owner with NOVA_PD_SC and @p ec with NOVA_EC_SC.
 * @spec 5.3.3
 */
static inline enum nova_status nova_create_sc(nova_sel_t sc, nova_sel_t owner, nova_sel_t ec,
                                              nova_qpd_t qpd)
{
        return nova_status_of(
                nova_trap_4(nova_hypercall_id(NOVA_CREATE_SC, 0, sc), owner, ec, qpd));
}

/**
 * Creates a portal to a local thread.
 * @code
 * // A portal for calls, and one for the page faults of threads with event base 512.
 * status = nova_create_pt(pt, NOVA_SEL_ROOT_PD, ec, 0, NOVA_ADDRESS(nova_portal_entry));
 * if (status == NOVA_SUCCESS)
 *         status = nova_create_pt(nova_event_sel(512, NOVA_EXC_PF), NOVA_SEL_ROOT_PD, ec,
 *                                 NOVA_MTD_EIP | NOVA_MTD_QUAL, NOVA_ADDRESS(nova_portal_entry));
 * @endcode
 * @param pt    selector for the new portal; the handler receives this number
 * @param owner PD capability with NOVA_PD_PT
 * @param ec    EC capability with NOVA_EC_PT: a local thread
 * @param mtd   groups of state that event messages through this portal carry
 * @param ip    address at which requests enter
 * @retval NOVA_SUCCESS the portal exists
 * @retval NOVA_BAD_CAP @p pt is not null; @p owner is not a PD or lacks NOVA_PD_PT; @p ec is not an
 *                      EC, lacks NOVA_EC_PT or is not a local thread
 * @retval NOVA_OUT_OF_MEMORY no kernel memory is left
 * @par Who may call
 * Any thread whose PD holds @p owner with NOVA_PD_PT and @p ec with NOVA_EC_PT.
 * @spec 5.3.4
 */
static inline enum nova_status nova_create_pt(nova_sel_t pt, nova_sel_t owner, nova_sel_t ec,
                                              nova_mtd_t mtd, nova_word_t ip)
{
        return nova_status_of(
                nova_trap_5(nova_hypercall_id(NOVA_CREATE_PT, 0, pt), owner, ec, mtd, ip));
}

/**
 * Creates a semaphore.
 * @code
 * // One thread waits for another with a semaphore whose counter begins with 0.
 * if (nova_create_sm(sm, NOVA_SEL_ROOT_PD, 0) == NOVA_SUCCESS) {
 *         nova_sm_up(sm);   // in one thread
 *         nova_sm_down(sm); // in the other
 * }
 * @endcode
 * @param sm    selector for the new semaphore
 * @param owner PD capability with NOVA_PD_SM
 * @param count initial value of the counter
 * @retval NOVA_SUCCESS the semaphore exists
 * @retval NOVA_BAD_CAP @p sm is not null, or @p owner is not a PD or lacks NOVA_PD_SM
 * @retval NOVA_OUT_OF_MEMORY no kernel memory is left
 * @par Who may call
 * Any thread whose PD holds @p owner with NOVA_PD_SM.
 * @spec 5.3.5
 */
static inline enum nova_status nova_create_sm(nova_sel_t sm, nova_sel_t owner, nova_word_t count)
{
        nova_word_t a2 = owner, a3 = count;

        return nova_status_of(nova_trap_3(nova_hypercall_id(NOVA_CREATE_SM, 0, sm), &a2, &a3));
}

/**
 * Revokes permissions on a range from all PDs that got them, directly or indirectly, from the
 * caller's PD.
 *
 * May take long. When it returns, the revocation is complete on every CPU.
 * @code
 * // Takes a page back from all PDs that got it from this PD, which keeps it.
 * nova_revoke(nova_crd_mem(0x40000000 >> NOVA_PAGE_BITS, 0, NOVA_MEM_RWX), 0);
 * // Destroys a semaphore: revokes its capability from this PD, too.
 * nova_revoke(nova_crd_obj(sm, 0, NOVA_PERM_ALL), NOVA_REVOKE_SR);
 * @endcode
 * @param crd   the range and the permissions to revoke
 * @param flags 0, or NOVA_REVOKE_SR to revoke the permissions from the caller's PD, too
 * @retval NOVA_SUCCESS always
 * @par Who may call
 * Any thread, for capabilities that its PD holds or has delegated.
 * @spec 5.3.6
 */
static inline enum nova_status nova_revoke(nova_crd_t crd, nova_word_t flags)
{
        nova_word_t a2 = crd;

        return nova_status_of(nova_trap_2(nova_hypercall_id(NOVA_REVOKE, flags, 0), &a2));
}

/**
 * Looks up the capability range that the caller's PD holds at a selector.
 * @code
 * nova_crd_t crd = nova_crd_obj(sm, 0, 0);
 *
 * nova_lookup(&crd);
 * if (nova_crd_type(crd) == NOVA_CRD_NULL)
 *         nova_printf(&console, "nothing is there\n");
 * @endcode
 * @param[in,out] crd in: type and base; out: the largest aligned range around the selector that was
 *                    delegated as a whole, with its permissions, or 0 if the selector is null
 * @retval NOVA_SUCCESS always
 * @par Who may call
 * Any thread, for its own PD.
 * @spec 5.3.7
 */
static inline enum nova_status nova_lookup(nova_crd_t *crd)
{
        return nova_status_of(nova_trap_2(nova_hypercall_id(NOVA_LOOKUP, 0, 0), crd));
}

/**
 * Recalls an EC: the EC sends a RECALL event before it next runs in user or guest mode.
 * @code
 * // The handler of RECALL, at event base + NOVA_EXC_RECALL, gets all registers of the thread.
 * if (nova_ec_ctrl(ec) != NOVA_SUCCESS)
 *         nova_printf(&console, "no EC\n");
 * @endcode
 * @param ec EC capability with NOVA_EC_CT
 * @retval NOVA_SUCCESS the event is pending; several recalls may become one event
 * @retval NOVA_BAD_CAP @p ec is not an EC or lacks NOVA_EC_CT
 * @par Who may call
 * Any thread whose PD holds @p ec with NOVA_EC_CT, from any CPU.
 * @spec 5.4.1
 */
static inline enum nova_status nova_ec_ctrl(nova_sel_t ec)
{
        return nova_status_of(nova_trap_1(nova_hypercall_id(NOVA_EC_CTRL, 0, ec)));
}

/**
 * Reads the time that a scheduling context has consumed.
 * @code
 * uint64_t used;
 *
 * if (nova_sc_ctrl(sc, &used) == NOVA_SUCCESS)
 *         nova_printf(&console, "%llu us\n", (unsigned long long)used);
 * @endcode
 * @param sc            SC capability with NOVA_SC_CT
 * @param[out] time_us  consumed time in microseconds, including the present run if the SC is
 *                      running; 0 if the hypercall fails
 * @retval NOVA_SUCCESS @p time_us is valid
 * @retval NOVA_BAD_CAP @p sc is not an SC or lacks NOVA_SC_CT
 * @par Who may call
 * Any thread whose PD holds @p sc with NOVA_SC_CT, from any CPU.
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
 * Does an up on a semaphore: releases the thread that has waited longest, or increments the
 * counter.
 * @code
 * // Wakes the thread that waits in nova_sm_down(sm), on whatever CPU it runs.
 * nova_sm_up(sm);
 * @endcode
 * @param sm semaphore capability with NOVA_SM_UP
 * @retval NOVA_SUCCESS done
 * @retval NOVA_BAD_CAP @p sm is not a semaphore or lacks NOVA_SM_UP
 * @par Who may call
 * Any thread whose PD holds @p sm with NOVA_SM_UP, from any CPU.
 * @spec 5.4.3
 */
static inline enum nova_status nova_sm_up(nova_sel_t sm)
{
        return nova_status_of(nova_trap_1(nova_hypercall_id(NOVA_SM_CTRL, NOVA_SM_UP_OP, sm)));
}

/**
 * Does a down of a semaphore: decrements the counter, or waits while it is 0.
 *
 * On an interrupt semaphore it also unmasks the interrupt.
 * @code
 * // A driver waits for interrupts; each down unmasks the next one.
 * while (nova_sm_down(sm) == NOVA_SUCCESS)
 *         nova_printf(&console, "interrupt\n");
 * @endcode
 * @param sm semaphore capability with NOVA_SM_DN
 * @retval NOVA_SUCCESS done
 * @retval NOVA_BAD_CAP @p sm is not a semaphore or lacks NOVA_SM_DN, or it was destroyed meanwhile
 * @par Who may call
 * Any thread whose PD holds @p sm with NOVA_SM_DN, from any CPU. May block.
 * @spec 5.4.3
 */
static inline enum nova_status nova_sm_down(nova_sel_t sm)
{
        return nova_status_of(nova_trap_1(nova_hypercall_id(NOVA_SM_CTRL, NOVA_SM_DN_OP, sm)));
}

/**
 * Does a down to zero of a semaphore: like nova_sm_down(), but a counter above 0 becomes 0.
 * @code
 * // Waits for any number of ups, and consumes all of them.
 * while (nova_sm_zero(sm) == NOVA_SUCCESS)
 *         nova_printf(&console, "something has changed\n");
 * @endcode
 * @param sm semaphore capability with NOVA_SM_DN
 * @retval NOVA_SUCCESS done
 * @retval NOVA_BAD_CAP @p sm is not a semaphore or lacks NOVA_SM_DN, or it was destroyed meanwhile
 * @par Who may call
 * Any thread whose PD holds @p sm with NOVA_SM_DN, from any CPU. May block.
 * @spec 5.4.3
 */
static inline enum nova_status nova_sm_zero(nova_sel_t sm)
{
        return nova_status_of(
                nova_trap_1(nova_hypercall_id(NOVA_SM_CTRL, NOVA_SM_DN_OP | NOVA_SM_ZC, sm)));
}

/**
 * Lets a PCI device reach the memory of a PD.
 *
 * The PD to which the device was assigned before loses it. After the device is assigned to another
 * PD, or its PD is destroyed, the kernel drops the device's messages until nova_assign_gsi() routes
 * them again.
 * @code
 * // Device 4 on bus 0; config is the address of its configuration space.
 * void *config = nova_root_map(&root, 0xb0020000, 4096, NOVA_MEM_R | NOVA_MEM_W);
 *
 * if (config)
 *         status = nova_assign_pci(pd, (nova_word_t)config, 4 << 3);
 * @endcode
 * @param pd     PD capability
 * @param device the device's memory-mapped configuration space in the caller's PD
 * @param rid    requester id that the device uses (bus, device, function)
 * @retval NOVA_SUCCESS the device is assigned
 * @retval NOVA_BAD_CAP @p pd is not a PD, or it is ending
 * @retval NOVA_BAD_DEV @p device or @p rid is not a PCI device, or no I/O MMU can block the device
 * @retval NOVA_OUT_OF_MEMORY no kernel memory is left, or too many devices or PDs with devices
 *                            exist
 * @par Who may call
 * Any thread whose PD holds @p pd and has the device mapped.
 * @spec 5.5.1
 */
static inline enum nova_status nova_assign_pci(nova_sel_t pd, nova_word_t device, nova_word_t rid)
{
        nova_word_t a2 = device, a3 = rid;

        return nova_status_of(nova_trap_3(nova_hypercall_id(NOVA_ASSIGN_PCI, 0, pd), &a2, &a3));
}

/**
 * Routes a global system interrupt to a CPU. Each interrupt then does an up on its interrupt
 * semaphore.
 *
 * If the interrupt is an I/O APIC pin, the call also unmasks the pin. A pin whose level-triggered
 * interrupt is being served stays masked until the next down. If the interrupt is a message, the
 * caller must write the results into the device's registers, and must do so again after each call
 * that selects another CPU.
 * @code
 * // The keyboard's interrupt, pin 1: the kernel owns the semaphores of all interrupts.
 * const nova_crd_t interrupt = nova_crd_obj(NOVA_SEL_GSI_SM + 1, 0, NOVA_PERM_ALL);
 * uint32_t address, data;
 *
 * if (nova_root_delegate(&root, interrupt, sm, NOVA_ITEM_H))
 *         status = nova_assign_gsi(sm, 0, cpu, &address, &data);
 * @endcode
 * @param sm               interrupt semaphore capability
 * @param device           for a GSI that is not an I/O APIC pin: an address in the caller's PD that
 *                         names the device which sends the message, or the number of the page with
 *                         that address. The address lies in the configuration space of a PCI
 *                         function, or is the address of an HPET's first register. Ignored for pins
 * @param cpu              number of the CPU
 * @param[out] msi_address value for the device's MSI address register, 0 for a pin
 * @param[out] msi_data    value for the device's MSI data register, 0 for a pin
 * @retval NOVA_SUCCESS the interrupt is routed
 * @retval NOVA_BAD_CPU there is no such CPU, device interrupts cannot reach the CPU, or the CPU is
 *                      outside the caller's limit (nova_pd_limit())
 * @retval NOVA_BAD_CAP @p sm is not an interrupt semaphore
 * @retval NOVA_BAD_DEV the interrupt is a message, and @p device is not a PCI device or HPET; or no
 *                      I/O MMU knows the sender of the interrupt
 * @retval NOVA_OUT_OF_MEMORY there is no memory for the I/O MMU's table
 * @par Who may call
 * Any thread whose PD holds @p sm and, for a message, has the device mapped.
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

#include "nova/extension.h"

#endif
