/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest that makes UV_ESM in a system with a disabled ultravisor, or in a system without an
 * ultravisor (argument `absent`). */
#include <string.h>

#include "../runtime/tap.h"
#include "caller.h"
#include "talker.h"
#include "user_caller.h"

static enum nova_u_status call(unsigned number)
{
        return nova_uv_call(&secure.uv, number, 0, 0, 0, 0);
}

/* Returns true if each ultracall fails like one that does not exist. */
static bool each_fails(void)
{
        bool all = call(0) == NOVA_U_FUNCTION;

#define CALL(name, function, number, ...) all &= call(number) == NOVA_U_FUNCTION;
        NOVA_UV_CALL_ROWS(CALL)
#undef CALL
        return all;
}

static enum nova_u_status function(unsigned number)
{
        (void)number;
        return NOVA_U_FUNCTION;
}

int main(int argc, char **argv)
{
        const bool absent = argc == 2 && !strcmp(argv[1], "absent");
        const bool open = !nova_secure_open(&secure, "ultravisor");

        if (absent) {
                check(!open, "there is no ultravisor");
        } else {
                check(open && each_fails() && !nova_uv_is_secure(&secure.uv),
                      "each ultracall fails if the ultravisor is disabled");
                check(nova_uv_esm(&secure.uv, 0, 0) == NOVA_U_FUNCTION,
                      "UV_ESM fails if the ultravisor is disabled");
        }
        nova_secure_close(&secure);
        check(caller_gets(function), "each ultracall of a normal guest is U_FUNCTION");
        check(user_call_is_undefined(), "UV_ESM in user mode of a normal guest raises #UD");
        check(says(false, "(UV_ESM returned U_FUNCTION)."), "its guest goes on as a normal one");
        check(says(false, "(UV_ESM returned U_FUNCTION)."), "and so does the next one");
        return tap_end();
}
