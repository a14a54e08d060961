/* SPDX-License-Identifier: BSD-2-Clause */
/* Internals of the parent's side: the request that a server answers. Each server has one. */
#ifndef NOVART_CHILD_REQUEST_H
#define NOVART_CHILD_REQUEST_H

#include "child/child.h"

/* A request of a child. The message is a copy, so its sender cannot change it. The UTCB holds the
 * answer: word 0 is the error, and the operation appends the other words and items. After an error
 * the answer consists of the error alone. */
struct request {
        struct nova_child *child;
        struct child_server *server;
        struct nova_utcb *utcb;
        nova_sel_t item; /* selector of an object that arrived; NOVA_SEL_NONE: none */
        bool has_items;  /* the message has typed items, which may have failed */
        unsigned words;
        nova_word_t word[NOVA_UTCB_WORDS]; /* words of the message; 0 beyond its end */
        char name[NOVA_PARENT_NAME];
        size_t written;         /* number of bytes of the message's text that were taken */
        struct child_text text; /* a line of the child's text, or empty; the server writes the line
                                 * before it continues with the request */
};

/* Reads the name that begins at word `first`. Returns false if there is no name, or if the name has
 * no end. */
bool novart_request_name(struct request *request, unsigned first);

/* device.c: appends items for as many pages of a range as fit, from number `page` on, and puts the
 * number of these pages before the items. */
void novart_request_give_pages(struct request *request, nova_word_t first, nova_word_t pages,
                               nova_word_t page, unsigned perms);
/* The first function appends items for ports, the second an item for a semaphore. */
void novart_request_give_ports(struct request *request, nova_word_t first, nova_word_t count);
void novart_request_give_semaphore(struct request *request, nova_sel_t sel);

/* pci.c: requests of the child that holds the configuration space of PCI. */
int novart_serve_pci(struct request *request);

/* program.c: answers a request for the state of a program. */
int novart_serve_program(struct request *request);

/* status.c: answers a request for the state of CPUs, sessions or text. */
int novart_serve_status(struct request *request);

/* device.c: operations that deliver memory and other device resources. */
int novart_serve_module(struct request *request);
int novart_serve_device(struct request *request);

#endif
