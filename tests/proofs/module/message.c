/* SPDX-License-Identifier: BSD-2-Clause */
/* Copies messages with the numbers of typed items in main(), any number of untyped words and
 * arbitrary words. The copy may read the header only once, because another thread may write it
 * meanwhile. */
#define load_once header_load
#define rep_movs  hardware_rep_movs
#include "arch/x86/insn.h"
#undef rep_movs

#include "object/ec.h"
#undef load_once
#define load_once(lvalue) take_header()

#include "../driver.h"

static nova_word_t header; /* the header of the message */
static bool taken;         /* the header was read */
static size_t copied;      /* words that rep_movs() has copied; 0: it was not called */
static struct nova_utcb sent;

static nova_word_t take_header(void)
{
        /*@ assert once: taken == 0; */
        taken = true;
        return header;
}

static void rep_movs(void *to, const void *from, size_t words)
{
        /*@ assert from: \valid_read((nova_word_t *)from + (0 .. words - 1)); */
        /*@ assert to: \valid((nova_word_t *)to + (0 .. words - 1)); */
        (void)to;
        (void)from;
        copied = words;
}

#include "ipc/message.h"

/* Copies a message whose header has any value from min to max. The words that are copied must end
 * before the last typed item, and the receiver's header must have the number of typed items that is
 * returned. */
static void copy(nova_word_t min, nova_word_t max)
{
        static struct nova_utcb received;
        const struct ec from = {.utcb = &sent};
        struct ec to = {.utcb = &received};

        header = min + Frama_C_unsigned_int_interval(0, (unsigned)(max - min));
        taken = false;
        copied = 0;

        const unsigned typed = message_copy(&from, &to);
        const unsigned shown = nova_utcb_typed(received.items);

        /*@ assert separate: copied + 2 * typed <= NOVA_UTCB_WORDS; */
        /*@ assert header: shown == typed; */
        (void)typed, (void)shown;
}

/* Returns a header with these numbers of typed items and of untyped words. */
static nova_word_t words(unsigned typed, unsigned untyped)
{
        return (nova_word_t)typed << NOVA_UTCB_TYPED_SHIFT | untyped;
}

int main(void)
{
        const nova_word_t unused = (nova_word_t)1 << (8 * sizeof(nova_word_t) - 1);

        Frama_C_make_unknown((char *)&sent, sizeof(sent));
        copy(0, words(0, UINT16_MAX));
        copy(words(1, 0), words(1, UINT16_MAX));
        copy(words(2, 0), words(2, UINT16_MAX));
        copy(words(NOVA_UTCB_TYPED_MAX / 2, 0), words(NOVA_UTCB_TYPED_MAX / 2, UINT16_MAX));
        copy(words(NOVA_UTCB_TYPED_MAX - 4, 0), words(NOVA_UTCB_TYPED_MAX - 4, UINT16_MAX));
        copy(words(NOVA_UTCB_TYPED_MAX - 3, 0), words(NOVA_UTCB_TYPED_MAX - 3, UINT16_MAX));
        copy(words(NOVA_UTCB_TYPED_MAX - 1, 0), words(NOVA_UTCB_TYPED_MAX - 1, UINT16_MAX));
        copy(words(NOVA_UTCB_TYPED_MAX, 0), words(NOVA_UTCB_TYPED_MAX, UINT16_MAX));
        copy(words(NOVA_UTCB_TYPED_MAX + 1, 0), words(UINT16_MAX, UINT16_MAX));
        copy(unused | words(1, 0), unused | words(1, UINT16_MAX));
        return 0;
}
