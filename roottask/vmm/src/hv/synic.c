/* SPDX-License-Identifier: BSD-2-Clause */
/* The synthetic interrupt controller of a virtual processor: registers, message slots, event flags.
 * The guest changes both pages at any time, so each read from them is one atomic access, and no
 * value from the pages is used as an index. TLFS 11 */
#include "hv/synic.h"

#include <string.h>

#include "hv/numbers.h"
#include "hv/page.h"
#include "nova/abi/crd.h"

#define CONTROL_ENABLE UINT64_C(1)
#define VERSION_VALUE  1

/* Bits of a source: the vector in bits 0 to 7; masked; automatic end of interrupt; polling, which
 * means that the source raises no interrupt. The other bits read as 0. */
#define SOURCE_VECTOR    UINT64_C(0xff)
#define SOURCE_MASKED    NOVAVMM_HV_SOURCE_MASKED
#define SOURCE_AUTOMATIC UINT64_C(0x20000)
#define SOURCE_POLLING   UINT64_C(0x40000)
#define SOURCE_KNOWN     (SOURCE_VECTOR | SOURCE_MASKED | SOURCE_AUTOMATIC | SOURCE_POLLING)
#define VECTOR_MIN       0x10u

#define PENDING    1u /* flag of a message: other messages wait */
#define FLAG_BYTES (NOVA_HV_FLAGS / 8)

/* Data of a timer's message. */
struct expiration {
        uint32_t timer;
        uint32_t zero;
        uint64_t expired;
        uint64_t delivered;
};

_Static_assert(sizeof(struct nova_hv_message) == 256, "TLFS 11.7.1");

static struct nova_hv_message *slot_of(const struct nova_hv *hv, unsigned vcpu, unsigned sint)
{
        uint8_t *const page =
                novavmm_hv_frame(hv, novavmm_hv_vp_frame(vcpu, NOVAVMM_HV_MESSAGE_FRAME));

        return (struct nova_hv_message *)(void *)page + sint;
}

static bool is_on(const struct nova_hv_synic *synic, unsigned sint, uint64_t page)
{
        return synic->control & CONTROL_ENABLE && page & NOVAVMM_HV_PAGE_ENABLE &&
               !(synic->source[sint] & SOURCE_MASKED);
}

static void interrupt(struct nova_hv *hv, unsigned vcpu, unsigned sint)
{
        const uint64_t source = hv->vp[vcpu].synic.source[sint];

        if (!(source & SOURCE_POLLING) && hv->vp[vcpu].lapic)
                nova_lapic_accept(hv->vp[vcpu].lapic, (uint8_t)source, false);
}

static bool is_free(const struct nova_hv_message *slot)
{
        return !__atomic_load_n(&slot->type, __ATOMIC_SEQ_CST);
}

/* Returns true if a slot is free. If not, sets the slot's flag. The guest reads the flag after it
 * has freed the slot, and learns that another message waits. The second check finds a slot that the
 * guest freed just before the flag was set. */
static bool claim(struct nova_hv_message *slot)
{
        if (is_free(slot))
                return true;
        __atomic_or_fetch(&slot->flags, PENDING, __ATOMIC_SEQ_CST);
        return is_free(slot);
}

/* Fills in a free slot. Writes the type last, because a guest may poll the type. */
static void fill(struct nova_hv_message *slot, const struct nova_hv_message *message, bool more)
{
        memcpy(slot->data, message->data, sizeof(slot->data));
        slot->bytes = message->bytes;
        slot->zero = 0;
        slot->from = message->from;
        __atomic_store_n(&slot->flags, more ? PENDING : 0, __ATOMIC_RELAXED);
        __atomic_store_n(&slot->type, message->type, __ATOMIC_RELEASE);
}

/* Returns true if the message of a timer waits for a slot. */
static bool waits_for(const struct nova_hv_timer *timer, unsigned sint)
{
        return timer->waits && novavmm_hv_synic_source(timer) == sint;
}

/* Returns true if a message waits for a slot. */
static bool has_waiting(const struct nova_hv_vp *vp, unsigned sint)
{
        if (vp->synic.queue[sint].count)
                return true;
        for (unsigned n = 0; n < NOVA_HV_TIMERS; n++)
                if (waits_for(&vp->timer[n], sint))
                        return true;
        return false;
}

