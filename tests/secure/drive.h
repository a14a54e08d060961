/* SPDX-License-Identifier: BSD-2-Clause */
/* A monitor that gives commands to its guest, which performs them (guest.c). One thread of the
 * monitor gives the commands; a handler serves the guest's ports. */
#ifndef NOVA_TESTS_SECURE_DRIVE_H
#define NOVA_TESTS_SECURE_DRIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "nova/extension.h"
#include "nova/hypercall.h"
#include "novart/program.h"
#include "novart/selector.h"
#include "novart/sync.h"
#include "probe.h"

static nova_sel_t drive_asked; /* semaphore, made by drive_init() */
static struct nova_semaphore drive_answered = NOVA_SEMAPHORE_INITIALIZER(0);
static bool drive_waits;  /* the handler waits for a command */
static bool drive_closed; /* the guest that the handler serves has been ended */
static uint32_t drive_command, drive_operand[2], drive_result;

/* Makes a semaphore of the kernel for a handler whose guest may end while the handler waits. The
 * runtime's semaphores have a lock, which such a handler may keep for ever.
 * @return NOVA_SEL_NONE: there is no selector or no memory */
static inline nova_sel_t drive_semaphore(void)
{
        const nova_sel_t sm = nova_sel_alloc(0);

        if (sm == NOVA_SEL_NONE || !nova_create_sm(sm, nova_program.pd, 0))
                return sm;
        nova_sel_release(sm, 0);
        return NOVA_SEL_NONE;
}

/* Makes the semaphore for commands; called before the guest starts. @return false: there is no
 * selector or no memory */
static inline bool drive_init(void)
{
        if (!drive_asked)
                drive_asked = drive_semaphore();
        return drive_asked != NOVA_SEL_NONE;
}

/* Lets the guest perform a command, and does not wait for the result. */
static inline void drive_begin(uint32_t command, uint32_t first, uint32_t second)
{
        drive_command = command;
        drive_operand[0] = first;
        drive_operand[1] = second;
        nova_sm_up(drive_asked);
}

/* Returns the result of a command. While the guest waits for the next command, it is in an exit. */
static inline uint32_t guest(uint32_t command, uint32_t first, uint32_t second)
{
        drive_begin(command, first, second);
        nova_semaphore_down(&drive_answered);
        return drive_result;
}

/* Makes the guest's ultracall or hypercall, with page number and count as parameters. */
static inline int guest_call(unsigned number, unsigned gfn, unsigned count)
{
        return (int)guest(PROBE_CALL, number, gfn | count << 16);
}

/* Serves a read of one of the guest's ports. */
static inline uint32_t drive_read(uint64_t port)
{
        if (port == PROBE_COMMAND) {
                __atomic_store_n(&drive_waits, true, __ATOMIC_SEQ_CST);
                if (__atomic_load_n(&drive_closed, __ATOMIC_SEQ_CST) &&
                    __atomic_exchange_n(&drive_waits, false, __ATOMIC_SEQ_CST))
                        return 0;
                nova_sm_down(drive_asked);
                __atomic_store_n(&drive_waits, false, __ATOMIC_SEQ_CST);
        }
        return port == PROBE_COMMAND ? drive_command : drive_operand[port == PROBE_SECOND];
}

/* Makes the handler stop waiting for a command, after the guest's end. The end may have stopped the
 * handler at any instruction of the guest's last call. The handler completes that call when the
 * next guest calls it. */
static inline void drive_close(void)
{
        __atomic_store_n(&drive_closed, true, __ATOMIC_SEQ_CST);
        if (__atomic_exchange_n(&drive_waits, false, __ATOMIC_SEQ_CST))
                nova_sm_up(drive_asked);
}

/* Lets the handler wait for commands again. Only the handler calls it, after its earlier call is
 * complete. A command that the last guest did not take before its end is not for the next guest. */
static inline void drive_open(void)
{
        nova_sm_down_until(drive_asked, NOVA_SM_ZC, 0);
        __atomic_store_n(&drive_closed, false, __ATOMIC_SEQ_CST);
}

/* Serves a write of the result. */
static inline void drive_write(uint64_t value)
{
        drive_result = (uint32_t)value;
        nova_semaphore_up(&drive_answered);
}

#endif
