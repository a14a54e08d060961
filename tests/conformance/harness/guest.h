/* SPDX-License-Identifier: BSD-2-Clause */
/* Guests of cases: a virtual CPU, some memory, and its events one by one. */
#ifndef CONFORMANCE_GUEST_H
#define CONFORMANCE_GUEST_H

#include "harness.h"

/* Guest-physical addresses. The guest's memory begins at 0; its first page is not mapped. */
#define GUEST_CODE     0x1000
#define GUEST_HANDLERS 0x3000 /* see guest_gates() */
#define GUEST_STACK    0x8000
#define GUEST_DATA     0x8000
#define GUEST_TSS      0x9800 /* see guest_user() */
#define GUEST_TABLE    0xa000 /* page tables, then GDT and IDT of long mode */
#define GUEST_IDT      0xd000
#define GUEST_GDT      0xe000
#define GUEST_ORDER    4 /* 16 pages */

/* Events by their meaning; the numbers are those of SVM or of VMX. */
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

#define GUEST_MTD (((nova_mtd_t)1 << 29) - 1)

/* Defines guest code for a mode of 16, 32 or 64 bits: from name to name_end. */
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
        unsigned quantum_us; /* quantum of its SC; QUANTUM unless the case sets another one */
        struct thread *server;
        struct nova_utcb *utcb;        /* the message of the last event, and the reply to it */
        struct nova_utcb_state *state; /* the state in this message */
        char *memory;                  /* the guest's memory, beginning at address 0 */
        word_t event;                  /* number of the last event */
        unsigned items;                /* typed items of the reply */
        volatile word_t count;         /* events so far */
};

need_fn needs_svm, needs_vmx, needs_virtualization_64;

/* Makes a guest without state on a CPU, with one thread that gets its events; code is copied to
 * GUEST_CODE. */
struct guest *guest_new(unsigned cpu, const char *code, const char *end);
/* Does the same as guest_new(), with a special MTD for one event's portal. */
struct guest *guest_new_mtd(unsigned cpu, const char *code, const char *end, enum guest_exit exit,
                            nova_mtd_t mtd);
/* A portal of guest_new_portals(). This function is like guest_new(), but takes portals of other
 * threads or with special MTDs. */
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
/* Starts the guest and prepares the reply that puts it into real mode at GUEST_CODE; guest_flat()
 * puts it into flat 32-bit protected mode. Returns the MTD of the reply. */
nova_mtd_t guest_real(struct guest *g);
nova_mtd_t guest_flat(struct guest *g);
/* Starts in 64-bit mode; the first 1 GiB is mapped one to one. x86-64 only. */
nova_mtd_t guest_long(struct guest *g);
/* Returns how often a case should try a step that an interrupt of the host can spoil: QEMU's TCG
 * (7.2) loses the interrupt shadow of STI if such an interrupt comes before the next
 * instruction. */
unsigned guest_tries(void);
/* Moves a guest in flat mode to CPL 3. Its events arrive at CPL 0 on GUEST_STACK. */
void guest_user(struct guest *g);
/* guest_gate() sets the handler of a vector in flat mode. guest_gates() sets a handler for each
 * vector: one hlt, whose address shows which vector arrived. */
void guest_gate(struct guest *g, unsigned vector, word_t handler);
void guest_gates(struct guest *g);
/* Returns the address of 32 bits of the guest's memory. */
static inline uint32_t *guest_word(const struct guest *g, word_t address)
{
        return (uint32_t *)(void *)(g->memory + address);
}
/* Sends the reply and waits for the next event. Returns its number. */
word_t guest_run(struct guest *g, nova_mtd_t mtd);
/* Does the same as guest_run(), and expects that the next event is this one. */
void guest_until(struct guest *g, nova_mtd_t mtd, enum guest_exit exit);
/* guest_answer() sends the reply without waiting. guest_wait() waits for the next event for at most
 * a number of milliseconds, and returns whether the event came. */
void guest_answer(struct guest *g, nova_mtd_t mtd);
bool guest_wait(struct guest *g, unsigned ms);
/* Adds to the reply a delegation of the caller's pages to guest-physical pages. */
void guest_give(struct guest *g, nova_crd_t crd, word_t page, word_t flags);
/* Returns the number of an event on this CPU. */
word_t guest_event(enum guest_exit exit);

#endif
