/* SPDX-License-Identifier: BSD-2-Clause */
/* A local APIC's interrupts and registers (see novavmm/lapic.h); SDM 3A, chapter 11. */
#include "novavmm/lapic.h"

#include <string.h>

#include "device/lapic_timer.h"

/* Registers. */
#define ID        0x020
#define VERSION   0x030
#define PRIORITY  0x080
#define PROCESSOR 0x0a0
#define END       0x0b0
#define LOGICAL   0x0d0
#define FORMAT    0x0e0
#define SPURIOUS  0x0f0
#define SERVICE   0x100
#define LEVEL     0x180
#define REQUEST   0x200
#define SETS_END  0x280
#define ERROR     0x280
#define COMMAND   0x300
#define COMMAND2  0x310
#define LVT       0x320
#define LVT_END   0x380
#define COUNT     0x380
#define CURRENT   0x390
#define DIVIDER   0x3e0

#define VERSION_VALUE 0x00050014
#define ENABLED       0x100u
#define MASKED        0x10000u
#define LVT_BITS      0x3a7ffu /* the APIC itself sets delivery status and remote IRR */
#define FORMAT_FLAT   0xffffffffu

#define COMMAND_LOGICAL 0x800u
#define COMMAND_ASSERT  0x4000u
#define COMMAND_LEVEL   0x8000u
#define COMMAND_BITS    0xccfffu

#define ERROR_VECTOR 0x40u /* a vector below 16 was received */

void nova_lapic_init(struct nova_lapic *lapic, uint8_t id, const struct nova_clock *clock,
                     const struct nova_line *out)
{
        memset(lapic, 0, sizeof(*lapic));
        lapic->id = id;
        lapic->id_register = (uint32_t)id << 24;
        lapic->format = FORMAT_FLAT;
        lapic->spurious = 0xff;
        for (unsigned i = 0; i < NOVA_LVT_COUNT; i++)
                lapic->lvt[i] = MASKED;
        lapic->clock = *clock;
        lapic->out = *out;
        novavmm_lapic_timer_init(lapic);
}

void nova_lapic_reset(struct nova_lapic *lapic)
{
        const struct nova_lapic old = *lapic;

        nova_lapic_init(lapic, old.id, &old.clock, &old.out);
        lapic->id_register = old.id_register; /* SDM 3A, 11.4.7.3 */
        lapic->send = old.send;
        lapic->ended = old.ended;
        lapic->context = old.context;
        memcpy(lapic->automatic, old.automatic, sizeof(lapic->automatic));
}

static bool is_on(const struct nova_lapic *lapic)
{
        return lapic->spurious & ENABLED;
}

static int last_bit(uint32_t word)
{
        return 31 - __builtin_clz(word);
}

/* Returns the highest vector of a set, -1 if it is empty. @p words: a bit for each word of the set
 * that is not 0 */
static int highest(const uint32_t set[8], uint32_t words)
{
        return words ? last_bit(words) * 32 + last_bit(set[last_bit(words)]) : -1;
}

static int requested(const struct nova_lapic *lapic)
{
        return highest(lapic->request, lapic->requests);
}

static int served(const struct nova_lapic *lapic)
{
        return highest(lapic->service, lapic->services);
}

/* Returns the priority of a vector, 0 if there is none. */
static unsigned priority(int vector)
{
        return vector < 0 ? 0 : (unsigned)vector >> 4;
}

static bool get_bit(const uint32_t set[8], int vector)
{
        return set[vector >> 5] >> (vector & 31) & 1;
}

static void set_bit(uint32_t set[8], uint8_t vector, bool value)
{
        const uint32_t bit = 1u << (vector & 31);

        set[vector >> 5] = value ? set[vector >> 5] | bit : set[vector >> 5] & ~bit;
}

uint32_t nova_lapic_priority(const struct nova_lapic *lapic)
{
        const uint32_t service = priority(served(lapic)) << 4;
        const uint32_t task = lapic->task_priority;

        return service > (task & 0xf0) ? service : task;
}

/* Changes a vector's bit in a set. @p words: a bit for each word of the set that is not 0 */
static void change(uint32_t set[8], uint32_t *words, uint8_t vector, bool value)
{
        const uint32_t word = 1u << (vector >> 5);

        set_bit(set, vector, value);
        *words = set[vector >> 5] ? *words | word : *words & ~word;
}

