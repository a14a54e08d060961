/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupt vectors, and the users of their numbers. */
#ifndef ARCH_X86_VECTORS_H
#define ARCH_X86_VECTORS_H

#define VECTOR_DEBUG         1
#define VECTOR_NMI           2
#define VECTOR_BREAKPOINT    3
#define VECTOR_OVERFLOW      4
#define VECTOR_DOUBLE_FAULT  8
#define VECTOR_MACHINE_CHECK 18

/* Exceptions with an error code, one bit each: 8, 10 to 14, 17, 21, 29 and 30. */
#define VECTORS_WITH_ERROR 0x60227d00

#define VECTOR_PIC      0x20 /* 16 vectors: spurious interrupts of the masked 8259s */
#define VECTOR_GSI      0x30 /* global system interrupts: VECTOR_GSI + number */
#define VECTOR_TIMER    0xf0
#define VECTOR_IPI      0xf1
#define VECTOR_IOMMU    0xf2 /* an I/O MMU has stopped a device */
#define VECTOR_ERROR    0xfe
#define VECTOR_SPURIOUS 0xff

#endif
