/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads the storage base. The word to which it points contains the base itself. */
#ifndef NOVA_ROOTTASK_ARCH_STORAGE_H
#define NOVA_ROOTTASK_ARCH_STORAGE_H

#if __SIZEOF_POINTER__ == 8
#define STORAGE_SEGMENT "fs"
#else
#define STORAGE_SEGMENT "gs"
#endif

struct nova_thread;

/* Returns the calling thread. The assembly is not volatile: the value never changes in a thread, so
 * the compiler may use one read several times. */
static inline struct nova_thread *storage_self(void)
{
        struct nova_thread *self;

        __asm__("mov %%" STORAGE_SEGMENT ":0, %0" : "=r"(self));
        return self;
}

#endif
