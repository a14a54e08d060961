/* SPDX-License-Identifier: BSD-2-Clause */
/* Injection info and states of a virtual CPU in a message. @spec 7.3, 8.3
 *
 * The fields have the positions that SVM and VMX use. Both reserve the bits from NOVA_INJ_WINDOW
 * to NOVA_INJ_STEP, which NOVA uses for requests to the kernel. */
#ifndef NOVA_ABI_INJECT_H
#define NOVA_ABI_INJECT_H

/* Injection info: NOVA_MTD_INJ. */
#define NOVA_INJ_VECTOR             0xffu       /**< mask of the vector */
#define NOVA_INJ_TYPE               0x700u      /**< mask of the type: one of the next six */
#define NOVA_INJ_INTERRUPT          0x000u      /**< external interrupt */
#define NOVA_INJ_NMI                0x200u      /**< non-maskable interrupt */
#define NOVA_INJ_EXCEPTION          0x300u      /**< exception */
#define NOVA_INJ_SOFTWARE_INTERRUPT 0x400u      /**< INT n */
#define NOVA_INJ_INT1               0x500u      /**< INT1, with VMX */
#define NOVA_INJ_SOFTWARE_EXCEPTION 0x600u      /**< INT3 and INTO, with VMX */
#define NOVA_INJ_ERROR              0x800u      /**< the event has an error code */
#define NOVA_INJ_VALID              0x80000000u /**< there is an event */
#define NOVA_INJ_EVENT              0x80000fffu /**< mask of the event: all of the above */

#define NOVA_INJ_WINDOW     0x1000u /**< event as soon as the guest can take an interrupt */
#define NOVA_INJ_NMI_WINDOW 0x2000u /**< event as soon as the guest can take an NMI; VMX only */
#define NOVA_INJ_CR8_WINDOW                                                                \
        0x4000u               /**< an event at the guest's next write of CR8: an extension \
                               */
#define NOVA_INJ_STEP 0x8000u /**< step over the instruction at IP, with SVM: an extension */

/* Interruptibility state: NOVA_MTD_STA. Under SVM only bit 0 exists; it covers STI and MOV SS. */
#define NOVA_STA_STI 0x1u /**< interrupts wait for the instruction after STI */
#define NOVA_STA_SS  0x2u /**< interrupts and NMIs wait for the instruction after MOV SS */
#define NOVA_STA_NMI 0x8u /**< NMIs wait for an IRET */

/* Activity state: NOVA_MTD_STA, with VMX. */
#define NOVA_ACTIVITY_RUNS   0u /**< the guest executes instructions */
#define NOVA_ACTIVITY_HALTED 1u /**< the guest waits for an interrupt */

#endif
