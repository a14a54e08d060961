/* SPDX-License-Identifier: BSD-2-Clause */
/* Ports through which a VMM gives tasks to its guest. */
#ifndef EXAMPLES_SECURE_TWO_TASKS_H
#define EXAMPLES_SECURE_TWO_TASKS_H

#define TASK_PORT   0xe0 /* the guest reads: number of a page that it checks, or a task below */
#define RESULT_PORT 0xe4 /* the guest writes: enum result, or the address of its greeting */

#define TASK_GREET      0x1000 /* shares a page, and writes the greeting to it */
#define TASK_INTERRUPTS 0x1001 /* enables interrupts */

#define PAGES      256       /* number of pages that the guest checks */
#define PAGES_AT   0x400000u /* their guest-physical address */
#define PAGE_BYTES 4096u
#define MARK       0x5ec2e700 /* each word is this plus the page's number and version */

enum result { RESULT_WRONG, RESULT_RIGHT, RESULT_UNKNOWN };

#endif