/* Returns the priority of the next interrupt, regardless of the task priority; 0: none. */
static unsigned waiting(const struct nova_lapic *lapic)
{
        /* Called several times for each exit; usually no interrupt is requested. */
        if (!lapic->requests)
                return 0;

        const unsigned next = priority(requested(lapic));

        return is_on(lapic) && next > priority(served(lapic)) ? next : 0;
}

bool nova_lapic_pending(const struct nova_lapic *lapic)
{
        return waiting(lapic) > nova_lapic_cr8(lapic);
}

bool nova_lapic_held_back(const struct nova_lapic *lapic)
{
        return waiting(lapic) && !nova_lapic_pending(lapic);
}

unsigned nova_lapic_cr8(const struct nova_lapic *lapic)
{
        return lapic->task_priority >> 4;
}

void nova_lapic_set_cr8(struct nova_lapic *lapic, unsigned cr8)
{
        if (cr8 != nova_lapic_cr8(lapic))
                lapic->task_priority = (cr8 & 0xf) << 4;
}

int nova_lapic_take(struct nova_lapic *lapic)
{
        const int vector = requested(lapic);

        if (!nova_lapic_pending(lapic))
                return -1;
        change(lapic->request, &lapic->requests, (uint8_t)vector, false);
        change(lapic->service, &lapic->services, (uint8_t)vector,
               !get_bit(lapic->automatic, vector));
        return vector;
}

/* Drives the output line. While the guest runs, its CR8 may be lower than the value that is known
 * here, so the line ignores the task priority. */
static void tell(struct nova_lapic *lapic)
{
        if (waiting(lapic) || (lapic->quiet_end && lapic->requests))
                nova_line_set(&lapic->out, true);
}

bool nova_lapic_accept(struct nova_lapic *lapic, uint8_t vector, bool level)
{
        if (!is_on(lapic))
                return false;
        if (vector < 16) {
                lapic->error |= ERROR_VECTOR;
                return false;
        }
        change(lapic->request, &lapic->requests, vector, true);
        set_bit(lapic->level, vector, level);
        tell(lapic);
        return true;
}

bool nova_lapic_accepts(const struct nova_lapic *lapic)
{
        return is_on(lapic);
}

bool nova_lapic_matches(const struct nova_lapic *lapic, const struct nova_apic_message *message)
{
        const uint8_t own = (uint8_t)(lapic->logical >> 24), to = message->destination;

        if (to == 0xff)
                return true;
        if (!message->logical)
                return to == lapic->id_register >> 24;
        if (lapic->format >> 28 == 0xf)
                return own & to;
        return own >> 4 == to >> 4 && own & to & 0xf;
}

bool nova_lapic_passes_external(const struct nova_lapic *lapic)
{
        const uint32_t lint = lapic->lvt[NOVA_LVT_LINT0];

        return !is_on(lapic) || (!(lint & MASKED) && (lint >> 8 & 7) == NOVA_DELIVER_EXTERNAL);
}

void nova_lapic_end(struct nova_lapic *lapic)
{
        const int vector = served(lapic);

        if (vector < 0)
                return;
        change(lapic->service, &lapic->services, (uint8_t)vector, false);
        if (get_bit(lapic->level, vector) && lapic->ended)
                lapic->ended(lapic->context, (uint8_t)vector);
        tell(lapic);
}

bool nova_lapic_ends_quietly(const struct nova_lapic *lapic)
{
        const int vector = served(lapic);

        return vector >= 0 && !get_bit(lapic->level, vector) && !lapic->requests;
}

static void send(struct nova_lapic *lapic)
{
        const uint32_t command = lapic->command[0];
        const struct nova_apic_message message = {
                .vector = (uint8_t)command,
                .delivery = (enum nova_delivery)(command >> 8 & 7),
                .logical = command & COMMAND_LOGICAL,
                .destination = (uint8_t)(lapic->command[1] >> 24),
                .level = false,
        };

        /* An "INIT level de-assert" has no effect. */
        if (message.delivery == NOVA_DELIVER_INIT && command & COMMAND_LEVEL &&
            !(command & COMMAND_ASSERT))
                return;
        if (lapic->send)
                lapic->send(lapic->context, lapic->id, &message, command >> 18 & 3);
}

