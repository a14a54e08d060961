/* SPDX-License-Identifier: BSD-2-Clause */
/* A hostile service with rings, and the kernel and runtime of its client (see client_rings.h). */
#include "client_rings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "memory/page_commit.h"
#include "memory/region.h"
#include "nova/crd.h"
#include "nova/hypercall.h"
#include "novart/region.h"
#include "novart/selector.h"
#include "novart/session.h"
#include "novart/time.h"

#define BELLS 0x10 /* selectors of doorbell and bell */
#define LARGE 0x40000

static const struct rings_service *rings;
static const uint8_t *input;
static size_t left, region_bytes;
static char *region;
static char *place;          /* of the regions of all runs, between two pages that fault */
static bool has_bells, lost; /* the service has lost its pages */
static unsigned opened;
static nova_word_t commits;

void rings_begin(const struct rings_service *service, const uint8_t *data, size_t size)
{
        rings = service;
        input = data;
        left = size;
        lost = false;
        commits = 0;
}

bool rings_has_input(void)
{
        return left;
}

uint8_t rings_take(void)
{
        if (!left)
                return 0;
        left--;
        return *input++;
}

/* Returns a small number, or one near the borders of its type. */
uint32_t rings_take_word(void)
{
        const uint8_t byte = rings_take();

        if (byte < 0xe0)
                return byte;
        return byte < 0xf0 ? (uint32_t)(byte & 0xf) << (rings_take() & 31)
                           : (uint32_t) - (int32_t)(byte & 0xf);
}

void rings_write(struct nova_ring *ring, uint32_t count)
{
        struct nova_ring_completion *const all = (struct nova_ring_completion *)(ring + 1);
        const uint32_t index = ring->completed % count;

        switch (rings_take() % 8) {
        case 0:
        case 1:
        case 2: /* a completion */
                all[index].tag = rings_take_word();
                all[index].result = rings_take_word();
                ring->completed++;
                break;
        case 3:
                ring->completed += rings_take_word();
                break;
        case 4:
                ring->submitted = rings_take_word();
                ring->reaped = rings_take_word();
                ring->service_waits = rings_take();
                break;
        case 5: /* the service ends */
                lost = rings_take() & 1;
                commits++;
                ring->magic = 0;
                break;
        case 6:
                memset(all, rings_take(), count * sizeof(*all));
                break;
        default:
                all[rings_take() % count].tag = rings_take_word();
                break;
        }
}

/* Substitutes for the kernel. */
nova_word_t nova_trap_1(nova_word_t id)
{
        const bool sleeps = id & (NOVA_SM_DN_OP | NOVA_SM_ZC);

        require(has_bells && id >> NOVA_ID_SEL_SHIFT == (sleeps ? BELLS + 1 : BELLS));
        if (!sleeps)
                return NOVA_SUCCESS;
        if (!left)
                return NOVA_BAD_CAP;
        rings->act();
        return NOVA_SUCCESS;
}

nova_word_t nova_trap_2(nova_word_t id, nova_word_t *a2)
{
        if (id == nova_hypercall_id(NOVA_LOOKUP, 0, 0))
                *a2 = rings_take() == 0xff ? 0 : *a2;
        else
                require(id == nova_hypercall_id(NOVA_REVOKE, NOVA_REVOKE_SR, 0));
        return NOVA_SUCCESS;
}

nova_word_t nova_trap_3(nova_word_t id, nova_word_t *a2, nova_word_t *a3)
{
        (void)a2, (void)a3;
        require(id >> NOVA_ID_SEL_SHIFT == BELLS + 1);
        if (!left || rings_take() & 1)
                return NOVA_COM_TIM;
        rings->act();
        return NOVA_SUCCESS;
}

/* Substitutes for the rest of the runtime. */
nova_sel_t nova_sel_alloc(unsigned order)
{
        require(order == 1 && !has_bells);
        has_bells = true;
        return BELLS;
}

void nova_sel_release(nova_sel_t base, unsigned order)
{
        require(base == BELLS && order == 1 && has_bells);
        has_bells = false;
}

/* Fills the region with zeros. A large region gets new pages, because few of its pages are used. */
static void clear(void)
{
        if (region_bytes > LARGE)
                madvise(region, region_bytes, MADV_DONTNEED);
        else
                memset(region, 0, region_bytes);
}

void *novart_region_rings(const char *name, size_t bytes)
{
        (void)name;
        require(!region);
        if (bytes != region_bytes) {
                place = mmap(NULL, bytes + 2 * NOVA_PAGE_SIZE, PROT_NONE,
                             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
                require(place != MAP_FAILED);
                place += NOVA_PAGE_SIZE;
                require(!mprotect(place, bytes, PROT_READ | PROT_WRITE));
                region_bytes = bytes;
        }
        region = place;
        clear();
        return region;
}

int nova_region_free(void *addr)
{
        require(addr && addr == region);
        region = NULL;
        return 0;
}

nova_word_t novart_page_commits(void)
{
        return commits;
}

bool novart_region_has_memory(nova_word_t addr, size_t bytes)
{
        require(addr >= (nova_word_t)region && addr - (nova_word_t)region <= region_bytes &&
                bytes <= region_bytes - (addr - (nova_word_t)region));
        return lost;
}

void novart_region_decommit(void *addr, size_t bytes)
{
        require(addr == region && bytes == region_bytes);
        clear();
        lost = false;
}

void nova_sleep(uint64_t ns)
{
        (void)ns;
}

static int result_of_call(void)
{
        static const int errors[] = {EAGAIN, ECONNRESET, ECONNRESET, ENOMEM, EPROTO};
        const uint8_t byte = rings_take();

        return byte < 0xf8 ? 0 : errors[byte % 5];
}

int nova_session_open(struct nova_session **session, const char *service, const char *arguments)
{
        const int error = result_of_call();

        (void)service, (void)arguments;
        if (error)
                return error;
        *session = (struct nova_session *)&opened;
        opened++;
        return 0;
}

int nova_session_reopen(struct nova_session *session)
{
        const struct nova_message message = {.operation = NOVA_OPERATION_OPEN};
        const int error = result_of_call();

        require(session == (struct nova_session *)&opened && opened);
        if (!error && rings->called)
                rings->called(&message);
        return error;
}

void nova_session_close(struct nova_session *session)
{
        require(session == (struct nova_session *)&opened && opened--);
}

/* Calls the service. A call with a window for memory attaches: the service maps rings and pool. */
int nova_session_call(struct nova_session *session, struct nova_message *message)
{
        const int error = result_of_call();

        require(session == (struct nova_session *)&opened && opened);
        if (error)
                return error;
        if (rings->called)
                rings->called(message);
        message->answer_count = 0;
        if (nova_crd_type(message->window) == NOVA_CRD_MEM) {
                require(nova_crd_count(message->window) * NOVA_PAGE_SIZE == region_bytes);
                *(uint32_t *)region = rings->magic;
                if (rings->second)
                        *(uint32_t *)(region + rings->second) = rings->magic;
        } else if (message->answer_max) {
                rings->answer(message->operation, message->answer,
                              message->answer_max * sizeof(nova_word_t));
                message->answer_count = message->answer_max - (rings_take() == 0xff);
        }
        return 0;
}

void rings_end(void)
{
        require(!opened && !region && !has_bells);
}
