/* SPDX-License-Identifier: BSD-2-Clause */
/* stdout, stderr and stdin over a session of the service `log`. */
#include <errno.h>

#include "novart/console.h"
#include "novart/service/log.h"
#include "novart/sync.h"

static int write_text(void *context, const char *text, size_t bytes)
{
        return nova_log_write((struct nova_session *)context, text, bytes);
}

static int read_line(void *context, char *text, size_t bytes)
{
        size_t came = 0;
        const int error = nova_log_read_line((struct nova_session *)context, text, bytes, &came,
                                             NOVA_FOREVER);

        return error ? -error : (int)came;
}

int nova_log_use(void)
{
        static struct nova_console_output output = {write_text, read_line, NULL};
        struct nova_session *session;

        if (output.context)
                return EALREADY;

        const int error = nova_log_open(&session);

        if (error)
                return error;
        output.context = session;
        nova_console_use(&output);
        return 0;
}
