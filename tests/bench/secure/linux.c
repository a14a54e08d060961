/* SPDX-License-Identifier: BSD-2-Clause */
/* Debian's work in `nova bench secure`, a program without a library. `read` reads the disk many
 * times. It marks the second read of the disk and, after all bounce buffers were used, the last
 * one. `gzip` and `end` mark the beginning and the end of other work. */
#include "secure/marks.h"

#include "linux_calls.h"

#define DIRECT 0x4000
#define BYTES  (4l << 20)
#define PIECE  65536
#define BUFFER (64l << 20) /* bytes of Linux's bounce buffers */

static char data[PIECE] __attribute__((aligned(4096)));

static void read_disk(long disk)
{
        for (long at = 0; at < BYTES; at += PIECE)
                if (call6(SYS_PREAD, disk, (long)data, PIECE, at, 0, 0) != PIECE)
                        end("the disk cannot be read\n");
}

static void read_often(void)
{
        const long disk = call6(SYS_OPEN, (long)"/dev/vda", DIRECT, 0, 0, 0, 0);

        if (disk < 0)
                end("there is no disk\n");
        SECTION_BEGIN(SECURE_OTHER);
        read_disk(disk);
        SECTION_BEGIN(SECURE_READ_FIRST);
        read_disk(disk);
        SECTION_BEGIN(SECURE_OTHER);
        for (long done = 0; done < BUFFER; done += BYTES)
                read_disk(disk);
        SECTION_BEGIN(SECURE_READ);
        read_disk(disk);
        SECTION_BEGIN(SECURE_OTHER); /* until the mark of `gzip` */
}

__asm__(".globl _start\n_start: movq %rsp, %rdi\n and $-16, %rsp\n call run_from_start\n");

void run_from_start(const long *at_start);

/* Runs the program. Its stack begins with the number of arguments, then has their addresses. */
void run_from_start(const long *at_start)
{
        const char word = at_start[0] == 2 ? *(const char *)at_start[2] : 0;

        if (word == 'r')
                read_often();
        else if (word == 'g')
                SECTION_BEGIN(SECURE_GZIP);
        else
                SECTION_BEGIN(SECURE_NONE);
        end("the work is over\n");
}
