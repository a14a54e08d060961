/* SPDX-License-Identifier: BSD-2-Clause */
/* Starts children, and waits for their end. */
#include "child/child.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "nova/crd.h"
#include "nova/hip.h"
#include "nova/hypercall.h"
#include "nova/qpd.h"
#include "novart/error.h"
#include "novart/layout.h"
#include "novart/selector.h"

#define MEMORY         (256 << 10)
#define IMAGE_MEMORY   (16 << 20)
#define KERNEL_MEMORY  (128 << 10)
#define KERNEL_PER_CPU (48 << 10) /* per CPU after the first: threads and portals of a service */
#define KERNEL_MAX                                                               \
        (1 << 20) /* limit of the default, because the parent's account pays for \
                   * it */
#define SELECTORS       1024
#define PRIORITY        64
#define IMAGE_BEGIN     ((nova_word_t)NOVA_PAGE_SIZE)
#define NAME_MAX_LENGTH (NOVA_START_NAME_SIZE - 1)

static size_t kernel_memory_for(uint64_t cpus)
{
        const size_t more = (size_t)(__builtin_popcountll(cpus) - 1) * KERNEL_PER_CPU;

        return KERNEL_MEMORY + more < KERNEL_MAX ? KERNEL_MEMORY + more : KERNEL_MAX;
}

/* Fills in the defaults. */
static void complete(struct nova_child_config *config)
{
        if (!config->memory)
                config->memory = MEMORY;
        if (!config->image_memory)
                config->image_memory = IMAGE_MEMORY;
        if (!config->selectors)
                config->selectors = SELECTORS;
        if (!config->cpus)
                config->cpus = UINT64_C(1) << nova_thread_cpu();
        if (!config->kernel_memory)
                config->kernel_memory = kernel_memory_for(config->cpus);
        if (!config->priority)
                config->priority = PRIORITY;
        if (config->priority > nova_program.priority)
                config->priority = nova_program.priority;
        if (!config->quantum_us)
                config->quantum_us = NOVA_THREAD_QUANTUM;
}

_Static_assert(NOVA_CHILD_MEMORY_MIN == 16 << 10 && NOVA_CHILD_KERNEL_MEMORY_MIN == 64 << 10 &&
                       NOVA_CHILD_SELECTORS_MIN == 64,
               "the sentences of check() name the minima");

/* Returns NULL, or the error in a configuration. */
static const char *check(const struct nova_child_config *config)
{
        if (!config->name || !*config->name || strlen(config->name) > NAME_MAX_LENGTH)
                return "has no name, or a name that is too long";
        if (config->cpus & ~nova_program.cpus)
                return "requests a CPU that does not exist";
        if (config->memory > NOVA_LAYOUT_POOL_END - NOVA_LAYOUT_POOL)
                return "asks for more memory than fits in its address space";
        if (config->memory < NOVA_CHILD_MEMORY_MIN)
                return "asks for too little memory: it needs 16 KiB or more";
        if (config->kernel_memory < NOVA_CHILD_KERNEL_MEMORY_MIN)
                return "asks for too little kernel memory: it needs 64 KiB or more";
        if (config->selectors < NOVA_CHILD_SELECTORS_MIN)
                return "asks for too few selectors: it needs 64 or more";
        return NULL;
}

/* Returns the first selector after the events of the highest CPU. */
static nova_sel_t block_end(uint64_t cpus)
{
        unsigned highest = 0;

        for (unsigned cpu = 0; cpu < NOVA_CPU_MAX; cpu++)
                if (cpus >> cpu & 1)
                        highest = cpu;
        return CHILD_FAULT + CHILD_EVENTS * (highest + 1);
}

static struct nova_child *make(const struct nova_child_config *config)
{
        struct nova_child *const child = calloc(1, sizeof(*child));

        if (!child)
                return NULL;
        memcpy(child->name, config->name, strlen(config->name));
        child->grants = config->grants;
        child->cpus = config->cpus;
        while (!(child->cpus >> child->cpu & 1))
                child->cpu++;
        child->priority = config->priority;
        child->quantum_us = config->quantum_us;
        child->flags = config->flags;
        child->block_end = block_end(child->cpus);
        child->block_order = nova_crd_order_for(child->block_end);
        child->block = nova_sel_alloc(child->block_order);
        return child;
}

static int prepare_servers(uint64_t cpus)
{
        int error = 0;

        for (nova_word_t cpu = 0; cpu < NOVA_CPU_MAX && !error; cpu++)
                if (cpus >> cpu & 1)
                        error = novart_child_server_prepare(cpu);
        return error;
}

static int make_memory(struct nova_child *child, const struct nova_child_config *config)
{
        const unsigned perms = config->flags & NOVA_CHILD_MAY_HAVE_CHILDREN
                                       ? NOVA_MEM_RWX
                                       : NOVA_MEM_R | NOVA_MEM_W;
        int (*const make_pool)(struct child_memory *, nova_word_t, size_t, unsigned) =
                config->flags & NOVA_CHILD_MAY_DMA ? novart_child_memory_pool_whole
                                                   : novart_child_memory_pool;
        int error = novart_child_lay_out(child, config);

        if (!error)
                error = make_pool(&child->memory, child->layout.pool, config->memory, perms);
        if (!error)
                error = novart_child_memory_stacks(&child->memory, child->layout.stack);
        if (!error)
                error = novart_child_make_start_page(child, config);
        if (!error)
                error = novart_child_memory_image(&child->memory, &child->elf);
        return error;
}

static void tell_names(const struct nova_child *child)
{
        char name[NOVA_NAME_SIZE] = {0};

        memcpy(name, child->name, strnlen(child->name, sizeof(name)));
        nova_name_set(child->block + CHILD_PD, name);
        nova_name_set(child->block + CHILD_EC, name);
}

