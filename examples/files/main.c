/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists the files of a boot module, and reads one: by messages, and into shared memory. */
#include <novart/page.h>
#include <novart/service/disk.h>
#include <stdio.h>

int main(void)
{
        struct nova_session *disk;
        struct nova_disk_file file;
        char text[64];
        size_t bytes = 0;

        if (nova_disk_open(&disk))
                return 1;
        for (nova_word_t i = 0; nova_disk_stat(disk, i, &file) == 0; i++)
                printf("%s has %zu bytes\n", file.path, file.size);

        if (nova_disk_find(disk, "poem.txt", &file) ||
            nova_disk_read(disk, &file, 0, text, sizeof(text), &bytes))
                return 1;
        printf("%.*s", (int)bytes, text);

        /* For larger amounts of data, the service writes into a page of this program. */
        char *page = nova_page_alloc(0);

        if (!page || nova_session_share(disk, page, 1) ||
            nova_disk_fetch(disk, &file, 5, 0, NOVA_PAGE_SIZE, &bytes))
                return 1;
        printf("shared: %.*s", (int)bytes, page);
        nova_session_close(disk);
        nova_page_free(page, 0);
        return 0;
}
