/* SPDX-License-Identifier: BSD-2-Clause */
/* Parses command lines with arbitrary content, in buffers of the sizes in main(). The last byte of
 * a buffer is 0, because the reader of the boot loader's information writes a 0 there. */
#include "lib/cmdline.h"
#include "../driver.h"
#include "firmware/multiboot.h"

static void parse(char *text, size_t room)
{
        text[room - 1] = 0;
        cmdline_parse(text, room);
}

int main(void)
{
        TRY(parse, 1);
        TRY(parse, 2);
        TRY(parse, 20);
        TRY(parse, MULTIBOOT_CMDLINE);
        return 0;
}