/* Creates the PD and the first thread, which does not run yet. */
static int make_objects(struct nova_child *child, size_t kernel_memory)
{
        const nova_sel_t pd = child->block + CHILD_PD, ec = child->block + CHILD_EC;
        enum nova_status status = nova_create_pd_account(
                pd, nova_program.pd, nova_crd_obj(child->block, child->block_order, NOVA_PERM_ALL),
                kernel_memory);

        if (status != NOVA_SUCCESS)
                return nova_errno_of(status);
        /* The limit is set before any thread of the child runs, so it applies to all PDs that the
         * child creates. */
        status = nova_pd_limit(pd, nova_qpd_clamped(child->quantum_us, child->priority),
                               child->cpus);
        if (status == NOVA_SUCCESS)
                status = nova_create_ec(ec, pd, child->layout.utcb, child->cpu, child->layout.start,
                                        NOVA_SEL_MAIN_EVENTS, NOVA_EC_GLOBAL);
        if (status == NOVA_SUCCESS)
                tell_names(child);
        else
                nova_pd_destroy(pd);
        return nova_errno_of(status);
}

/* Adds the child to the list and creates the SC of its first thread: the child runs. */
static int run(struct nova_child *child)
{
        const nova_sel_t pd = child->block + CHILD_PD;
        const nova_qpd_t qpd = nova_qpd_clamped(child->quantum_us, child->priority);

        child->next = novart_child_first;
        novart_child_first = child;

        const enum nova_status status =
                nova_create_sc(child->block + CHILD_SC, pd, child->block + CHILD_EC, qpd);

        if (status == NOVA_SUCCESS)
                return 0;
        novart_child_first = child->next;
        nova_pd_destroy(pd);
        return nova_errno_of(status);
}

static int build(struct nova_child *child, const struct nova_child_config *config)
{
        int error = prepare_servers(child->cpus);

        if (!error)
                error = make_memory(child, config);
        if (!error)
                error = novart_child_make_portals(child);
        if (!error)
                error = make_objects(child, config->kernel_memory);
        return error ? error : run(child);
}

static const char *explain(int error)
{
        switch (error) {
        case E2BIG:
                return "has more arguments and environment entries than fit into its start page";
        case ENOMEM:
                return "needs more memory, kernel memory or selectors than are left";
        default:
                return "cannot be created by the kernel";
        }
}

static int start(struct nova_child **out, const struct nova_child_config *config,
                 const char **sentence)
{
        struct elf elf;

        *sentence = check(config);
        if (*sentence)
                return EINVAL;
        *sentence = novart_elf_read(&elf, config->image, config->image_bytes, IMAGE_BEGIN,
                                    NOVA_LAYOUT_IMAGE_END);
        if (*sentence)
                return ENOEXEC;

        if (novart_elf_copied_bytes(&elf) > config->image_memory) {
                *sentence = "has segments that need more memory than its limit for them";
                return EFBIG;
        }

        struct nova_child *const child = make(config);
        int error = child && child->block != NOVA_SEL_NONE ? 0 : ENOMEM;

        if (!error) {
                child->elf = elf;
                nova_mutex_lock(&novart_child_mutex);
                error = build(child, config);
                if (error)
                        novart_child_release(child);
                nova_mutex_unlock(&novart_child_mutex);
        }
        *out = child;
        if (error) {
                *sentence = explain(error);
                free(child);
        }
        return error;
}

int nova_child_start(struct nova_child **child, const struct nova_child_config *config,
                     const char **sentence)
{
        struct nova_child_config complete_config = *config;
        const char *ignored;

        complete(&complete_config);
        return start(child, &complete_config, sentence ? sentence : &ignored);
}

static void forget(struct nova_child *child)
{
        struct nova_child **link = &novart_child_first;

        while (*link != child)
                link = &(*link)->next;
        *link = child->next;
        free(child);
}

int nova_child_wait_until(struct nova_child *child, int *status, uint64_t deadline)
{
        int error = 0;

        nova_mutex_lock(&novart_child_mutex);
        while (child->state != CHILD_GONE && !error)
                error = nova_cond_wait_until(&child->gone, &novart_child_mutex, deadline);
        if (child->state == CHILD_GONE) {
                error = 0;
                if (status)
                        *status = child->status;
                forget(child);
        }
        nova_mutex_unlock(&novart_child_mutex);
        return error;
}

void nova_child_wait(struct nova_child *child, int *status)
{
        nova_child_wait_until(child, status, NOVA_FOREVER);
}

void nova_child_kill(struct nova_child *child, int status)
{
        nova_mutex_lock(&novart_child_mutex);
        novart_child_end(child, status);
        nova_mutex_unlock(&novart_child_mutex);
}

const char *nova_child_name(const struct nova_child *child)
{
        return child->name;
}

int nova_child_kernel_memory(struct nova_child *child, size_t *used, size_t *limit)
{
        nova_word_t words[2] = {0};
        int error = ESRCH;

        nova_mutex_lock(&novart_child_mutex);
        if (child->state == CHILD_RUNNING)
                error = nova_errno_of(
                        nova_quota_query(child->block + CHILD_PD, &words[0], &words[1]));
        nova_mutex_unlock(&novart_child_mutex);
        if (!error) {
                *used = words[0];
                *limit = words[1];
        }
        return error;
}

unsigned nova_child_count(void)
{
        unsigned count = 0;

        nova_mutex_lock(&novart_child_mutex);
        for (const struct nova_child *child = novart_child_first; child; child = child->next)
                count++;
        nova_mutex_unlock(&novart_child_mutex);
        return count;
}
