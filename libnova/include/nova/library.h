/* SPDX-License-Identifier: BSD-2-Clause */
/* Selects where the bodies of libnova's larger functions are: in the library or in the including
 * file.
 *
 * A program either links libnova.a, or defines NOVA_HEADER_ONLY for all of its files and does not
 * link the library. In the second case the headers contain the bodies (from nova/inline/), and
 * exactly one file of a roottask includes nova/inline/start.h, which contains the entry point. */
#ifndef NOVA_LIBRARY_H
#define NOVA_LIBRARY_H

/** Precedes each function whose body is in libnova.a. */
#ifdef NOVA_HEADER_ONLY
#define NOVA_LIBRARY static inline
#else
#define NOVA_LIBRARY
#endif

/** Replaces NOVA_LIBRARY before functions in assembly that the kernel enters. */
#ifdef NOVA_HEADER_ONLY
#define NOVA_LIBRARY_ENTRY static __attribute__((naked, unused))
#else
#define NOVA_LIBRARY_ENTRY __attribute__((naked))
#endif

#endif
