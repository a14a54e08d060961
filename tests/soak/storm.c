/* SPDX-License-Identifier: BSD-2-Clause */
/* The storm of a round: fixed numbers of hypercalls, creations and revocations, threads on both
 * CPUs, and children that end, have a fault or are killed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nova/crd.h"
#include "nova/extension.h"
#include "nova/hypercall.h"
#include "novart/child.h"
#include "novart/page.h"
#include "novart/parent.h"
#include "novart/program.h"
#include "novart/selector.h"
#include "novart/thread.h"
#include "novart/time.h"

#include "soak.h"

#define ORDER   6 /* the storm uses 2^ORDER selectors */
#define OBJECTS (1u << ORDER)
/* 2^MANY_ORDER selectors: the runtime needs a further page of bits for them. */
#define MANY_ORDER 11
#define BATCHES    50    /* times that all objects are made and revoked */
#define DOMAINS    50    /* protection domains that get all objects and end */
#define RANDOM     20000 /* random hypercalls */
#define THREADS    20    /* threads on each CPU */
#define LIVES      8     /* children */
#define KILLED     9     /* status of a child that is killed */
#define RETURNED   7     /* status of a child that ends by itself */
#define FAULT      142   /* status of a child with a page fault */
#define PAUSE_NS   2000000

static struct nova_child_config child = {.name = "child", .cpus = 2, .priority = 10};
static nova_sel_t base;
static void *volatile forgotten; /* volatile, so that the compiler does not omit malloc() */

static void revoke_all(void)
{
        nova_revoke(nova_crd_obj(base, ORDER, NOVA_PERM_ALL), NOVA_REVOKE_SR);
}

static bool make_all(void)
{
        for (unsigned i = 0; i < OBJECTS; i++)
                if (nova_create_sm(base + i, nova_program.pd, i))
                        return false;
        return true;
}

static bool make_and_revoke(void)
{
        bool good = true;

        for (unsigned batch = 0; batch < BATCHES && good; batch++) {
                good = make_all();
                for (unsigned i = 0; i < OBJECTS && good; i++)
                        good = !nova_sm_up(base + i) && !nova_sm_zero(base + i);
                revoke_all();
        }
        return good || soak_fail("a semaphore of the storm cannot be made or used");
}

static bool end_domains(void)
{
        const nova_sel_t pd = nova_sel_alloc(0);
        bool good = pd != NOVA_SEL_NONE && make_all();

        for (unsigned i = 0; i < DOMAINS && good; i++) {
                good = !nova_create_pd(pd, nova_program.pd,
                                       nova_crd_obj(base, ORDER, NOVA_PERM_ALL)) &&
                       !nova_pd_destroy(pd);
                nova_revoke(nova_crd_obj(pd, 0, NOVA_PERM_ALL), NOVA_REVOKE_SR);
        }
        revoke_all();
        nova_sel_release(pd, 0);
        return good || soak_fail("a protection domain of the storm cannot be made or ended");
}

/* Makes a random hypercall on the storm's selectors; most of them are null. */
static void call_at_random(uint64_t random)
{
        const nova_sel_t sel = base + (random >> 8) % OBJECTS;
        nova_crd_t crd = nova_crd_obj(base + ((random >> 8) % OBJECTS & ~3u), 2, NOVA_PERM_ALL);
        uint64_t time;

        switch (random % 9) {
        case 0:
                nova_create_pt(sel, nova_program.pd, base + (random >> 16) % OBJECTS, 0, 0x1000);
                break;
        case 1:
                nova_create_pd(sel, nova_program.pd, crd);
                break;
        case 2:
                nova_revoke(crd, random >> 20 & 1 ? NOVA_REVOKE_SR : 0);
                break;
        case 3:
                nova_lookup(&crd);
                break;
        case 4:
                nova_sc_ctrl(sel, &time);
                break;
        case 5:
                nova_ec_ctrl(sel);
                break;
        case 6:
                nova_pd_destroy(sel);
                break;
        case 7:
                nova_sm_up(sel);
                break;
        default:
                nova_create_sm(sel, nova_program.pd, 0);
                break;
        }
}

/* Makes random hypercalls. Each round makes the same ones. */
static void call_many(void)
{
        uint64_t random = 20;

        for (unsigned i = 0; i < RANDOM; i++) {
                random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
                call_at_random(random >> 20);
        }
        revoke_all();
}

static void *touch_stack(void *argument)
{
        volatile char here[3000];

        here[0] = 1;
        return here[0] ? argument : NULL;
}

static bool run_threads(void)
{
        for (unsigned i = 0; i < 2 * THREADS; i++) {
                const struct nova_thread_attr attr = {.name = "brief", .cpu = i % 2};
                struct nova_thread *thread;
                void *result = NULL;

                if (nova_thread_create(&thread, &attr, touch_stack, &thread) ||
                    nova_thread_join(thread, &result) || result != &thread)
                        return soak_fail("thread %u of the storm did not run", i);
        }
        return true;
}

static bool live(unsigned number)
{
        static const struct {
                const char *deed;
                int status;
        } lives[] = {{"return", RETURNED}, {"fault", FAULT}, {"sleep", KILLED}, {"spin", KILLED}};
        const char *const arguments[] = {lives[number % 4].deed, NULL};
        const char *sentence = NULL;
        struct nova_child *started;
        int status = 0;

        child.arguments = arguments;
        if (nova_child_start(&started, &child, &sentence))
                return soak_fail("child %u %s", number, sentence);
        nova_sleep(PAUSE_NS);
        if (lives[number % 4].status == KILLED)
                nova_child_kill(started, KILLED);
        nova_child_wait(started, &status);
        if (status != lives[number % 4].status)
                return soak_fail("child %u ended with status %d", number, status);
        return true;
}

static bool run_children(void)
{
        for (unsigned i = 0; i < LIVES; i++)
                if (!live(i))
                        return false;
        return true;
}

/* Lets the runtime allocate the page of bits that it needs, and keeps, once more than 1,024
 * selectors are in use. Otherwise the first round with more selectors would seem to leak this
 * page. */
static bool take_selector_bits(void)
{
        const nova_sel_t many = nova_sel_alloc(MANY_ORDER);

        if (many == NOVA_SEL_NONE)
                return false;
        nova_sel_free(many, MANY_ORDER);
        return true;
}

bool storm_begin(void)
{
        base = nova_sel_alloc(ORDER);
        return take_selector_bits() && base != NOVA_SEL_NONE &&
               !nova_parent_module("soak-child", &child.image, &child.image_bytes);
}

bool storm_round(void)
{
        if (soak_options.leak && (nova_sel_alloc(0) == NOVA_SEL_NONE || !nova_page_alloc(0) ||
                                  !(forgotten = malloc(2000))))
                return soak_fail("nothing is left for the leak");
        if (!make_and_revoke() || !end_domains())
                return false;
        call_many();
        return run_threads() && run_children();
}
