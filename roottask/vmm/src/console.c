/* SPDX-License-Identifier: BSD-2-Clause */
/* A PC's serial port and the program's console. A thread writes the collected output, because the
 * handlers of virtual CPUs may not call services. One more thread reads input, and another offers
 * it to the guest. So the report key works even if a guest that hangs takes no input. The two
 * threads for input remain after a machine has ended, because the wait for input cannot be
 * cancelled. */
#include "console.h"

#include <string.h>

#include "novart/console.h"
#include "novart/time.h"
#include "output.h"

/* Time in ns to wait for more output, so that it is written in larger pieces. */
#define COLLECT_NS 2000000

/* Interval in ns at which input is offered again to a guest without room for it. */
#define OFFER_NS 10000000

/* Time in ns for which a console that accepts nothing delays a machine. After that output is lost
 * until the console accepts some again. */
#define PATIENCE_NS 1000000000

/* Maximum number of bytes of input that wait for a guest. */
#define INPUT_MAX 1024u

/* The machine that gets the program's input. Lock order: a thread takes this lock before a
 * machine's lock. */
static struct nova_mutex listener_lock;
static struct nova_pc *listener;
static struct nova_thread *reader, *offerer;

/* Input that no guest has taken yet. The reader counts `come`, the offerer counts `gone`. */
static char input[INPUT_MAX];
static unsigned come, gone;
static struct nova_semaphore some_input;

/* Waits for room in the ring. The caller holds the ring's lock, which is released during the
 * wait. */
static bool wait_for_room(struct nova_pc *pc)
{
        const uint64_t deadline = nova_tsc_of_ns(nova_vm_now(NULL) + PATIENCE_NS);

        while (pc->count == NOVA_PC_OUTPUT && !pc->is_stuck) {
                pc->waits_for_room = true;
                nova_mutex_unlock(&pc->lock);

                const bool late = nova_semaphore_down_until(&pc->room, deadline);

                nova_mutex_lock(&pc->lock);
                if (late && pc->count == NOVA_PC_OUTPUT)
                        pc->is_stuck = true;
        }
        return pc->count < NOVA_PC_OUTPUT;
}

void novavmm_console_send(void *context, uint8_t byte)
{
        struct nova_pc *const pc = context;

        nova_mutex_lock(&pc->lock);
        if (wait_for_room(pc)) {
                pc->output[(pc->first + pc->count) % NOVA_PC_OUTPUT] = (char)byte;
                if (!pc->count++)
                        nova_semaphore_up(&pc->data);
        }
        nova_mutex_unlock(&pc->lock);
}

/* Writes the next contiguous part of the ring.
 * @return false if the ring is empty */
static bool write_some(struct nova_pc *pc)
{
        char text[256];
        unsigned bytes;

        nova_mutex_lock(&pc->lock);
        bytes = NOVA_PC_OUTPUT - pc->first;
        if (bytes > pc->count)
                bytes = pc->count;
        if (bytes > sizeof(text))
                bytes = sizeof(text);
        memcpy(text, pc->output + pc->first, bytes);
        nova_mutex_unlock(&pc->lock);
        if (!bytes)
                return false;
        novavmm_output_write(text, bytes);

        nova_mutex_lock(&pc->lock);
        pc->first = (pc->first + bytes) % NOVA_PC_OUTPUT;
        pc->count -= bytes;
        if (pc->waits_for_room)
                nova_semaphore_up(&pc->room);
        pc->waits_for_room = false;
        pc->is_stuck = false;
        nova_mutex_unlock(&pc->lock);
        return true;
}

static void *writer(void *argument)
{
        struct nova_pc *const pc = argument;

        do {
                nova_semaphore_down(&pc->data);
                nova_sleep(COLLECT_NS);
                while (write_some(pc))
                        ;
        } while (!__atomic_load_n(&pc->quits, __ATOMIC_RELAXED));
        return NULL;
}

