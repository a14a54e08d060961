/* SPDX-License-Identifier: BSD-2-Clause */
/* The service `ultravisor`: secure virtual machines, whose memory and state their VMM cannot read
 * or change. */
#ifndef NOVART_SERVICE_ULTRAVISOR_H
#define NOVART_SERVICE_ULTRAVISOR_H

#include "novart/service/ultravisor_calls.h"
#include "novart/session.h"

/** @defgroup ultravisor Service ultravisor
 *
 * The client is a VMM. It shares the memory of its guests with the service (nova_session_share()):
 * the *normal memory*. Ultracalls name a place there by its offset.
 *
 * | operation | words | items | answer |
 * |---|---|---|---|
 * | CALL | number of an ultracall; five words, first its parameters | – | status |
 * | ATTACH | lpid; virtual CPU; its CPU | portal of that CPU | – |
 * | ESM | lpid; guest-physical addresses of blob and boot parameters | – | status |
 * | KICK | lpid; virtual CPU; 0 | – | – |
 * | START | lpid; virtual CPU; vector | – | – |
 * | RESET | lpid; virtual CPU; 0 | – | – |
 * | STATE | lpid | – | enum nova_uv_state |
 * | ATTRIBUTES | lpid; guest-physical address | – | flags: secure page; shared page |
 *
 * Error of opening a session: ENOSPC if the service has the argument `vmms=N` and N other programs
 * have sessions.
 *
 * Errors of all but CALL, ESM and STATE: EINVAL no such VM, virtual CPU or page, or the VM is in
 * the wrong state. Error of ATTACH: EPERM the call comes from another CPU than the virtual CPU's.
 * Errors of START and RESET: EPERM the guest has not requested it. Error of KICK, START and RESET:
 * EBUSY the ultravisor is busy with the VM; the functions below then call again.
 *
 * The ultravisor calls the VMM through the portals of ATTACH: words: number of the call (enum
 * nova_h_call), up to four parameters; answer: status, value.
 *  @{ */

#define NOVA_ULTRAVISOR_CALL   (NOVA_OPERATION_FIRST + 0) /**< an ultracall */
#define NOVA_ULTRAVISOR_ATTACH (NOVA_OPERATION_FIRST + 1) /**< pass the portal of a virtual CPU */
#define NOVA_ULTRAVISOR_ESM    (NOVA_OPERATION_FIRST + 2) /**< UV_ESM of a normal guest */
#define NOVA_ULTRAVISOR_KICK   (NOVA_OPERATION_FIRST + 3) /**< an interrupt may be pending */
#define NOVA_ULTRAVISOR_START  (NOVA_OPERATION_FIRST + 4) /**< start a further virtual CPU */
#define NOVA_ULTRAVISOR_RESET                                                                    \
        (NOVA_OPERATION_FIRST + 5)                       /**< stop a virtual CPU until its start \
                                                          */
#define NOVA_ULTRAVISOR_STATE (NOVA_OPERATION_FIRST + 6) /**< read the state of a VM */
#define NOVA_ULTRAVISOR_ATTRIBUTES                                    \
        (NOVA_OPERATION_FIRST + 7) /**< read the attributes of a page \
                                    */

#define NOVA_UV_PARAMETERS 5 /**< maximum number of parameters of an ultracall */

/* Limits of the ultravisor. */
#define NOVA_UV_VMS          8u          /**< VMs in its table, and sessions */
#define NOVA_UV_SESSION_VMS  2u          /**< VMs of a session, and sessions of a VMM */
#define NOVA_UV_NORMAL_BYTES 0xc0000000u /**< normal memory of a session */

