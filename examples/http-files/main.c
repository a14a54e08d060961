/* SPDX-License-Identifier: BSD-2-Clause */
/* Serves the files that the service `files` gives this program. Arguments: the name of the service
 * with frames, and an address; without an address, the program gets one by DHCP. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "novanet/http.h"
#include "novanet/ip.h"

#define PORT      80
#define LINES_MAX 1000 /* maximum number of lines of a page that lists a folder */

/* Returns the type of a file, from the end of its name. */
static const char *type_of(const char *path)
{
        static const char *const types[][2] = {
                {".css", "text/css"},          {".html", "text/html; charset=utf-8"},
                {".jpg", "image/jpeg"},        {".js", "text/javascript"},
                {".json", "application/json"}, {".png", "image/png"},
                {".svg", "image/svg+xml"},     {".txt", "text/plain; charset=utf-8"},
        };
        const char *const dot = strrchr(path, '.');

        for (unsigned i = 0; dot && i < sizeof(types) / sizeof(*types); i++)
                if (strcasecmp(dot, types[i][0]) == 0)
                        return types[i][1];
        return "application/octet-stream";
}

static void write_line(FILE *page, const char *folder, const struct dirent *entry)
{
        const char *const slash = entry->d_type == DT_DIR ? "/" : "";

        fputs("<li><a href=\"", page);
        nova_http_write_url(page, strcmp(folder, "/") ? folder : "");
        putc('/', page);
        nova_http_write_url(page, entry->d_name);
        fprintf(page, "%s\">", slash);
        nova_http_write_html(page, entry->d_name);
        fprintf(page, "%s</a>\n", slash);
}

/* Returns the next file or folder. Returns NULL and sets errno: 0 at the end, or an error. */
static const struct dirent *read_entry(DIR *folder)
{
        const struct dirent *entry;

        do {
                errno = 0;
                entry = readdir(folder);
        } while (entry && (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")));
        return entry;
}

/* Returns 0 or the error of readdir(), after which the page is incomplete. */
static int write_list(FILE *page, const char *path, DIR *folder)
{
        const struct dirent *entry;
        unsigned lines = 0;

        fputs("<!DOCTYPE html>\n<meta charset=\"utf-8\">\n<title>", page);
        nova_http_write_html(page, path);
        fputs("</title>\n<h1>", page);
        nova_http_write_html(page, path);
        fputs("</h1>\n<ul>\n", page);
        while (lines < LINES_MAX && (entry = read_entry(folder))) {
                write_line(page, path, entry);
                lines++;
        }
        if (lines < LINES_MAX && errno)
                return errno;
        fputs("</ul>\n", page);
        if (lines == LINES_MAX)
                fputs("<p>There may be more.\n", page);
        return 0;
}

static unsigned status_of(int error)
{
        return error == ENOENT || error == EINVAL || error == ENOTDIR || error == ENAMETOOLONG
                       ? 404
                       : 503; /* such as EIO while the service restarts */
}

static void list(const char *path, struct nova_http_answer *answer)
{
        DIR *const folder = opendir(path);
        size_t bytes = 0;
        FILE *page;
        int error;

        answer->status = folder ? 500 : status_of(errno);
        if (!folder)
                return;
        page = open_memstream(&answer->text, &bytes);
        if (page) {
                error = write_list(page, path, folder);
                answer->type = "text/html; charset=utf-8";
                if (!fclose(page))
                        answer->status = error ? status_of(error) : 200;
                answer->bytes = bytes;
        }
        if (answer->status != 200) { /* the server then sends a sentence about the status */
                free(answer->text);
                answer->text = NULL;
        }
        closedir(folder);
}

static void answer(void *context, const struct nova_http_request *request,
                   struct nova_http_answer *answer)
{
        struct stat about;

        (void)context;
        if (stat(request->path, &about)) {
                answer->status = status_of(errno);
        } else if (S_ISDIR(about.st_mode)) {
                list(request->path, answer);
        } else if (!request->folder) {
                answer->file = open(request->path, O_RDONLY);
                answer->status = answer->file < 0 ? status_of(errno) : 200;
                answer->type = type_of(request->path);
                answer->bytes = (uint64_t)about.st_size;
        }
        printf("%u %s\n", answer->status, request->path);
}

int main(int argc, char **argv)
{
        const struct nova_ip_config config = {.service = argv[1],
                                              .address = argc > 2 ? argv[2] : NULL};
        const struct nova_http_config server = {.port = PORT, .answer = answer};
        char text[NOVA_IP_TEXT];
        int error = argc < 2 ? EINVAL : nova_ip_start(&config);

        if (error) {
                printf("no address: %s.\n", nova_ip_why(error));
                return 1;
        }
        printf("http://%s/\n", nova_ip_address(text));
        error = nova_http_serve(&server);
        printf("port %d: %s\n", PORT, strerror(error));
        return 1;
}
