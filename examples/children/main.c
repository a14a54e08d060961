/* SPDX-License-Identifier: BSD-2-Clause */
/* A parent and its children. Each child runs in a protection domain of its own, with memory and
 * kernel memory from the parent. When a child ends, for whatever reason, the parent gets all the
 * memory back. */
#include <stdio.h>

#include "novart/child.h"
#include "novart/module.h"
#include "novart/page.h"
#include "novart/time.h"

static const void *image;
static size_t image_bytes;

/* Starts the program of the boot module `worker` with one argument. */
static struct nova_child *start(const char *deed)
{
        const char *arguments[] = {deed, NULL};
        const struct nova_child_config config = {
                .name = deed,
                .image = image,
                .image_bytes = image_bytes,
                .arguments = arguments,
                .memory = 128 << 10,
                .kernel_memory = 128 << 10,
                .priority = 1,
        };
        struct nova_child *child;
        const char *sentence;

        if (!nova_child_start(&child, &config, &sentence))
                return child;
        printf("%s %s\n", deed, sentence);
        return NULL;
}

/* Runs a child until it ends, or kills it after a moment. */
static void run(const char *deed, bool kill)
{
        struct nova_child *const child = start(deed);
        int status;

        if (!child)
                return;
        if (kill) {
                nova_sleep(20000000);
                nova_child_kill(child, NOVA_CHILD_KILLED);
        }
        nova_child_wait(child, &status);
        printf("%s ended with status %d\n", deed, status);
}

int main(void)
{
        if (nova_module_open("children-worker", &image, &image_bytes)) {
                puts("the boot module children-worker is missing");
                return 1;
        }
        /* In the first round the parent allocates resources that all children need, and keeps
         * them. */
        for (unsigned round = 0; round < 2; round++) {
                const size_t pages = nova_page_free_count();

                run("work", false);
                run("fail", false);
                run("fault", false); /* the report names the function */
                run("spin", true);
                if (round)
                        puts(nova_page_free_count() == pages ? "all memory came back"
                                                             : "some memory is missing");
        }
        return 0;
}
