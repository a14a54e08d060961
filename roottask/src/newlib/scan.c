/* SPDX-License-Identifier: BSD-2-Clause */
/* Sorted lists of folders: scandir(). */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

typedef int choose_function(const struct dirent *entry);
typedef int compare_function(const struct dirent **one, const struct dirent **other);

/* Entries that were chosen. */
struct list {
        struct dirent **entry;
        size_t count, room;
};

static void free_list(struct list *list)
{
        while (list->count)
                free(list->entry[--list->count]);
        free(list->entry);
}

/* Adds a copy of an entry. @return 0, ENOMEM or EOVERFLOW */
static int add(struct list *list, const struct dirent *entry)
{
        struct dirent *const copy = malloc(sizeof(*copy));

        if (copy && list->count == list->room) {
                const size_t room = list->room ? 2 * list->room : 16;
                struct dirent **const larger =
                        reallocarray(list->entry, room, sizeof(struct dirent *));

                if (larger) {
                        list->entry = larger;
                        list->room = room;
                }
        }
        if (!copy || list->count == list->room || list->count == INT_MAX) {
                free(copy);
                return list->count == INT_MAX ? EOVERFLOW : ENOMEM;
        }
        *copy = *entry;
        list->entry[list->count++] = copy;
        return 0;
}

/* Reads all entries of a folder. @return 0 or an errno value */
static int read_all(DIR *folder, struct list *list, choose_function *choose)
{
        int error = 0;

        while (!error) {
                const struct dirent *entry;

                errno = 0;
                entry = readdir(folder);
                if (!entry)
                        return errno;
                if (!choose || choose(entry))
                        error = add(list, entry);
        }
        return error;
}

int scandir(const char *name, struct dirent ***entries, choose_function *choose,
            compare_function *compare)
{
        const int before = errno;
        struct list list = {0};
        DIR *const folder = opendir(name);
        int error;

        if (!folder)
                return -1;
        error = read_all(folder, &list, choose);
        closedir(folder);
        if (error) {
                free_list(&list);
                errno = error;
                return -1;
        }
        errno = before;
        if (compare && list.count)
                qsort(list.entry, list.count, sizeof(struct dirent *),
                      (int (*)(const void *, const void *))compare);
        *entries = list.entry;
        return (int)list.count;
}

int alphasort(const struct dirent **one, const struct dirent **other)
{
        return strcoll((*one)->d_name, (*other)->d_name);
}
