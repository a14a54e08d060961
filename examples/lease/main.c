/* SPDX-License-Identifier: BSD-2-Clause */
/* Allocates memory from the service `memory` at run time, within the quota of this program. */
#include <errno.h>
#include <novart/service/memory.h>
#include <stdio.h>
#include <string.h>

int main(void)
{
        struct nova_session *session;
        struct nova_memory buffer, more;
        size_t used = 0, quota = 0;

        if (nova_memory_open(&session) || nova_memory_alloc(session, 40000, &buffer))
                return 1;
        memset(buffer.address, 0x55, buffer.bytes);
        nova_memory_query(session, &used, &quota);
        printf("%zu of %zu bytes are mine\n", used, quota);
        if (nova_memory_alloc(session, quota, &more) == EDQUOT)
                printf("more than the quota is refused\n");
        nova_memory_free(session, &buffer);
        nova_memory_query(session, &used, &quota);
        printf("%zu bytes are mine\n", used);
        return 0; /* the rest of the memory is freed now */
}
