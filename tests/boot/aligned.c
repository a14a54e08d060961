/* SPDX-License-Identifier: BSD-2-Clause */
/* Ranges of selectors for a new PD: an aligned one arrives. With NOVA_DEBUG the library refuses an
 * unaligned one by an invalid instruction; otherwise the kernel rounds it down. */
#include <nova/console.h>
#include <nova/crd.h>
#include <nova/nova.h>
#include <nova/root.h>

#define ORDER 3

static struct nova_root root;
static struct nova_console console;

int nova_main(const struct nova_hip *hip, nova_word_t cpu)
{
        const nova_word_t size = (nova_word_t)1 << ORDER;

        if (nova_root_init(&root, hip, cpu) != NOVA_SUCCESS || !nova_console_init(&console, &root))
                return 1;
        for (unsigned i = 0; i < size; i++) {
                const nova_sel_t before = nova_root_sel(&root, 1);
                const nova_sel_t first = nova_root_sel_order(&root, ORDER);
                const nova_sel_t after = nova_root_sel(&root, 1);

                if (first % size || first <= before || first - before > size ||
                    after != first + size)
                        return 2;
                nova_root_sel(&root, i); /* all remainders come */
        }

        const nova_sel_t range = nova_root_sel_order(&root, ORDER), pd = nova_root_sel(&root, 2);
        if (nova_create_sm(range + 1, NOVA_SEL_ROOT_PD, 0) != NOVA_SUCCESS ||
            nova_create_pd(pd, NOVA_SEL_ROOT_PD,
                           nova_crd(NOVA_CRD_OBJ, range, ORDER, NOVA_PERM_ALL)) != NOVA_SUCCESS)
                return 3;
        nova_printf(&console, "an aligned range arrives\n");

        const nova_crd_t crooked = nova_crd(NOVA_CRD_OBJ, range + 1, ORDER, NOVA_PERM_ALL);
        if (nova_create_pd(pd + 1, NOVA_SEL_ROOT_PD, crooked) != NOVA_SUCCESS)
                return 4;
        nova_printf(&console, "the kernel rounds down\n");
        return 0;
}
