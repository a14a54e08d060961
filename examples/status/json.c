/* SPDX-License-Identifier: BSD-2-Clause */
/* The state of the system as JSON. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

#include "load.h"
#include "nova/hip.h"
#include "novanet/http.h"
#include "novart/parent.h"
#include "novart/parent_status.h"
#include "novart/program.h"
#include "novart/time.h"
#include "state.h"

/* Begins the next element of an array. */
static void separate(FILE *page, bool *first)
{
        fputs(*first ? "\n" : ",\n", page);
        *first = false;
}

static void write_program(FILE *page, const struct nova_parent_program *program)
{
        fputs("{\"name\": ", page);
        nova_http_write_json(page, program->name);
        fprintf(page,
                ", \"state\": \"%s\", \"cpus\": %" PRIu64 ", \"priority\": %" PRIu32
                ", \"threads\": %" PRIu32 ", \"time_us\": %" PRIu64 ", \"memory\": %" PRIu64
                ", \"kernel_used\": %" PRIu64 ", \"kernel_limit\": %" PRIu64
                ", \"services\": %" PRIu32 ", \"restarts\": %" PRIu32 ", \"status\": %" PRId32 "}",
                state_text(program), program->cpus, program->priority, program->threads,
                program->time_us, program->memory, program->kernel_used, program->kernel_limit,
                program->services, program->restarts, program->status);
}

static void write_programs(FILE *page)
{
        struct nova_parent_program program;
        bool first = true;

        fputs("\"programs\": [", page);
        for (unsigned i = 0; nova_parent_program_describe(i, &program) == 0; i++) {
                separate(page, &first);
                write_program(page, &program);
        }
        fputs("]", page);
}

static void write_loads(FILE *page)
{
        bool first = true;
        struct load load;

        fputs("\"load\": [", page);
        for (unsigned cpu = 0; cpu < NOVA_CPU_MAX; cpu++) {
                if (!load_get(cpu, &load))
                        continue;
                separate(page, &first);
                fprintf(page,
                        "{\"cpu\": %u, \"percent\": %u, \"time_us\": %" PRIu64
                        ", \"idle_us\": %" PRIu64 "}",
                        cpu, load.percent, load.times.time_us, load.times.idle_us);
        }
        fputs("]", page);
}

static void write_sessions(FILE *page)
{
        struct nova_parent_session session;
        bool first = true;

        fputs("\"sessions\": [", page);
        for (unsigned i = 0; nova_parent_session_describe(i, &session) == 0; i++) {
                separate(page, &first);
                fputs("{\"client\": ", page);
                nova_http_write_json(page, session.client);
                fputs(", \"service\": ", page);
                nova_http_write_json(page, session.service);
                fputs(", \"provider\": ", page);
                nova_http_write_json(page, session.provider);
                fprintf(page, ", \"opened\": %" PRIu64 "}", session.opened);
        }
        fputs("]", page);
}

void json_write(FILE *page)
{
        fprintf(page, "{\"cpus\": %u, \"tsc_khz\": %" PRIu32 ", \"time_ns\": %" PRIu64 ", ",
                nova_hip_cpu_count(nova_program.hip), nova_program.hip->tsc_khz, nova_time_ns());
        write_programs(page);
        fputs(", ", page);
        write_loads(page);
        fputs(", ", page);
        write_sessions(page);
        fputs(", \"log\": ", page);
        nova_http_write_json(page, state_log());
        fputs("}\n", page);
}
