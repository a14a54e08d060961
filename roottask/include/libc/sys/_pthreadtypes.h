/* SPDX-License-Identifier: BSD-2-Clause */
/* Stands before the C library's file of this name, which sys/types.h includes: what other headers
 * of the C library need of the types of POSIX threads. All else is in pthread.h. */
#ifndef NOVART_SYS_PTHREADTYPES_H
#define NOVART_SYS_PTHREADTYPES_H

/** A thread. */
typedef struct nova_thread *pthread_t;

/** What a new thread is to be like. */
typedef struct nova_pthread_attr pthread_attr_t;

#endif
