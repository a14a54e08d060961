/* SPDX-License-Identifier: BSD-2-Clause */
/* The CPU on which the kernel reads the layout of FPU states. */
#ifndef UNIT_KERNEL_FPU_CPU_H
#define UNIT_KERNEL_FPU_CPU_H

#include "lib/types.h"

#define FPU_COMPONENTS 10

struct fpu_component {
        uint32_t size, offset;
};

struct fpu_cpu {
        uint32_t supported; /* mask of components */
        struct fpu_component component[FPU_COMPONENTS];
};

extern struct fpu_cpu fpu_cpu;

#endif
