/* SPDX-License-Identifier: BSD-2-Clause */
/* The model of an enlightened guest's registers (see hv_msr_model.h). Section numbers are those of
 * the TLFS. */
#include "hv_msr_model.h"

#include <string.h>

#define BIT(n)   (UINT64_C(1) << (n))
#define NEVER    UINT64_MAX
#define MASKED   BIT(16)
#define AUTO_END BIT(17)
#define POLLED   BIT(18)

void model_init(struct model *model, uint64_t privileges, unsigned vps)
{
        memset(model, 0, sizeof(*model));
        model->privileges = privileges;
        model->vps = vps;
        for (unsigned i = 0; i < MODEL_VPS; i++) {
                for (unsigned n = 0; n < MODEL_TIMERS; n++)
                        model->vp[i].timer[n].due = NEVER;
                for (unsigned n = 0; n < MODEL_SOURCES; n++)
                        model->vp[i].source[n] = MASKED;
        }
}

/* Overlay pages, 5.2.1: the last one that was placed is on top. */

unsigned model_seen(const struct model *model, uint64_t page)
{
        unsigned top = MODEL_FRAMES;

        for (unsigned i = 0; i < MODEL_FRAMES; i++)
                if (model->order[i] && model->place[i] == page &&
                    (top == MODEL_FRAMES || model->order[i] > model->order[top]))
                        top = i;
        return top;
}

unsigned model_rights(unsigned frame)
{
        if (frame == MODEL_CALLS)
                return 5;
        return frame == MODEL_REFERENCE ? 1 : 3;
}

/* Writes the register of an overlay page: bit 0 enables it, and bits 12 to 63 are its page number.
 */
static bool place(struct model *model, unsigned frame, uint64_t value, uint64_t *reg)
{
        if (value & 1 && value >> 12 >= MODEL_PAGES)
                return false;
        *reg = value;
        model->order[frame] = value & 1 ? ++model->placed : 0;
        model->place[frame] = value >> 12;
        return true;
}

static bool place_plain(struct model *model, unsigned frame, uint64_t value, uint64_t *reg)
{
        return place(model, frame, value & ~UINT64_C(0xffe), reg);
}

/* Writes the hypercall register, 3.13: bit 1 locks it, and it is disabled without an identity. */
static bool write_calls(struct model *model, uint64_t value)
{
        if (model->calls & 2)
                return true;
        value &= ~UINT64_C(0xffc);
        return place(model, MODEL_CALLS, model->identity ? value : value & ~UINT64_C(1),
                     &model->calls);
}

static bool write_identity(struct model *model, uint64_t value)
{
        model->identity = value;
        return value || write_calls(model, model->calls);
}

/* Local APICs. */

/* Returns the highest vector of a set, or -1 if the set is empty. */
static int top(const struct model_set *set)
{
        for (int i = 3; i >= 0; i--)
                if (set->word[i])
                        return i * 64 + 63 - __builtin_clzll(set->word[i]);
        return -1;
}

static void change(struct model_set *set, unsigned vector, bool value)
{
        const uint64_t bit = BIT(vector % 64);

        set->word[vector / 64] &= ~bit;
        set->word[vector / 64] |= value ? bit : 0;
}

/* Vectors of one class of 16 have the same priority. */
static int class_of(int vector)
{
        return vector < 0 ? 0 : vector >> 4;
}

bool model_waits(const struct model *model, unsigned vp)
{
        const struct model_apic *const apic = &model->vp[vp].apic;

        return apic->on && class_of(top(&apic->request)) > class_of(top(&apic->service));
}

void model_accept(struct model *model, unsigned vp, uint8_t vector, bool level)
{
        struct model_apic *const apic = &model->vp[vp].apic;

        if (!apic->on || vector < 16)
                return;
        change(&apic->request, vector, true);
        change(&apic->level, vector, level);
}

/* Returns whether a vector needs no end of interrupt, because its source has AutoEOI (11.8.4). */
static bool ends_itself(const struct model_vp *vp, int vector)
{
        for (unsigned i = 0; i < MODEL_SOURCES; i++)
                if (vp->control & 1 && (vp->source[i] & (MASKED | AUTO_END)) == AUTO_END &&
                    (int)(vp->source[i] & 0xff) == vector)
                        return true;
        return false;
}

int model_take(struct model *model, unsigned vp)
{
        struct model_apic *const apic = &model->vp[vp].apic;
        const int vector = top(&apic->request);

        if (!model_waits(model, vp) || class_of(vector) <= (int)(apic->priority >> 4))
                return -1;
        change(&apic->request, (unsigned)vector, false);
        change(&apic->service, (unsigned)vector, !ends_itself(&model->vp[vp], vector));
        return vector;
}

