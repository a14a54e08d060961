/* SPDX-License-Identifier: BSD-2-Clause */
/* A block service that revokes the permission to write from its client, and the client, in one
 * program. */
#include <errno.h>
#include <string.h>

#include "../service/case.h"
#include "nova/crd.h"
#include "nova/hypercall.h"
#include "novart/page.h"
#include "novart/program.h"
#include "novart/region.h"
#include "novart/selector.h"
#include "novart/service.h"
#include "novart/service/block.h"
#include "novart/thread.h"

#define ORDER NOVA_BLOCK_RING_ORDER /* of the ring and of the pool */

static struct nova_block_ring *ring;
static char *pool;
static nova_sel_t semaphores;
static unsigned perms = NOVA_MEM_R | NOVA_MEM_W; /* of the memory that the client gets */

static nova_crd_t pages(const void *memory, unsigned rights)
{
        return nova_crd_mem((nova_word_t)memory >> NOVA_PAGE_BITS, ORDER, rights);
}

static int info(struct nova_request *request)
{
        const struct nova_block_info disk = {.blocks = 8,
                                             .block_bytes = 512,
                                             .segments = NOVA_BLOCK_SEGMENTS,
                                             .request_max = 1,
                                             .requests = 1,
                                             .pool_bytes = NOVA_PAGE_SIZE << ORDER};

        nova_request_answer_bytes(request, &disk, sizeof(disk));
        return 0;
}

static int attach(struct nova_request *request)
{
        memset(ring, 0, sizeof(*ring));
        ring->head.magic = NOVA_BLOCK_MAGIC;
        nova_request_give(request, pages(ring, perms));
        nova_request_give(request, pages(pool, perms));
        return 0;
}

static int give_semaphores(struct nova_request *request)
{
        nova_request_give(request, nova_crd_obj(semaphores, 0, NOVA_SM_UP));
        nova_request_give(request, nova_crd_obj(semaphores + 1, 0, NOVA_SM_DN));
        return 0;
}

static const struct nova_service_operation operations[] = {
        [NOVA_BLOCK_INFO - NOVA_OPERATION_FIRST] = {.handler = info},
        [NOVA_BLOCK_ATTACH - NOVA_OPERATION_FIRST] = {.handler = attach, .words_max = 1},
        [NOVA_BLOCK_SEMAPHORES - NOVA_OPERATION_FIRST] = {.handler = give_semaphores},
};

static const struct nova_service_config config = {
        .name = "withheld", .operations = operations, .operation_count = 3};

static bool start(void)
{
        ring = nova_page_alloc(ORDER);
        pool = nova_page_alloc(ORDER);
        semaphores = nova_sel_alloc(1);
        return ring && pool && semaphores != NOVA_SEL_NONE &&
               nova_create_sm(semaphores, nova_program.pd, 0) == NOVA_SUCCESS &&
               nova_create_sm(semaphores + 1, nova_program.pd, 0) == NOVA_SUCCESS &&
               nova_service_start(NULL, &config) == 0;
}

/* Bodies of a client's thread, which a fault would end. They return the session if it has failed
 * with ECONNRESET. */
static void *lose_ring(void *argument)
{
        struct nova_block *block = argument;
        const struct nova_block_request flush = {.operation = NOVA_BLOCK_FLUSH, .cookie = block};
        struct nova_block_result result;

        nova_revoke(pages(ring, NOVA_MEM_W), 0);
        nova_block_submit(block, &flush, 1);
        return nova_block_reap(block, &result) == ECONNRESET &&
                               nova_block_submit(block, &flush, 1) == ECONNRESET
                       ? argument
                       : NULL;
}

static void *lose_pool(void *argument)
{
        struct nova_block *block = argument;
        size_t bytes;
        char *const data = nova_block_pool(block, &bytes);

        nova_revoke(pages(pool, NOVA_MEM_W), 0);
        data[0] = 1;
        return nova_block_check(block, 0, 512) == ECONNRESET &&
                               nova_block_check(block, NOVA_PAGE_SIZE, 512) == 0 && data[0] == 1 &&
                               !pool[0]
                       ? argument
                       : NULL;
}

static void *write_to(void *argument)
{
        *(volatile char *)argument = 1;
        return argument;
}

/* Returns the result of a thread, which a fault ends. */
static void *result_of(void *(*body)(void *), void *argument)
{
        const struct nova_thread_attr attr = {.name = "client", .cpu = NOVA_CPU_SELF};
        struct nova_thread *thread;
        void *result = NULL;

        if (nova_thread_create(&thread, &attr, body, argument) == 0)
                nova_thread_join(thread, &result);
        return result;
}

/* Tests that the remedy for revoked memory hides no forbidden write to other memory. */
static void forbidden(void)
{
        char *const own = nova_region_lazy("own", NOVA_PAGE_SIZE);
        char *const window = nova_region_reserve(NOVA_PAGE_SIZE);
        char *const page = nova_page_alloc(0);

        if (!own || !window || !page)
                return;
        own[0] = 2;
        nova_revoke(nova_crd_mem((nova_word_t)own >> NOVA_PAGE_BITS, 0, NOVA_MEM_W),
                    NOVA_REVOKE_SR);
        check(result_of(write_to, own) != own && own[0] == 2,
              "a write to a page of the program's own that is read-only is a fault");
        page[0] = 3;
        nova_self_map((nova_word_t)page >> NOVA_PAGE_BITS, (nova_word_t)window >> NOVA_PAGE_BITS, 0,
                      NOVA_MEM_R);
        check(window[0] == 3 && result_of(write_to, window) != window && window[0] == 3,
              "a write to read-only memory in a window is a fault");
}

int main(void)
{
        struct nova_block *block;

        if (!start())
                return 1;
        check(nova_block_open(&block, "withheld", NULL, 0) == 0, "a session has a ring");
        check(result_of(lose_ring, block) == block,
              "a client whose ring has become read-only gets ECONNRESET");
        check(nova_block_reopen(block) == 0, "it opens its session again");
        check(result_of(lose_pool, block) == block,
              "a client whose pool has become read-only gets ECONNRESET");
        perms = NOVA_MEM_R;
        check(nova_block_reopen(block) == ECONNRESET, "a ring without the right to write is lost");
        perms = NOVA_MEM_R | NOVA_MEM_W;
        check(nova_block_reopen(block) == 0, "the client goes on");
        forbidden();
        nova_block_close(block);
        return check_end();
}
