/* SPDX-License-Identifier: BSD-2-Clause */
/* The other virtual CPU of a secure guest, which an honest VMM starts in real mode. */
#ifndef NOVA_TESTS_SECURE_SECOND_H
#define NOVA_TESTS_SECURE_SECOND_H

#include <string.h>

#include "novart/time.h"

#include "honest.h"

#define SECOND   1u /* number of the other virtual CPU, and of its CPU */
#define VECTOR   0x60u
#define AT       (VECTOR * PAGE)
#define ICR_LOW  0xfee00300u
#define ICR_HIGH 0xfee00310u
#define INIT     0x500u
#define STARTUP  0x600u
#define WAIT_NS  1000000
#define WAITS    5000u

static nova_sel_t second_portal;

/* Adds the other virtual CPU. */
static inline bool second_add(void)
{
        struct nova_handler *second;

        second_portal = nova_sel_alloc(0);
        return second_portal != NOVA_SEL_NONE &&
               !nova_handler_create(&second, SECOND, "second", honest_serve, NULL) &&
               !nova_handler_portal(second, second_portal, 0) &&
               !nova_uv_attach(&uv, SECOND, SECOND, second_portal);
}

/* Lets the first virtual CPU send a message. */
static inline void second_send(uint32_t destination, uint32_t message)
{
        guest(PROBE_VIEW_WRITE, ICR_HIGH, destination << 24);
        guest(PROBE_VIEW_WRITE, ICR_LOW, message);
}

/* Returns true if a word of the guest gets a value soon. */
static inline bool second_sets(uint32_t address, uint32_t value)
{
        for (unsigned i = 0; i < WAITS && nova_uv_state(&uv) == NOVA_UV_SECURE; i++) {
                if (guest(PROBE_READ, address, 0) == value)
                        return true;
                nova_sleep(WAIT_NS);
        }
        return false;
}

/* Writes the code of the other virtual CPU, which starts in real mode at AT. */
static inline void second_write(const char *code, uint32_t bytes)
{
        uint32_t word;

        for (uint32_t i = 0; i < bytes; i += sizeof(word)) {
                word = 0;
                memcpy(&word, code + i, bytes - i < sizeof(word) ? bytes - i : sizeof(word));
                guest(PROBE_WRITE, AT + i, word);
        }
}

#endif