void model_end(struct model *model, unsigned vp)
{
        struct model_apic *const apic = &model->vp[vp].apic;
        const int vector = top(&apic->service);

        if (vector < 0)
                return;
        change(&apic->service, (unsigned)vector, false);
        model->ended[vector] += model_has(&apic->level, (unsigned)vector);
}

void model_reset_apic(struct model *model, unsigned vp)
{
        memset(&model->vp[vp].apic, 0, sizeof(model->vp[vp].apic));
        model->vp[vp].offered = false;
}

/* Sends an interrupt. The model delivers only fixed interrupts, addressed by APIC ID. */
static void command(struct model *model, unsigned vp, uint64_t value)
{
        struct model_apic *const apic = &model->vp[vp].apic;
        const unsigned mode = value >> 8 & 7, shorthand = value >> 18 & 3;
        const unsigned to = (unsigned)(value >> 56);

        apic->command_low = value & 0xccfff;
        apic->command_high = to << 24;
        if (mode == 5 && value & BIT(15) && !(value & BIT(14)))
                return; /* the end of an INIT */
        model->sent++;
        if (mode || value & BIT(11))
                return;
        for (unsigned i = 0; i < model->vps; i++) {
                const bool named[] = {to == 0xff || to == i, i == vp, true, i != vp};

                if (named[shorthand])
                        model_accept(model, i, (uint8_t)value, false);
        }
}

/* Registers of the local APIC, and the assist page, 10.2 and 10.3. */

static bool write_apic(struct model *model, unsigned vp, uint32_t number, uint64_t value)
{
        struct model_vp *const own = &model->vp[vp];

        switch (number) {
        case 0x40000070:
                if (value >> 32)
                        return false;
                own->ends++;
                model_end(model, vp);
                return true;
        case 0x40000071:
                command(model, vp, value);
                return true;
        case 0x40000072:
                if (value > 0xff)
                        return false;
                own->apic.priority = (uint32_t)value;
                return true;
        default:
                return place_plain(model, MODEL_OWN + 3 * vp + MODEL_ASSIST, value, &own->assist);
        }
}

static bool read_apic(const struct model_vp *own, uint32_t number, uint64_t *value)
{
        const struct model_apic *const apic = &own->apic;

        if (number == 0x40000070)
                return false;
        if (number == 0x40000071)
                *value = (uint64_t)apic->command_high << 32 | apic->command_low;
        else
                *value = number == 0x40000072 ? apic->priority : own->assist;
        return true;
}

/* Begins an exit. If the guest has cleared the bit that the hypervisor had set, it has ended the
 * interrupt. */
void model_enter(struct model *model, unsigned vp)
{
        struct model_vp *const own = &model->vp[vp];

        if (!own->offered || own->word & 1)
                return;
        own->offered = false;
        own->quiet_ends++;
        model_end(model, vp);
}

/* Ends an exit. Lets the guest end the interrupt in service in the assist page, without a register,
 * if nothing depends on this end. */
void model_leave(struct model *model, unsigned vp)
{
        struct model_vp *const own = &model->vp[vp];
        const int vector = top(&own->apic.service);

        own->offered = own->assist & 1 && vector >= 0 &&
                       !model_has(&own->apic.level, (unsigned)vector) &&
                       top(&own->apic.request) < 0;
        if (own->assist & 1)
                own->word = (own->word & ~1u) | own->offered;
}

/* Synthetic interrupts, 11. */

static bool is_ready(const struct model_vp *vp, unsigned source, uint64_t page)
{
        return vp->control & page & 1 && !(vp->source[source] & MASKED);
}

static void interrupt(struct model *model, unsigned vp, unsigned source)
{
        if (!(model->vp[vp].source[source] & POLLED))
                model_accept(model, vp, (uint8_t)model->vp[vp].source[source], false);
}

static unsigned source_of(const struct model_timer *timer)
{
        return timer->config >> 16 & 15;
}

/* Returns the first timer whose message waits for a slot, or MODEL_TIMERS if there is none. */
static unsigned waiting_timer(const struct model_vp *vp, unsigned source)
{
        unsigned n = 0;

        while (n < MODEL_TIMERS && !(vp->timer[n].waits && source_of(&vp->timer[n]) == source))
                n++;
        return n;
}

static bool any_waits(const struct model_vp *vp, unsigned source)
{
        return vp->queued[source] || waiting_timer(vp, source) < MODEL_TIMERS;
}

/* Removes the next pending message: posted messages first, then those of timers. */
static struct model_message next(struct model *model, unsigned vp, unsigned source)
{
        struct model_vp *const own = &model->vp[vp];
        const struct model_message first = own->queue[source][0];