static void pop(struct nova_hv_queue *queue, struct nova_hv_message *message)
{
        *message = queue->message[0];
        queue->count--;
        memmove(queue->message, queue->message + 1, queue->count * sizeof(*message));
}

/* Takes the next waiting message. @return false if no message waits */
static bool take(struct nova_hv *hv, unsigned vcpu, unsigned sint, struct nova_hv_message *message)
{
        struct nova_hv_vp *const vp = &hv->vp[vcpu];
        struct expiration data = {.delivered = nova_hv_time(hv)};

        if (vp->synic.queue[sint].count) {
                pop(&vp->synic.queue[sint], message);
                return true;
        }
        while (data.timer < NOVA_HV_TIMERS && !waits_for(&vp->timer[data.timer], sint))
                data.timer++;
        if (data.timer == NOVA_HV_TIMERS)
                return false;
        vp->timer[data.timer].waits = false;
        data.expired = vp->timer[data.timer].expired;
        *message = (struct nova_hv_message){.type = NOVA_HV_MESSAGE_TIMER, .bytes = sizeof(data)};
        memcpy(message->data, &data, sizeof(data));
        return true;
}

/* Fills in the slot of a source, if it is free, with the next message that waits. */
static void retry(struct nova_hv *hv, unsigned vcpu, unsigned sint)
{
        struct nova_hv_vp *const vp = &hv->vp[vcpu];
        struct nova_hv_message *const slot = slot_of(hv, vcpu, sint);
        struct nova_hv_message message;

        if (!has_waiting(vp, sint) || !is_on(&vp->synic, sint, vp->synic.messages) || !claim(slot))
                return;
        take(hv, vcpu, sint, &message);
        fill(slot, &message, has_waiting(vp, sint));
        interrupt(hv, vcpu, sint);
}

enum nova_hv_status nova_hv_post_message(struct nova_hv *hv, unsigned vcpu, unsigned sint,
                                         const struct nova_hv_message *message)
{
        if (vcpu >= hv->vcpus)
                return NOVA_HV_INVALID_VP_INDEX;
        if (sint >= NOVA_HV_SOURCES || !message->type || message->bytes > NOVA_HV_DATA_BYTES)
                return NOVA_HV_INVALID_PARAMETER;

        struct nova_hv_synic *const synic = &hv->vp[vcpu].synic;
        struct nova_hv_queue *const queue = &synic->queue[sint];

        if (!is_on(synic, sint, synic->messages))
                return NOVA_HV_INVALID_SYNIC_STATE;
        if (queue->count == NOVA_HV_QUEUE)
                return NOVA_HV_INSUFFICIENT_BUFFERS;

        const bool alone = !has_waiting(&hv->vp[vcpu], sint);

        queue->message[queue->count++] = *message;
        if (alone)
                retry(hv, vcpu, sint);
        return NOVA_HV_SUCCESS;
}

/* If another message waits already, the new message waits, too: the guest ends the message in the
 * slot by a write to NOVAVMM_MSR_SYNIC_END, and this write fills the slot again. */
void novavmm_hv_synic_expire(struct nova_hv *hv, unsigned vcpu, unsigned timer, uint64_t expired)
{
        struct nova_hv_vp *const vp = &hv->vp[vcpu];
        const unsigned sint = novavmm_hv_synic_source(&vp->timer[timer]);
        const bool alone = !has_waiting(vp, sint);

        if (vp->timer[timer].waits)
                return;
        vp->timer[timer].waits = true;
        vp->timer[timer].expired = expired;
        if (alone)
                retry(hv, vcpu, sint);
}

