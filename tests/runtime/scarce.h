/* SPDX-License-Identifier: BSD-2-Clause */
/* How the children of scarce.c end. */
#ifndef TESTS_RUNTIME_SCARCE_H
#define TESTS_RUNTIME_SCARCE_H

#define SCARCE_DONE    10 /* the kernel memory was enough */
#define SCARCE_REFUSED 11 /* it was not enough, and the attempt left no objects */
#define SCARCE_WRONG   12 /* an error other than too little kernel memory */
#define SCARCE_LOST    13 /* it was not enough, and the attempt left objects */

#endif
