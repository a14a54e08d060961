/* SPDX-License-Identifier: BSD-2-Clause */
/* Creates PDs with a range of selectors. An aligned range reaches the PD unchanged. With NOVA_DEBUG
 * the library refuses an unaligned range by an invalid instruction; otherwise the kernel rounds the
 * range down. */
#include <nova/console.h>
#include <nova/crd.h>
#include <nova/nova.h>
#include <nova/root.h>

#define ORDER 3

static struct nova_root root;
static struct nova_console console;

/* Creates a PD with a range of selectors, which may be unaligned. The build chooses the
 * function. */
static enum nova_status create(nova_sel_t pd, nova_sel_t first)
{
#if defined(BY_DESCRIPTOR)
        return nova_create_pd(pd, NOVA_SEL_ROOT_PD, nova_crd_obj(first, ORDER, NOVA_PERM_ALL));
#elif defined(WITH_ACCOUNT)
        return nova_create_pd_account(pd, NOVA_SEL_ROOT_PD,
                                      nova_crd(NOVA_CRD_OBJ, first, ORDER, NOVA_PERM_ALL), 0x20000);
#else
        return nova_create_pd(pd, NOVA_SEL_ROOT_PD,
                              nova_crd(NOVA_CRD_OBJ, first, ORDER, NOVA_PERM_ALL));
#endif
}

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
                /* The next free selector has another remainder. */
                nova_root_sel(&root, i);
        }

        const nova_sel_t range = nova_root_sel_order(&root, ORDER), pd = nova_root_sel(&root, 2);
        if (nova_create_sm(range + 1, NOVA_SEL_ROOT_PD, 0) != NOVA_SUCCESS ||
            create(pd, range) != NOVA_SUCCESS)
                return 3;
        nova_printf(&console, "an aligned range arrives\n");

        if (create(pd + 1, range + 1) != NOVA_SUCCESS)
                return 4;
        nova_printf(&console, "the kernel rounds down\n");
        return 0;
}
