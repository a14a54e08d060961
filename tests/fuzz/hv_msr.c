/* SPDX-License-Identifier: BSD-2-Clause */
/* Fuzzes the registers of enlightened guests: accesses them in any order, while time passes,
 * interrupts and messages arrive, and the guest writes to its pages. Each result, each page that
 * the guest sees, and each interrupt must be those of a model (hv_msr_model.c). */
#include "novavmm/hv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hv_msr_model.h"

#define PAGE_BYTES 4096u
#define RAM_BYTE   0x11
#define BEGIN_NS   1000000u
#define UNIT_NS    100u
#define TSC_HZ     1000000000u
#define LATEST_NS  (UINT64_C(1) << 56) /* until then, reference time is exactly the TSC / 100 */
#define STEP_BYTES 4
#define LISTED     48 /* registers in the list of choose() */
#define STATE_EACH 32 /* steps between comparisons of the whole state */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
void novavmm_overlay_take_back(const uint8_t *page, unsigned order);

static uint8_t ram[MODEL_PAGES * PAGE_BYTES], frames[MODEL_FRAMES * PAGE_BYTES];
static struct nova_guest_memory memory;
static struct nova_hv hv;
static struct nova_lapic lapic[MODEL_VPS];
static struct model model;
static uint64_t now_ns;
static bool driven[MODEL_VPS]; /* the line of this local APIC was driven in this step */
static unsigned sent, ended[256], reports;

/* Pages that were revoked in this step: RAM, then frames. */
static bool taken_back[MODEL_PAGES + MODEL_FRAMES];

/* Ends the test if the library and the model differ. */
static void expect(bool equal, const char *what, uint64_t where)
{
        if (equal)
                return;
        fprintf(stderr, "differs from the model: %s 0x%llx\n", what, (unsigned long long)where);
        abort();
}

void novavmm_overlay_take_back(const uint8_t *page, unsigned order)
{
        (void)order; /* the RAM has no whole block */
        const bool of_ram = page >= ram && page < ram + sizeof(ram);

        taken_back[of_ram ? (size_t)(page - ram) / PAGE_BYTES
                          : MODEL_PAGES + (size_t)(page - frames) / PAGE_BYTES] = true;
}

static uint64_t tell_time(void *context)
{
        (void)context;
        return now_ns;
}

static void drive(void *context, unsigned pin, bool level)
{
        (void)context;
        driven[pin] |= level;
}

/* Delivers fixed interrupts to APIC IDs, as the model does. */
static void send(void *context, unsigned from, const struct nova_apic_message *message,
                 unsigned shorthand)
{
        (void)context;
        sent++;
        if (message->delivery != NOVA_DELIVER_FIXED || message->logical)
                return;
        for (unsigned i = 0; i < hv.vcpus; i++) {
                const bool named[] = {nova_lapic_matches(&lapic[i], message), i == from, true,
                                      i != from};

                if (named[shorthand])
                        nova_lapic_accept(&lapic[i], message->vector, false);
        }
}

static void record_end(void *context, uint8_t vector)
{
        (void)context;
        ended[vector]++;
}

static void record_crash(void *context, unsigned vcpu, const struct nova_hv_crash *crash)
{
        (void)context, (void)vcpu, (void)crash;
        reports++;
}

static uint64_t tell_run_time(void *context, unsigned vcpu)
{
        (void)context, (void)vcpu;
        return 0;
}

static void begin_apic(unsigned vp)
{
        const struct nova_clock clock = {tell_time, NULL};
        const struct nova_line out = {drive, NULL, vp};

        nova_lapic_init(&lapic[vp], (uint8_t)vp, &clock, &out);
        lapic[vp].send = send;
        lapic[vp].ended = record_end;
        hv.vp[vp].lapic = &lapic[vp];
}

static void switch_apic(unsigned vp, bool on)
{
        nova_lapic_write(&lapic[vp], NOVA_LAPIC_AT + 0xf0, 4, on ? 0x1ff : 0xff);
        model.vp[vp].apic.on = on;
}

