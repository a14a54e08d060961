/* SPDX-License-Identifier: BSD-2-Clause */
/* A VMM without the library, whose attacks change its answers. */
#ifndef EXAMPLES_SECURE_TWO_HOSTILE_H
#define EXAMPLES_SECURE_TWO_HOSTILE_H

#include <stdbool.h>
#include <stdint.h>

#include <novavmm/secure.h>

#include "tasks.h"

#define MEMORY  (8u << 20) /* size of the guest's memory, which is one slot */
#define PARAMS  0x10000u   /* where the image has its boot parameters, blob and kernel */
#define LINE_AT 0x228u     /* offset in the boot parameters of the command line's address */
#define BLOB    0x30000u
#define KERNEL  0x200000u
#define SPARE   0x700000u /* pages of the normal memory that no part and no task uses */

#define NO_VECTOR UINT32_MAX

/* A call of the ultravisor, and the answer to it. */
struct call {
        nova_word_t number, word[4], status, value;
        bool done; /* the attack has supplied the answer */
};

/* The attack, which sees each call; NULL: the VMM is honest. */
extern void (*at_call)(struct call *call);

extern struct nova_uv uv;
extern uint8_t *normal; /* the memory that the VMM shares with the ultravisor */

/* Creates a semaphore of the kernel. The end of a guest can stop the handler in the middle of a
 * call: a semaphore of the runtime (nova_semaphore_down()) has a lock, which the handler could then
 * keep.
 * @return false: there is no selector or no kernel memory */
bool create_semaphore(nova_sel_t *sm);

/* Loads the image, and makes the guest secure. @return the status of UV_ESM */
enum nova_u_status become_secure(void);

/* Makes the guest secure, as an honest VMM does, and waits until the guest has filled its pages. */
void begin(void);

/* Ends the guest. @return the status of UV_SVM_TERMINATE */
enum nova_u_status end(void);

/* Gives the guest a task. If the guest has not become secure, the program ends. @return the task's
 * result */
uint32_t task(uint64_t number);

/* Gives the guest a task, and does not wait for the result. */
void begin_task(uint64_t number);

/* Make UV_PAGE_OUT and UV_PAGE_IN for page @p number of those that the guest checks. */
enum nova_u_status out(uint32_t number, uint32_t to);
enum nova_u_status in(uint32_t number, uint32_t from);

/* Makes a snapshot of page @p number: the page stays in secure memory. */
enum nova_u_status snapshot(uint32_t number, uint32_t to);

/* Prints what the attack tries and the status, which should be @p right. */
void outcome(const char *what, enum nova_u_status status, enum nova_u_status right);

/* Prints the sentence of a try, and whether the outcome is right. */
void outcome_is(const char *sentence, bool right);

void attack_lpid(void);
void attack_normal(void);
void attack_replay(void);
void attack_bit(void);
void attack_swap(void);
void attack_order(void);
void attack_earlier(void);
void attack_twice(void);
void attack_revoke(void);
void attack_search(void);
void attack_nonce(void);
void attack_measure(void);
void attack_steps(void);
void attack_vector(void);
void attack_device(void);
void attack_hang(void);
void attack_die(void);

#endif
