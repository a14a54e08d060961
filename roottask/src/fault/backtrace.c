/* SPDX-License-Identifier: BSD-2-Clause */
/* Backtraces (see backtrace.h). */
#include "fault/backtrace.h"

/* A near call with a displacement of 32 bits, and the first instructions of functions with a frame.
 * SDM 2 */
#define CALL_OPCODE    0xe8
#define CALL_BYTES     5
#define PUSH_BP_OPCODE 0x55

/* Maximum size in bytes of a function without a frame. */
#define FUNCTION_BYTES 4096

/* Reads a word at any address. */
static bool read_any(backtrace_read *read, void *context, nova_word_t addr, nova_word_t *word)
{
        const unsigned shift = addr % sizeof(*word) * 8;
        nova_word_t low, high = 0;

        if (!read(context, addr - shift / 8, &low) ||
            (shift && !read(context, addr - shift / 8 + sizeof(*word), &high)))
                return false;
        *word = low >> shift | (shift ? high << (NOVA_WORD_BITS - shift) : 0);
        return true;
}

/* Returns true if @p back is the return address of a call to the function at @p ip, and that
 * function has no frame at this point: it never has one, or has not set it up yet. */
static bool called_without_frame(nova_word_t ip, nova_word_t back, backtrace_read *read,
                                 void *context)
{
        nova_word_t word;

        if (!read_any(read, context, back - CALL_BYTES, &word) || (word & 0xff) != CALL_OPCODE ||
            !read_any(read, context, back - CALL_BYTES + 1, &word))
                return false;

        const nova_word_t begin = back + (nova_word_t)(intptr_t)(int32_t)(uint32_t)word;

        if (ip - begin >= FUNCTION_BYTES || !read_any(read, context, begin, &word))
                return false;
        return ip == begin || (word & 0xff) != PUSH_BP_OPCODE;
}

unsigned novart_backtrace_walk(nova_word_t ip, nova_word_t sp, nova_word_t bp, bool jumped,
                               backtrace_read *read, void *context, nova_word_t *frame,
                               unsigned max)
{
        nova_word_t word, below = sp;
        unsigned count = 0;

        frame[count++] = ip;
        if (count < max && read(context, sp, &word)) {
                nova_word_t unused;

                if (jumped || !read(context, ip & ~(sizeof(word) - 1), &unused) ||
                    called_without_frame(ip, word, read, context))
                        frame[count++] = word;
        }

        /* A frame is two words: the caller's frame pointer and the return address. Callers' frames
         * are at higher addresses. The walk checks this, so it ends for any content of memory. */
        while (count < max && bp >= below && bp % sizeof(word) == 0) {
                nova_word_t next, back;

                if (!read(context, bp, &next) || !read(context, bp + sizeof(word), &back) || !back)
                        break;
                frame[count++] = back;
                below = bp + 1;
                bp = next;
        }
        return count;
}
