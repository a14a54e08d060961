/* SPDX-License-Identifier: BSD-2-Clause */
/* A small HTTP/1.1 server: GET and HEAD, several connections at once, bounded in memory and
 * time. */
#ifndef NOVANET_HTTP_H
#define NOVANET_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NOVA_HTTP_HEAD_MAX 4096 /**< maximum size of a request in bytes */
#define NOVA_HTTP_PATH_MAX 1023 /**< maximum size of a decoded path in bytes */

/** A request that was read completely. */
struct nova_http_request {
        bool head;    /**< HEAD: the client wants no content */
        bool keep;    /**< the connection stays open after the answer */
        bool folder;  /**< the path ended with a slash */
        size_t bytes; /**< size of the request in bytes; the next request begins after it */
        /** Decoded path, without the query: a slash alone, or a slash before each part. No part is
         * empty, one dot or two dots. */
        char path[NOVA_HTTP_PATH_MAX + 1];
};

/**
 * Reads the request at the beginning of a client's data. Never blocks, and keeps no state.
 * @param request gets the request
 * @param data    data from the client
 * @param bytes   its size
 * @retval 0   the request is incomplete: call again with more data
 * @retval 200 done
 * @retval 400 the client does not keep to the protocol, or the path has a control character
 * @retval 405 the method is one of HTTP's, but neither GET nor HEAD
 * @retval 413 the request has content
 * @retval 414 the request's first line, or the path, is too long
 * @retval 431 the request is longer than NOVA_HTTP_HEAD_MAX
 * @retval 501 the method is unknown
 * @retval 505 the version is not 1.0 or 1.1
 */
unsigned nova_http_read(struct nova_http_request *request, const char *data, size_t bytes);

/** Returns the reason phrase of a status, such as "Not Found". */
const char *nova_http_reason(unsigned status);

/**
 * Writes a text into a page of HTML: characters that HTML reserves become character references.
 * @code
 * extern struct nova_http_answer *answer;
 * extern const char *name; // any text: it cannot become markup
 * size_t bytes;
 * FILE *page = open_memstream(&answer->text, &bytes);
 *
 * if (page) {
 *         fputs("<p>", page);
 *         nova_http_write_html(page, name);
 *         fputs("</p>", page);
 *         fclose(page);
 *         answer->bytes = bytes;
 * }
 * @endcode
 * @param to   the page
 * @param text the text, which ends with 0
 */
void nova_http_write_html(FILE *to, const char *text);
/** Writes @p path to @p to as part of a URL: all but letters, digits and `-._~/` are encoded. */
void nova_http_write_url(FILE *to, const char *path);
/** Writes @p text to @p to as a string of JSON with its quotation marks. A byte that belongs to no
 * UTF-8 character becomes U+FFFD. */
void nova_http_write_json(FILE *to, const char *text);

/**
 * An answer. Its content is `text`. Without `text` it is the content of `file`, and without both it
 * is a sentence about the status.
 * @code
 * extern struct nova_http_answer *answer; // argument of nova_http_config::answer
 *
 * answer->status = 200;
 * answer->type = "text/plain";
 * answer->text = strdup("Hello\n");
 * answer->bytes = 6;
 * @endcode
 */
struct nova_http_answer {
        unsigned status;  /**< 200, 404, or another one */
        const char *type; /**< type of the content, such as "text/html; charset=utf-8" */
        char *text;       /**< content, which the server passes to free(); NULL: none */
        int file;         /**< open file at its beginning; the server closes it; -1: none */
        uint64_t bytes;   /**< size of the content */
};

/** Configuration of a server. */
struct nova_http_config {
        uint16_t port;        /**< TCP port */
        unsigned connections; /**< maximum number of clients at once, up to 20; 0: 16 */
        uint64_t patience_ns; /**< time limit for a request, for 64 KiB of an answer, and for
                               * the pause between two requests; 0: ten seconds */
        /** Fills in an answer, which initially is `{.status = 404, .file = -1}`. The server calls
         * the function from the thread of nova_http_serve(), for one request at a time. */
        void (*answer)(void *context, const struct nova_http_request *request,
                       struct nova_http_answer *answer);
        void *context; /**< argument of @p answer */
};

/**
 * Serves HTTP over IPv4 and IPv6 after nova_ip_start(). It returns only if the server cannot start.
 *
 * A connection takes 22 KiB of memory. If all connections are in use, a new client waits until the
 * server has ended another connection. The server ends the connection that has waited longest for
 * its next request, once that wait has lasted 250 ms. A client that has not sent its request, or
 * not taken 64 KiB of the answer, within the time of @p config loses its connection.
 * @code
 * void answer(void *context, const struct nova_http_request *request,
 *             struct nova_http_answer *answer);
 *
 * const struct nova_http_config config = {.port = 80, .answer = answer};
 * const int error = nova_http_serve(&config);
 *
 * printf("The server cannot start: %s.\n", strerror(error));
 * @endcode
 * @param config the server
 * @retval EADDRINUSE the port is in use
 * @retval EINVAL     there is no @p answer, or there are too many connections
 * @retval ENOMEM     out of memory or sockets
 */
int nova_http_serve(const struct nova_http_config *config);

#ifdef __cplusplus
}
#endif

#endif
