/* SPDX-License-Identifier: BSD-2-Clause */
/* Portals: an entry point into an EC. @spec 2.4 */
#ifndef OBJECT_PT_H
#define OBJECT_PT_H

#include "nova/abi/hypercall.h"
#include "nova/abi/mtd.h"
#include "nova/abi/status.h"
#include "object/object.h"

struct ec;

/* IPC reads a portal without a lock: the fields that it uses are fixed at creation. */
struct pt {
        struct kobject object;
        struct ec *ec; /* handles the calls; the portal holds a reference */
        word_t ip;
        word_t id; /* selector at its creation; passed to the handler */
        char name[NOVA_NAME_SIZE];
        nova_mtd_t mtd;
};

_Static_assert(sizeof(struct pt) <= 64, "a call looks at one cache line of a portal");

/** Prepares the slab cache of portals. Call once, at boot. */
void pt_boot(void);

/** Creates a portal of ec and charges it to an account. Returns SUCCESS, BAD_CAP if ec is ending,
 * or OUT_OF_MEMORY. */
enum nova_status pt_create(struct account *account, struct ec *ec, word_t id, nova_mtd_t mtd,
                           word_t ip, struct pt **out);

#endif