/* Begins a partition with 1 to 4 virtual processors and with the privileges that @p header chooses.
 * At first, the guest sees RAM at each page. */
static void begin(const uint8_t *header, unsigned seen[MODEL_PAGES])
{
        const bool all = header[0] & 0x80;
        const uint64_t some = (header[1] | (uint64_t)header[2] << 8) & NOVA_HV_PRIVILEGES_ALL;
        const uint64_t privileges = all ? NOVA_HV_PRIVILEGES_ALL : some;

        memset(ram, RAM_BYTE, sizeof(ram));
        memset(frames, 0, sizeof(frames));
        memory = (struct nova_guest_memory){.base = ram, .bytes = sizeof(ram), .frames = frames};
        expect(!nova_hv_init(&hv, &memory, privileges), "begin", 0);
        hv.vcpus = 1 + (header[0] & 3);
        hv.direct_timers = all || header[0] & 4;
        hv.crashed = all || header[0] & 8 ? record_crash : NULL;
        hv.run_time = tell_run_time;
        hv.clock.now = hv.tsc.now = tell_time;
        hv.apic_hz = NOVA_LAPIC_HZ;
        now_ns = BEGIN_NS;
        nova_hv_time_begin(&hv, TSC_HZ);
        nova_hv_timers_begin(&hv);
        nova_hv_page_fill(frames, true);
        sent = reports = 0;
        memset(ended, 0, sizeof(ended));
        model_init(&model, privileges, hv.vcpus);
        model.direct = hv.direct_timers;
        model.crashes = hv.crashed;
        model.tsc_hz = TSC_HZ;
        model.apic_hz = NOVA_LAPIC_HZ;
        for (unsigned i = 0; i < hv.vcpus; i++) {
                begin_apic(i);
                switch_apic(i, true);
        }
        for (unsigned i = 0; i < MODEL_PAGES; i++)
                seen[i] = MODEL_FRAMES;
}

/* Returns the number of a register. For most selectors the register exists. */
static uint32_t choose(uint8_t selector)
{
        static const uint8_t low[LISTED] = {
                0x00, 0x01, 0x02, 0x03, 0x10, 0x20, 0x21, 0x22, 0x23, 0x70, 0x71, 0x72,
                0x73, 0x80, 0x81, 0x82, 0x83, 0x84, 0xb0, 0xb1, 0xb2, 0xb3, 0xb4, 0xb5,
                0xb6, 0xb7, 0xf0, 0x90, 0x91, 0x92, 0x93, 0x9f, 0x01, 0x21, 0x73, 0x82,
                0x83, 0x84, 0x80, 0x00, 0x70, 0x04, 0x24, 0x6f, 0x74, 0x85, 0x8f, 0xa0,
        };

        if (selector >= 0xe0)
                return 0x400000fe + (selector & 15);
        if (selector >= 0xd0)
                return 0x40000090 + (selector & 15);
        return 0x40000000 + low[selector % LISTED];
}

/* Returns a value of a kind that one of the registers takes. */
static uint64_t make(uint8_t kind, uint8_t value)
{
        const uint64_t bits = kind >> 3;

        switch (kind & 7) {
        case 0:
                return value;
        case 1: /* a page, also just outside of RAM */
                return (uint64_t)(value % (MODEL_PAGES + 2)) << 12 | (bits & 1) |
                       (bits == 0x1f) << 1 | (uint64_t)(bits & 2) << 3;
        case 2: /* a time */
                return model.now + (uint64_t)(int8_t)value;
        case 3:
                return UINT64_C(1) << (value & 63);
        case 4: /* a timer with a vector */
                return (uint64_t)value << 4 | 0x1000 | (bits & 0xf);
        case 5: /* a timer with a source of messages, or a report of a crash */
                return (uint64_t)(value & 0xf) << 16 | (bits & 0xf) | bits >> 4 << 63;
        case 6: /* a source */
                return value | (bits & 7) << 16;
        default:
                return ~(uint64_t)value;
        }
}

