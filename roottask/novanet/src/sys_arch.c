/* SPDX-License-Identifier: BSD-2-Clause */
/* System functions for lwIP: time, threads, semaphores, locks and mailboxes. */
#include <stdlib.h>
#include <string.h>

#include "lwip/opt.h"
#include "lwip/sys.h"
#include "nova/hypercall.h"
#include "novart/random.h"
#include "novart/thread.h"
#include "novart/time.h"
#include "pool.h"

#define NS_PER_MS 1000000
#define AWAITED   1 /* a bit that is 0 in addresses of threads */

/* A queue of messages between threads. */
struct novanet_mailbox {
        struct nova_mutex mutex;
        struct nova_cond filled, emptied;
        unsigned size, first, count;
        void *message[];
};

/* Lock that lwIP holds for a few instructions, for example on its pools: 0, or the thread that
 * holds it, with AWAITED if another thread sleeps. lwIP takes the lock 20 times for a packet, so it
 * must cost little to take a lock that is free. */
static uintptr_t holder;
static struct nova_mutex next_holder = NOVA_MUTEX_INITIALIZER; /* held by the thread that sleeps */
static struct nova_semaphore released = NOVA_SEMAPHORE_INITIALIZER(0);

void sys_init(void)
{
}

u32_t sys_now(void)
{
        return (u32_t)(nova_time_ns() / NS_PER_MS);
}

/* Returns a number that another machine cannot easily guess. lwIP uses it for ports, initial
 * sequence numbers, and identifiers of DNS and DHCP. On a CPU without RDRAND the numbers come from
 * the times of the calls. */
uint32_t novanet_random(void)
{
        static uint32_t state;
        const uint64_t now = nova_rdtsc();
        uint32_t next = __atomic_load_n(&state, __ATOMIC_RELAXED) ^ (uint32_t)(now ^ now >> 32);
        uint32_t random;

        if (nova_random(&random, sizeof(random)) == sizeof(random))
                return random;
        next = (next ^ next >> 16) * 0x7feb352du;
        next = (next ^ next >> 15) * 0x846ca68bu;
        next ^= next >> 16;
        __atomic_store_n(&state, next, __ATOMIC_RELAXED);
        return next;
}

/* Replaces the value `*seen` of `holder`. @return false if `holder` had another value, which is
 * then in `*seen` */
static bool replace_holder(uintptr_t *seen, uintptr_t value)
{
        return __atomic_compare_exchange_n(&holder, seen, value, false, __ATOMIC_ACQUIRE,
                                           __ATOMIC_RELAXED);
}

/* Sleeps until the lock is free, and takes it. The mutex lets only one thread wait here, so each
 * AWAITED leads to one up of `released`. */
static __attribute__((noinline)) void wait_for_holder(uintptr_t self)
{
        uintptr_t seen = 0;

        nova_mutex_lock(&next_holder);
        while (!replace_holder(&seen, self)) {
                if (replace_holder(&seen, seen | AWAITED))
                        nova_semaphore_down(&released);
                seen = 0;
        }
        nova_mutex_unlock(&next_holder);
}

/* Returns 1 if the thread has the lock already. */
sys_prot_t sys_arch_protect(void)
{
        const uintptr_t self = (uintptr_t)nova_thread_self();
        uintptr_t seen = 0;

        if (replace_holder(&seen, self))
                return 0;
        if ((seen & ~(uintptr_t)AWAITED) == self)
                return 1;
        wait_for_holder(self);
        return 0;
}

void sys_arch_unprotect(sys_prot_t pval)
{
        if (!pval && __atomic_exchange_n(&holder, 0, __ATOMIC_RELEASE) & AWAITED)
                nova_semaphore_up(&released);
}

/* A thread of lwIP. */
struct start {
        lwip_thread_fn function;
        void *argument;
};

static void *run(void *argument)
{
        const struct start start = *(struct start *)argument;

        free(argument);
        start.function(start.argument);
        return NULL;
}

sys_thread_t sys_thread_new(const char *name, lwip_thread_fn thread, void *arg, int stacksize,
                            int prio)
{
        const struct nova_thread_attr attr = {.name = name,
                                              .cpu = NOVA_CPU_SELF,
                                              .stack_bytes = (size_t)stacksize,
                                              .daemon = true};
        struct start *start = malloc(sizeof(*start));
        struct nova_thread *made = NULL;

        (void)prio;
        if (start)
                *start = (struct start){thread, arg};
        if (!start || nova_thread_create(&made, &attr, run, start)) {
                puts("the network cannot start a thread; write a larger `memory` or "
                     "`kernel-memory`.");
                exit(1);
        }
        return made;
}

err_t sys_sem_new(sys_sem_t *sem, u8_t count)
{
        sem->semaphore = (struct nova_semaphore)NOVA_SEMAPHORE_INITIALIZER(count);
        sem->valid = true;
        return ERR_OK;
}

void sys_sem_free(sys_sem_t *sem)
{
        sem->valid = false;
}

int sys_sem_valid(sys_sem_t *sem)
{
        return sem->valid;
}

void sys_sem_set_invalid(sys_sem_t *sem)
{
        sem->valid = false;
}

void sys_sem_signal(sys_sem_t *sem)
{
        nova_semaphore_up(&sem->semaphore);
}

