/* SPDX-License-Identifier: BSD-2-Clause */
/* The thread that stops functions whose driver has ended, and resets functions at their drivers'
 * request: a reset takes 100 ms or more, and other clients must not wait. A second thread notices
 * the end of drivers. */
#include <errno.h>

#include "device.h"
#include "nova/hypercall.h"
#include "novart/program.h"
#include "novart/selector.h"
#include "novart/sync.h"
#include "novart/thread.h"

static nova_sel_t ended; /* a semaphore that gets an up from the parent when a driver has ended */
static struct nova_semaphore work = NOVA_SEMAPHORE_INITIALIZER(0);

static void stop(struct nova_service *service, struct device *device)
{
        if (reset_function(service, device))
                device->is_loud = false;
        device->resetting = false;
        device->stopped = false;
        stop_report(device);
        device->state = DEVICE_FREE;
}

static void reset(struct nova_service *service, struct device *device)
{
        const bool done = reset_function(service, device);

        /* the driver may have ended meanwhile */
        if (device->state != DEVICE_CLAIMED)
                return;
        if (done)
                device->is_loud = false;
        claim_open(device);
        device->resetting = false;
}

static bool waits_for_stop(const struct device *device)
{
        return device->state == DEVICE_STOPPING && device->stopped;
}

static bool waits_for_reset(const struct device *device)
{
        return device->state == DEVICE_CLAIMED && device->resetting;
}

/* Does the work for the next waiting device. Returns false if no device waits. */
static bool do_next(struct nova_service *service, bool (*waits)(const struct device *device),
                    void (*work_for)(struct nova_service *service, struct device *device))
{
        struct device *const device = device_next(waits);

        if (device)
                work_for(service, device);
        return device;
}

/* Called with the lock held. Returns false if there is nothing to do. Stops come first, and devices
 * take turns. So a driver that resets its function again and again delays the stop and the reset of
 * other functions only briefly. */
static bool do_one(struct nova_service *service)
{
        return do_next(service, waits_for_stop, stop) || do_next(service, waits_for_reset, reset);
}

static void *run(void *argument)
{
        struct nova_service *const service = argument;

        while (nova_service_lock(service) == 0) {
                if (do_one(service)) {
                        nova_service_unlock(service);
                        continue;
                }
                nova_service_unlock(service);
                nova_semaphore_down(&work);
        }
        return NULL;
}

void stop_report(const struct device *device)
{
        nova_parent_pci_quiet((unsigned)(device - devices), !device->is_loud);
}

/* When a driver has ended, closes its session, which starts the stop of its functions, and reports
 * to the parent the devices that no driver has claimed. */
static void *watch(void *argument)
{
        struct nova_service *const service = argument;

        while (nova_sm_zero(ended) == NOVA_SUCCESS && nova_service_lock(service) == 0) {
                nova_service_sweep(service);
                for (unsigned i = 0; i < device_count; i++)
                        if (devices[i].state == DEVICE_FREE || devices[i].state == DEVICE_ABSENT)
                                stop_report(&devices[i]);
                nova_service_unlock(service);
        }
        return NULL;
}

static int watch_start(struct nova_service *service)
{
        const struct nova_thread_attr attr = {.name = "watcher", .cpu = nova_program.cpu};
        struct nova_thread *thread;

        ended = nova_sel_alloc(0);
        if (ended == NOVA_SEL_NONE || nova_create_sm(ended, nova_program.pd, 1) != NOVA_SUCCESS)
                return ENOMEM;

        const int error = nova_parent_pci_watch(ended);

        return error ? error : nova_thread_create(&thread, &attr, watch, service);
}

int stop_start(struct nova_service *service)
{
        const struct nova_thread_attr attr = {.name = "stopper", .cpu = nova_program.cpu};
        struct nova_thread *thread;
        int error = 0;

        if (device_count)
                error = watch_start(service);
        if (device_count && !error)
                error = nova_thread_create(&thread, &attr, run, service);
        return error;
}

void stop_wake(void)
{
        nova_semaphore_up(&work);
}
