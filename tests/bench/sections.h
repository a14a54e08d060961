/* SPDX-License-Identifier: BSD-2-Clause */
/* The mark with which a program or a guest begins section n of the counts of plugin/guest.c: a NOP
 * of seven bytes. Section 0 is the code before the first mark; SECTION_BEGIN(0) continues it. */
#ifndef NOVA_TESTS_BENCH_SECTIONS_H
#define NOVA_TESTS_BENCH_SECTIONS_H

#define SECTION_MARK 0x4d4b9100 /* displacement of the NOP for section 0 */
#define SECTIONS     32

/* The mark in code of a guest: as bytes, and as text for the assembler. The parameter of
 * SECTION_TEXT is the number as a string. */
#define SECTION_BYTES(n)                                \
        {                                               \
                0x0f, 0x1f, 0x80, (n), 0x91, 0x4b, 0x4d \
        }
#define SECTION_TEXT(n) ".byte 0x0f, 0x1f, 0x80\n.long 0x4d4b9100 + " n "\n"

#define SECTION_BEGIN(n) __asm__ volatile(SECTION_TEXT("%c0") : : "i"(n) : "memory")

#endif
