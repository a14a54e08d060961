/* SPDX-License-Identifier: BSD-2-Clause */
/* Parts of init: what it knows of the programs of its system. */
#ifndef NOVA_INIT_INIT_H
#define NOVA_INIT_INIT_H

#include "novart/child.h"
#include "novart/module.h"
#include "novart/sync.h"
#include "system/description.h"

enum program_state { PROGRAM_WAITS, PROGRAM_RUNS, PROGRAM_PAUSES, PROGRAM_OVER };

/* A program of the description while the system runs. */
struct program {
        const struct nova_system_program *says;
        enum program_state state;
        struct nova_child *child;
        unsigned restarts;
        unsigned failures; /* ends with another status than 0 since it last came up */
        bool up;           /* has offered a service since its start; atomic */
        uint64_t started;  /* ns since boot */
        int status;        /* of its last end */
        bool ended;        /* the child has ended and was not looked at yet; atomic */
        unsigned denials;  /* reported requests for services that it must not have; of grants.c */
        bool stuck;        /* waits, and a program that it needs is overdue: reported once */
        uint64_t serve_until; /* ns since boot: its services should be there */
        uint64_t pause_until; /* … it is started again */
};

/* All of this is init's main thread's; what functions of grants.c touch is under the mutex. */
struct init {
        struct nova_system system;
        struct program program[NOVA_SYSTEM_PROGRAMS_MAX];
        struct nova_semaphore news; /* a child ended, or a service is there */
};

extern struct init init;

/* modules.c: finds and reads the description, and checks it against machine and modules. 0, or the
 * number of mistakes, which it has reported. */
unsigned modules_read_description(const char *name);
/* A boot module, mapped once. False if there is none or it cannot be mapped. */
bool modules_map(const char *name, const void **data, size_t *bytes);

/* grants.c: what a program gets by name. */
struct nova_child_grants grants_of(struct program *program);
/* True if a program uses a service that the other one provides. */
bool grants_needs(const struct program *program, const struct program *provider);
/* True if a service can be opened. */
bool grants_service_there(const char *name);

/* devices.c: range number index of a kind of a device; 0 or ENOENT. */
int devices_get(const char *name, unsigned index, struct nova_child_device *device);

/* waiting.c: how long a program may take to provide its services, in ns. */
uint64_t waiting_patience(void);
/* True if a program that waits can start now; reports once if it cannot soon, or ever. */
bool waiting_look(struct program *program);
/* When to look again though nothing happened, as a TSC value. */
uint64_t waiting_deadline(void);

/* programs.c: runs the system to its end; its exit status. */
int programs_run(void);

#endif
