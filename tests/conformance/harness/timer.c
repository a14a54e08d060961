/* SPDX-License-Identifier: BSD-2-Clause */
/* The PIT's first channel as a source of single interrupts. */
#include "harness.h"

#define PIT_HZ       1193182
#define PIT_CHANNEL  0x40
#define PIT_MODE     0x43
#define PIT_ONE_SHOT 0x30 /* channel 0, low byte first, mode 0: rises when the count ends */
#define PIT_GSI      2    /* where PCs route the interrupt of ISA line 0 */

static void outb(uint16_t port, uint8_t value)
{
        __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

void timer_shot(unsigned us)
{
        const uint32_t count = (uint32_t)((uint64_t)us * (PIT_HZ / 1000) / 1000);
        const uint32_t n = count < 1 ? 1 : count > 0xffff ? 0xffff : count;
        outb(PIT_MODE, PIT_ONE_SHOT);
        outb(PIT_CHANNEL, (uint8_t)n);
        outb(PIT_CHANNEL, (uint8_t)(n >> 8));
}

nova_sel_t timer_open(void)
{
        const nova_sel_t sm = sel_alloc(0);
        request(io(PIT_CHANNEL, 2), PIT_CHANNEL);
        request(obj(NOVA_SEL_GSI_SM + PIT_GSI, NOVA_PERM_ALL), sm);
        /* A down unmasks the pin. After that, interrupts may come that the firmware has requested
         * from the PIT. The downs set the count to 0, and so discard earlier interrupts. */
        for (unsigned i = 0; i < 2; i++) {
                EXPECT_EQ(hc_sm_ctrl(sm, NOVA_SM_UP_OP), NOVA_SUCCESS);
                EXPECT_EQ(hc_sm_ctrl(sm, NOVA_SM_DN_OP | NOVA_SM_ZC), NOVA_SUCCESS);
                timer_shot(1000);
                EXPECT_EQ(hc_sm_ctrl(sm, NOVA_SM_DN_OP | NOVA_SM_ZC), NOVA_SUCCESS);
                spin_us(2000);
        }
        return sm;
}
