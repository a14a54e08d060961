/* SPDX-License-Identifier: BSD-2-Clause */
/* Linked to the ultravisor, this makes the program secure-counted: a second service of it,
 * "counts", reports to a test what memory and selectors the ultravisor has and uses. */
#include "counts.h"

#include "nova/crd.h"
#include "nova/extension.h"
#include "novart/page.h"
#include "novart/program.h"
#include "novart/selector.h"
#include "novart/service.h"
#include "vm.h"

#define SELECTORS 0x8000u /* more than the description gives it */

int __real_server_start(void);
int __wrap_server_start(void);

static nova_word_t capabilities(void)
{
        nova_word_t sum = 0;

        for (nova_sel_t sel = 0; sel < SELECTORS; sel++) {
                nova_crd_t crd = nova_crd_obj(sel, 0, 0);

                nova_lookup(&crd);
                sum += crd != 0;
        }
        return sum;
}

static int serve(struct nova_request *request)
{
        nova_word_t used = 0, limit = 0;

        nova_quota_query(nova_program.pd, &used, &limit);
        nova_request_answer(request, used);
        nova_request_answer(request, nova_sel_used());
        nova_request_answer(request, capabilities());
        vm_lock();
        nova_request_answer(request, memory_frames.free);
        vm_unlock();
        nova_request_answer(request, nova_page_free_count());
        return 0;
}

int __wrap_server_start(void)
{
        static const struct nova_service_operation operation = {.handler = serve};
        static const struct nova_service_config config = {
                .name = "counts", .operations = &operation, .operation_count = 1};
        const int error = __real_server_start();

        return error ? error : nova_service_start(NULL, &config);
}