/* Rings the alarm if it is due, or, if @p early, in any case. Checks that the next deadline is one
 * unit of time after the first timer is due. */
static void ring(bool early)
{
        uint64_t first = UINT64_MAX;

        if (early || hv.alarm.deadline <= now_ns)
                hv.alarm.expire(hv.alarm.device, now_ns);
        model_expire(&model);
        for (unsigned i = 0; i < model.vps; i++)
                for (unsigned n = 0; n < MODEL_TIMERS; n++)
                        if (model.vp[i].timer[n].due < first)
                                first = model.vp[i].timer[n].due;
        expect((first == UINT64_MAX) == (hv.alarm.deadline == NOVA_NEVER), "alarm", first);
        if (first != UINT64_MAX && first - model.now < UINT64_C(1) << 40)
                expect(hv.alarm.deadline - now_ns == (first - model.now + 1) * UNIT_NS, "alarm at",
                       first);
}

static void advance(uint8_t kind, uint8_t value)
{
        const uint64_t units = kind & 1 ? UINT64_C(1) << value % 48 : value;

        if (now_ns + units * UNIT_NS > LATEST_NS)
                return;
        now_ns += units * UNIT_NS;
        model.now += units;
        ring(true);
}

/* Performs an exit. The guest then takes an interrupt if it permits interrupts. */
static void exit_guest(unsigned vp, bool permits)
{
        if (permits)
                expect(nova_lapic_take(&lapic[vp]) == model_take(&model, vp), "interrupt of", vp);
        nova_hv_assist_end(&hv, vp);
        model_leave(&model, vp);
}

static void access_register(unsigned vp, const uint8_t *step, bool write)
{
        const uint32_t number = choose(step[1]);
        const uint64_t value = make(step[2], step[3]);
        uint64_t got = 0, expected;

        if (write) {
                const bool done = model_write(&model, vp, number, value);

                expect(nova_hv_msr_set(&hv, vp, number, value) == done, "write of", number);
                expect(hv.resets == model.resets, "reset by", value);
                return;
        }

        const bool done = model_read(&model, vp, number, &expected);

        expect(nova_hv_msr_get(&hv, vp, number, &got) == done, "read of", number);
        expect(!done || got == expected, "value of", number);
}

/* Writes to the guest's pages, as the guest does: a slot's type, a slot's flags, an event flag, or
 * the assist word. */
static void write_page(unsigned vp, const uint8_t *step)
{
        uint8_t *const own = frames + (size_t)(MODEL_OWN + 3 * vp) * PAGE_BYTES;
        const unsigned source = step[2] & 15;
        struct nova_hv_message *const slot =
                (struct nova_hv_message *)(void *)(own + MODEL_MESSAGES * PAGE_BYTES) + source;

        switch (step[1] & 3) {
        case 0:
                model.vp[vp].slot[source].type = slot->type = step[3] < 0xe0 ? 0 : step[3];
                break;
        case 1:
                model.vp[vp].slot[source].flags = slot->flags = step[3];
                break;
        case 2:
                own[MODEL_EVENTS * PAGE_BYTES + source * 256 + step[3]] = 0;
                model.vp[vp].flag[source][step[3]] = 0;
                break;
        default:
                memset(own, 0, 4);
                own[0] = step[3];
                model.vp[vp].word = step[3];
                break;
        }
}

static void post(unsigned vp, const uint8_t *step)
{
        const struct nova_hv_message message = {
                .type = step[3] & 7, .bytes = step[3], .from = step[1], .data = {step[3]}};
        const struct model_message same = {
                .type = step[3] & 7, .bytes = step[3], .from = step[1], .data = {step[3]}};
        const unsigned source = step[2] % 17;

        expect(nova_hv_post_message(&hv, vp, source, &message) ==
                       (enum nova_hv_status)model_post(&model, vp, source, &same),
               "status of a message to", source);
}

