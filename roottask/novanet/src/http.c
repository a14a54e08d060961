/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads requests of HTTP/1.1, and writes texts into pages. It does not use sockets. */
#include "novanet/http.h"

#include <string.h>
#include <strings.h>

/* A part of the client's data. */
struct part {
        const char *at;
        size_t bytes;
};

/* Facts about a request from its version and its header fields. */
struct fields {
        unsigned hosts, sizes; /* numbers of fields Host and Content-Length */
        bool old;              /* HTTP/1.0 */
        bool close;            /* Connection: close */
        bool content;          /* the request has content */
};

const char *nova_http_reason(unsigned status)
{
        switch (status) {
        case 200:
                return "OK";
        case 400:
                return "Bad Request";
        case 404:
                return "Not Found";
        case 405:
                return "Method Not Allowed";
        case 413:
                return "Content Too Large";
        case 414:
                return "URI Too Long";
        case 431:
                return "Request Header Fields Too Large";
        case 500:
                return "Internal Server Error";
        case 501:
                return "Not Implemented";
        case 503:
                return "Service Unavailable";
        case 505:
                return "HTTP Version Not Supported";
        default:
                return "Unknown";
        }
}

static bool is_alnum(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_token(struct part part)
{
        for (size_t i = 0; i < part.bytes; i++)
                if (!is_alnum(part.at[i]) &&
                    (!part.at[i] || !strchr("!#$%&'*+-.^_`|~", part.at[i])))
                        return false;
        return part.bytes;
}

static bool is(struct part part, const char *text)
{
        return part.bytes == strlen(text) && strncasecmp(part.at, text, part.bytes) == 0;
}

/* Removes the text before a character, and the character itself. @return the text before the
 * character, or the whole part if it does not contain the character */
static struct part take_until(struct part *from, char c)
{
        const char *const end = from->bytes ? memchr(from->at, c, from->bytes) : NULL;
        const struct part taken = {from->at, end ? (size_t)(end - from->at) : from->bytes};
        const size_t used = taken.bytes + (end ? 1 : 0);

        from->at += used;
        from->bytes -= used;
        return taken;
}

/* Removes blanks at both ends. */
static struct part trim(struct part part)
{
        while (part.bytes && (*part.at == ' ' || *part.at == '\t')) {
                part.at++;
                part.bytes--;
        }
        while (part.bytes && (part.at[part.bytes - 1] == ' ' || part.at[part.bytes - 1] == '\t'))
                part.bytes--;
        return part;
}

/* Removes and returns a line, without its end. @return false: the line has no end yet */
static bool take_line(struct part *from, struct part *line)
{
        if (!from->bytes || !memchr(from->at, '\n', from->bytes))
                return false;
        *line = take_until(from, '\n');
        if (line->bytes && line->at[line->bytes - 1] == '\r')
                line->bytes--;
        return true;
}

static bool has_control(struct part part)
{
        for (size_t i = 0; i < part.bytes; i++)
                if (((unsigned char)part.at[i] < ' ' && part.at[i] != '\t') || part.at[i] == 0x7f)
                        return true;
        return false;
}

/* Returns the value of a hexadecimal digit, or 16. */
static unsigned digit(char c)
{
        static const char digits[] = "0123456789abcdef";
        const char *const found = c ? strchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c) : NULL;

        return found ? (unsigned)(found - digits) : 16;
}

/* Removes the first character, which may be percent-encoded. @return the decoded character; 0 if a
 * path must not contain it */
static char take_character(struct part *from)
{
        char c = *from->at;
        size_t used = 1;

        if ((unsigned char)c <= ' ' || (unsigned char)c >= 0x7f || c == '#')
                return 0;
        if (c == '%') {
                if (from->bytes < 3 || digit(from->at[1]) > 15 || digit(from->at[2]) > 15)
                        return 0;
                c = (char)(digit(from->at[1]) << 4 | digit(from->at[2]));
                used = 3;
                if ((unsigned char)c < ' ' || c == 0x7f)
                        return 0;
        }
        from->at += used;
        from->bytes -= used;
        return c;
}

