/* SPDX-License-Identifier: BSD-2-Clause */
/* Guests of cases: a virtual CPU, some memory, and its events one by one. */
#ifndef CONFORMANCE_GUEST_H
#define CONFORMANCE_GUEST_H

#include "harness.h"

/* Guest-physical addresses. The guest's memory begins at 0; its first page is not there. */
#define GUEST_CODE     0x1000
#define GUEST_HANDLERS 0x3000 /* see guest_gates() */
#define GUEST_STACK    0x8000
#define GUEST_DATA     0x8000
#define GUEST_TABLE    0xa000 /* page tables, then GDT and IDT of long mode */
#define GUEST_IDT      0xd000
#define GUEST_GDT      0xe000
#define GUEST_ORDER    4 /* 16 pages */

/* Events by what they mean; the numbers are those of SVM or of VMX. */
enum guest_exit {
        EXIT_TRIPLE_FAULT,
        EXIT_WINDOW,
        EXIT_CR8, /* write */
        EXIT_CPUID,
        EXIT_HLT,
        EXIT_INVD,
        EXIT_RDTSC,
        EXIT_PORT,
        EXIT_RDMSR,
        EXIT_WRMSR,
        EXIT_STATE,
        EXIT_MEMORY,
        EXIT_STARTUP,
        EXIT_RECALL,
};

#define GUEST_MTD (((nova_mtd_t)1 << 28) - 1)

/* Guest code, bits wide: name and name_end. */
#if __SIZEOF_POINTER__ == 8
#define GUEST_CODE_END ".code64"
#else
#define GUEST_CODE_END ".code32"
#endif
#define GUEST(name, bits, text)                                                      \
        __asm__(".pushsection .rodata\n.code" #bits "\n" #name ":\n" text "\n" #name \
                "_end:\n" GUEST_CODE_END "\n.popsection\n");                         \
        extern const char name[], name##_end[]

struct guest {
        nova_sel_t pd, ec, sc, portals, arrived, go;
        unsigned cpu;
        unsigned quantum_us; /* of its SC; QUANTUM unless the case says something else */
        struct thread *server;
        struct nova_utcb *utcb;        /* the message of the last event, and the answer to it */
        struct nova_utcb_state *state; /* … */
        char *memory;                  /* the guest's, from address 0 on */
        word_t event;                  /* number of the last one */
        unsigned items;                /* typed items of the answer */
        volatile word_t count;         /* events so far */
};

need_fn needs_svm, needs_vmx, needs_virtualization_64;

/* A guest without state on a CPU, with one thread that gets its events; code is copied to
 * GUEST_CODE. */
struct guest *guest_new(unsigned cpu, const char *code, const char *end);
/* The same, and one event's portal has an MTD of its own. */
struct guest *guest_new_mtd(unsigned cpu, const char *code, const char *end, enum guest_exit exit,
                            nova_mtd_t mtd);
/* The same, and these portals are other threads' or have MTDs of their own. */
struct guest_portal {
        enum guest_exit exit;
        nova_mtd_t mtd;
        const struct thread *server; /* NULL: the guest's */
        const char *entry;           /* NULL: there is no portal */
};
struct guest *guest_new_portals(unsigned cpu, const char *code, const char *end,
                                const struct guest_portal *own, unsigned count);
/* Binds an SC; the first event is STARTUP. */
void guest_start(struct guest *g);
/* Starts, and prepares the answer: real mode, or flat 32-bit protected mode, at GUEST_CODE. What
 * has to be sent back. */
nova_mtd_t guest_real(struct guest *g);
nova_mtd_t guest_flat(struct guest *g);
/* 64-bit mode; the first 1 GiB is mapped one to one. x86-64 only. */
nova_mtd_t guest_long(struct guest *g);
/* The handler of a vector in flat mode; and one hlt for each vector, so that its address tells
 * which one arrived. */
void guest_gate(struct guest *g, unsigned vector, word_t handler);
void guest_gates(struct guest *g);
/* 32 bits of the guest's memory. */
static inline uint32_t *guest_word(const struct guest *g, word_t address)
{
        return (uint32_t *)(void *)(g->memory + address);
}
/* Sends the answer, waits for the next event; its number. */
word_t guest_run(struct guest *g, nova_mtd_t mtd);
/* The same, and it has to be this event. */
void guest_until(struct guest *g, nova_mtd_t mtd, enum guest_exit exit);
/* Sends the answer only; the next event, if there is one, can be waited for. */
void guest_answer(struct guest *g, nova_mtd_t mtd);
bool guest_wait(struct guest *g, unsigned ms);
/* Adds to the answer a delegation of own pages to guest-physical pages. */
void guest_give(struct guest *g, nova_crd_t crd, word_t page, word_t flags);
/* Number of an event on this CPU. */
word_t guest_event(enum guest_exit exit);

#endif
