/* SPDX-License-Identifier: BSD-2-Clause */
/* Single x86 instructions as functions. */
#ifndef ARCH_X86_INSN_H
#define ARCH_X86_INSN_H

#include "insn_width.h"
#include "lib/lock_check.h"
#include "lib/types.h"

/* Rows: functions that read and write a port, by the suffix of the instruction and the value's
 * type. */
#define PORT_ACCESS(suffix, type)                                                      \
        static inline type in##suffix(uint16_t port)                                   \
        {                                                                              \
                type value;                                                            \
                __asm__ volatile("in" #suffix " %w1, %0" : "=a"(value) : "Nd"(port));  \
                return value;                                                          \
        }                                                                              \
        static inline void out##suffix(uint16_t port, type value)                      \
        {                                                                              \
                __asm__ volatile("out" #suffix " %0, %w1" : : "a"(value), "Nd"(port)); \
        }
PORT_ACCESS(b, uint8_t)
PORT_ACCESS(w, uint16_t)
PORT_ACCESS(l, uint32_t)
#undef PORT_ACCESS

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

/** An instruction that may raise #GP, and the place at which the kernel then continues. Offsets are
 * relative to their own field. */
struct gp_site {
        int32_t at, next;
};

extern const struct gp_site gp_sites[], gp_sites_end[]; /* kernel.ld.inc */

/** Writes an MSR. If this kernel runs in a virtual machine, the hypervisor may refuse the write.
 * @return false: the write raised #GP */
static inline bool wrmsr_if_accepted(uint32_t msr, uint64_t value)
{
        __asm__ goto("1:\twrmsr\n\t"
                     ".pushsection .gp_sites, \"a\"\n\t"
                     ".long 1b - ., %l[refused] - .\n\t"
                     ".popsection"
                     :
                     : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
                     : "memory"
                     : refused);
        return true;
refused:
        return false;
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

/* Writes a cache line back to memory and evicts it. */
static inline void clflush(const volatile void *address)
{
        __asm__ volatile("clflush (%0)" : : "r"(address) : "memory");
}

/* Rows: functions that read and write a register. The compiler moves no memory access across a
 * write of a control register. */
#define READ_REGISTER(name)                                            \
        static inline word_t read_##name(void)                         \
        {                                                              \
                word_t value;                                          \
                __asm__ volatile("mov %%" #name ", %0" : "=r"(value)); \
                return value;                                          \
        }
#define WRITE_REGISTER(name, ...)                                                  \
        static inline void write_##name(word_t value)                              \
        {                                                                          \
                __asm__ volatile("mov %0, %%" #name : : "r"(value) : __VA_ARGS__); \
        }
READ_REGISTER(cr0)
READ_REGISTER(cr2)
READ_REGISTER(cr3)
READ_REGISTER(cr4)
WRITE_REGISTER(cr0, "memory")
WRITE_REGISTER(cr2, "memory")
WRITE_REGISTER(cr3, "memory")
WRITE_REGISTER(cr4, "memory")
READ_REGISTER(dr0)
READ_REGISTER(dr1)
READ_REGISTER(dr2)
READ_REGISTER(dr3)
READ_REGISTER(dr6)
WRITE_REGISTER(dr0)
WRITE_REGISTER(dr1)
WRITE_REGISTER(dr2)
WRITE_REGISTER(dr3)
WRITE_REGISTER(dr6)
WRITE_REGISTER(dr7)
#undef READ_REGISTER
#undef WRITE_REGISTER

/** Loads CR3 for another PD. This is a site of arch/x86/speculation.h: the boot code may replace
 * the instruction by a call of the stub. Two prefixes without effect make the instruction long
 * enough. */
static always_inline void write_cr3_of_pd(word_t value)
{
        __asm__ volatile(".pushsection .speculation, \"a\"\n\t"
                         ".long 7701f - ., speculation_switch - .\n\t"
                         ".byte 3, 0xe8, 5, 0\n\t"
                         ".popsection\n"
                         "7701:\t.byte 0x3e, 0x3e\n\t"
                         "mov %0, %%cr3"
                         :
                         : "a"(value)
                         : "memory", "cc");
}

static inline void xsetbv(uint32_t index, uint64_t value)
{
        __asm__ volatile("xsetbv"
                         :
                         : "c"(index), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

/* Rows: numbers of XMM registers. The addresses need no alignment. */
#define MOVE_XMM(number)                                                                  \
        static inline void movups_from_xmm##number(uint8_t to[16])                        \
        {                                                                                 \
                __asm__ volatile("movups %%xmm" #number ", (%0)" : : "r"(to) : "memory"); \
        }                                                                                 \
        static inline void movups_to_xmm##number(const uint8_t from[16])                  \
        {                                                                                 \
                __asm__ volatile("movups (%0), %%xmm" #number : : "r"(from) : "memory");  \
        }
MOVE_XMM(0)
MOVE_XMM(1)
MOVE_XMM(2)
MOVE_XMM(3)
MOVE_XMM(4)
MOVE_XMM(5)
#undef MOVE_XMM

/* Rows: instructions without operands. The compiler moves no memory access across them. */
#define PLAIN_INSTRUCTION(name)                         \
        static inline void name(void)                   \
        {                                               \
                __asm__ volatile(#name : : : "memory"); \
        }
PLAIN_INSTRUCTION(clts)
PLAIN_INSTRUCTION(hlt)
PLAIN_INSTRUCTION(pause)
PLAIN_INSTRUCTION(mfence)
PLAIN_INSTRUCTION(lfence)
PLAIN_INSTRUCTION(nop)
PLAIN_INSTRUCTION(cli)
#undef PLAIN_INSTRUCTION

/** Separates two accesses to device registers. QEMU's TCG (7.2) finds the device of an access
 * through an index into its memory map. While another CPU changes this map, an access waits, and
 * the next one in the same block of instructions can use an old index and reach another device.
 * A jump ends the block. */
static inline void separate_accesses(void)
{
        __asm__ volatile("jmp 1f\n1:" ::: "memory");
}

static inline void sti(void)
{
        assert_no_lock();
        __asm__ volatile("sti" : : : "memory");
}

/* Halts until an interrupt comes, and takes it. STI takes effect after HLT has begun. */
static inline void sti_hlt(void)
{
        assert_no_lock();
        __asm__ volatile("sti; hlt; cli" : : : "memory");
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

/** Clears the bits of a word outside mask. Returns true if the result is 0. One instruction does
 * both; for C code, the compiler would test the word a second time. */
static always_inline bool and_word(word_t *word, word_t mask)
{
        bool zero;

        __asm__("and %2, %0" : "+r"(*word), "=@ccz"(zero) : "er"(mask));
        return zero;
}

/** Returns value as a word that the compiler cannot relate to value. So the compiler changes this
 * word in place and does not keep a copy of value. */
static always_inline word_t opaque_word(word_t value)
{
        __asm__("" : "+r"(value));
        return value;
}

/* Rows: functions that load a segment register from a register or from memory. The CPU also reads
 * the descriptor from memory, so the compiler must not move load_…() before a store that precedes
 * it in the code. load_…_from() is for descriptors that never change. */
#define SEGMENT_REGISTER(name)                                                     \
        static inline void load_##name(uint16_t selector)                          \
        {                                                                          \
                __asm__ volatile("mov %0, %%" #name : : "r"(selector) : "memory"); \
        }                                                                          \
        static always_inline void load_##name##_from(const uint16_t *selector)     \
        {                                                                          \
                __asm__ volatile("mov %0, %%" #name : : "m"(*selector));           \
        }                                                                          \
        static inline uint16_t read_##name(void)                                   \
        {                                                                          \
                uint16_t selector;                                                 \
                __asm__ volatile("mov %%" #name ", %0" : "=r"(selector));          \
                return selector;                                                   \
        }
SEGMENT_REGISTER(ds)
SEGMENT_REGISTER(es)
SEGMENT_REGISTER(fs)
SEGMENT_REGISTER(gs)
#undef SEGMENT_REGISTER

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
