/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of events: exceptions, and intercepts of virtual CPUs under VMX and SVM. @spec 7.2 */
#ifndef NOVA_EVENT_H
#define NOVA_EVENT_H

#include "nova/abi/control.h"
#include "nova/abi/event.h"
#include "nova/abi/hip.h"
#include "nova/abi/inject.h"
#include "nova/text.h"

/**
 * Returns the selector of the portal that receives event @p event of an EC with @p event_base.
 * @code
 * // Page faults of threads whose event base is 512 go to this portal.
 * status = nova_create_pt(nova_event_sel(512, NOVA_EXC_PF), NOVA_SEL_ROOT_PD, ec,
 *                         NOVA_MTD_EIP | NOVA_MTD_QUAL, NOVA_ADDRESS(nova_portal_entry));
 * @endcode
 * @spec 7.2
 */
static inline nova_sel_t nova_event_sel(nova_sel_t event_base, unsigned event)
{
        return event_base + event;
}

/** Returns the number of the event that an EC with @p event_base sends to the portal at @p sel. If
 * no event uses that selector, the result is not below EXC (thread) or VMI (virtual CPU) of the
 * HIP. */
static inline nova_word_t nova_event_number(nova_sel_t event_base, nova_sel_t sel)
{
        return sel - event_base;
}

#define NOVA_EVENT_CASE(number, name, text) \
        case number:                        \
                return (text);

/** Returns the name of exception event @p number ("#PF"), or "reserved". @spec 7.2 */
static inline const char *nova_exception_name(unsigned number)
{
        switch (number) {
                NOVA_EXCEPTION_ROWS(NOVA_EVENT_CASE)
        default:
                return "reserved";
        }
}

/** Returns the name of VMX event @p number ("CPUID"), or "reserved". @spec 7.2 */
static inline const char *nova_vmx_name(unsigned number)
{
        switch (number) {
                NOVA_VMX_ROWS(NOVA_EVENT_CASE)
        default:
                return "reserved";
        }
}

/** Returns the name of SVM event @p number ("CPUID"), or "reserved". @spec 7.2 */
static inline const char *nova_svm_name(unsigned number)
{
        static const char *const group[] = {"CR Read",  "CR Write",  "DR Read",
                                            "DR Write", "Exception", "Exception"};

        if (number < NOVA_SVM_EXCEPTION + 0x20)
                return group[number >> 4];

        switch (number) {
                NOVA_SVM_ROWS(NOVA_EVENT_CASE)
        default:
                return "reserved";
        }
}

#undef NOVA_EVENT_CASE

/** Result of the name functions for a number without a name. */
#define NOVA_EVENT_RESERVED "reserved"

/** Returns the first number below @p count for which @p name_of returns @p name, or -1. */
static inline int nova_event_find(const char *(*name_of)(unsigned number), unsigned count,
                                  const char *name)
{
        if (nova_text_same(name, NOVA_EVENT_RESERVED))
                return -1;
        for (unsigned number = 0; number < count; number++)
                if (nova_text_same(name_of(number), name))
                        return (int)number;
        return -1;
}

/** Returns the number of the exception event with @p name ("#PF", "STARTUP"), or -1. @spec 7.2 */
static inline int nova_exception_number(const char *name)
{
        return nova_event_find(nova_exception_name, NOVA_HIP_EXC, name);
}

/** Returns the number of the VMX event with @p name ("EPT Violation"), or -1. @spec 7.2 */
static inline int nova_vmx_number(const char *name)
{
        return nova_event_find(nova_vmx_name, NOVA_HIP_VMI, name);
}

/** Returns the number of the SVM event with @p name ("NPT Fault"), or -1. For the name of a group
 * ("CR Read", "Exception"), returns the first number of the group; the caller adds the number of
 * the register or the vector. @spec 7.2 */
static inline int nova_svm_number(const char *name)
{
        return nova_event_find(nova_svm_name, NOVA_HIP_VMI, name);
}

#endif
