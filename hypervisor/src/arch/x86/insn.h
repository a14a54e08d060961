/* SPDX-License-Identifier: BSD-2-Clause */
/* Single x86 instructions as functions. */
#ifndef ARCH_X86_INSN_H
#define ARCH_X86_INSN_H

#include "insn_width.h"
#include "lib/lock_check.h"
#include "lib/types.h"

static inline uint8_t inb(uint16_t port)
{
        uint8_t value;
        __asm__ volatile("inb %w1, %0" : "=a"(value) : "Nd"(port));
        return value;
}

static inline uint16_t inw(uint16_t port)
{
        uint16_t value;
        __asm__ volatile("inw %w1, %0" : "=a"(value) : "Nd"(port));
        return value;
}

static inline uint32_t inl(uint16_t port)
{
        uint32_t value;
        __asm__ volatile("inl %w1, %0" : "=a"(value) : "Nd"(port));
        return value;
}

static inline void outb(uint16_t port, uint8_t value)
{
        __asm__ volatile("outb %0, %w1" : : "a"(value), "Nd"(port));
}

static inline void outw(uint16_t port, uint16_t value)
{
        __asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}

static inline void outl(uint16_t port, uint32_t value)
{
        __asm__ volatile("outl %0, %w1" : : "a"(value), "Nd"(port));
}

static inline uint64_t rdmsr(uint32_t msr)
{
        uint32_t low, high;
        __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
        return (uint64_t)high << 32 | low;
}

static inline void wrmsr(uint32_t msr, uint64_t value)
{
        __asm__ volatile("wrmsr"
                         :
                         : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
                         : "memory");
}

static inline uint64_t rdtsc(void)
{
        word_t low, high; /* RDTSC clears the upper halves of the registers */
        __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
        return (uint64_t)high << 32 | low;
}

struct cpuid {
        uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
        struct cpuid out;
        __asm__ volatile("cpuid"
                         : "=a"(out.eax), "=b"(out.ebx), "=c"(out.ecx), "=d"(out.edx)
                         : "a"(leaf), "c"(subleaf));
        return out;
}

/* Writes a line back to memory and forgets it. */
static inline void clflush(const volatile void *address)
{
        __asm__ volatile("clflush (%0)" : : "r"(address) : "memory");
}

static inline word_t read_cr0(void)
{
        word_t value;
        __asm__ volatile("mov %%cr0, %0" : "=r"(value));
        return value;
}

static inline void write_cr0(word_t value)
{
        __asm__ volatile("mov %0, %%cr0" : : "r"(value) : "memory");
}

static inline word_t read_cr2(void)
{
        word_t value;
        __asm__ volatile("mov %%cr2, %0" : "=r"(value));
        return value;
}

static inline void write_cr2(word_t value)
{
        __asm__ volatile("mov %0, %%cr2" : : "r"(value) : "memory");
}

static inline word_t read_cr3(void)
{
        word_t value;
        __asm__ volatile("mov %%cr3, %0" : "=r"(value));
        return value;
}

static inline void write_cr3(word_t value)
{
        __asm__ volatile("mov %0, %%cr3" : : "r"(value) : "memory");
}

static inline word_t read_cr4(void)
{
        word_t value;
        __asm__ volatile("mov %%cr4, %0" : "=r"(value));
        return value;
}

static inline void write_cr4(word_t value)
{
        __asm__ volatile("mov %0, %%cr4" : : "r"(value) : "memory");
}

static inline word_t read_dr0(void)
{
        word_t value;
        __asm__ volatile("mov %%dr0, %0" : "=r"(value));
        return value;
}

static inline word_t read_dr1(void)
{
        word_t value;
        __asm__ volatile("mov %%dr1, %0" : "=r"(value));
        return value;
}

static inline word_t read_dr2(void)
{
        word_t value;
        __asm__ volatile("mov %%dr2, %0" : "=r"(value));
        return value;
}

static inline word_t read_dr3(void)
{
        word_t value;
        __asm__ volatile("mov %%dr3, %0" : "=r"(value));
        return value;
}

static inline void write_dr0(word_t value)
{
        __asm__ volatile("mov %0, %%dr0" : : "r"(value));
}

static inline void write_dr1(word_t value)
{
        __asm__ volatile("mov %0, %%dr1" : : "r"(value));
}

static inline void write_dr2(word_t value)
{
        __asm__ volatile("mov %0, %%dr2" : : "r"(value));
}

static inline void write_dr3(word_t value)
{
        __asm__ volatile("mov %0, %%dr3" : : "r"(value));
}

static inline word_t read_dr6(void)
{
        word_t value;
        __asm__ volatile("mov %%dr6, %0" : "=r"(value));
        return value;
}

static inline void write_dr6(word_t value)
{
        __asm__ volatile("mov %0, %%dr6" : : "r"(value));
}

static inline void write_dr7(word_t value)
{
        __asm__ volatile("mov %0, %%dr7" : : "r"(value));
}

