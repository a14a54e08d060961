/* SPDX-License-Identifier: BSD-2-Clause */
/* Client stub of the service `memory`. */
#include "novart/service/memory.h"

#include <errno.h>

#include "nova/crd.h"
#include "nova/hypercall.h"
#include "novart/region.h"
#include "novart/time.h"

/* Number of attempts while freed memory is not free yet, and ns between two of them. */
#define TRIES    100
#define PAUSE_NS 10000000

int nova_memory_open(struct nova_session **session)
{
        return nova_session_open(session, "memory", NULL);
}

static int free_number(struct nova_session *session, nova_word_t number)
{
        struct nova_message message = {
                .operation = NOVA_MEMORY_FREE, .words = &number, .word_count = 1};

        return nova_session_call(session, &message);
}

/* Returns true if the last page of a range has arrived: the service delegates all pages or none. */
static bool arrived(const struct nova_memory *memory)
{
        const nova_word_t last = (nova_word_t)memory->address + memory->bytes - 1;
        nova_crd_t crd = nova_crd_mem(last >> NOVA_PAGE_BITS, 0, NOVA_PERM_ALL);

        return nova_lookup(&crd) == NOVA_SUCCESS && crd;
}

int nova_memory_alloc(struct nova_session *session, size_t bytes, struct nova_memory *memory)
{
        nova_word_t order = 0;

        while (order <= NOVA_MEMORY_ORDER_MAX && (size_t)NOVA_PAGE_SIZE << order < bytes)
                order++;
        if (!bytes || order > NOVA_MEMORY_ORDER_MAX)
                return EINVAL;
        memory->bytes = (size_t)NOVA_PAGE_SIZE << order;
        memory->address = nova_region_reserve(memory->bytes);
        if (!memory->address)
                return ENOMEM;

        struct nova_message message = {
                .operation = NOVA_MEMORY_ALLOC,
                .words = &order,
                .word_count = 1,
                .window = nova_crd_mem((nova_word_t)memory->address >> NOVA_PAGE_BITS,
                                       (unsigned)order, NOVA_MEM_R | NOVA_MEM_W),
                .answer = &memory->number,
                .answer_max = 1};
        int error = nova_session_call(session, &message);

        for (unsigned tries = 1; error == EAGAIN && tries < TRIES; tries++) {
                nova_sleep(PAUSE_NS);
                error = nova_session_call(session, &message);
        }
        if (error == EAGAIN)
                error = ENOMEM;
        if (!error && !message.answer_count)
                error = EPROTO;
        if (!error && !arrived(memory)) {
                free_number(session, memory->number);
                error = ENOMEM;
        }
        if (error)
                nova_region_free(memory->address);
        return error;
}

int nova_memory_free(struct nova_session *session, struct nova_memory *memory)
{
        nova_region_free(memory->address);
        memory->address = NULL;
        return free_number(session, memory->number);
}

int nova_memory_query(struct nova_session *session, size_t *used, size_t *quota)
{
        nova_word_t answer[2];
        struct nova_message message = {
                .operation = NOVA_MEMORY_QUERY, .answer = answer, .answer_max = 2};
        const int error = nova_session_call(session, &message);

        if (error)
                return error;
        if (message.answer_count < 2)
                return EPROTO;
        *used = answer[0];
        *quota = answer[1];
        return 0;
}
