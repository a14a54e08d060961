/* SPDX-License-Identifier: BSD-2-Clause */
/* As it does with pages of the image, the library moves pages of a slot that its monitor has added
 * out and back. It cannot share these pages, because the machine has no RAM at their addresses. */
#include "novart/time.h"

#include "../runtime/tap.h"
#include "added.h"
#include "monitor.h"

#define IMAGE_PAGES 2048u /* of the memory of the image */
#define WAITS       5000u /* ms */

int main(void)
{
        const struct nova_vm_config config = {.name = "added"};

        if (!monitor_create(config) || nova_vm_run(&vm))
                return 1;
        check(guest(PROBE_READ, 0x200000, 0) && nova_secure_is_secure(&secure) &&
                      vm.memory.bytes == IMAGE_PAGES * ADDED_PAGE,
              "a guest is secure");
        check(nova_uv_register_mem_slot(&secure.uv, ADDED, ADDED_BYTES, 0, ADDED_SLOT) ==
                      NOVA_U_SUCCESS,
              "its monitor adds memory");
        added_write();
        check(added_count() == ADDED_COUNT, "it finds what it has written to each page");
        for (unsigned i = 0; i < 2; i++)
                check(added_count() == ADDED_COUNT, "and it does again");
        check(secure.pages_out > IMAGE_PAGES && secure.pages_returned > IMAGE_PAGES,
              "more pages have moved than the image's memory has");
        check(nova_uv_unregister_mem_slot(&secure.uv, ADDED_SLOT) == NOVA_U_SUCCESS &&
                      nova_uv_register_mem_slot(&secure.uv, ADDED, ADDED_BYTES, 0, ADDED_SLOT) ==
                              NOVA_U_SUCCESS &&
                      guest(PROBE_READ, ADDED, 0) == 0,
              "memory that comes back is empty");
        drive_begin(PROBE_VIEW_READ, ADDED, 0);
        for (unsigned i = 0; i < WAITS && nova_uv_state(&secure.uv) == NOVA_UV_SECURE; i++)
                nova_sleep(1000000);
        check(nova_uv_state(&secure.uv) == NOVA_UV_ENDED, "it ends if it shares added memory");
        return tap_end();
}
