/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest ends while a virtual CPU waits for the answer to H_INTERRUPT. After the answer, that
 * virtual CPU must not run: it makes no further exit, and UV_SVM_TERMINATE waits for it. */
#include "../runtime/tap.h"
#include "../vmm/guest_code.h"
#include "second.h"

#define READY (AT + 0x800)

/* The other virtual CPU, in real mode: loops with interrupts enabled, without an exit. */
GUEST_CODE(late_code, 16, "movw %cs, %ax\nmovw %ax, %ds\nmovl $1, 0x800\nsti\n1: jmp 1b\n");

static nova_sel_t arrived, may_go;
static struct nova_semaphore done = NOVA_SEMAPHORE_INITIALIZER(0);
static enum nova_u_status status;

static void stop(struct call *call)
{
        if (call->number != NOVA_H_INTERRUPT)
                return;
        nova_sm_up(arrived);
        nova_sm_down(may_go);
}

static void *terminate(void *unused)
{
        (void)unused;
        status = honest_end();
        nova_semaphore_up(&done);
        return NULL;
}

static void *another(void *unused)
{
        struct nova_uv other = {.lpid = 9};

        (void)unused;
        nova_session_open_trusting(&other.session, "ultravisor", NULL);
        nova_semaphore_up(&done);
        return NULL;
}

int main(void)
{
        const struct nova_thread_attr attr = {.name = "end", .cpu = NOVA_CPU_SELF};
        struct nova_thread *thread;

        arrived = drive_semaphore();
        may_go = drive_semaphore();
        if (arrived == NOVA_SEL_NONE || may_go == NOVA_SEL_NONE || !honest_start_on(3, 0) ||
            !second_add())
                return 1;
        check(honest_become_secure() == NOVA_U_SUCCESS, "a guest has two virtual CPUs");
        second_write(late_code, (uint32_t)GUEST_BYTES(late_code));
        second_send(SECOND, INIT);
        second_send(SECOND, STARTUP | VECTOR);
        check(nova_uv_start(&uv, SECOND, VECTOR) == 0 && second_sets(READY, 1), "both run");
        honest_attack = stop;
        check(nova_uv_kick(&uv, SECOND) == 0, "the VMM has an interrupt");
        nova_sm_down(arrived);
        drive_begin(PROBE_READ, MEMORY, 0);
        check(honest_ends(WAITS), "the first one ends the guest meanwhile");
        nova_sm_up(may_go);
        nova_sleep(50 * WAIT_NS);
        nova_thread_create(&thread, &attr, terminate, NULL);
        check(!nova_semaphore_down_until(&done, nova_deadline_in(UINT64_C(10000) * WAIT_NS)) &&
                      status == NOVA_U_SUCCESS,
              "UV_SVM_TERMINATE returns within 10 s");
        nova_thread_create(&thread, &attr, another, NULL);
        check(!nova_semaphore_down_until(&done, nova_deadline_in(UINT64_C(10000) * WAIT_NS)),
              "another session opens within 10 s");
        return tap_end();
}
