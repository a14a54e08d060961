/* SPDX-License-Identifier: BSD-2-Clause */
/* The sessions of one service: a free list and a list of retired slots over an array. */
#include "session_table.h"

#include <errno.h>
#include <string.h>

unsigned novart_session_table_slots(unsigned session_max)
{
        const unsigned wanted = session_max + session_max / 64 + 8;
        unsigned slots = 1;

        while (slots < wanted)
                slots *= 2;
        return slots;
}

static void push_free(struct session_table *table, unsigned slot)
{
        struct session *session = &table->slots[slot];

        memset(session, 0, sizeof(*session));
        session->next = table->free_head;
        table->free_head = slot;
}

void novart_session_table_init(struct session_table *table, struct session *slots,
                               unsigned slot_count, unsigned session_max, unsigned client_max)
{
        memset(table, 0, sizeof(*table));
        table->slots = slots;
        table->slot_count = slot_count;
        table->session_max = session_max;
        table->client_max = client_max;
        table->free_head = SESSION_NONE;
        table->retired_head = SESSION_NONE;
        for (unsigned slot = slot_count; slot-- > 0;)
                push_free(table, slot);
}

nova_sel_t novart_session_portals(const struct session_table *table, const struct session *session)
{
        return table->portals + ((nova_sel_t)(session - table->slots) << table->portal_order);
}

struct session *novart_session_find(const struct session_table *table, nova_sel_t portal)
{
        const nova_sel_t slot = (portal - table->portals) >> table->portal_order;

        if (portal < table->portals || slot >= table->slot_count ||
            table->slots[slot].state != SESSION_LIVE)
                return NULL;
        return &table->slots[slot];
}

unsigned novart_session_count(const struct session_table *table, const char client[NOVA_NAME_SIZE])
{
        unsigned count = 0;

        for (unsigned slot = 0; slot < table->slot_count; slot++) {
                const struct session *session = &table->slots[slot];

                if (session->state != SESSION_FREE && session->state != SESSION_RETIRED)
                        count += !memcmp(session->client, client, NOVA_NAME_SIZE);
        }
        return count;
}

bool novart_session_ending(const struct session_table *table)
{
        for (unsigned slot = 0; slot < table->slot_count; slot++)
                if (table->slots[slot].state == SESSION_CLOSING)
                        return true;
        return table->retired;
}

int novart_session_take(struct session_table *table, const char client[NOVA_NAME_SIZE],
                        struct session **session)
{
        if (novart_session_count(table, client) >= table->client_max)
                return EMFILE;
        if (table->open >= table->session_max)
                return ENFILE;
        if (table->free_head == SESSION_NONE)
                return EAGAIN;

        struct session *taken = &table->slots[table->free_head];

        table->free_head = taken->next;
        table->open++;
        taken->state = SESSION_OPENING;
        memcpy(taken->client, client, NOVA_NAME_SIZE);
        *session = taken;
        return 0;
}

bool novart_session_close(struct session *session)
{
        if (session->state != SESSION_LIVE && session->state != SESSION_OPENING)
                return false;
        session->state = SESSION_CLOSING;
        return session->calls == 0;
}

bool novart_session_leave(struct session *session)
{
        session->calls--;
        return session->state == SESSION_CLOSING && session->calls == 0;
}

void novart_session_finish(struct session_table *table, struct session *session, bool at_once)
{
        const unsigned slot = (unsigned)(session - table->slots);

        table->open--;
        if (at_once) {
                push_free(table, slot);
                return;
        }
        session->state = SESSION_RETIRED;
        session->next = table->retired_head;
        table->retired_head = slot;
        table->retired++;
}

unsigned novart_session_retired_take(struct session_table *table, unsigned *count)
{
        const unsigned head = table->retired_head;

        *count = table->retired;
        table->retired_head = SESSION_NONE;
        table->retired = 0;
        return head;
}

void novart_session_release(struct session_table *table, unsigned head)
{
        while (head != SESSION_NONE) {
                const unsigned next = table->slots[head].next;

                push_free(table, head);
                head = next;
        }
}