        if (own->queued[source]) {
                own->queue[source][0] = own->queue[source][1];
                own->queued[source]--;
                return first;
        }

        const unsigned n = waiting_timer(own, source);

        own->timer[n].waits = false;
        return (struct model_message){
                .type = 0x80000010,
                .bytes = 24,
                .data = {n, own->timer[n].expired, model->now},
        };
}

/* Delivers a message if the slot is free; otherwise sets the slot's flag MessagePending (11.10). */
static void deliver(struct model *model, unsigned vp, unsigned source)
{
        struct model_vp *const own = &model->vp[vp];

        if (!any_waits(own, source) || !is_ready(own, source, own->messages))
                return;
        if (own->slot[source].type) {
                own->slot[source].flags |= 1;
                return;
        }
        own->slot[source] = next(model, vp, source);
        own->slot[source].flags = any_waits(own, source);
        interrupt(model, vp, source);
}

unsigned model_post(struct model *model, unsigned vp, unsigned source,
                    const struct model_message *message)
{
        if (vp >= model->vps)
                return 0x0e;
        if (source >= MODEL_SOURCES || !message->type || message->bytes > 240)
                return 0x05;

        struct model_vp *const own = &model->vp[vp];
        const bool alone = !any_waits(own, source);

        if (!is_ready(own, source, own->messages))
                return 0x18;
        if (own->queued[source] == MODEL_WAITING)
                return 0x13;
        own->queue[source][own->queued[source]++] = *message;
        if (alone)
                deliver(model, vp, source);
        return 0;
}

unsigned model_signal(struct model *model, unsigned vp, unsigned source, unsigned flag)
{
        if (vp >= model->vps)
                return 0x0e;
        if (source >= MODEL_SOURCES || flag >= 2048)
                return 0x05;

        struct model_vp *const own = &model->vp[vp];
        const uint8_t bit = (uint8_t)(1 << flag % 8);

        if (!is_ready(own, source, own->events))
                return 0x18;
        if (!(own->flag[source][flag / 8] & bit))
                interrupt(model, vp, source);
        own->flag[source][flag / 8] |= bit;
        return 0;
}

static bool write_source(struct model_vp *own, unsigned source, uint64_t value)
{
        if (!(value & (MASKED | POLLED)) && (value & 0xff) < 16)
                return false;
        own->source[source] = value & 0x700ff;
        return true;
}

static bool write_one(struct model *model, unsigned vp, uint32_t number, uint64_t value)
{
        struct model_vp *const own = &model->vp[vp];
        const unsigned frame = MODEL_OWN + 3 * vp;

        switch (number) {
        case 0x40000080:
                own->control = value & 1;
                return true;
        case 0x40000082:
                return place_plain(model, frame + MODEL_EVENTS, value, &own->events);
        case 0x40000083:
                return place_plain(model, frame + MODEL_MESSAGES, value, &own->messages);
        case 0x40000084:
                return true;
        default:
                return number >= 0x40000090 && write_source(own, number - 0x40000090, value);
        }
}

/* Writes a register of the synthetic interrupt controller. Each accepted write tries to deliver
 * pending messages, because it may end a message or make a source ready. */
static bool write_synic(struct model *model, unsigned vp, uint32_t number, uint64_t value)
{
        if (!write_one(model, vp, number, value))
                return false;
        for (unsigned i = 0; i < MODEL_SOURCES; i++)
                deliver(model, vp, i);
        return true;
}

static bool read_synic(const struct model_vp *own, uint32_t number, uint64_t *value)
{
        const uint64_t values[] = {own->control, 1, own->events, own->messages, 0};

        if (number > 0x40000084 && number < 0x40000090)
                return false;
        *value = number <= 0x40000084 ? values[number - 0x40000080]
                                      : own->source[number - 0x40000090];
        return true;
}

/* Synthetic timers, 12.4. */

static bool has_target(const struct model *model, const struct model_timer *timer)
{
        return timer->config & BIT(12) || (model->privileges & BIT(2) && source_of(timer));
}

static bool write_timer(struct model *model, unsigned vp, uint32_t number, uint64_t value)
{
        struct model_timer *const timer = &model->vp[vp].timer[(number - 0x400000b0) / 2];

        if (number & 1) {
                timer->count = value;
                if (timer->config & BIT(3))
                        timer->config |= 1;
                if (!value)
                        timer->config &= ~UINT64_C(1);
        } else {
                if (value & ~UINT64_C(0xf1fff) || (value & BIT(12) && !model->direct))
                        return false;
                timer->config = value;
        }
        if (!has_target(model, timer))
                timer->config &= ~UINT64_C(1);
        timer->waits = false;
        timer->due = NEVER;
        if (timer->config & 1 && timer->count) {
                timer->due = timer->count;
                if (timer->config & BIT(1))
                        timer->due = NEVER - model->now < timer->count ? NEVER
                                                                       : model->now + timer->count;
        }
        return true;
}

