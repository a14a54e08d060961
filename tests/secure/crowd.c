/* SPDX-License-Identifier: BSD-2-Clause */
/* A VMM with as many sessions as it can have, and the given number of VMs in each. It is a service,
 * which ends one of these sessions at each call. Arguments: the service's name and the number of
 * VMs. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "../runtime/tap.h"
#include "novart/page.h"
#include "novart/service.h"
#include "novart/service/ultravisor.h"

#define SESSIONS NOVA_UV_SESSION_VMS

static struct nova_session *session[SESSIONS];
static unsigned left = SESSIONS;

/* Fills a session with VMs. @return false if it takes fewer or more of them */
static bool fill(struct nova_session *of, unsigned vms)
{
        void *const page = nova_page_alloc(0);
        struct nova_uv uv = {.session = of};

        if (!page || nova_session_share(of, page, 1))
                return false;
        for (unsigned i = 0; i < vms; i++, uv.lpid++)
                if (nova_uv_write_pate(&uv, 0, NOVA_PAGE_SIZE))
                        return false;
        return vms < NOVA_UV_SESSION_VMS ||
               nova_uv_write_pate(&uv, 0, NOVA_PAGE_SIZE) == NOVA_U_BUSY;
}

static int leave(struct nova_request *request)
{
        (void)request;
        if (!left)
                return ENOENT;
        nova_session_close(session[--left]);
        return 0;
}

int main(int argc, char **argv)
{
        static const struct nova_service_operation operations[] = {{leave, 0, 0, false}};
        const struct nova_service_config config = {
                .name = argv[1], .operations = operations, .operation_count = 1};
        const unsigned vms = argc == 3 ? (unsigned)atoi(argv[2]) : 0;
        struct nova_session *more = NULL;
        bool filled = true;

        for (unsigned i = 0; i < SESSIONS; i++)
                filled = filled && !nova_session_open_trusting(&session[i], "ultravisor", NULL) &&
                         fill(session[i], vms);
        check(filled, "a VMM has two sessions, and a session has at most two VMs");
        check(nova_session_open_trusting(&more, "ultravisor", NULL) == EMFILE,
              "it has no third session");
        if (tap_end() || nova_service_start(NULL, &config))
                return 1;
        nova_service_sleep();
}
