/* SPDX-License-Identifier: BSD-2-Clause */
/* A model of the registers of enlightened guests, written from the TLFS: what each access returns,
 * and which pages, messages and interrupts a guest then sees. It shares no code and no number with
 * the VMM library. */
#ifndef NOVA_TESTS_FUZZ_HV_MSR_MODEL_H
#define NOVA_TESTS_FUZZ_HV_MSR_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#define MODEL_VPS     4u
#define MODEL_PAGES   8u /* of RAM */
#define MODEL_SOURCES 16u
#define MODEL_TIMERS  4u
#define MODEL_WAITING 2u /* messages that wait for a slot */
#define MODEL_FRAMES  (2 + 3 * MODEL_VPS)

/* Frames of overlay pages. Those of virtual processor n are MODEL_OWN + 3 * n and the next two. */
enum { MODEL_CALLS, MODEL_REFERENCE, MODEL_OWN };
enum { MODEL_ASSIST, MODEL_MESSAGES, MODEL_EVENTS };

/* A bit for each vector. */
struct model_set {
        uint64_t word[4];
};

/* A local APIC. */
struct model_apic {
        bool on;
        struct model_set request, service, level;
        uint32_t priority, command_low, command_high;
};

struct model_message {
        uint32_t type;
        uint8_t bytes, flags;
        uint64_t from, data[3];
};

struct model_timer {
        uint64_t config, count;
        uint64_t due; /* UINT64_MAX: never */
        uint64_t expired;
        bool waits;
};

struct model_vp {
        struct model_apic apic;
        uint64_t assist, events, messages, control;
        uint32_t word; /* first word of the assist page */
        bool offered;  /* the guest may end the interrupt in service in the assist page */
        unsigned ends, quiet_ends, expirations;
        struct model_timer timer[MODEL_TIMERS];
        uint64_t source[MODEL_SOURCES];
        struct model_message slot[MODEL_SOURCES];
        struct model_message queue[MODEL_SOURCES][MODEL_WAITING];
        unsigned queued[MODEL_SOURCES];
        uint8_t flag[MODEL_SOURCES][256];
};

/* A partition. */
struct model {
        uint64_t privileges;
        bool direct, crashes;
        unsigned vps;
        uint64_t now; /* reference time, in units of 100 ns */
        uint64_t tsc_hz, apic_hz;
        uint64_t identity, calls, reference;
        bool resets;
        uint64_t crash[5];
        unsigned reports;
        unsigned sent; /* interrupt messages between local APICs */
        unsigned ended[256];
        uint64_t place[MODEL_FRAMES]; /* number of the page that the frame covers */
        unsigned order[MODEL_FRAMES]; /* order of the placements; 0: the frame covers no page */
        unsigned placed;
        struct model_vp vp[MODEL_VPS];
};

void model_init(struct model *model, uint64_t privileges, unsigned vps);

/* Accesses of a virtual processor. @return false: #GP */
bool model_read(const struct model *model, unsigned vp, uint32_t number, uint64_t *value);
bool model_write(struct model *model, unsigned vp, uint32_t number, uint64_t value);

/* Expires each timer that is due. */
void model_expire(struct model *model);

/* Send a message, and signal an event, as a monitor does. @return the status */
unsigned model_post(struct model *model, unsigned vp, unsigned source,
                    const struct model_message *message);
unsigned model_signal(struct model *model, unsigned vp, unsigned source, unsigned flag);

/* Events of a local APIC: it gets an interrupt; the guest takes an interrupt (@return its vector,
 * or -1), and ends it; INIT. */
void model_accept(struct model *model, unsigned vp, uint8_t vector, bool level);
int model_take(struct model *model, unsigned vp);
void model_end(struct model *model, unsigned vp);
void model_reset_apic(struct model *model, unsigned vp);

/* Returns whether a set has a vector. */
static inline bool model_has(const struct model_set *set, unsigned vector)
{
        return set->word[vector / 64] >> vector % 64 & 1;
}

/* Returns whether an interrupt is pending that only the task priority may hold back. */
bool model_waits(const struct model *model, unsigned vp);

/* Begins an exit; model_leave() ends it. */
void model_enter(struct model *model, unsigned vp);
void model_leave(struct model *model, unsigned vp);

/* Returns the frame that the guest sees at a page of RAM; MODEL_FRAMES: RAM. */
unsigned model_seen(const struct model *model, uint64_t page);

/* Returns the guest's rights to a frame: 1 read, 2 write, 4 execute. */
unsigned model_rights(unsigned frame);

#endif
