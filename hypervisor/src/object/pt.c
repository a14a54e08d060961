/* SPDX-License-Identifier: BSD-2-Clause */
/* Portals (see pt.h). */
#include "object/pt.h"

#include "object/ec.h"
#include "object/name.h"
#include "thread.h"

void pt_boot(void)
{
        object_boot(OBJECT_PT, sizeof(struct pt));
}

enum nova_status pt_create(struct account *account, struct ec *ec, word_t id, nova_mtd_t mtd,
                           word_t ip, struct pt **out)
{
        struct pt *pt = object_alloc(OBJECT_PT, account);

        if (!pt)
                return NOVA_OUT_OF_MEMORY;
        if (!object_get_live(&ec->object)) {
                object_release(OBJECT_PT, account, pt);
                return NOVA_BAD_CAP;
        }
        object_init(&pt->object, OBJECT_PT, account);
        pt->ec = ec;
        pt->id = id;
        pt->mtd = mtd;
        pt->ip = ip;
        if (unlikely(!thread_ip_is_user(ip)))
                store_once(ec->place, (uint8_t)(ec->place | ODD_PORTAL));
        name_clear(pt->name);
        *out = pt;
        return NOVA_SUCCESS;
}
