/* SPDX-License-Identifier: BSD-2-Clause */
/* State that instructions of the walk must not change: memory and all registers of a thread in
 * another PD on the same CPU, its progress, memory of the walk's own PD, and the kernel's memory in
 * use. */
#ifndef TRAPS_WALK_BYSTANDER_H
#define TRAPS_WALK_BYSTANDER_H

/* Records of the walk between two looks of the bystander. */
#define BYSTANDER_RECORDS 256

void bystander_start(void);
/* Lets the bystander look as soon as it runs. */
void bystander_look(void);
/* Ends the bystander, and expects that nothing has changed. */
void bystander_end(void);

#endif