#ifdef __cplusplus
extern "C" {
#endif

/** States of a VM. */
enum nova_uv_state {
        NOVA_UV_NORMAL,     /**< the VMM runs it */
        NOVA_UV_CONVERTING, /**< UV_ESM is in progress */
        NOVA_UV_SECURE,     /**< the ultravisor runs it */
        NOVA_UV_ENDED       /**< the guest cannot continue; UV_SVM_TERMINATE frees it */
};

/** A VM in the ultravisor's table. */
struct nova_uv {
        struct nova_session *session; /**< session with the service */
        uint16_t lpid;                /**< number of the VM, which the VMM chooses, one per VM of
                                       * the session */
};

/**
 * Makes an ultracall with any number and parameters.
 * @code
 * extern const struct nova_uv uv;
 *
 * // This is nova_uv_svm_terminate().
 * if (nova_uv_call(&uv, NOVA_UV_SVM_TERMINATE, 0, 0, 0, 0) == NOVA_U_FUNCTION)
 *         puts("The ultravisor has ended.");
 * @endcode
 * @param uv     the VM; its lpid is the first parameter
 * @param number enum nova_uv_call
 * @param p2, p3, p4, p5 further parameters
 * @return status; NOVA_U_FUNCTION if there is no ultravisor
 */
enum nova_u_status nova_uv_call(const struct nova_uv *uv, unsigned number, uint64_t p2, uint64_t p3,
                                uint64_t p4, uint64_t p5);

/**
 * Enters the VM in the ultravisor's table, or changes its entry. A VMM makes this call before all
 * others for the VM, and after it has shared the guest's memory.
 * @code
 * extern void *memory; // the guest's RAM
 * const size_t bytes = 64u << 20;
 * struct nova_uv uv = {.lpid = 1};
 * int error = nova_session_open_trusting(&uv.session, "ultravisor", NULL);
 *
 * if (!error)
 *         error = nova_session_share(uv.session, memory, (unsigned)(bytes / NOVA_PAGE_SIZE));
 * if (!error && nova_uv_write_pate(&uv, 0, bytes) != NOVA_U_SUCCESS)
 *         puts("The ultravisor has no room for another VM.");
 * @endcode
 * @param uv  the VM
 * @param dw0 offset of guest-physical address 0 in the normal memory
 * @param dw1 size of the guest's memory in bytes
 * @return SUCCESS; PARAMETER, P2, P3; PERMISSION the VM is secure; BUSY the table is full, or
 *         the session has two other VMs */
static inline enum nova_u_status nova_uv_write_pate(const struct nova_uv *uv, uint64_t dw0,
                                                    uint64_t dw1)
{
        return nova_uv_call(uv, NOVA_UV_WRITE_PATE, dw0, dw1, 0, 0);
}

/**
 * Encrypts a secure page and moves it to the normal memory. A VMM calls it when the ultravisor
 * makes the call H_SVM_PAGE_OUT.
 * @code
 * extern const struct nova_uv uv;
 * extern uint64_t page;  // parameter of H_SVM_PAGE_OUT
 * extern uint64_t place; // offset of a free page in the normal memory
 *
 * if (nova_uv_page_out(&uv, place, page, 0, NOVA_UV_ORDER_PAGE) == NOVA_U_SUCCESS)
 *         printf("Page %#llx is at %#llx.\n", (unsigned long long)page, (unsigned long long)place);
 * @endcode
 * @param uv    the VM
 * @param to    offset of the destination in the normal memory
 * @param page  guest-physical address
 * @param flags NOVA_UV_SNAPSHOT or 0
 * @param order NOVA_UV_ORDER_PAGE
 * @return SUCCESS, even for a shared page; PARAMETER, P2 to P5; BUSY the page is in use */
static inline enum nova_u_status nova_uv_page_out(const struct nova_uv *uv, uint64_t to,
                                                  uint64_t page, uint64_t flags, uint64_t order)
{
        return nova_uv_call(uv, NOVA_UV_PAGE_OUT, to, page, flags, order);
}

/**
 * Moves pages from the normal memory to the guest. A VMM calls it when the ultravisor makes the
 * call H_SVM_PAGE_IN.
 * @code
 * extern const struct nova_uv uv;
 * extern uint64_t page;  // parameter of H_SVM_PAGE_IN
 * extern uint64_t place; // offset that was passed to nova_uv_page_out()
 *
 * if (nova_uv_page_in(&uv, place, page, 0, NOVA_UV_ORDER_PAGE) == NOVA_U_PERMISSION)
 *         puts("This is not the page that was moved out.");
 * @endcode
 * @param uv    the VM
 * @param from  offset of the first page in the normal memory
 * @param page  guest-physical address of the first page
 * @param flags 0, NOVA_UV_CACHE_INHIBITED or NOVA_UV_CACHE_ENABLED, which the ultravisor only
 *              records; each with or without NOVA_UV_WRITE_PROTECTION: the guest ends when it
 *              writes to the pages
 * @param order NOVA_UV_ORDER_PAGE; in UV_ESM up to NOVA_UV_ORDER_MAX
 * @return SUCCESS; PARAMETER, P2 to P5; BUSY there is no free secure memory; PERMISSION the page is
 *         not the one that was moved out last */
static inline enum nova_u_status nova_uv_page_in(const struct nova_uv *uv, uint64_t from,
                                                 uint64_t page, uint64_t flags, uint64_t order)
{
        return nova_uv_call(uv, NOVA_UV_PAGE_IN, from, page, flags, order);
}

/**
 * Takes shared pages away from the guest.
 * @code
 * extern const struct nova_uv uv;
 *
 * // The page at 3 MiB. At its next access, the guest waits for another H_SVM_PAGE_IN.
 * if (nova_uv_page_inval(&uv, 3u << 20, NOVA_UV_ORDER_PAGE) == NOVA_U_P2)
 *         puts("The guest does not share this page.");
 * @endcode
 * @param uv    the VM
 * @param page  guest-physical address of the first page
 * @param order NOVA_UV_ORDER_PAGE to NOVA_UV_ORDER_MAX
 * @return SUCCESS; PARAMETER; P2 an invalid address, or a page that is not shared; P3; BUSY a page
 *         is in use */
static inline enum nova_u_status nova_uv_page_inval(const struct nova_uv *uv, uint64_t page,
                                                    uint64_t order)
{
        return nova_uv_call(uv, NOVA_UV_PAGE_INVAL, page, order, 0, 0);
}

/**
 * Registers guest-physical memory of a VM that is secure or becomes secure. A VMM calls it when
 * the ultravisor makes the call H_SVM_INIT_START.
 * @code
 * extern const struct nova_uv uv;
 *
 * if (nova_uv_register_mem_slot(&uv, 0, 64u << 20, 0, 0) == NOVA_U_SUCCESS)
 *         puts("64 MiB, slot 0");
 * @endcode
 * @param uv    the VM
 * @param start guest-physical address
 * @param bytes size in bytes
 * @param flags 0
 * @param slot  number of the slot, below 32
 * @return SUCCESS; PARAMETER, P2 to P5; P3 also if the slots of the VMM's VMs would have too many
 *         pages, or if memory for their records is missing */
static inline enum nova_u_status nova_uv_register_mem_slot(const struct nova_uv *uv, uint64_t start,
                                                           uint64_t bytes, uint64_t flags,
                                                           uint64_t slot)
{
        return nova_uv_call(uv, NOVA_UV_REGISTER_MEM_SLOT, start, bytes, flags, slot);
}

/** Removes guest-physical memory, with its content.
 * @param uv   the VM
 * @param slot number of the slot
 * @return SUCCESS; PARAMETER; P2 there is no such slot, or it begins in the memory of the sealed
 *         image; BUSY a page is in use, or UV_ESM is in progress */
static inline enum nova_u_status nova_uv_unregister_mem_slot(const struct nova_uv *uv,
                                                             uint64_t slot)
{
        return nova_uv_call(uv, NOVA_UV_UNREGISTER_MEM_SLOT, slot, 0, 0, 0);
}

/**
 * Ends the secure VM and frees its memory.
 * @code
 * extern const struct nova_uv uv;
 *
 * if (nova_uv_state(&uv) == NOVA_UV_ENDED)
 *         nova_uv_svm_terminate(&uv);
 * @endcode
 */
static inline enum nova_u_status nova_uv_svm_terminate(const struct nova_uv *uv)
{
        return nova_uv_call(uv, NOVA_UV_SVM_TERMINATE, 0, 0, 0, 0);
}

/** Always fails, because a VMM returns to the ultravisor by answering the ultravisor's call.
 * @return NOVA_U_INVALID */
static inline enum nova_u_status nova_uv_return(const struct nova_uv *uv)
{
        return nova_uv_call(uv, NOVA_UV_RETURN, 0, 0, 0, 0);
}

/**
 * Passes the portal through which the ultravisor calls the VMM for virtual CPU @p vcpu, which runs
 * on CPU @p cpu. If the caller runs on another CPU, a thread makes the call there: the ultravisor
 * accepts only the CPU from which it is called, because it may use CPUs that the VMM may not use.
 * @code
 * extern const struct nova_uv uv;
 * // Answers the calls of enum nova_h_call.
 * void serve(nova_sel_t portal, struct nova_utcb *utcb, void *argument);
 *
 * struct nova_handler *handler;
 * const nova_sel_t portal = nova_sel_alloc(0);
 *
 * if (portal != NOVA_SEL_NONE && nova_handler_create(&handler, 1, "vcpu 0", serve, NULL) == 0 &&
 *     nova_handler_portal(handler, portal, 0) == 0)
 *         nova_uv_attach(&uv, 0, 1, portal); // virtual CPU 0, CPU 1
 * @endcode
 * @param uv     the VM
 * @param vcpu   number of the virtual CPU
 * @param cpu    number of its CPU, on which the portal's handler runs, too
 * @param portal the portal
 * @return as nova_session_call(); EINVAL: the VM is not a normal one, or no portal was passed yet
 *         for a virtual CPU with a lower number; ENODEV: the VMM or the ultravisor may not use the
 *         CPU; ENOMEM: no memory for the thread
 */
int nova_uv_attach(const struct nova_uv *uv, unsigned vcpu, nova_word_t cpu, nova_sel_t portal);

/**
 * Makes the ultracall UV_ESM for the normal guest, which stays stopped until the conversion ends.
 * @code
 * extern const struct nova_uv uv;
 * extern struct nova_semaphore converted; // H_SVM_INIT_DONE and H_SVM_INIT_ABORT do an up
 * extern uint64_t blob, params;           // the guest's BX and CX
 *
 * if (nova_uv_esm(&uv, blob, params) == NOVA_U_SUCCESS) {
 *         nova_semaphore_down(&converted);
 *         puts(nova_uv_is_secure(&uv) ? "secure" : "still normal");
 * }
 * @endcode
 * @param uv     the VM
 * @param blob   guest-physical address of the blob
 * @param params guest-physical address of the boot parameters
 * @return SUCCESS: the conversion has begun, and ends with a call of H_SVM_INIT_DONE or
 *         H_SVM_INIT_ABORT; INVALID no such VM, or the VM is not completely prepared; BUSY it is
 *         secure; RETRY no memory */
enum nova_u_status nova_uv_esm(const struct nova_uv *uv, uint64_t blob, uint64_t params);

/**
 * Makes the ultravisor ask for an interrupt for virtual CPU @p vcpu by the call H_INTERRUPT.
 * @code
 * extern const struct nova_uv uv;
 *
 * nova_uv_kick(&uv, 0); // a device of the VMM has raised its line
 * @endcode
 * @retval 0      done
 * @retval EINVAL the VM is not secure, or has no such virtual CPU
 * @retval …      as nova_session_call()
 */
int nova_uv_kick(const struct nova_uv *uv, unsigned vcpu);

/** Starts virtual CPU @p vcpu at page @p vector, as a start-up IPI does. @retval EPERM the guest
 * has not requested that @return other values as for nova_uv_kick() */
int nova_uv_start(const struct nova_uv *uv, unsigned vcpu, unsigned vector);

/** Stops virtual CPU @p vcpu until nova_uv_start(). @retval EPERM the guest has not requested that
 * @return other values as for nova_uv_kick() */
int nova_uv_reset(const struct nova_uv *uv, unsigned vcpu);

/** Reads the state of the VM; NOVA_UV_NORMAL if the ultravisor does not know it. */
enum nova_uv_state nova_uv_state(const struct nova_uv *uv);

/**
 * Reads the flags of the last nova_uv_page_in() of a page.
 * @code
 * extern const struct nova_uv uv;
 * unsigned secure, shared;
 *
 * if (nova_uv_attributes(&uv, 3u << 20, &secure, &shared) == 0 &&
 *     shared & NOVA_UV_WRITE_PROTECTION)
 *         puts("The guest cannot write to the shared page at 3 MiB.");
 * @endcode
 * @param uv          the VM
 * @param page        guest-physical address
 * @param[out] secure flags of the page in secure memory, kept while the page is out; 0 if
 *                    nova_uv_page_in() never put it there
 * @param[out] shared flags of the shared page; 0 if the page is not shared
 * @retval EINVAL the VM is not secure, or has no such page
 */
int nova_uv_attributes(const struct nova_uv *uv, uint64_t page, unsigned *secure, unsigned *shared);

/** Returns true if the VM is secure. */
static inline bool nova_uv_is_secure(const struct nova_uv *uv)
{
        return nova_uv_state(uv) == NOVA_UV_SECURE;
}

#ifdef __cplusplus
}
#endif

/** @} */

#endif