static uint32_t read_set(const struct nova_lapic *lapic, unsigned at)
{
        const unsigned word = at >> 4 & 7;

        if (at >= REQUEST)
                return lapic->request[word];
        return at >= LEVEL ? lapic->level[word] : lapic->service[word];
}

static uint32_t read_register(const struct nova_lapic *lapic, unsigned at)
{
        if (at >= SERVICE && at < SETS_END)
                return read_set(lapic, at);
        if (at >= LVT && at < LVT_END)
                return lapic->lvt[(at - LVT) >> 4];
        switch (at) {
        case ID:
                return lapic->id_register;
        case VERSION:
                return VERSION_VALUE;
        case PRIORITY:
                return lapic->task_priority;
        case PROCESSOR:
                return nova_lapic_priority(lapic);
        case LOGICAL:
                return lapic->logical;
        case FORMAT:
                return lapic->format;
        case SPURIOUS:
                return lapic->spurious;
        case ERROR:
                return lapic->seen_error;
        case COMMAND:
                return lapic->command[0];
        case COMMAND2:
                return lapic->command[1];
        case COUNT:
                return lapic->timer_count;
        case CURRENT:
                return novavmm_lapic_timer_current(lapic);
        case DIVIDER:
                return lapic->timer_divider;
        default:
                return 0;
        }
}

uint64_t nova_lapic_read(void *context, uint64_t address, unsigned bytes)
{
        const unsigned at = (unsigned)address & (NOVA_LAPIC_BYTES - 1);

        (void)bytes;
        return at & 15 ? 0 : read_register(context, at);
}

/* Writes the spurious-interrupt vector register. An APIC that is disabled masks its local vector
 * table. */
static void write_spurious(struct nova_lapic *lapic, uint32_t value)
{
        lapic->spurious = value & 0x3ff;
        for (unsigned i = 0; i < NOVA_LVT_COUNT && !is_on(lapic); i++)
                lapic->lvt[i] |= MASKED;
}

static void write_lvt(struct nova_lapic *lapic, unsigned number, uint32_t value)
{
        lapic->lvt[number] = (value & LVT_BITS) | (is_on(lapic) ? 0 : MASKED);
        if (number == NOVA_LVT_TIMER)
                novavmm_lapic_timer_changed(lapic);
}

/* Writes a register that only configures the APIC. */
static void write_setting(struct nova_lapic *lapic, unsigned at, uint32_t value)
{
        switch (at) {
        case ID:
                lapic->id_register = value & 0xff000000;
                break;
        case LOGICAL:
                lapic->logical = value & 0xff000000;
                break;
        case FORMAT:
                lapic->format = value | 0x0fffffff;
                break;
        case COMMAND2:
                lapic->command[1] = value & 0xff000000;
                break;
        case DIVIDER:
                novavmm_lapic_timer_divide(lapic, value & 0xb);
                break;
        default:
                break;
        }
}

static void write_register(struct nova_lapic *lapic, unsigned at, uint32_t value)
{
        if (at >= LVT && at < LVT_END) {
                write_lvt(lapic, (at - LVT) >> 4, value);
                return;
        }
        switch (at) {
        case PRIORITY:
                lapic->task_priority = value & 0xff;
                tell(lapic);
                break;
        case END:
                nova_lapic_end(lapic);
                break;
        case SPURIOUS:
                write_spurious(lapic, value);
                break;
        case ERROR: /* a write shows the errors since the last write */
                lapic->seen_error = lapic->error;
                lapic->error = 0;
                break;
        case COMMAND:
                lapic->command[0] = value & COMMAND_BITS;
                send(lapic);
                break;
        case COUNT:
                novavmm_lapic_timer_start(lapic, value);
                break;
        default:
                write_setting(lapic, at, value);
                break;
        }
}

void nova_lapic_write(void *context, uint64_t address, unsigned bytes, uint64_t value)
{
        const unsigned at = (unsigned)address & (NOVA_LAPIC_BYTES - 1);

        if (bytes == 4 && !(at & 15))
                write_register(context, at, (uint32_t)value);
}