/* Removes the parts of a path that are empty or `.`, and each part `..` together with the part
 * before it. */
static void normalize(struct nova_http_request *request)
{
        char *const path = request->path;
        size_t used = 0;

        for (const char *from = path; *from;) {
                const char *const begin = from + 1; /* after the slash */
                const size_t bytes = strcspn(begin, "/");

                from = begin + bytes;
                request->folder = !bytes || (bytes <= 2 && !memcmp(begin, "..", bytes));
                if (bytes == 2 && request->folder) {
                        while (used && path[--used] != '/')
                                ;
                } else if (!request->folder) {
                        path[used++] = '/';
                        memmove(path + used, begin, bytes);
                        used += bytes;
                }
        }
        if (!used)
                path[used++] = '/';
        path[used] = 0;
}

/* Removes the scheme and the name of the machine from an absolute URL. */
static struct part without_host(struct part target)
{
        size_t i = 7;

        if (target.bytes < 8 || strncasecmp(target.at, "http://", 7) != 0)
                return target;
        while (i < target.bytes && target.at[i] != '/' && target.at[i] != '?')
                i++;
        return (struct part){target.at + i, target.bytes - i};
}

static unsigned read_target(struct nova_http_request *request, struct part target)
{
        const struct part local = without_host(target);
        const bool absolute = local.at != target.at;
        struct part rest = local, path = take_until(&rest, '?');
        size_t used = 0;

        if (absolute && !path.bytes)
                path = (struct part){"/", 1};
        if (!path.bytes || *path.at != '/')
                return 400;
        while (path.bytes) {
                const char c = take_character(&path);

                if (!c)
                        return 400;
                if (used == NOVA_HTTP_PATH_MAX)
                        return 414;
                request->path[used++] = c;
        }
        while (rest.bytes)
                if (!take_character(&rest))
                        return 400;
        request->path[used] = 0;
        normalize(request);
        return 200;
}

static unsigned read_method(struct nova_http_request *request, struct part method)
{
        static const char *const others[] = {"POST",    "PUT",   "DELETE", "CONNECT",
                                             "OPTIONS", "TRACE", "PATCH"};

        if (!is_token(method))
                return 400;
        request->head = method.bytes == 4 && memcmp(method.at, "HEAD", 4) == 0;
        if (request->head || (method.bytes == 3 && memcmp(method.at, "GET", 3) == 0))
                return 200;
        for (unsigned i = 0; i < sizeof(others) / sizeof(*others); i++)
                if (method.bytes == strlen(others[i]) &&
                    memcmp(method.at, others[i], method.bytes) == 0)
                        return 405;
        return 501;
}

static unsigned read_version(struct fields *fields, struct part version)
{
        if (version.bytes != 8 || memcmp(version.at, "HTTP/", 5) != 0 || digit(version.at[5]) > 9 ||
            version.at[6] != '.' || digit(version.at[7]) > 9)
                return 400;
        fields->old = version.at[7] == '0';
        return version.at[5] == '1' ? 200 : 505;
}

static unsigned read_request_line(struct nova_http_request *request, struct fields *fields,
                                  struct part line)
{
        struct part version = line;
        const struct part method = take_until(&version, ' '), target = take_until(&version, ' ');
        unsigned status = read_version(fields, version);

        if (status == 200)
                status = read_method(request, method);
        return status == 200 ? read_target(request, target) : status;
}

/* Reads the value of Content-Length. @return false: it is not a number */
static bool read_size(struct fields *fields, struct part value)
{
        for (size_t i = 0; i < value.bytes; i++) {
                if (digit(value.at[i]) > 9)
                        return false;
                fields->content = fields->content || value.at[i] != '0';
        }
        return value.bytes;
}

