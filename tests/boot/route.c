/* SPDX-License-Identifier: BSD-2-Clause */
/* A roottask that routes pin n to CPU n, for pins 16 to 19, prints `ready` and loops forever. */
#include <nova/console.h>
#include <nova/nova.h>
#include <nova/root.h>

#define FIRST_PIN 16
#define PINS      4

static struct nova_root root;
static struct nova_console console;

int nova_main(const struct nova_hip *hip, nova_word_t cpu)
{
        uint32_t address, data;

        if (nova_root_init(&root, hip, cpu) != NOVA_SUCCESS || !nova_console_init(&console, &root))
                return 1;

        const nova_sel_t sm = nova_root_sel(&root, PINS);
        for (unsigned i = 0; i < PINS; i++) {
                const nova_sel_t source = NOVA_SEL_GSI_SM + FIRST_PIN + i;
                const nova_crd_t crd = nova_crd(NOVA_CRD_OBJ, source, 0, NOVA_PERM_ALL);
                if (!nova_root_delegate(&root, crd, sm + i, NOVA_ITEM_H) ||
                    nova_assign_gsi(sm + i, 0, i, &address, &data) != NOVA_SUCCESS)
                        return 1;
        }
        nova_printf(&console, "ready\n");
        for (;;)
                __asm__ volatile("pause");
}
