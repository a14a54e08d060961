/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest that cannot become secure, because its image has been changed, continues as a normal one
 * with the status of UV_ESM. */
#include "../runtime/tap.h"
#include "talker.h"

int main(void)
{
        check(says(true, "UV_ESM returned 0xFFFFFFF5"), "a changed guest goes on as a normal one");
        return tap_end();
}
