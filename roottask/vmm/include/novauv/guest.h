/* SPDX-License-Identifier: BSD-2-Clause */
/* Ultracalls and secrets, for guests that you write. The header needs no library, and works in
 * 32-bit and 64-bit code of privilege level 0. In user mode the calls raise #UD; the functions for
 * secrets work there, if the guest's kernel allows the access to the ports. */
#ifndef NOVAUV_GUEST_H
#define NOVAUV_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "novart/service/ultravisor_calls.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Returns true if the CPU takes VMMCALL (AMD), false if it takes VMCALL (Intel). */
static inline bool nova_guest_is_amd(void)
{
        uint32_t eax = 0, ebx, ecx = 0, edx;

        __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
        return ebx == 0x68747541 || ebx == 0x6f677948; /* AuthenticAMD, HygonGenuine */
}

/**
 * Makes an ultracall or another hypercall.
 * @code
 * if (nova_guest_call(NOVA_UV_UNSHARE_ALL_PAGES, 0, 0) == NOVA_U_INVALID)
 *         puts("The guest is not secure.");
 * @endcode
 * @param number number of the call
 * @param p1, p2 parameters
 * @return its status
 */
static inline long nova_guest_call(unsigned long number, unsigned long p1, unsigned long p2)
{
        const bool amd = nova_guest_is_amd();
        long status;

        if (amd)
                __asm__ volatile("vmmcall"
                                 : "=a"(status), "+b"(p1), "+c"(p2)
                                 : "a"(number)
                                 : "memory");
        else
                __asm__ volatile("vmcall"
                                 : "=a"(status), "+b"(p1), "+c"(p2)
                                 : "a"(number)
                                 : "memory");
        return status;
}

/**
 * Shares @p num pages with the VMM, beginning with page number @p gfn. They are filled with 0.
 * @code
 * const unsigned long gfn = 0x300; // at 3 MiB
 *
 * if (nova_guest_share_page(gfn, 1) == NOVA_U_SUCCESS)
 *         strcpy((char *)(gfn << 12), "The VMM can read this.");
 * @endcode
 * @return enum nova_u_status
 */
static inline int nova_guest_share_page(unsigned long gfn, unsigned long num)
{
        return (int)nova_guest_call(NOVA_UV_SHARE_PAGE, gfn, num);
}

/**
 * Takes back @p num pages, beginning with page number @p gfn. They are filled with 0.
 * @code
 * const unsigned long gfn = 0x300;
 *
 * if (nova_guest_unshare_page(gfn, 1) == NOVA_U_SUCCESS)
 *         strcpy((char *)(gfn << 12), "The VMM cannot read this.");
 * @endcode
 * @return enum nova_u_status
 */
static inline int nova_guest_unshare_page(unsigned long gfn, unsigned long num)
{
        return (int)nova_guest_call(NOVA_UV_UNSHARE_PAGE, gfn, num);
}

/** Takes back all pages that nova_guest_share_page() has shared. @return enum nova_u_status */
static inline int nova_guest_unshare_all_pages(void)
{
        return (int)nova_guest_call(NOVA_UV_UNSHARE_ALL_PAGES, 0, 0);
}

/**
 * Asks the ultravisor to make the normal guest secure. On success the call does not return: the
 * secure guest begins at the entry that its blob names.
 * @code
 * extern unsigned long blob, params; // places in the sealed image
 *
 * if (nova_guest_esm(blob, params) == NOVA_U_NO_KEY)
 *         puts("The image is not sealed for this machine.");
 * @endcode
 * @param blob   guest-physical address of the blob
 * @param params guest-physical address of the boot parameters
 * @return enum nova_u_status; NOVA_U_SUCCESS in a guest that is secure already */
static inline int nova_guest_esm(unsigned long blob, unsigned long params)
{
        return (int)nova_guest_call(NOVA_UV_ESM, blob, params);
}

/** Reads a byte from a port. */
static inline uint8_t nova_guest_in(uint16_t port)
{
        uint8_t value;

        __asm__ volatile("inb %w1, %b0" : "=a"(value) : "Nd"(port));
        return value;
}

/** Writes the byte @p value to a port. */
static inline void nova_guest_out(uint16_t port, uint8_t value)
{
        __asm__ volatile("outb %b0, %w1" : : "a"(value), "Nd"(port));
}

/**
 * Reads a secret of the sealed image. The ultravisor answers, and the VMM sees neither the value
 * nor the name. In a normal guest these ports belong to the VMM, which usually has no device there.
 * The name is state of the guest: only one thread may call the function at a time.
 * @code
 * char phrase[64];
 * const long bytes = nova_guest_secret("", phrase, sizeof(phrase));
 *
 * if (bytes >= 0 && (size_t)bytes <= sizeof(phrase))
 *         printf("The phrase of the disk has %ld bytes.\n", bytes);
 * @endcode
 * @param name  name of the secret; "" is the phrase of the disk
 * @param[out] to first bytes of the secret
 * @param bytes maximum number of bytes to store
 * @return size of the secret, which may be more than @p bytes; -1: there is no such secret
 */
static inline long nova_guest_secret(const char *name, void *to, size_t bytes)
{
        unsigned size, i = 0;

        do
                nova_guest_out((uint16_t)(NOVA_UV_SECRET_NAME + i), (uint8_t)name[i]);
        while (name[i] && NOVA_UV_SECRET_NAME + ++i < NOVA_UV_SECRET_LENGTH);
        size = nova_guest_in(NOVA_UV_SECRET_LENGTH) |
               (unsigned)nova_guest_in(NOVA_UV_SECRET_LENGTH + 1) << 8;
        if (size > NOVA_UV_SECRET_PORTS)
                return -1;
        for (i = 0; i < size && i < bytes; i++)
                ((uint8_t *)to)[i] = nova_guest_in((uint16_t)(NOVA_UV_SECRET_VALUE + i));
        return (long)size;
}

#ifdef __cplusplus
}
#endif

#endif
