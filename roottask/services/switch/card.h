/* SPDX-License-Identifier: BSD-2-Clause */
/* A card of a switch: a session with its driver, and a thread that waits for frames. */
#ifndef NOVART_SWITCH_CARD_H
#define NOVART_SWITCH_CARD_H

#include <stdbool.h>
#include <stdint.h>

#include "novart/service/net.h"

#define CARDS        2  /* maximum number of cards */
#define FRAME_HEADER 14 /* bytes of a frame that are copied before they are checked */

/* A frame. Its owner may change the data, but not the copy of the header. */
struct frame {
        uint8_t header[FRAME_HEADER];
        const uint8_t *data; /* data, which begins with the owner's header */
        uint32_t bytes;
        uint32_t sum; /* the word that describes its checksum */
};

/* Copies all data in one piece, because the data is aligned. Then overwrites the header with the
 * copy of the header. */
void frame_copy(void *to, const struct frame *frame);

struct card {
        const char *service; /* the driver */
        struct nova_net *net;
        unsigned port; /* its port in the table */
        bool up;       /* the driver runs */
        bool full;     /* there was no buffer for the last frame */
        bool cable;    /* the card had a cable at the last look; read without synchronisation */
        uint32_t frame_max; /* maximum number of bytes of a frame; read without synchronisation */
        uint64_t forged;    /* number of frames that came with forged sources */
        uint64_t report_at; /* value of forged at which the card's thread reports it next */
        int (*receive)(struct card *card, const struct nova_net_frame *in);
};

/* Opens the session. @return 0 or an errno value */
int card_open(struct card *card);

/* Returns true if the card had a cable when its thread looked last. If no frames arrive, the thread
 * looks once a second. */
bool card_has_cable(const struct card *card);

/* Returns the maximum size of a frame that the driver takes. */
uint32_t card_frame_max(const struct card *card);

/* Starts the thread, which calls receive() with the service's lock. receive() releases the frame
 * with nova_net_release(), and returns its result. @return 0 or an errno value */
int card_start(struct card *card);

/* Sends a frame. The caller has the lock, and calls card_flush() before it releases it. @return
 * false: the driver's queue is full, and the frame may be sent later */
bool card_send(struct card *card, const struct frame *frame);
void card_flush(struct card *card);

#endif
