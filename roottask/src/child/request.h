/* SPDX-License-Identifier: BSD-2-Clause */
/* Internals of the parent's side: the request that a server answers, one for each server. */
#ifndef NOVART_CHILD_REQUEST_H
#define NOVART_CHILD_REQUEST_H

#include "child/child.h"

/* The message was copied, so its sender cannot change it, and the UTCB holds the answer: word 0 is
 * for the error, operations append the rest. After an error nothing but the error is sent. */
struct request {
        struct nova_child *child;
        struct child_server *server;
        struct nova_utcb *utcb;
        nova_sel_t item; /* where an object came to; NOVA_SEL_NONE: none came */
        unsigned words;
        nova_word_t word[NOVA_UTCB_WORDS]; /* 0 where the message has none */
        char name[NOVA_PARENT_NAME];
        size_t written;         /* bytes of its text that were taken */
        struct child_text text; /* a line of it; if there is one the answer comes later */
};

/* Reads a name from a word on. False if there is none or it has no end. */
bool novart_request_name(struct request *request, unsigned first);

/* device.c: operations that bring memory and what else devices have. */
int novart_serve_module(struct request *request);
int novart_serve_device(struct request *request);

#endif
