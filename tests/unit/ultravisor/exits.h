/* SPDX-License-Identifier: BSD-2-Clause */
/* A secure machine without a kernel: the ultravisor's handlers of exits (exit.c, guest.c), and a
 * VMM that records its calls. */
#ifndef TESTS_UNIT_ULTRAVISOR_EXITS_H
#define TESTS_UNIT_ULTRAVISOR_EXITS_H

#include "message.h"
#include "novavmm/exit.h"

enum { EXITS_MARK = 0xa5, EXITS_CALLS = 16 };

#define EXITS_MARKS (~(uint64_t)0 / 255 * EXITS_MARK)

/* Calls that the VMM has received. */
extern struct message exits_call[EXITS_CALLS];
extern unsigned exits_calls;

/* The access to a port that causes the next exit. */
extern struct exits_port {
        uint64_t port;
        unsigned bytes;
        bool write;
} exits_port;

extern unsigned exits_left; /* number of exits that the ultravisor has left to the library */
extern int exits_convert;   /* status of UV_ESM */
extern bool exits_dry;      /* the generator has no random numbers */

/* Handles an exit of a guest whose registers, selectors and exit information all consist of bytes
 * EXITS_MARK.
 * @param ax   RAX
 * @param bx   RBX
 * @param user the guest is in user mode */
void exits_handle(enum nova_vm_exit cause, uint64_t ax, uint64_t bx, bool user);

/* Returns the value of RAX after the last exit; exits_bx() returns that of RBX. */
uint64_t exits_ax(void);
uint64_t exits_bx(void);

#endif