static void signal_flag(unsigned vp, const uint8_t *step)
{
        const unsigned source = step[2] % 17, flag = step[1] | (step[3] & 0xfu) << 8;

        expect(nova_hv_signal_event(&hv, vp, source, flag) ==
                       (enum nova_hv_status)model_signal(&model, vp, source, flag),
               "status of an event to", source);
}

/* Performs an access of the guest to its local APIC in memory, or an event of the local APIC. */
static void access_apic(unsigned vp, const uint8_t *step)
{
        switch (step[1] & 7) {
        case 0:
                nova_lapic_write(&lapic[vp], NOVA_LAPIC_AT + 0xb0, 4, 0);
                model_end(&model, vp);
                break;
        case 1:
                nova_lapic_write(&lapic[vp], NOVA_LAPIC_AT + 0x80, 4, step[2]);
                model.vp[vp].apic.priority = step[2];
                break;
        case 2:
                if ((step[2] & 15u) != model.vp[vp].apic.priority >> 4)
                        model.vp[vp].apic.priority = (step[2] & 15u) << 4;
                nova_lapic_set_cr8(&lapic[vp], step[2] & 15);
                break;
        case 3:
                nova_lapic_reset(&lapic[vp]);
                model_reset_apic(&model, vp);
                switch_apic(vp, step[2] & 7);
                break;
        case 4:
                switch_apic(vp, step[2] & 3);
                break;
        default:
                nova_lapic_accept(&lapic[vp], step[2], step[3] & 1);
                model_accept(&model, vp, step[2], step[3] & 1);
                break;
        }
}

/* Checks the effects of a step. When an interrupt begins to wait, the library must drive the line
 * of its virtual processor, which then leaves the guest. The virtual processor @p outside is
 * exempt: it has left the guest in this step and looks for interrupts anyway. When the guest sees
 * another frame at a page, the library must have revoked the old one, so that no translation is
 * stale. */
static void check_step(unsigned seen[MODEL_PAGES], const bool waited[MODEL_VPS], unsigned outside)
{
        for (unsigned i = 0; i < model.vps; i++)
                expect(i == outside || waited[i] || driven[i] || !model_waits(&model, i), "line of",
                       i);
        for (unsigned page = 0; page < MODEL_PAGES; page++) {
                const unsigned after = model_seen(&model, page);
                const struct nova_overlay *const top =
                        nova_overlay_find(&memory, (uint64_t)page * PAGE_BYTES);

                if (after == MODEL_FRAMES)
                        expect(!top, "RAM at page", page);
                else
                        expect(top && top->frame == frames + (size_t)after * PAGE_BYTES &&
                                       top->rights == model_rights(after),
                               "frame at page", page);
                if (after != seen[page])
                        expect(taken_back[seen[page] == MODEL_FRAMES ? page
                                                                     : MODEL_PAGES + seen[page]],
                               "translation of page", page);
                seen[page] = after;
        }
}

static void check_apic(unsigned vp)
{
        const struct model_apic *const apic = &model.vp[vp].apic;

        expect(!memcmp(lapic[vp].request, &apic->request, sizeof(apic->request)), "requests", vp);
        expect(!memcmp(lapic[vp].service, &apic->service, sizeof(apic->service)), "service", vp);
        expect(lapic[vp].quiet_end == model.vp[vp].offered, "offer of", vp);
}

/* Compares the first byte that the guest reads from each page of RAM with the model's. */
static void check_ram(void)
{
        for (unsigned page = 0; page < MODEL_PAGES; page++) {
                const unsigned frame = model_seen(&model, page);
                uint8_t byte = 0;

                expect(nova_guest_read(&memory, (uint64_t)page * PAGE_BYTES, &byte, 1), "read of",
                       page);
                expect(byte == (frame == MODEL_FRAMES ? RAM_BYTE
                                                      : frames[(size_t)frame * PAGE_BYTES]),
                       "byte at page", page);
        }
}

