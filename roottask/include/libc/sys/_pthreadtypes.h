/* SPDX-License-Identifier: BSD-2-Clause */
/* Replaces the C library's file of this name, which sys/types.h includes. It has only those types
 * of POSIX threads that other headers of the C library need; pthread.h has the rest. */
#ifndef NOVART_SYS_PTHREADTYPES_H
#define NOVART_SYS_PTHREADTYPES_H

/** A thread. */
typedef struct nova_thread *pthread_t;

/** Attributes of a new thread. */
typedef struct nova_pthread_attr pthread_attr_t;

#endif
