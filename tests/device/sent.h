/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages that devices send, and threads that count them. */
#ifndef DEVICE_SENT_H
#define DEVICE_SENT_H

#include "device.h"

#define GSI       100 /* and above: no pins */
#define OTHER_GSI 101

struct message {
        word_t address, data;
};

static inline void counts_downs(struct thread *t)
{
        while (hc_sm_ctrl(t->value[0], NOVA_SM_DN_OP) == NOVA_SUCCESS)
                t->value[1]++;
}

/* Returns a thread that counts the ups of a semaphore in its value[1]. */
static inline struct thread *counter(nova_sel_t sm)
{
        struct thread *t = global(boot_cpu, counts_downs, NULL);

        t->value[0] = sm;
        thread_start(t, PRIO_HIGH, QUANTUM);
        EXPECT(wait_for(&t->started, 1));
        return t;
}

static inline struct message assign(nova_sel_t sm, struct edu edu, unsigned cpu)
{
        struct message m;
        const word_t config = pci_page(edu.function) << NOVA_PAGE_BITS;

        EXPECT_EQ(hc_assign_gsi(sm, config, cpu, &m.address, &m.data), NOVA_SUCCESS);
        return m;
}

#endif
