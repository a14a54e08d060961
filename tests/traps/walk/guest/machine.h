/* SPDX-License-Identifier: BSD-2-Clause */
/* Instructions of the walker's kernel. */
#ifndef TRAPS_WALK_MACHINE_H
#define TRAPS_WALK_MACHINE_H

#include <stdint.h>

struct __attribute__((packed)) walker_table {
        uint16_t limit;
        unsigned long base;
};

static inline void load_idt(const void *table, unsigned limit)
{
        const struct walker_table pointer = {(uint16_t)limit, (unsigned long)table};

        __asm__ volatile("lidt %0" : : "m"(pointer));
}

static inline void store_gdt(struct walker_table *to)
{
        __asm__ volatile("sgdt %0" : "=m"(*to));
}

static inline void store_idt(struct walker_table *to)
{
        __asm__ volatile("sidt %0" : "=m"(*to));
}

static inline void load_task(unsigned selector)
{
        __asm__ volatile("ltr %w0" : : "r"(selector));
}

static inline void load_ldt(unsigned selector)
{
        __asm__ volatile("lldt %w0" : : "r"(selector));
}

static inline uint8_t in8(uint16_t port)
{
        uint8_t value;

        __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
        return value;
}

static inline void out8(uint16_t port, uint8_t value)
{
        __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline void out32(uint16_t port, uint32_t value)
{
        __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static inline void out_bytes(uint16_t port, const void *from, unsigned long bytes)
{
        __asm__ volatile("rep outsb" : "+S"(from), "+c"(bytes) : "d"(port) : "memory");
}

static inline void write_msr(uint32_t number, uint64_t value)
{
        __asm__ volatile("wrmsr"
                         :
                         : "c"(number), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

#define PIC_COMMAND(chip) ((chip) ? 0xa0 : 0x20)
#define PIC_DATA(chip)    ((chip) ? 0xa1 : 0x21)
#define PIT_COMMAND       0x43
#define PIT_COUNT         0x40
#define PIT_ONCE          0x30 /* counter 0: one interrupt, at the end of a count of 16 bits */
#define NO_IRQ            0xff

/* Sets both interrupt controllers to vectors from `first` on, and masks all interrupts. */
static inline void init_interrupts(uint8_t first)
{
        out8(PIT_COMMAND, PIT_ONCE); /* without a count, the timer does not run */
        for (unsigned chip = 0; chip < 2; chip++) {
                out8(PIC_COMMAND(chip), 0x11);
                out8(PIC_DATA(chip), first + 8 * chip);
                out8(PIC_DATA(chip), chip ? 2 : 4);
                out8(PIC_DATA(chip), 1);
                out8(PIC_DATA(chip), NO_IRQ);
        }
}

/* Raises the first vector after a number of ticks of 1,193,182 Hz. */
static inline void start_timer(uint16_t ticks)
{
        out8(PIC_DATA(0), NO_IRQ & ~1);
        out8(PIT_COMMAND, PIT_ONCE);
        out8(PIT_COUNT, ticks & 0xff);
        out8(PIT_COUNT, ticks >> 8);
}

static inline void stop_timer(void)
{
        out8(PIT_COMMAND, PIT_ONCE);
        out8(PIC_DATA(0), NO_IRQ);
        out8(PIC_COMMAND(0), 0x20); /* end of the interrupt */
}

#define READ_REGISTER(name)                                            \
        static inline unsigned long read_##name(void)                  \
        {                                                              \
                unsigned long value;                                   \
                                                                       \
                __asm__ volatile("mov %%" #name ", %0" : "=r"(value)); \
                return value;                                          \
        }

READ_REGISTER(cr2)
READ_REGISTER(cr3)
READ_REGISTER(cr4)
READ_REGISTER(dr0)
READ_REGISTER(dr1)
READ_REGISTER(dr2)
READ_REGISTER(dr3)
READ_REGISTER(dr6)
READ_REGISTER(dr7)

static inline void read_debug(unsigned long *to)
{
        to[0] = read_dr0();
        to[1] = read_dr1();
        to[2] = read_dr2();
        to[3] = read_dr3();
        to[4] = read_dr6();
        to[5] = read_dr7();
}

static inline void reset_debug(unsigned long dr6)
{
        __asm__ volatile("mov %0, %%dr0\nmov %0, %%dr1\nmov %0, %%dr2\nmov %0, %%dr3\nmov %1, %%dr6"
                         :
                         : "r"(0ul), "r"(dr6));
}

#endif