void nova_pc_flush(struct nova_pc *pc)
{
        unsigned count;

        do {
                nova_mutex_lock(&pc->lock);
                count = pc->count;
                nova_mutex_unlock(&pc->lock);
                if (count)
                        nova_sleep(COLLECT_NS);
        } while (count);
        novavmm_output_end_line();
}

/* Passes a byte of input to the guest's virtio console if that has a driver, otherwise to its
 * serial port. */
static bool offer(struct nova_pc *pc, char byte)
{
        bool taken;

        nova_vm_lock(pc->vm);
        if (pc->has_hvc && nova_virtio_ready(&pc->hvc.virtio)) {
                taken = nova_virtio_console_receive(&pc->hvc, &byte, 1);
        } else {
                taken = nova_uart_room(&pc->uart);
                if (taken)
                        nova_uart_receive(&pc->uart, (uint8_t)byte);
        }
        nova_vm_unlock(pc->vm);
        return taken;
}

/* Makes a report if @p byte is the key for it. The caller holds listener_lock.
 * @return false if it is another key */
static bool report(char byte)
{
        if (!listener || !byte || byte != listener->report_key)
                return false;
        nova_vm_report(listener->vm);
        return true;
}

/* A key that came while there was no listener can be the report key of the next one. */
static bool offer_to_listener(char byte)
{
        bool taken;

        nova_mutex_lock(&listener_lock);
        taken = report(byte) || (listener && offer(listener, byte));
        nova_mutex_unlock(&listener_lock);
        return taken;
}

static bool report_to_listener(char byte)
{
        bool done;

        nova_mutex_lock(&listener_lock);
        done = report(byte);
        nova_mutex_unlock(&listener_lock);
        return done;
}

/* Offers the next byte of input until it is taken. */
static void offer_next(void)
{
        nova_semaphore_down(&some_input);
        while (!offer_to_listener(input[gone % INPUT_MAX]))
                nova_sleep(OFFER_NS);
        __atomic_store_n(&gone, gone + 1, __ATOMIC_RELEASE);
}

static void *offer_input(void *unused)
{
        for (;;)
                offer_next();
        return unused;
}

/* Keeps a byte of input for the offerer. If INPUT_MAX bytes wait, later input stays in the console,
 * and the report key has no effect. */
static void keep(char byte)
{
        while (come - __atomic_load_n(&gone, __ATOMIC_ACQUIRE) == INPUT_MAX)
                nova_sleep(OFFER_NS);
        input[come++ % INPUT_MAX] = byte;
        nova_semaphore_up(&some_input);
}

static void *read_input(void *unused)
{
        char byte;

        while (nova_console_read(&byte, 1) == 1)
                if (!report_to_listener(byte))
                        keep(byte);
        return unused;
}

int novavmm_console_start(struct nova_pc *pc)
{
        const struct nova_thread_attr attr = {
                .name = "vm console",
                .cpu = NOVA_CPU_SELF,
                .priority = pc->vm->priority + 1,
        };
        struct nova_thread_attr input_attr = attr;
        int error = nova_thread_create(&pc->writer, &attr, writer, pc);

        input_attr.name = "vm input";

        nova_mutex_lock(&listener_lock);
        if (!error && !offerer)
                error = nova_thread_create(&offerer, &input_attr, offer_input, NULL);
        if (!error && !reader)
                error = nova_thread_create(&reader, &attr, read_input, NULL);
        if (!error)
                listener = pc;
        nova_mutex_unlock(&listener_lock);
        return error;
}

void novavmm_console_stop(struct nova_pc *pc)
{
        nova_mutex_lock(&listener_lock);
        if (listener == pc)
                listener = NULL;
        nova_mutex_unlock(&listener_lock);
        if (!pc->writer)
                return;
        __atomic_store_n(&pc->quits, true, __ATOMIC_RELAXED);
        nova_semaphore_up(&pc->data);
        nova_thread_join(pc->writer, NULL);
        pc->writer = NULL;
        novavmm_output_end_line();
}
