/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory-mapped registers of devices, on x86-32 and x86-64. Each access happens exactly once, has
 * the width in the function's name, and stays in order with the program's other accesses. So if a
 * register announces data in memory, the program reads the data after the register. The memory must
 * be mapped, and the address must be a multiple of the width. */
#ifndef NOVA_ARCH_MMIO_H
#define NOVA_ARCH_MMIO_H

#include <stdint.h>

/** Separates the next access from the previous one, by a jump. Each function for a register begins
 * with this one. QEMU 7.2 finds the device of an access through an index into its map of memory. If
 * another CPU changes this map, for example by the command register of a PCI function, an access
 * waits for the change. The next access in the same block of instructions can then use an old
 * index. That access is lost, or reaches another device. A jump ends the block. */
static inline void nova_mmio_separate(void)
{
        __asm__ volatile("jmp 1f\n1:" : : : "memory");
}

/** Keeps the compiler from moving later accesses to memory before the access to a register. After a
 * read, the CPU keeps this order itself. Each function for a register ends with this one. */
static inline void nova_mmio_settle(void)
{
        __atomic_signal_fence(__ATOMIC_SEQ_CST);
}

/** Reads a register of 8 bits at address @p at. */
static inline uint8_t nova_mmio_read8(const volatile void *at)
{
        nova_mmio_separate();

        const uint8_t value = *(const volatile uint8_t *)at;

        nova_mmio_settle();
        return value;
}

/** Writes @p value to a register of 8 bits at address @p at. */
static inline void nova_mmio_write8(volatile void *at, uint8_t value)
{
        nova_mmio_separate();
        *(volatile uint8_t *)at = value;
        nova_mmio_settle();
}

/** Reads a register of 16 bits at address @p at. */
static inline uint16_t nova_mmio_read16(const volatile void *at)
{
        nova_mmio_separate();

        const uint16_t value = *(const volatile uint16_t *)at;

        nova_mmio_settle();
        return value;
}

/** Writes @p value to a register of 16 bits at address @p at. */
static inline void nova_mmio_write16(volatile void *at, uint16_t value)
{
        nova_mmio_separate();
        *(volatile uint16_t *)at = value;
        nova_mmio_settle();
}

/** Reads a register of 32 bits at address @p at. */
static inline uint32_t nova_mmio_read32(const volatile void *at)
{
        nova_mmio_separate();

        const uint32_t value = *(const volatile uint32_t *)at;

        nova_mmio_settle();
        return value;
}

/** Writes @p value to a register of 32 bits at address @p at. */
static inline void nova_mmio_write32(volatile void *at, uint32_t value)
{
        nova_mmio_separate();
        *(volatile uint32_t *)at = value;
        nova_mmio_settle();
}

#endif
