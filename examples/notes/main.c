/* SPDX-License-Identifier: BSD-2-Clause */
/* Keeps notes in files on a disk, with the functions of POSIX and stdio. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Adds a line to the notes. After fsync() it survives a loss of power. */
static int add_note(const char *path)
{
        FILE *notes = fopen(path, "a+");
        unsigned lines = 0;
        int c;

        if (!notes)
                return errno;
        rewind(notes);
        while ((c = getc(notes)) != EOF)
                lines += c == '\n';
        fprintf(notes, "This is note %u.\n", lines + 1);
        if (fflush(notes) || fsync(fileno(notes))) {
                fclose(notes);
                return errno;
        }
        printf("note %u is written\n", lines + 1);
        return fclose(notes) ? errno : 0;
}

/* Replaces a file: readers find the old content or the new one. */
static int replace(const char *path, const char *text)
{
        FILE *file = fopen("/new.tmp", "w");

        if (!file)
                return errno;
        fputs(text, file);
        if (fflush(file) || fsync(fileno(file)) || fclose(file))
                return errno;
        return rename("/new.tmp", path) ? errno : 0;
}

/* Prints the names in a folder. Returns 0 or an errno value. */
static int list(const char *path)
{
        DIR *folder = opendir(path);

        if (!folder)
                return errno;
        errno = 0; /* readdir() returns NULL at the end, too */
        for (const struct dirent *i; (i = readdir(folder)); errno = 0)
                printf("%s%s%s\n", path, i->d_name, i->d_type == DT_DIR ? "/" : "");

        const int error = errno;

        closedir(folder);
        return error;
}

int main(void)
{
        int error = mkdir("/diary", 0777) && errno != EEXIST ? errno : 0;

        if (!error)
                error = add_note("/diary/all my notes.txt");
        if (!error)
                error = replace("/last.txt", "The last program was `notes`.\n");
        if (!error)
                error = list("/");
        if (!error)
                error = list("/diary/");
        if (error)
                printf("the disk: %s\n", strerror(error));
        return error ? 1 : 0;
}
