/* SPDX-License-Identifier: BSD-2-Clause */
/* Semaphores, locks and mailboxes, for lwIP. */
#ifndef LWIP_ARCH_SYS_ARCH_H
#define LWIP_ARCH_SYS_ARCH_H

#include <stdbool.h>

#include "novart/sync.h"

struct novanet_semaphore {
        struct nova_semaphore semaphore;
        bool valid;
};

struct novanet_mutex {
        struct nova_mutex mutex;
        bool valid;
};

struct novanet_mailbox; /* in sys_arch.c */

typedef struct novanet_semaphore sys_sem_t;
typedef struct novanet_mutex sys_mutex_t;
typedef struct novanet_mailbox *sys_mbox_t;
typedef struct nova_thread *sys_thread_t;

#endif
