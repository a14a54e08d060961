/* SPDX-License-Identifier: BSD-2-Clause */
/* The numbers, statuses and parameters of ultracalls and of the calls that the ultravisor makes.
 * The ultravisor's dispatcher, the manual's table and the fuzzer are generated from these rows, and
 * a test compares the functions of ultravisor.h and novauv/guest.h with them. */
#ifndef NOVART_SERVICE_ULTRAVISOR_CALLS_H
#define NOVART_SERVICE_ULTRAVISOR_CALLS_H

#ifdef __cplusplus
extern "C" {
#endif

/** @addtogroup ultravisor
 *  @{ */

/** Statuses of ultracalls: ROW(NAME, value, "meaning"). If the PAPR defines a hypercall status of
 * the same name, the value is the same. */
#define NOVA_U_STATUS_ROWS(ROW)                                                            \
        ROW(SUCCESS, 0, "the call is done")                                                \
        ROW(BUSY, 1, "the page cannot be moved now: try again")                            \
        ROW(RETRY, 9, "secure memory or another resource is missing: the VM is normal")    \
        ROW(FUNCTION, -2, "there is no such call, or no ultravisor")                       \
        ROW(PARAMETER, -4, "the first parameter is invalid")                               \
        ROW(PERMISSION, -11, "an integrity check failed, or the caller may not call this") \
        ROW(P2, -55, "the second parameter is invalid")                                    \
        ROW(P3, -56, "the third parameter is invalid")                                     \
        ROW(P4, -57, "the fourth parameter is invalid")                                    \
        ROW(P5, -58, "the fifth parameter is invalid")                                     \
        ROW(INVALID, -75, "the VM is not in the state that the call needs")                \
        ROW(NO_KEY, -76, "the image is not sealed for this machine")

/** Statuses of ultracalls. */
enum nova_u_status {
#define NOVA_U_STATUS(name, value, text) NOVA_U_##name = value,
        NOVA_U_STATUS_ROWS(NOVA_U_STATUS)
#undef NOVA_U_STATUS
};

/** Statuses of the calls that the ultravisor makes: ROW(NAME, value, "meaning"). */
#define NOVA_H_STATUS_ROWS(ROW)                                     \
        ROW(SUCCESS, 0, "the call is done")                         \
        ROW(FUNCTION, -2, "there is no such call")                  \
        ROW(PARAMETER, -4, "the guest-physical address is invalid") \
        ROW(P2, -55, "the flags are invalid")                       \
        ROW(P3, -56, "the order is invalid")                        \
        ROW(UNSUPPORTED, -67, "the call is not allowed in the state of the VM")

/** Statuses of the calls that the ultravisor makes. */
enum nova_h_status {
#define NOVA_H_STATUS(name, value, text) NOVA_H_##name = value,
        NOVA_H_STATUS_ROWS(NOVA_H_STATUS)
#undef NOVA_H_STATUS
};

/** Kinds of parameters of ultracalls. The dispatcher checks the parameters of a call in their
 * order. */
enum nova_uv_parameter {
        NOVA_UV_IS_NONE,       /**< there is no such parameter */
        NOVA_UV_IS_LPID,       /**< number of a VM of the caller */
        NOVA_UV_IS_SECURE,     /**< number of a secure VM of the caller */
        NOVA_UV_IS_NEW,        /**< number of a VM, which may be a new one */
        NOVA_UV_IS_NORMAL,     /**< offset of a page in the memory that the VMM shares */
        NOVA_UV_IS_GPA,        /**< guest-physical address of a page in a memory slot */
        NOVA_UV_IS_START,      /**< guest-physical address at which a slot can begin */
        NOVA_UV_IS_SIZE,       /**< size of a slot in bytes */
        NOVA_UV_IS_NO_FLAG,    /**< no flag is defined */
        NOVA_UV_IS_OUT_FLAGS,  /**< flags of UV_PAGE_OUT */
        NOVA_UV_IS_IN_FLAGS,   /**< flags of UV_PAGE_IN */
        NOVA_UV_IS_PAGE_ORDER, /**< binary logarithm of the size of a page */
        NOVA_UV_IS_AREA_ORDER, /**< binary logarithm of the size of one or more pages */
        NOVA_UV_IS_NEW_SLOT,   /**< number of a slot that is not in use */
        NOVA_UV_IS_SLOT,       /**< number of a slot in use */
        NOVA_UV_IS_DW0,        /**< first double word of an entry in the table of VMs */
        NOVA_UV_IS_DW1,        /**< second double word of that entry */
        NOVA_UV_IS_GFN,        /**< number of a guest-physical page in a memory slot */
        NOVA_UV_IS_COUNT,      /**< number of pages, beginning with that page */
        NOVA_UV_IS_BLOB,       /**< guest-physical address of a blob */
        NOVA_UV_IS_TREE,       /**< guest-physical address of the boot parameters */
};

/** Callers of an ultracall. */
enum nova_uv_caller {
        NOVA_UV_BY_VMM,  /**< a VMM, by a session */
        NOVA_UV_BY_GUEST /**< a guest, by VMCALL or VMMCALL */
};

/** Ultracalls: ROW(NAME, function, number, caller, status for another caller, parameters). */
#define NOVA_UV_CALL_ROWS(ROW)                                                                     \
        ROW(WRITE_PATE, write_pate, 0xf104, BY_VMM, PERMISSION, NEW, DW0, DW1, NONE, NONE)         \
        ROW(ESM, esm, 0xf110, BY_GUEST, INVALID, BLOB, TREE, NONE, NONE, NONE)                     \
        ROW(RETURN, return, 0xf11c, BY_VMM, INVALID, NONE, NONE, NONE, NONE, NONE)                 \
        ROW(REGISTER_MEM_SLOT, register_mem_slot, 0xf120, BY_VMM, PERMISSION, SECURE, START, SIZE, \
            NO_FLAG, NEW_SLOT)                                                                     \
        ROW(UNREGISTER_MEM_SLOT, unregister_mem_slot, 0xf124, BY_VMM, PERMISSION, SECURE, SLOT,    \
            NONE, NONE, NONE)                                                                      \
        ROW(PAGE_IN, page_in, 0xf128, BY_VMM, FUNCTION, SECURE, NORMAL, GPA, IN_FLAGS, AREA_ORDER) \
        ROW(PAGE_OUT, page_out, 0xf12c, BY_VMM, FUNCTION, SECURE, NORMAL, GPA, OUT_FLAGS,          \
            PAGE_ORDER)                                                                            \
        ROW(SHARE_PAGE, share_page, 0xf130, BY_GUEST, INVALID, GFN, COUNT, NONE, NONE, NONE)       \
        ROW(UNSHARE_PAGE, unshare_page, 0xf134, BY_GUEST, INVALID, GFN, COUNT, NONE, NONE, NONE)   \
        ROW(PAGE_INVAL, page_inval, 0xf138, BY_VMM, FUNCTION, SECURE, GPA, AREA_ORDER, NONE, NONE) \
        ROW(SVM_TERMINATE, svm_terminate, 0xf13c, BY_VMM, PERMISSION, LPID, NONE, NONE, NONE,      \
            NONE)                                                                                  \
        ROW(UNSHARE_ALL_PAGES, unshare_all_pages, 0xf140, BY_GUEST, INVALID, NONE, NONE, NONE,     \
            NONE, NONE)

/** Numbers of ultracalls. */
enum nova_uv_call {
#define NOVA_UV_CALL(name, function, number, ...) NOVA_UV_##name = number,
        NOVA_UV_CALL_ROWS(NOVA_UV_CALL)
#undef NOVA_UV_CALL
};

/** Flags of UV_PAGE_OUT. */
#define NOVA_UV_SNAPSHOT 1u /**< the guest keeps the page, read-only until its next write */

/** Flags of UV_PAGE_IN. The ultravisor records them. RAM is always write-back, so the first two
 * have no other effect, and both together are invalid. */
#define NOVA_UV_CACHE_INHIBITED  1u
#define NOVA_UV_CACHE_ENABLED    2u
#define NOVA_UV_WRITE_PROTECTION 4u /**< the guest may not write the page */

/** Orders of ultracalls: binary logarithms of a size in bytes. */
#define NOVA_UV_ORDER_PAGE 12u /**< one page */
#define NOVA_UV_ORDER_MAX  21u /**< 2 MiB */

/** Calls that the ultravisor makes to a VMM: ROW(NAME, number, "what the VMM does"). PORT and the
 * calls after it are not in the Protected Execution Facility: we chose their numbers. */
#define NOVA_H_CALL_ROWS(ROW)                                                              \
        ROW(SVM_PAGE_IN, 0xef00, "provides a page by UV_PAGE_IN")                          \
        ROW(SVM_PAGE_OUT, 0xef04, "takes a page by UV_PAGE_OUT")                           \
        ROW(SVM_INIT_START, 0xef08, "registers its memory slots")                          \
        ROW(SVM_INIT_DONE, 0xef0c, "notes that the VM is secure")                          \
        ROW(SVM_INIT_ABORT, 0xef14, "lets the normal VM continue with a status of UV_ESM") \
        ROW(PORT, 0xef40, "performs an access to an I/O port")                             \
        ROW(MEMORY, 0xef41, "performs an access to a device's memory")                     \
        ROW(INTERRUPT, 0xef42, "returns the vector of a pending interrupt, or none")       \
        ROW(GUEST, 0xef43, "performs a hypercall of the guest that is not an ultracall")

/** Numbers of the calls that the ultravisor makes. */
enum nova_h_call {
#define NOVA_H_CALL(name, number, text) NOVA_H_##name = number,
        NOVA_H_CALL_ROWS(NOVA_H_CALL)
#undef NOVA_H_CALL
};

/** Ports of a secure guest's phrase and secrets. The ultravisor answers them; in a normal guest
 * they are ports of the VMM. Byte i of the selected secret is at NOVA_UV_SECRET_VALUE + i. The
 * guest selects a secret by writing the bytes of its name to NOVA_UV_SECRET_NAME + i, in ascending
 * order. Initially the empty name is selected, which belongs to the phrase. */
#define NOVA_UV_SECRET_VALUE  0x8000u
#define NOVA_UV_SECRET_PORTS  0x1000u /**< ports of a value */
#define NOVA_UV_SECRET_NAME   0x9000u /**< 32 ports; a write clears all later bytes */
#define NOVA_UV_SECRET_LENGTH 0x9020u /**< 16 bits: size of the value in bytes, or _NONE */
#define NOVA_UV_SECRET_LAST   0x902fu /**< last port that the VMM does not see */
#define NOVA_UV_SECRET_NONE   0xffffu /**< at NOVA_UV_SECRET_LENGTH: there is no such secret */

/** Flags of H_SVM_PAGE_IN. */
#define NOVA_H_PAGE_IN_SHARED    1u /**< the page is shared with the guest */
#define NOVA_H_PAGE_IN_NONSHARED 2u /**< the guest no longer uses the shared page */

/** @} */

#ifdef __cplusplus
}
#endif

#endif
