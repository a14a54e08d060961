/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading the storage base: the word that it points to is its own address. */
#ifndef NOVA_ROOTTASK_ARCH_STORAGE_H
#define NOVA_ROOTTASK_ARCH_STORAGE_H

#if __SIZEOF_POINTER__ == 8
#define STORAGE_SEGMENT "fs"
#else
#define STORAGE_SEGMENT "gs"
#endif

struct nova_thread;

/* The calling thread. Not volatile: it never changes for a thread, so one read may serve several
 * uses. */
static inline struct nova_thread *storage_self(void)
{
        struct nova_thread *self;

        __asm__("mov %%" STORAGE_SEGMENT ":0, %0" : "=r"(self));
        return self;
}

#endif
