/* SPDX-License-Identifier: BSD-2-Clause */
/* Ports between a guest and the monitor that tests it. The guest reads a command and two operands,
 * and writes the result. */
#ifndef NOVA_TESTS_SECURE_PROBE_H
#define NOVA_TESTS_SECURE_PROBE_H

#define PROBE_COMMAND 0xe0
#define PROBE_FIRST   0xe4
#define PROBE_SECOND  0xe8
#define PROBE_RESULT  0xec

/* Commands. `first` and `second` are the operands. */
#define PROBE_WRITE 1 /* writes `second` to the address `first` */
#define PROBE_READ  2 /* reads the address `first` */
#define PROBE_CALL  3 /* ultracall number `first`; parameters: lower and upper half of `second` */
#define PROBE_HALT  4
#define PROBE_STI   5 /* enables interrupts */

#define PROBE_PRIORITY 8  /* sets CR8 to `first` */
#define PROBE_TAKEN    9  /* returns how often the guest has taken vector `first` */
#define PROBE_PLAIN    10 /* writes `first` by OUTSL, while CR3 lacks the encryption bit */

/* Vectors that the guest counts. */
#define PROBE_VECTOR_LOW  0x41
#define PROBE_VECTOR_HIGH 0x91

#define PROBE_VIEW_READ  11 /* reads the address `first` through the normal view */
#define PROBE_VIEW_WRITE 12 /* writes `second` to the address `first` through that view */
#define PROBE_MSRS       13 /* accesses each MSR of range `first`; see guest_msr.h */
#define PROBE_MSR        32 /* returns word `second` of entry `first` of the list of MSRs */
#define PROBE_MARKS      14 /* makes the accesses of guest_marks.h `first` times */
#define PROBE_EXIT       17 /* executes an instruction of guest_exits.h; returns what it raises */
#define PROBE_FAR        18 /* shares 2^`second` pages from page 2^`first` on */
#define PROBE_IMAGE      15 /* copies a second image to `first`, and jumps there */

#define PROBE_TOUCH 30 /* reads a word of `second` pages from `first` on; returns `second` */

#define PROBE_STRING 31 /* reads the port of `first` once more, by INSL to the address `first` */

#define PROBE_FLOOD 16 /* makes `second` ultracalls of kind `first`; returns how many failed */

/* Two adjacent pages, at addresses with no other use (guest_harm.c). */
#define PROBE_PAIR          19 /* maps pages `first` and `second`; bit 0: in the normal view */
#define PROBE_PAIR_TABLE    20 /* moves their page table to the shared page `first` */
#define PROBE_PAIR_READ     21 /* reads 8 bytes across their boundary; returns half `first` */
#define PROBE_PAIR_EXCHANGE 22 /* CMPXCHG there, `first` times; the upper half stays `second` */
#define PROBE_PAIR_CODE     23 /* executes code there, which reads the address `first` */
#define PROBE_GDT           24 /* loads a GDT in page `first`; writes it before if `second` is 1 */
#define PROBE_IDT           28 /* loads an IDT in page `first`; writes it before if `second` is 1 */
#define PROBE_BREAK         29 /* executes INT3; returns how often its handler has run */

/* guest_vectors.c. PROBE_CHAIN adds in all registers for `first` rounds and returns the sum. Each
 * round writes to the port of marks; IF is set if `second` is 1. PROBE_COUNT returns how often the
 * guest took vector `first`; for 0, how often it took a vector with IF clear. */
#define PROBE_CHAIN  34
#define PROBE_COUNT  35
#define PROBE_RANDOM 33 /* calls H_RANDOM `first` times; returns the faults of the numbers */

/* Vectors that a monitor can send, and the faults that PROBE_RANDOM returns. */
#define PROBE_VECTOR_FIRST   32
#define PROBE_VECTOR_LAST    255
#define PROBE_RANDOM_FAILS   1 /* a call failed */
#define PROBE_RANDOM_REPEATS 2 /* two numbers are equal */
#define PROBE_RANDOM_STAYS   4 /* a bit has the same value in all numbers */
#define PROBE_RANDOM_MOST    64

/* Returns one half of debug register `first`: the lower one if `second` is 0. */
#define PROBE_DEBUG_READ  25
#define PROBE_DEBUG_WRITE 26 /* writes `second` to debug register `first` */
#define PROBE_DEBUG_TAKEN 27 /* number of #DB since the last time; upper half: bits of DR6 */

/* Kinds of PROBE_FLOOD: no ultracall; one that does not exist; UV_SHARE_PAGE and UV_UNSHARE_PAGE in
 * turn, of one page or of PROBE_FLOOD_PAGES pages. */
#define PROBE_FLOOD_NONE    0
#define PROBE_FLOOD_REFUSED 1
#define PROBE_FLOOD_SHARE   2
#define PROBE_FLOOD_LONG    3
#define PROBE_FLOOD_KINDS   4
#define PROBE_FLOOD_FIRST   0x500u /* page number */
#define PROBE_FLOOD_PAGES   0x300u

#define PROBE_USER 7 /* an ultracall in user mode; returns 1 if it raises #UD */

#define PROBE_SECRET 6 /* secret number `first`: returns size + 1, or the sum if `second` is 1 */

/* The accesses of PROBE_MARKS, in their order. Each byte of the registers that an access does not
 * use is PROBE_MARK. */
#define PROBE_MARK       0xa7
#define PROBE_MARK_PORT  0xd0
#define PROBE_MARK_LONG  0x51525354u
#define PROBE_MARK_BYTE  0x61u
#define PROBE_MARK_PLACE 0xfed00010u /* address of a device */
#define PROBE_MARK_CALL  0x1234u     /* number of a hypercall, with parameters 0x31, 0x32, 0x33 */
#define PROBE_MARK_PAGE  0x480000u   /* a page that is out */
#define PROBE_MARK_KINDS 7

/* The second image writes this value to PROBE_RESULT, and returns. */
#define PROBE_IMAGE_RUNS 0x2badcafe

/* Names of the secrets of probe.seal, by their numbers, and one that it does not have. */
#define PROBE_NAMES                \
        {                          \
                "", "token", "tok" \
        }

#define PROBE_UNKNOWN 0xbadc0de

/* Returns a sum that depends on each byte and its place. */
static inline unsigned probe_sum(const void *data, unsigned bytes)
{
        unsigned sum = 0;

        for (unsigned i = 0; i < bytes; i++)
                sum = sum * 31 + ((const unsigned char *)data)[i];
        return sum;
}

#endif
