/* SPDX-License-Identifier: BSD-2-Clause */
/* A page with the state of the system, as HTML and as JSON. Arguments: the service with frames, and
 * an address; without one, the program gets it by DHCP. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "load.h"
#include "nova/hip.h"
#include "novanet/http.h"
#include "novanet/ip.h"
#include "novart/parent.h"
#include "novart/parent_status.h"
#include "novart/program.h"
#include "novart/time.h"

#define PORT    80
#define KIB     1024
#define LOG_MAX 20000 /* bytes; init keeps less */

static const char *const states[] = {
        [NOVA_PARENT_WAITS] = "waits",
        [NOVA_PARENT_RUNS] = "runs",
        [NOVA_PARENT_PAUSES] = "pauses",
        [NOVA_PARENT_OVER] = "over",
};

static const char begin[] =
        "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
        "<meta http-equiv=\"refresh\" content=\"2\">\n<title>NOVA</title>\n"
        "<style>body{font:16px sans-serif;margin:2em}td,th{padding:.2em .8em;text-align:right}"
        "td:first-child,th:first-child{text-align:left}tr:nth-child(even){background:#eee}"
        "pre{background:#eee;padding:.5em;white-space:pre-wrap}</style>\n<h1>NOVA</h1>\n";

static const char head[] =
        "<table>\n<tr><th>program<th>state<th>CPUs<th>priority<th>threads<th>CPU time, ms"
        "<th>memory, KiB<th>kernel memory, KiB<th>services<th>restarts<th>status\n";

static const char *state_of(const struct nova_parent_program *program)
{
        return program->state < sizeof(states) / sizeof(*states) && states[program->state]
                       ? states[program->state]
                       : "unknown";
}

static void write_row(FILE *page, const struct nova_parent_program *program)
{
        fputs("<tr><td>", page);
        nova_http_write_html(page, program->name);
        fprintf(page,
                "<td>%s<td>%#" PRIx64 "<td>%" PRIu32 "<td>%" PRIu32 "<td>%" PRIu64 "<td>%" PRIu64
                "<td>%" PRIu64 " of %" PRIu64 "<td>%" PRIu32 "<td>%" PRIu32 "<td>%" PRId32 "\n",
                state_of(program), program->cpus, program->priority, program->threads,
                program->time_us / 1000, program->memory / KIB, program->kernel_used / KIB,
                program->kernel_limit / KIB, program->services, program->restarts, program->status);
}

static void write_load(FILE *page)
{
        struct load load;

        fputs("<p>Load:", page);
        for (unsigned cpu = 0; cpu < NOVA_CPU_MAX; cpu++)
                if (load_get(cpu, &load))
                        fprintf(page, " CPU %u %u %%", cpu, load.percent);
        fputs("\n", page);
}

static void write_sessions(FILE *page)
{
        struct nova_parent_session session;

        fputs("<h2>Sessions</h2>\n<table>\n<tr><th>program<th>service<th>of<th>opened\n", page);
        for (unsigned i = 0; nova_parent_session_describe(i, &session) == 0; i++) {
                fputs("<tr><td>", page);
                nova_http_write_html(page, session.client);
                fputs("<td>", page);
                nova_http_write_html(page, session.service);
                fputs("<td>", page);
                nova_http_write_html(page, session.provider);
                fprintf(page, "<td>%" PRIu64 "\n", session.opened);
        }
        fputs("</table>\n", page);
}

/* Returns the last text that init has written. */
static const char *read_log(void)
{
        static char text[LOG_MAX + 1];
        static struct nova_parent_log piece;
        size_t bytes = 0;

        piece.next = 0;
        while (nova_parent_log_read(piece.next, &piece) == 0 && piece.bytes &&
               bytes + piece.bytes <= LOG_MAX) {
                memcpy(text + bytes, piece.text, (size_t)piece.bytes);
                bytes += (size_t)piece.bytes;
        }
        text[bytes] = 0;
        return text;
}

static void write_html(FILE *page)
{
        const uint64_t seconds = nova_time_ns() / 1000000000;
        struct nova_parent_program program;

        fputs(begin, page);
        fprintf(page,
                "<p>%u CPUs with %" PRIu32 " MHz; up for %" PRIu64 " s; "
                "<a href=\"/status.json\">JSON</a>\n",
                nova_hip_cpu_count(nova_program.hip), nova_program.hip->tsc_khz / 1000, seconds);
        write_load(page);
        fputs(head, page);
        for (unsigned i = 0; nova_parent_program_describe(i, &program) == 0; i++)
                write_row(page, &program);
        fputs("</table>\n", page);
        write_sessions(page);
        fputs("<h2>Log</h2>\n<pre>", page);
        nova_http_write_html(page, read_log());
        fputs("</pre>\n", page);
}