static void check_pages(unsigned vp)
{
        const uint8_t *const own = frames + (size_t)(MODEL_OWN + 3 * vp) * PAGE_BYTES;

        expect(!memcmp(own, &model.vp[vp].word, 4), "assist word of", vp);
        expect(!memcmp(own + MODEL_EVENTS * PAGE_BYTES, model.vp[vp].flag, PAGE_BYTES), "flags of",
               vp);
        for (unsigned i = 0; i < MODEL_SOURCES; i++) {
                const struct model_message *const expected = &model.vp[vp].slot[i];
                const struct nova_hv_message *const slot =
                        (const struct nova_hv_message *)(const void *)(own + MODEL_MESSAGES *
                                                                                     PAGE_BYTES) +
                        i;

                expect(slot->type == expected->type && slot->bytes == expected->bytes &&
                               slot->flags == expected->flags && slot->from == expected->from &&
                               !slot->zero && !memcmp(slot->data, expected->data, 24),
                       "slot", i);
        }
}

/* Compares all registers of all virtual processors, and the state that no register shows. */
static void check_state(void)
{
        for (unsigned i = 0; i < model.vps; i++) {
                for (unsigned n = 0; n <= UINT8_MAX; n += n == LISTED - 1 ? 0xd0 - n : 1) {
                        const uint32_t number = choose((uint8_t)n);
                        uint64_t got = 0, expected;
                        const bool done = model_read(&model, i, number, &expected);

                        expect(nova_hv_msr_get(&hv, i, number, &got) == done, "read of", number);
                        expect(!done || got == expected, "value of", number);
                }
                check_apic(i);
                check_pages(i);
                expect(hv.vp[i].ends == model.vp[i].ends, "ends of", i);
                expect(hv.vp[i].quiet_ends == model.vp[i].quiet_ends, "ends in the page of", i);
                expect(hv.vp[i].timer_interrupts == model.vp[i].expirations, "expirations of", i);
        }
        check_ram();
        expect(hv.enabled == (model.calls & 1), "page of calls", model.calls);
        expect(sent == model.sent, "messages of local APICs", sent);
        expect(reports == model.reports, "reports", reports);
        expect(!memcmp(ended, model.ended, sizeof(ended)), "ends of level-triggered interrupts", 0);
}

/* Performs a step. Bits 0 and 1: virtual processor; 2 to 5: kind of step; 6: the guest permits
 * interrupts.
 * @return the virtual processor that exits; MODEL_VPS: none */
static unsigned perform(const uint8_t *step)
{
        const unsigned vp = (step[0] & 3) % hv.vcpus, kind = step[0] >> 2 & 15;
        unsigned outside = MODEL_VPS;

        if (kind == 9) {
                advance(step[2], step[3]);
        } else if (kind == 10) {
                write_page(vp, step);
        } else if (kind == 12) {
                post(step[3] == 0xff ? hv.vcpus : vp, step);
        } else if (kind == 13) {
                signal_flag(step[3] == 0xff ? hv.vcpus : vp, step);
        } else {
                nova_hv_assist_begin(&hv, vp);
                model_enter(&model, vp);
                if (kind == 11)
                        access_apic(vp, step);
                else if (kind < 14)
                        access_register(vp, step, kind > 2);
                exit_guest(vp, step[0] & 0x40);
                outside = vp;
        }
        ring(false);
        return outside;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        unsigned steps = 0, seen[MODEL_PAGES];

        if (size < STEP_BYTES)
                return 0;
        begin(data, seen);
        for (size_t at = STEP_BYTES; size - at >= STEP_BYTES; at += STEP_BYTES) {
                bool waited[MODEL_VPS];

                for (unsigned i = 0; i < MODEL_VPS; i++)
                        waited[i] = model_waits(&model, i);
                memset(driven, 0, sizeof(driven));
                memset(taken_back, 0, sizeof(taken_back));
                check_step(seen, waited, perform(data + at));
                if (++steps % STATE_EACH == 0)
                        check_state();
                if (hv.resets)
                        begin(data, seen);
        }
        check_state();
        return 0;
}