static unsigned read_field(struct fields *fields, struct part line)
{
        struct part value = line;
        const struct part name = take_until(&value, ':');

        if (name.bytes == line.bytes || !is_token(name))
                return 400;
        value = trim(value);
        if (is(name, "host")) {
                if (fields->hosts++ || (value.bytes && memchr(value.at, ' ', value.bytes)))
                        return 400;
        } else if (is(name, "content-length")) {
                if (fields->sizes++ || !read_size(fields, value))
                        return 400;
        } else if (is(name, "transfer-encoding")) {
                fields->content = true;
        } else if (is(name, "connection")) {
                while (value.bytes)
                        fields->close = is(trim(take_until(&value, ',')), "close") || fields->close;
        }
        return 200;
}

/* Reads the lines of a request. @return its status; 0: the last line is missing */
static unsigned read_lines(struct nova_http_request *request, struct part *from, bool *first)
{
        struct fields fields = {0};
        struct part line;
        unsigned status = 200;

        *first = true;
        while (status == 200) {
                if (!take_line(from, &line))
                        return 0;
                if (!line.bytes && *first)
                        continue; /* some clients send an empty line after a request */
                if (!line.bytes)
                        break;
                if (has_control(line))
                        return 400;
                status = *first ? read_request_line(request, &fields, line)
                                : read_field(&fields, line);
                *first = false;
        }
        if (status == 200 && !fields.hosts && !fields.old)
                return 400;
        request->keep = !fields.old && !fields.close;
        return status == 200 && fields.content ? 413 : status;
}

unsigned nova_http_read(struct nova_http_request *request, const char *data, size_t bytes)
{
        struct part from = {data, bytes < NOVA_HTTP_HEAD_MAX ? bytes : NOVA_HTTP_HEAD_MAX};
        bool first;
        unsigned status;

        *request = (struct nova_http_request){0};
        status = read_lines(request, &from, &first);
        if (!status && bytes >= NOVA_HTTP_HEAD_MAX)
                status = first ? 414 : 431;
        request->keep = request->keep && status == 200;
        request->bytes = (size_t)(from.at - data);
        return status;
}

void nova_http_write_html(FILE *to, const char *text)
{
        for (; *text; text++) {
                const char *const special = strchr("&<>\"'", *text);

                if (special)
                        fprintf(to, "&#%d;", *special);
                else
                        putc(*text, to);
        }
}

void nova_http_write_url(FILE *to, const char *path)
{
        for (; *path; path++) {
                if (is_alnum(*path) || strchr("-._~/", *path))
                        putc(*path, to);
                else
                        fprintf(to, "%%%02X", (unsigned char)*path);
        }
}

/* Returns the number of bytes of the UTF-8 character at the beginning of a text, or 0. */
static unsigned utf8_bytes(const char *text)
{
        static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
        const unsigned char first = (unsigned char)*text;
        const unsigned bytes = first < 0x80   ? 1
                               : first < 0xc0 ? 0
                               : first < 0xe0 ? 2
                               : first < 0xf0 ? 3
                               : first < 0xf8 ? 4
                                              : 0;
        unsigned value = bytes > 1 ? first & (0x7f >> bytes) : first;

        for (unsigned i = 1; i < bytes; i++) {
                if (((unsigned char)text[i] & 0xc0) != 0x80)
                        return 0;
                value = value << 6 | ((unsigned char)text[i] & 0x3f);
        }
        if (bytes > 1 && (value < least[bytes] || value > 0x10ffff || value >> 11 == 0xd800 >> 11))
                return 0;
        return bytes;
}

void nova_http_write_json(FILE *to, const char *text)
{
        putc('"', to);
        while (*text) {
                const unsigned bytes = utf8_bytes(text);

                if (!bytes)
                        fputs("\\ufffd", to);
                else if ((unsigned char)*text < ' ')
                        fprintf(to, "\\u%04x", (unsigned)*text);
                else
                        fprintf(to, "%s%.*s", *text == '"' || *text == '\\' ? "\\" : "", (int)bytes,
                                text);
                text += bytes ? bytes : 1;
        }
        putc('"', to);
}