static void expire(struct model *model, unsigned vp, unsigned n)
{
        struct model_timer *const timer = &model->vp[vp].timer[n];
        const uint64_t due = timer->due;
        const unsigned source = source_of(timer);

        model->vp[vp].expirations++;
        timer->due = NEVER;
        if (timer->config & BIT(1)) { /* due at the end of the first period that has not passed */
                const uint64_t passed = (model->now - due) / timer->count * timer->count;

                if (NEVER - due - passed >= timer->count)
                        timer->due = due + passed + timer->count;
        } else {
                timer->config &= ~UINT64_C(1);
        }
        if (timer->config & BIT(12)) {
                model_accept(model, vp, (uint8_t)(timer->config >> 4), false);
                return;
        }
        if (timer->waits)
                return;

        const bool alone = !any_waits(&model->vp[vp], source);

        timer->waits = true;
        timer->expired = due;
        if (alone)
                deliver(model, vp, source);
}

void model_expire(struct model *model)
{
        for (unsigned i = 0; i < model->vps; i++)
                for (unsigned n = 0; n < MODEL_TIMERS; n++)
                        if (model->vp[i].timer[n].due <= model->now)
                                expire(model, i, n);
}

/* All registers, appendix C, with the bit of the privilege that each needs, 4.2.2. */

static bool in(uint32_t number, uint32_t first, uint32_t last)
{
        return number >= 0x40000000 + first && number <= 0x40000000 + last;
}

static bool may(const struct model *model, uint32_t number)
{
        static const struct {
                uint32_t first, last;
                unsigned privilege;
        } rows[] = {
                {0x00, 0x01, 5}, {0x02, 0x02, 6}, {0x03, 0x03, 7},  {0x10, 0x10, 0},
                {0x20, 0x20, 1}, {0x21, 0x21, 9}, {0x22, 0x23, 11}, {0x70, 0x73, 4},
                {0x80, 0x84, 2}, {0x90, 0x9f, 2}, {0xb0, 0xb7, 3},  {0xf0, 0xf0, 10},
        };

        for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
                if (in(number, rows[i].first, rows[i].last))
                        return model->privileges & BIT(rows[i].privilege);
        return in(number, 0x100, 0x105) && model->crashes;
}

bool model_read(const struct model *model, unsigned vp, uint32_t number, uint64_t *value)
{
        const struct model_vp *const own = &model->vp[vp];

        *value = 0; /* the reset register, the idle register */
        if (!may(model, number))
                return false;
        if (in(number, 0x70, 0x73))
                return read_apic(own, number, value);
        if (in(number, 0x80, 0x9f))
                return read_synic(own, number, value);
        if (number == 0x40000105)
                *value = BIT(63) | BIT(62);
        else if (in(number, 0x100, 0x104))
                *value = model->crash[number - 0x40000100];
        else if (in(number, 0xb0, 0xb7))
                *value = number & 1 ? own->timer[(number - 0x400000b0) / 2].count
                                    : own->timer[(number - 0x400000b0) / 2].config;
        else if (in(number, 0x20, 0x23))
                *value = ((const uint64_t[]){model->now, model->reference, model->tsc_hz,
                                             model->apic_hz})[number - 0x40000020];
        else if (in(number, 0x00, 0x02))
                *value = ((const uint64_t[]){model->identity, model->calls,
                                             vp})[number - 0x40000000];
        return true;
}

static bool write_crash(struct model *model, uint32_t number, uint64_t value)
{
        if (number < 0x40000105) {
                model->crash[number - 0x40000100] = value;
                return true;
        }
        model->reports += value == BIT(63) || value == (BIT(63) | BIT(62));
        return !(value & ~(BIT(63) | BIT(62)));
}

bool model_write(struct model *model, unsigned vp, uint32_t number, uint64_t value)
{
        if (!may(model, number))
                return false;
        if (in(number, 0x70, 0x73))
                return write_apic(model, vp, number, value);
        if (in(number, 0x80, 0x9f))
                return write_synic(model, vp, number, value);
        if (in(number, 0xb0, 0xb7))
                return write_timer(model, vp, number, value);
        if (in(number, 0x100, 0x105))
                return write_crash(model, number, value);
        switch (number) {
        case 0x40000000:
                return write_identity(model, value);
        case 0x40000001:
                return write_calls(model, value);
        case 0x40000003:
                model->resets = value == 1;
                return value <= 1;
        case 0x40000021:
                return place_plain(model, MODEL_REFERENCE, value, &model->reference);
        default:
                return false;
        }
}
