/* SPDX-License-Identifier: BSD-2-Clause */
/* A machine with a hostile guest, for the path of the library from an exit to the reply. exits.c
 * holds the guest's state and plays the kernel's part in exits; exits_machine.c has devices, CPU,
 * kernel and runtime. */
#ifndef FUZZ_EXITS_H
#define FUZZ_EXITS_H

#include "novavmm/hv.h"
#include "novavmm/pc.h"
#include "require.h"
#include "vm.h"

#define VCPUS        2u
#define RAM_BYTES    0x8000u
#define DEVICE       0x400u      /* first port of a device */
#define MMIO         0xd0000000u /* first guest-physical address of its memory */
#define DEVICE_BYTES 0x20u

extern struct nova_vm *exits_vm;
extern struct nova_pc *exits_pc;
extern struct nova_utcb *exits_utcb[VCPUS]; /* UTCBs of the handlers */
extern bool exits_recall[VCPUS]; /* the kernel exits for a recall before it enters the guest */
extern uint32_t exits_features;  /* features of the CPU, from which CPUID's results follow */
extern unsigned exits_locks;     /* locks that are held */

/* The last access that the device saw. */
extern struct exits_access {
        unsigned count; /* accesses in this exit */
        uint64_t address, value;
        unsigned bytes;
        bool write;
} exits_access;

/* Returns the next byte of the input, 0 after its end. */
uint8_t exits_take(void);
bool exits_has_input(void);

/* Lets something happen while virtual CPU @p vcpu sleeps: an exit of the other one, an interrupt,
 * an NMI, or the machine's end. After the end of the input, the machine ends. */
void exits_sleep(unsigned vcpu);

/* Returns what the device gives to a read. */
uint64_t exits_device_value(uint64_t address, unsigned bytes);

/* Called when the local APIC of a virtual CPU, which the guest has enabled, gets an interrupt. */
void exits_interrupt(unsigned vcpu, uint8_t vector);

/* Makes a machine as the byte @p kind says. */
void exits_make(uint8_t kind);
void exits_free(void);

#endif