static uint64_t deadline_of(u32_t ms)
{
        return ms ? nova_deadline_in((uint64_t)ms * NS_PER_MS) : NOVA_FOREVER;
}

u32_t sys_arch_sem_wait(sys_sem_t *sem, u32_t timeout)
{
        const u32_t before = sys_now();

        if (nova_semaphore_down_until(&sem->semaphore, deadline_of(timeout)))
                return SYS_ARCH_TIMEOUT;
        return sys_now() - before;
}

err_t sys_mutex_new(sys_mutex_t *mutex)
{
        mutex->mutex = (struct nova_mutex)NOVA_MUTEX_INITIALIZER;
        mutex->valid = true;
        return ERR_OK;
}

void sys_mutex_free(sys_mutex_t *mutex)
{
        mutex->valid = false;
}

void sys_mutex_lock(sys_mutex_t *mutex)
{
        nova_mutex_lock(&mutex->mutex);
}

void sys_mutex_unlock(sys_mutex_t *mutex)
{
        nova_mutex_unlock(&mutex->mutex);
}

err_t sys_mbox_new(sys_mbox_t *mbox, int size)
{
        const unsigned count = size > 0 ? (unsigned)size : 16;
        struct novanet_mailbox *mailbox = malloc(sizeof(*mailbox) + count * sizeof(void *));

        *mbox = mailbox;
        if (!mailbox)
                return ERR_MEM;
        *mailbox = (struct novanet_mailbox){.mutex = NOVA_MUTEX_INITIALIZER,
                                            .filled = NOVA_COND_INITIALIZER,
                                            .emptied = NOVA_COND_INITIALIZER,
                                            .size = count};
        return ERR_OK;
}

void sys_mbox_free(sys_mbox_t *mbox)
{
        free(*mbox);
}

int sys_mbox_valid(sys_mbox_t *mbox)
{
        return *mbox != NULL;
}

void sys_mbox_set_invalid(sys_mbox_t *mbox)
{
        *mbox = NULL;
}

unsigned novanet_mailbox_weigh(struct novanet_mailbox *mailbox,
                               unsigned (*weigh)(const void *message))
{
        unsigned sum = 0;

        if (!mailbox)
                return 0;
        nova_mutex_lock(&mailbox->mutex);
        for (unsigned i = 0; i < mailbox->count; i++)
                sum += weigh(mailbox->message[(mailbox->first + i) % mailbox->size]);
        nova_mutex_unlock(&mailbox->mutex);
        return sum;
}

static void put(struct novanet_mailbox *mailbox, void *message)
{
        mailbox->message[(mailbox->first + mailbox->count) % mailbox->size] = message;
        mailbox->count++;
        nova_cond_signal(&mailbox->filled);
}

void sys_mbox_post(sys_mbox_t *mbox, void *msg)
{
        struct novanet_mailbox *mailbox = *mbox;

        nova_mutex_lock(&mailbox->mutex);
        while (mailbox->count == mailbox->size)
                nova_cond_wait(&mailbox->emptied, &mailbox->mutex);
        put(mailbox, msg);
        nova_mutex_unlock(&mailbox->mutex);
}

err_t sys_mbox_trypost(sys_mbox_t *mbox, void *msg)
{
        struct novanet_mailbox *mailbox = *mbox;
        bool room;

        nova_mutex_lock(&mailbox->mutex);
        room = mailbox->count < mailbox->size;
        if (room)
                put(mailbox, msg);
        nova_mutex_unlock(&mailbox->mutex);
        return room ? ERR_OK : ERR_MEM;
}

err_t sys_mbox_trypost_fromisr(sys_mbox_t *mbox, void *msg)
{
        return sys_mbox_trypost(mbox, msg);
}

static void *take(struct novanet_mailbox *mailbox)
{
        void *message = mailbox->message[mailbox->first];

        mailbox->first = (mailbox->first + 1) % mailbox->size;
        mailbox->count--;
        nova_cond_signal(&mailbox->emptied);
        return message;
}

u32_t sys_arch_mbox_fetch(sys_mbox_t *mbox, void **msg, u32_t timeout)
{
        const uint64_t deadline = deadline_of(timeout);
        const u32_t before = sys_now();
        struct novanet_mailbox *mailbox = *mbox;
        void *found = NULL;
        int error = 0;

        nova_mutex_lock(&mailbox->mutex);
        while (!error && !mailbox->count)
                error = nova_cond_wait_until(&mailbox->filled, &mailbox->mutex, deadline);
        if (mailbox->count) {
                found = take(mailbox);
                error = 0;
        }
        nova_mutex_unlock(&mailbox->mutex);
        if (msg)
                *msg = found;
        return error ? SYS_ARCH_TIMEOUT : sys_now() - before;
}

u32_t sys_arch_mbox_tryfetch(sys_mbox_t *mbox, void **msg)
{
        struct novanet_mailbox *mailbox = *mbox;
        void *found = NULL;
        bool some;

        nova_mutex_lock(&mailbox->mutex);
        some = mailbox->count;
        if (some)
                found = take(mailbox);
        nova_mutex_unlock(&mailbox->mutex);
        if (msg)
                *msg = found;
        return some ? 0 : SYS_MBOX_EMPTY;
}
