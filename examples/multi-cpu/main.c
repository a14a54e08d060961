/* SPDX-License-Identifier: BSD-2-Clause */
/* A service on all CPUs: each call is served on the CPU of its caller, by the handler that the
 * runtime created there. Server and clients are threads of one roottask. */
#include <novart/program.h>
#include <novart/service.h>
#include <novart/session.h>
#include <novart/thread.h>
#include <stdio.h>

#define WHERE (NOVA_OPERATION_FIRST + 0) /* answer: number of the CPU that served the call */
#define CALLS 1000

static unsigned served[NOVA_CPU_MAX]; /* written by the handler of that CPU only */
static struct nova_session *session;

/* Serves WHERE. The service is parallel: the handlers of several CPUs run at the same time, each
 * with one call at a time. */
static int where(struct nova_request *request)
{
        served[request->cpu]++;
        nova_request_answer(request, request->cpu);
        return 0;
}

static void *client(void *argument)
{
        (void)argument;
        for (unsigned i = 0; i < CALLS; i++) {
                nova_word_t cpu = NOVA_CPU_MAX;
                struct nova_message message = {.operation = WHERE, .answer = &cpu, .answer_max = 1};

                if (nova_session_call(session, &message) || cpu != nova_thread_cpu())
                        printf("served on CPU %zu\n", (size_t)cpu);
        }
        return NULL;
}

int main(void)
{
        static const struct nova_service_operation operations[] = {{where, 0, 0, false}};
        static const struct nova_service_config config = {
                .name = "where", .operations = operations, .operation_count = 1, .parallel = true};
        struct nova_thread *thread[NOVA_CPU_MAX] = {0};

        if (nova_service_start(NULL, &config) || nova_session_open(&session, "where", NULL))
                return 1;
        for (nova_word_t cpu = 0; cpu < NOVA_CPU_MAX; cpu++) {
                const struct nova_thread_attr attr = {.name = "client", .cpu = cpu};

                if (nova_program_has_cpu(cpu))
                        nova_thread_create(&thread[cpu], &attr, client, NULL);
        }
        for (nova_word_t cpu = 0; cpu < NOVA_CPU_MAX; cpu++)
                if (thread[cpu] && nova_thread_join(thread[cpu], NULL) == 0)
                        printf("CPU %zu served %u calls\n", (size_t)cpu, served[cpu]);
        nova_session_close(session);
        return 0;
}