static inline void xsetbv(uint32_t index, uint64_t value)
{
        __asm__ volatile("xsetbv"
                         :
                         : "c"(index), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

static inline void clts(void)
{
        __asm__ volatile("clts" : : : "memory");
}

static inline void hlt(void)
{
        __asm__ volatile("hlt" : : : "memory");
}

static inline void pause(void)
{
        __asm__ volatile("pause" : : : "memory");
}

static inline void mfence(void)
{
        __asm__ volatile("mfence" : : : "memory");
}

static inline void lfence(void)
{
        __asm__ volatile("lfence" : : : "memory");
}

static inline void nop(void)
{
        __asm__ volatile("nop" : : : "memory");
}

static inline void cli(void)
{
        __asm__ volatile("cli" : : : "memory");
}

static inline void sti(void)
{
        assert_no_lock();
        __asm__ volatile("sti" : : : "memory");
}

/* The operand of LGDT and LIDT. */
struct table_pointer {
        uint16_t limit;
        word_t base;
} __attribute__((packed));

static inline void lgdt(const struct table_pointer *pointer)
{
        __asm__ volatile("lgdt %0" : : "m"(*pointer));
}

static inline void lidt(const struct table_pointer *pointer)
{
        __asm__ volatile("lidt %0" : : "m"(*pointer));
}

static inline void sidt(struct table_pointer *pointer)
{
        __asm__ volatile("sidt %0" : "=m"(*pointer));
}

static inline void lldt(uint16_t selector)
{
        __asm__ volatile("lldt %0" : : "r"(selector));
}

static inline void ltr(uint16_t selector)
{
        __asm__ volatile("ltr %0" : : "r"(selector) : "memory");
}

/** Clears the bits of a word outside mask. Returns true if the result is 0. One instruction sets
 *  both; from C, the compiler tests the word a second time. */
static always_inline bool and_word(word_t *word, word_t mask)
{
        bool zero;

        __asm__("and %2, %0" : "+r"(*word), "=@ccz"(zero) : "er"(mask));
        return zero;
}

/** Returns value as a word that the compiler cannot relate to value. So it changes this word in
 * place and does not keep a copy of value. */
static always_inline word_t opaque_word(word_t value)
{
        __asm__("" : "+r"(value));
        return value;
}

static inline void load_ds(uint16_t selector)
{
        __asm__ volatile("mov %0, %%ds" : : "r"(selector));
}

static inline void load_es(uint16_t selector)
{
        __asm__ volatile("mov %0, %%es" : : "r"(selector));
}

static inline void load_fs(uint16_t selector)
{
        __asm__ volatile("mov %0, %%fs" : : "r"(selector));
}

/* The same from memory, where no register holds the selector. */
static always_inline void load_ds_from(const uint16_t *selector)
{
        __asm__ volatile("mov %0, %%ds" : : "m"(*selector));
}

static always_inline void load_es_from(const uint16_t *selector)
{
        __asm__ volatile("mov %0, %%es" : : "m"(*selector));
}

static always_inline void load_fs_from(const uint16_t *selector)
{
        __asm__ volatile("mov %0, %%fs" : : "m"(*selector));
}

static always_inline void load_gs_from(const uint16_t *selector)
{
        __asm__ volatile("mov %0, %%gs" : : "m"(*selector));
}

static inline uint16_t read_fs(void)
{
        uint16_t selector;

        __asm__ volatile("mov %%fs, %0" : "=r"(selector));
        return selector;
}

static inline uint16_t read_gs(void)
{
        uint16_t selector;

        __asm__ volatile("mov %%gs, %0" : "=r"(selector));
        return selector;
}

static inline void load_gs(uint16_t selector)
{
        __asm__ volatile("mov %0, %%gs" : : "r"(selector));
}

static inline void rep_movsb(void *to, const void *from, size_t bytes)
{
        __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes) : : "memory");
}

static inline void rep_movs(void *to, const void *from, size_t words)
{
        __asm__ volatile("rep movs" WORD_SUFFIX : "+D"(to), "+S"(from), "+c"(words) : : "memory");
}

static inline void rep_stosb(void *to, uint8_t value, size_t bytes)
{
        __asm__ volatile("rep stosb" : "+D"(to), "+c"(bytes) : "a"(value) : "memory");
}

static inline void rep_stos(void *to, word_t value, size_t words)
{
        __asm__ volatile("rep stos" WORD_SUFFIX : "+D"(to), "+c"(words) : "a"(value) : "memory");
}

/** Divides high:low by divisor; high must be below divisor. *high becomes the remainder. */
static inline uint32_t divl(uint32_t *high, uint32_t low, uint32_t divisor)
{
        uint32_t rest = *high;

        __asm__("divl %2" : "+a"(low), "+d"(rest) : "rm"(divisor) : "cc");
        *high = rest;
        return low;
}

#endif
