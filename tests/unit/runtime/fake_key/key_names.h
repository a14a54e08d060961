/* SPDX-License-Identifier: BSD-2-Clause */
/* Gives the functions of key.c names that differ from those of the host's functions. Adds a hook to
 * the atomic loads of key.c, so that another thread can run after a load. */
#ifndef FAKE_KEY_NAMES_H
#define FAKE_KEY_NAMES_H

#ifdef __cplusplus
extern "C" {
#endif

unsigned loaded(unsigned value);

#ifdef __cplusplus
}
#else
#define pthread_key_create           own_key_create
#define pthread_key_delete           own_key_delete
#define pthread_getspecific          own_getspecific
#define pthread_setspecific          own_setspecific
#define __atomic_load_n(from, order) loaded(*(volatile unsigned *)(from))
#endif

#endif
