/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads a file of the service `files` for `nova bench io`: 64 KiB that are in the service's cache,
 * with read() and with a view. */
#include "io.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "novart/file_view.h"
#include "novart/time.h"

#define PARTS 8 /* parts of the file, each as large as a view */

static char data[NOVA_FILE_VIEW_BYTES] __attribute__((aligned(4096)));
static int file;

static void check(int good, const char *what)
{
        if (good)
                return;
        perror(what);
        exit(1);
}

static void seek(unsigned part)
{
        check(lseek(file, (off_t)part * NOVA_FILE_VIEW_BYTES, SEEK_SET) >= 0, "lseek");
}

static void read_part(void)
{
        check(read(file, data, sizeof(data)) == sizeof(data), "read");
}

/* Counts a repeated read of one part. */
static void count_again(void)
{
        seek(0);
        read_part();
        for (unsigned i = 0; i < IO_ALONE; i++) {
                seek(0);
                IO_MARK(IO_OP_AGAIN);
                read_part();
                IO_MARK(IO_OP_NONE);
        }
}

/* Counts a read of a part for which the runtime has no view. */
static void count_other(void)
{
        for (unsigned i = 0; i < PARTS + IO_ALONE; i++) {
                seek(i % PARTS);
                if (i < PARTS) {
                        read_part();
                        continue;
                }
                IO_MARK(IO_OP_OTHER);
                read_part();
                IO_MARK(IO_OP_NONE);
        }
}

static void view_part(unsigned part)
{
        struct nova_file_view view;

        check(!nova_file_view_begin(file, (uint64_t)part * NOVA_FILE_VIEW_BYTES, &view), "view");
        for (size_t i = 0; i < view.bytes; i += 4096)
                (void)((const volatile char *)view.data)[i];
        check(!nova_file_view_check(&view), "check");
        nova_file_view_end(&view);
}

static void count_views(void)
{
        view_part(0);
        for (unsigned i = 0; i < IO_ALONE; i++) {
                IO_MARK(IO_OP_VIEW);
                view_part(i % PARTS);
                IO_MARK(IO_OP_NONE);
        }
}

int main(void)
{
        file = open("/data", O_RDONLY);
        check(file >= 0, "open");
        count_again();
        count_other();
        count_views();
        printf("clients that have read: 1\n");
        return 0;
}
