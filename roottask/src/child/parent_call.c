/* SPDX-License-Identifier: BSD-2-Clause */
/* The child's side of the parent portal, except modules and devices. */
#include "child/parent_call.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "nova/crd.h"
#include "nova/hypercall.h"
#include "nova/utcb.h"
#include "novart/error.h"
#include "novart/program.h"
#include "novart/thread.h"

struct nova_utcb *novart_parent_call_begin(enum nova_parent_operation operation)
{
        struct nova_utcb *const utcb = nova_thread_utcb();

        nova_utcb_clear(utcb);
        nova_utcb_put(utcb, operation);
        return utcb;
}

bool novart_parent_call_put_bytes(struct nova_utcb *utcb, const void *bytes, size_t size)
{
        const unsigned char *from = bytes;

        for (; size; from += sizeof(nova_word_t)) {
                const size_t some = size < sizeof(nova_word_t) ? size : sizeof(nova_word_t);
                nova_word_t word = 0;

                memcpy(&word, from, some);
                if (!nova_utcb_put(utcb, word))
                        return false;
                size -= some;
        }
        return true;
}

bool novart_parent_call_put_name(struct nova_utcb *utcb, const char *name)
{
        const size_t length = strlen(name);

        return length && length < NOVA_PARENT_NAME &&
               novart_parent_call_put_bytes(utcb, name, length + 1);
}

int novart_parent_call_send(struct nova_utcb *utcb, nova_crd_t window)
{
        nova_word_t answer = EIO;

        if (nova_program_is_root())
                return ENOSYS;
        nova_utcb_set_windows(utcb, 0, window);

        const enum nova_status status = nova_call(nova_program.parent + nova_thread_cpu(), 0);

        nova_utcb_set_windows(utcb, 0, 0);
        if (status != NOVA_SUCCESS)
                return nova_errno_of(status);
        nova_utcb_get(utcb, 0, &answer);
        return answer <= INT_MAX ? (int)answer : EIO;
}

bool novart_parent_call_arrived(unsigned type, nova_sel_t sel)
{
        nova_crd_t crd = nova_crd(type, sel, 0, 0);

        nova_lookup(&crd);
        return nova_crd_type(crd) == type;
}

/* Further pages of the program would have arrived through the parent's event portals. The call
 * removes these portals, so its answers carry the remaining pages. */
int nova_parent_events(void)
{
        nova_word_t more = 1;
        int error = 0;

        while (more && !error) {
                struct nova_utcb *const utcb = novart_parent_call_begin(NOVA_PARENT_EVENTS);

                more = 0;
                error = novart_parent_call_send(utcb, nova_crd_all(NOVA_CRD_MEM));
                nova_utcb_get(utcb, 1, &more);
        }
        return error;
}

static int open_once(const char *name, nova_sel_t sel)
{
        struct nova_utcb *const utcb = novart_parent_call_begin(NOVA_PARENT_OPEN);

        if (!novart_parent_call_put_name(utcb, name))
                return EINVAL;

        const int error = novart_parent_call_send(
                utcb, nova_crd_obj(sel, NOVA_PARENT_SERVICE_ORDER, NOVA_PERM_ALL));

        if (error)
                return error;
        for (unsigned cpu = 0; cpu < NOVA_CPU_MAX; cpu++)
                if (novart_parent_call_arrived(NOVA_CRD_OBJ, sel + cpu))
                        return 0;
        return ENOMEM;
}

int nova_parent_open(const char *name, nova_sel_t sel)
{
        const int error = open_once(name, sel);

        /* ENOMEM may be wrong: if the service ends after its portals have arrived, they may be
         * gone before open_once() looks for them. The second call then returns the right result. */
        return error == ENOMEM ? open_once(name, sel) : error;
}

int nova_parent_serve(const char *name, nova_sel_t sel)
{
        struct nova_utcb *const utcb = novart_parent_call_begin(NOVA_PARENT_SERVE);

        if (!novart_parent_call_put_name(utcb, name))
                return EINVAL;
        nova_utcb_delegate(utcb, nova_crd_obj(sel, NOVA_PARENT_SERVICE_ORDER, NOVA_PERM_ALL), 0, 0);
        return novart_parent_call_send(utcb, 0);
}

int nova_parent_watch(nova_sel_t sm)
{
        struct nova_utcb *const utcb = novart_parent_call_begin(NOVA_PARENT_WATCH);

        nova_utcb_delegate(utcb, nova_crd_obj(sm, 0, NOVA_SM_UP), 0, 0);
        return novart_parent_call_send(utcb, 0);
}

int nova_parent_ended(void)
{
        return novart_parent_call_send(novart_parent_call_begin(NOVA_PARENT_ENDED), 0);
}

int nova_parent_sc(nova_sel_t sc, nova_sel_t ec, unsigned priority, unsigned quantum_us)
{
        struct nova_utcb *const utcb = novart_parent_call_begin(NOVA_PARENT_SC);

        nova_utcb_put(utcb, priority);
        nova_utcb_put(utcb, quantum_us);
        nova_utcb_put(utcb, sc);
        nova_utcb_delegate(utcb, nova_crd_obj(ec, 0, NOVA_EC_SC), 0, 0);

        const int error = novart_parent_call_send(utcb, nova_crd_obj(sc, 0, NOVA_PERM_ALL));

        if (error || novart_parent_call_arrived(NOVA_CRD_OBJ, sc))
                return error;
        /* The SC exists and keeps the EC alive, but its capability did not fit into the window. */
        nova_parent_sc_drop(sc);
        return EAGAIN;
}

int nova_parent_sc_drop(nova_sel_t sc)
{
        struct nova_utcb *const utcb = novart_parent_call_begin(NOVA_PARENT_SC_DROP);

        nova_utcb_put(utcb, sc);
        return novart_parent_call_send(utcb, 0);
}

int nova_parent_write(const char *text, size_t bytes)
{
        while (bytes) {
                struct nova_utcb *const utcb = novart_parent_call_begin(NOVA_PARENT_WRITE);
                const size_t room = (nova_utcb_room(utcb) - 1) * sizeof(nova_word_t);
                const size_t some = bytes < room ? bytes : room;

                nova_utcb_put(utcb, some);
                novart_parent_call_put_bytes(utcb, text, some);

                const int error = novart_parent_call_send(utcb, 0);

                if (error)
                        return error;
                text += some;
                bytes -= some;
        }
        return 0;
}

int nova_parent_fault(const struct nova_fault_report *report)
{
        struct nova_utcb *const utcb = novart_parent_call_begin(NOVA_PARENT_FAULT);

        novart_parent_call_put_bytes(utcb, report, sizeof(*report));
        return novart_parent_call_send(utcb, 0);
}

void nova_parent_exit(int status)
{
        struct nova_utcb *const utcb = novart_parent_call_begin(NOVA_PARENT_EXIT);

        nova_utcb_put(utcb, (nova_word_t)status);
        novart_parent_call_send(utcb, 0);
}

int nova_parent_power(unsigned operation)
{
        struct nova_utcb *const utcb = novart_parent_call_begin(NOVA_PARENT_POWER);

        nova_utcb_put(utcb, operation);
        return novart_parent_call_send(utcb, 0);
}
