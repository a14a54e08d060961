/* SPDX-License-Identifier: BSD-2-Clause */
/* The two 8259 interrupt controllers. Even a masked controller can send a spurious interrupt, which
 * must not look like an exception. */
#include "arch/x86/pic.h"

#include "arch/x86/insn.h"
#include "arch/x86/vectors.h"

#define MASTER 0x20
#define SLAVE  0xa0

static void pic_set_up(uint16_t port, uint8_t vector, uint8_t cascade)
{
        outb(port, 0x11);        /* ICW1: initialise, ICW4 follows */
        outb(port + 1, vector);  /* ICW2 */
        outb(port + 1, cascade); /* ICW3 */
        outb(port + 1, 0x01);    /* ICW4: 8086 mode */
        outb(port + 1, 0xff);    /* mask all */
}

void pic_disable(void)
{
        pic_set_up(MASTER, VECTOR_PIC, 1 << 2);
        pic_set_up(SLAVE, VECTOR_PIC + 8, 2);
}
