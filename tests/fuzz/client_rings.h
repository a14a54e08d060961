/* SPDX-License-Identifier: BSD-2-Clause */
/* A hostile service with rings, as its client sees it. The service answers calls as the input says,
 * and writes anything into the memory that it shares. */
#ifndef FUZZ_CLIENT_RINGS_H
#define FUZZ_CLIENT_RINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "novart/service/ring.h"
#include "novart/session.h"
#include "require.h"

/* The hostile service. */
struct rings_service {
        uint32_t magic;  /* number with which each ring begins */
        uint32_t second; /* offset of the second ring; 0: there is none */
        /* Fills the answer to a call, in words. */
        void (*answer)(unsigned long operation, void *words, size_t bytes);
        /* Gets each call that succeeds, before its answer, and NOVA_OPERATION_OPEN if the session
         * was opened again. NULL: there is no such function. */
        void (*called)(const struct nova_message *message);
        /* Does a step while the client sleeps. */
        void (*act)(void);
};

/* Begins an input. rings_take() and rings_take_word() return its next bytes, or 0 after its end. */
void rings_begin(const struct rings_service *service, const uint8_t *data, size_t size);
bool rings_has_input(void);
uint8_t rings_take(void);
uint32_t rings_take_word(void);

/* Lets the service write into a ring. */
void rings_write(struct nova_ring *ring, uint32_t count);

/* Ends the test unless the client has given back its session, its addresses and its selectors. */
void rings_end(void);

#endif
