/* SPDX-License-Identifier: BSD-2-Clause */
/* A driver on one CPU that never serves its device, and a pin that interrupts another CPU. In the
 * test, time advances with instructions. */
#include "device.h"

#define FLOOD      1000 /* interrupts in less than STOP_MS are a flood */
#define STOP_MS    10
#define MEASURE_MS 100

static nova_sel_t line;

/* Does a down that does not wait. Returns whether an interrupt had come. */
static bool down(void)
{
        __asm__ volatile("pause"); /* QEMU runs another CPU */
        return hc_sm_until(line, NOVA_SM_DN_OP, 1) == NOVA_SUCCESS;
}

CASE_ON(pin, that_stays_active_interrupts_another_cpu_for_a_part_of_its_time, "D-remap",
        needs_2_cpus)
{
        const struct edu edu = edu_open(0);
        const unsigned gsi = pci_gsi(edu.function);
        word_t address, data, interrupts = 0, downs = 0;

        line = gsi_open(gsi);
        EXPECT_EQ(hc_assign_gsi(line, 0, cpu_numbers[1], &address, &data), NOVA_SUCCESS);
        edu.registers[EDU_RAISE] = 1;
        for (const uint64_t end = tsc() + MEASURE_MS * tsc_per_ms(); tsc() < end; downs++)
                interrupts += down();
        remark("downs of the driver", downs);
        remark("interrupts of its pin", interrupts);
        EXPECT(interrupts >= FLOOD);
        EXPECT(interrupts <= (MEASURE_MS / STOP_MS + 1) * FLOOD);

        /* The pin works again as soon as the driver serves its device. */
        edu.registers[EDU_ACK] = ~0u;
        spin_us(2 * STOP_MS * 1000);
        while (down())
                ;
        for (unsigned i = 0; i < FLOOD / 2; i++) {
                edu.registers[EDU_RAISE] = 1;
                EXPECT_EQ(hc_sm_ctrl(line, NOVA_SM_DN_OP), NOVA_SUCCESS);
                edu.registers[EDU_ACK] = ~0u;
        }
}