enum nova_hv_status nova_hv_signal_event(struct nova_hv *hv, unsigned vcpu, unsigned sint,
                                         unsigned flag)
{
        if (vcpu >= hv->vcpus)
                return NOVA_HV_INVALID_VP_INDEX;
        if (sint >= NOVA_HV_SOURCES || flag >= NOVA_HV_FLAGS)
                return NOVA_HV_INVALID_PARAMETER;
        if (!is_on(&hv->vp[vcpu].synic, sint, hv->vp[vcpu].synic.events))
                return NOVA_HV_INVALID_SYNIC_STATE;

        uint8_t *const page =
                novavmm_hv_frame(hv, novavmm_hv_vp_frame(vcpu, NOVAVMM_HV_EVENT_FRAME));
        const uint8_t bit = (uint8_t)(1u << (flag & 7));

        if (!(__atomic_fetch_or(page + sint * FLAG_BYTES + flag / 8, bit, __ATOMIC_SEQ_CST) & bit))
                interrupt(hv, vcpu, sint);
        return NOVA_HV_SUCCESS;
}

/* Passes the vectors with automatic end to the local APIC. */
static void update_ends(struct nova_hv_vp *vp)
{
        if (!vp->lapic)
                return;
        memset(vp->lapic->automatic, 0, sizeof(vp->lapic->automatic));
        for (unsigned i = 0; i < NOVA_HV_SOURCES && vp->synic.control & CONTROL_ENABLE; i++) {
                const uint64_t source = vp->synic.source[i], vector = source & SOURCE_VECTOR;

                if (source & SOURCE_AUTOMATIC && !(source & SOURCE_MASKED))
                        vp->lapic->automatic[vector / 32] |= 1u << vector % 32;
        }
}

static bool set_source(struct nova_hv_vp *vp, unsigned sint, uint64_t value)
{
        const bool silent = value & (SOURCE_MASKED | SOURCE_POLLING);

        if (!silent && (value & SOURCE_VECTOR) < VECTOR_MIN)
                return false;
        vp->synic.source[sint] = value & SOURCE_KNOWN;
        return true;
}

bool novavmm_hv_synic_get(const struct nova_hv *hv, unsigned vcpu, uint32_t number, uint64_t *value)
{
        const struct nova_hv_synic *const synic = &hv->vp[vcpu].synic;

        switch (number) {
        case NOVAVMM_MSR_SYNIC:
                *value = synic->control;
                return true;
        case NOVAVMM_MSR_SYNIC_VERSION:
                *value = VERSION_VALUE;
                return true;
        case NOVAVMM_MSR_SYNIC_EVENTS:
                *value = synic->events;
                return true;
        case NOVAVMM_MSR_SYNIC_MESSAGES:
                *value = synic->messages;
                return true;
        case NOVAVMM_MSR_SYNIC_END:
                *value = 0;
                return true;
        default:
                if (number < NOVAVMM_MSR_SOURCE)
                        return false;
                *value = synic->source[number - NOVAVMM_MSR_SOURCE];
                return true;
        }
}

static bool set(struct nova_hv *hv, unsigned vcpu, uint32_t number, uint64_t value)
{
        const unsigned rights = NOVA_MEM_R | NOVA_MEM_W;
        struct nova_hv_vp *const vp = &hv->vp[vcpu];

        switch (number) {
        case NOVAVMM_MSR_SYNIC:
                vp->synic.control = value & CONTROL_ENABLE;
                return true;
        case NOVAVMM_MSR_SYNIC_EVENTS:
                return novavmm_hv_place(hv, novavmm_hv_vp_frame(vcpu, NOVAVMM_HV_EVENT_FRAME),
                                        value, rights, &vp->synic.events);
        case NOVAVMM_MSR_SYNIC_MESSAGES:
                return novavmm_hv_place(hv, novavmm_hv_vp_frame(vcpu, NOVAVMM_HV_MESSAGE_FRAME),
                                        value, rights, &vp->synic.messages);
        case NOVAVMM_MSR_SYNIC_END:
                return true;
        default:
                return number >= NOVAVMM_MSR_SOURCE &&
                       set_source(vp, number - NOVAVMM_MSR_SOURCE, value);
        }
}

/* A write to any of these registers may make a source ready for its waiting messages. */
bool novavmm_hv_synic_set(struct nova_hv *hv, unsigned vcpu, uint32_t number, uint64_t value)
{
        if (!set(hv, vcpu, number, value))
                return false;
        update_ends(&hv->vp[vcpu]);
        for (unsigned i = 0; i < NOVA_HV_SOURCES; i++)
                retry(hv, vcpu, i);
        return true;
}
