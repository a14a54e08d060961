/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest that cannot become secure continues as a normal one with the status of UV_ESM: its image
 * has been changed, or there is too little secure memory (argument `short`). */
#include "../runtime/tap.h"
#include "talker.h"

int main(int argc, char **argv)
{
        if (argc == 2 && !strcmp(argv[1], "short"))
                check(says(false, "UV_ESM returned 0x00000009"),
                      "without enough secure memory a guest goes on as a normal one");
        else
                check(says(true, "UV_ESM returned 0xFFFFFFF5"),
                      "a changed guest goes on as a normal one");
        return tap_end();
}
