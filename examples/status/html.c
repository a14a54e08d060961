/* SPDX-License-Identifier: BSD-2-Clause */
/* The state of the system as HTML. */
#include <inttypes.h>
#include <stdio.h>

#include "load.h"
#include "nova/hip.h"
#include "novanet/http.h"
#include "novart/parent.h"
#include "novart/parent_status.h"
#include "novart/program.h"
#include "novart/time.h"
#include "state.h"

#define KIB 1024

static const char begin[] =
        "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
        "<meta http-equiv=\"refresh\" content=\"2\">\n<title>NOVA</title>\n"
        "<style>body{font:16px sans-serif;margin:2em}td,th{padding:.2em .8em;text-align:right}"
        "td:first-child,th:first-child{text-align:left}tr:nth-child(even){background:#eee}"
        "pre{background:#eee;padding:.5em;white-space:pre-wrap}</style>\n<h1>NOVA</h1>\n";

static const char head[] =
        "<table>\n<tr><th>program<th>state<th>CPUs<th>priority<th>threads<th>CPU time, ms"
        "<th>memory, KiB<th>kernel memory, KiB<th>services<th>restarts<th>status\n";

static void write_row(FILE *page, const struct nova_parent_program *program)
{
        fputs("<tr><td>", page);
        nova_http_write_html(page, program->name);
        fprintf(page,
                "<td>%s<td>%#" PRIx64 "<td>%" PRIu32 "<td>%" PRIu32 "<td>%" PRIu64 "<td>%" PRIu64
                "<td>%" PRIu64 " of %" PRIu64 "<td>%" PRIu32 "<td>%" PRIu32 "<td>%" PRId32 "\n",
                state_text(program), program->cpus, program->priority, program->threads,
                program->time_us / 1000, program->memory / KIB, program->kernel_used / KIB,
                program->kernel_limit / KIB, program->services, program->restarts, program->status);
}

static void write_load(FILE *page)
{
        const char *before = ":";
        struct load load;

        fputs("<p>Load", page);
        for (unsigned cpu = 0; cpu < NOVA_CPU_MAX; cpu++) {
                if (load_get(cpu, &load)) {
                        fprintf(page, "%s CPU %u: %u %%", before, cpu, load.percent);
                        before = ",";
                }
        }
        fputs("\n", page);
}

static void write_sessions(FILE *page)
{
        struct nova_parent_session session;

        fputs("<h2>Sessions</h2>\n<table>\n<tr><th>program<th>service<th>provided by<th>opened\n",
              page);
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

void html_write(FILE *page)
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
        nova_http_write_html(page, state_log());
        fputs("</pre>\n", page);
}
