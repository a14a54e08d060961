/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions for tests that start children from a module and check that all resources are freed. */
#ifndef TESTS_RUNTIME_FAMILY_H
#define TESTS_RUNTIME_FAMILY_H

#include <stdio.h>
#include <string.h>

#include "nova/hypercall.h"
#include "novart/child.h"
#include "novart/module.h"
#include "novart/page.h"
#include "novart/program.h"
#include "novart/selector.h"
#include "novart/time.h"

static struct nova_child_config family_config = {.name = "child", .priority = 1};

/* Maps the module. Returns false if it is absent. */
static inline bool family_begin(const char *name)
{
        return !nova_module_open(name, &family_config.image, &family_config.image_bytes);
}

/* Starts a child with up to two arguments. Prints a message and returns NULL on an error. */
static inline struct nova_child *family_start(const char *deed, const char *more)
{
        const char *arguments[] = {deed, more, NULL};
        struct nova_child_config config = family_config;
        struct nova_child *child;
        const char *sentence;

        config.arguments = arguments;
        if (!nova_child_start(&child, &config, &sentence))
                return child;
        printf("the child %s\n", sentence);
        return NULL;
}

/* Starts a child and waits for its end. Returns its status, or -1 if it does not start. */
static inline int family_run(const char *deed, const char *more)
{
        struct nova_child *const child = family_start(deed, more);
        int status = -1;

        if (child)
                nova_child_wait(child, &status);
        return status;
}

static inline void family_sleep(unsigned milliseconds)
{
        nova_sleep(milliseconds * UINT64_C(1000000));
}

/* Free pages, selectors in use, and kernel memory in use: the resources that can leak. */
struct family_balance {
        size_t pages, selectors;
        nova_word_t kernel;
};

/* The kernel frees the memory of ended objects within 10 ms. */
#define FAMILY_REST_MS 20

static inline struct family_balance family_balance(void)
{
        family_sleep(FAMILY_REST_MS);

        struct family_balance now = {nova_page_free_count(), nova_sel_used(), 0};
        nova_word_t limit = 0;

        nova_quota_query(nova_program.pd, &now.kernel, &limit);
        return now;
}

/* Returns true if the program has all its resources again, except up to @p kept pages for its own
 * heap and stacks, and 256 bytes of kernel memory for each of these pages. */
static inline bool family_back(const struct family_balance *before, unsigned kept)
{
        const struct family_balance now = family_balance();

        return now.selectors == before->selectors && now.pages + kept >= before->pages &&
               now.kernel <= before->kernel + kept * 256;
}

/* Waits for up to 4 s, because the kernel frees memory a moment after an object has ended. */
static inline bool family_balanced(const struct family_balance *before, unsigned kept)
{
        for (unsigned i = 0; i < 200; i++)
                if (family_back(before, kept))
                        return true;

        const struct family_balance now = family_balance();

        printf("pages %zu, were %zu; selectors %zu, were %zu; kernel memory %zu, was %zu\n",
               now.pages, before->pages, now.selectors, before->selectors, (size_t)now.kernel,
               (size_t)before->kernel);
        return false;
}

#endif