static void write_object(FILE *page, const struct nova_parent_program *program)
{
        fputs("{\"name\": ", page);
        nova_http_write_json(page, program->name);
        fprintf(page,
                ", \"state\": \"%s\", \"cpus\": %" PRIu64 ", \"priority\": %" PRIu32
                ", \"threads\": %" PRIu32 ", \"time_us\": %" PRIu64 ", \"memory\": %" PRIu64
                ", \"kernel_used\": %" PRIu64 ", \"kernel_limit\": %" PRIu64
                ", \"services\": %" PRIu32 ", \"restarts\": %" PRIu32 ", \"status\": %" PRId32 "}",
                state_of(program), program->cpus, program->priority, program->threads,
                program->time_us, program->memory, program->kernel_used, program->kernel_limit,
                program->services, program->restarts, program->status);
}

static void write_load_objects(FILE *page)
{
        const char *before = "";
        struct load load;

        fputs("], \"load\": [", page);
        for (unsigned cpu = 0; cpu < NOVA_CPU_MAX; cpu++) {
                if (!load_get(cpu, &load))
                        continue;
                fprintf(page,
                        "%s{\"cpu\": %u, \"percent\": %u, \"time_us\": %" PRIu64
                        ", \"idle_us\": %" PRIu64 "}",
                        before, cpu, load.percent, load.times.time_us, load.times.idle_us);
                before = ", ";
        }
}

static void write_session_objects(FILE *page)
{
        struct nova_parent_session session;

        fputs("], \"sessions\": [", page);
        for (unsigned i = 0; nova_parent_session_describe(i, &session) == 0; i++) {
                fputs(i ? ",\n{\"client\": " : "\n{\"client\": ", page);
                nova_http_write_json(page, session.client);
                fputs(", \"service\": ", page);
                nova_http_write_json(page, session.service);
                fputs(", \"provider\": ", page);
                nova_http_write_json(page, session.provider);
                fprintf(page, ", \"opened\": %" PRIu64 "}", session.opened);
        }
}

static void write_json(FILE *page)
{
        struct nova_parent_program program;

        fprintf(page,
                "{\"cpus\": %u, \"tsc_khz\": %" PRIu32 ", \"time_ns\": %" PRIu64
                ", \"programs\": [\n",
                nova_hip_cpu_count(nova_program.hip), nova_program.hip->tsc_khz, nova_time_ns());
        for (unsigned i = 0; nova_parent_program_describe(i, &program) == 0; i++) {
                fputs(i ? ",\n" : "", page);
                write_object(page, &program);
        }
        write_load_objects(page);
        write_session_objects(page);
        fputs("], \"log\": ", page);
        nova_http_write_json(page, read_log());
        fputs("}\n", page);
}

static void write_page(struct nova_http_answer *answer, void (*write)(FILE *), const char *type)
{
        size_t bytes = 0;
        FILE *const page = open_memstream(&answer->text, &bytes);

        answer->status = 500;
        if (!page)
                return;
        write(page);
        if (!fclose(page))
                answer->status = 200;
        answer->type = type;
        answer->bytes = bytes;
}

static void answer(void *context, const struct nova_http_request *request,
                   struct nova_http_answer *answer)
{
        (void)context;
        if (strcmp(request->path, "/") == 0)
                write_page(answer, write_html, "text/html; charset=utf-8");
        else if (strcmp(request->path, "/status.json") == 0)
                write_page(answer, write_json, "application/json");
}

int main(int argc, char **argv)
{
        const struct nova_ip_config config = {.service = argv[1],
                                              .address = argc > 2 ? argv[2] : NULL};
        const struct nova_http_config server = {.port = PORT, .answer = answer};
        char text[NOVA_IP_TEXT];
        int error = argc < 2 ? EINVAL : nova_ip_start(&config);

        if (error) {
                printf("no address: %s\n", strerror(error));
                return 1;
        }
        load_begin();
        printf("http://%s/\n", nova_ip_address(text));
        error = nova_http_serve(&server);
        printf("port %d: %s\n", PORT, strerror(error));
        return 1;
}
