/* SPDX-License-Identifier: BSD-2-Clause */
/* I/O port instructions of x86-32 and x86-64. The PD must hold the port, or all four ports of
 * a 32-bit access. */
#ifndef NOVA_ARCH_PORT_H
#define NOVA_ARCH_PORT_H

#include <stdint.h>

/** Writes byte @p value to I/O port @p port. */
static inline void nova_out8(uint16_t port, uint8_t value)
{
        __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

/** Reads a byte from I/O port @p port. */
static inline uint8_t nova_in8(uint16_t port)
{
        uint8_t value;

        __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
        return value;
}

/** Writes the 32 bits @p value to I/O ports @p port to @p port + 3. */
static inline void nova_out32(uint16_t port, uint32_t value)
{
        __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

/** Reads 32 bits from I/O ports @p port to @p port + 3. */
static inline uint32_t nova_in32(uint16_t port)
{
        uint32_t value;

        __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port) : "memory");
        return value;
}

#endif
