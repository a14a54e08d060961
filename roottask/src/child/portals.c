/* SPDX-License-Identifier: BSD-2-Clause */
/* Fills the initial selectors of a child: portals to its parent, on each of its CPUs, for calls and
 * for events. */
#include <errno.h>

#include "child/child.h"
#include "nova/crd.h"
#include "nova/event.h"
#include "novart/selector.h"

/* Groups of state that a report needs. */
#define MTD (NOVA_MTD_EXCEPTION | NOVA_MTD_R8_R15)

/* Events of the first thread: all that the kernel sends to a thread, because the parent must report
 * every event of a program without the runtime. */
static const unsigned char first_thread[] = {
        NOVA_EXC_DE, NOVA_EXC_DB, NOVA_EXC_BP, NOVA_EXC_OF, NOVA_EXC_BR,
        NOVA_EXC_UD, NOVA_EXC_TS, NOVA_EXC_NP, NOVA_EXC_SS, NOVA_EXC_GP,
        NOVA_EXC_PF, NOVA_EXC_MF, NOVA_EXC_AC, NOVA_EXC_XM, NOVA_EXC_STARTUP,
};

/* Events of the child's own event handlers: only those that a faulty handler can raise, because
 * each portal costs kernel memory. */
static const unsigned char handlers[] = {
        NOVA_EXC_DE, NOVA_EXC_UD, NOVA_EXC_SS, NOVA_EXC_GP, NOVA_EXC_PF,
};

static int make_events(struct child_server *server, nova_sel_t base, const unsigned char *events,
                       unsigned count)
{
        int error = 0;

        for (unsigned i = 0; i < count && !error; i++)
                error = nova_handler_portal(server->handler, base + events[i], MTD);
        return error;
}

int novart_child_make_portals(struct nova_child *child)
{
        int error =
                make_events(novart_child_server_of(child->cpu), child->block + NOVA_SEL_MAIN_EVENTS,
                            first_thread, sizeof(first_thread));

        for (nova_word_t cpu = 0; cpu < NOVA_CPU_MAX && !error; cpu++) {
                if (!(child->cpus >> cpu & 1))
                        continue;
                error = nova_handler_portal(novart_child_server_of(cpu)->handler,
                                            child->block + CHILD_PARENT + cpu, 0);
                if (!error)
                        error = make_events(novart_child_server_of(cpu),
                                            child->block + CHILD_FAULT + CHILD_EVENTS * cpu,
                                            handlers, sizeof(handlers));
        }
        return error;
}
