/* SPDX-License-Identifier: BSD-2-Clause */
/* How the children of scarce.c end. */
#ifndef TESTS_RUNTIME_SCARCE_H
#define TESTS_RUNTIME_SCARCE_H

#define SCARCE_DONE    10 /* there was enough kernel memory */
#define SCARCE_REFUSED 11 /* there was too little, and nothing is left of the attempt */
#define SCARCE_WRONG   12 /* neither */
#define SCARCE_LOST    13 /* some objects of the attempt are left */

#endif
