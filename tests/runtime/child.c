/* SPDX-License-Identifier: BSD-2-Clause */
/* The child of many tests: its first argument chooses its action. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "child_input.h"
#include "child_parent.h"
#include "child_time.h"
#include "child_traces.h"
#include "child_watch.h"
#include "nova/arch/port.h"
#include "nova/crd.h"
#include "nova/hip.h"
#include "nova/hypercall.h"
#include "nova/utcb.h"
#include "novart/child.h"
#include "novart/page.h"
#include "novart/parent.h"
#include "novart/program.h"
#include "novart/region.h"
#include "novart/selector.h"
#include "novart/start_page.h"
#include "novart/sync.h"
#include "novart/thread.h"
#include "novart/time.h"

#define GIVEN 7

static int do_return(char **argv)
{
        return atoi(argv[2]);
}

static int do_print(char **argv)
{
        const char *const colour = getenv("COLOUR");

        puts(argv[2]);
        return !colour || strcmp(colour, "green") != 0;
}

__attribute__((noinline)) static int do_fault(char **argv)
{
        (void)argv;
        *(volatile int *)0x1234 = 1;
        return 0;
}

/* Overflows its stack. Its frame must stay smaller than the guard page, even if the compiler merges
 * the frames of some recursive calls: a larger frame could skip the page. */
static int do_overflow(char **argv)
{
        volatile char here[256];

        here[0] = argv[0][0];
        return here[0] ? do_overflow(argv) + here[0] : 0;
}

static int do_spin(char **argv)
{
        for (;;)
                (void)*(char *volatile *)argv;
        return 0;
}

/* Reports the number of its arguments. */
static int do_count(char **argv)
{
        unsigned words = 0;

        while (argv[words])
                words++;
        printf("%u words\n", words);
        return words == (unsigned)nova_program.argc && words == NOVA_START_WORDS ? GIVEN : 1;
}

static int do_sleep(char **argv)
{
        struct nova_semaphore never = NOVA_SEMAPHORE_INITIALIZER(0);

        (void)argv;
        nova_semaphore_down(&never);
        return 0;
}

/* Opens a service that does not exist, without end. */
static int do_flood(char **argv)
{
        (void)argv;
        for (;;)
                nova_parent_open("nothing", 0x10000);
        return 0;
}

/* Uses up one resource after another. The parent answers with errors. */
static int do_exhaust(char **argv)
{
        unsigned semaphores = 0, pages = 0;
        nova_sel_t sel;

        (void)argv;
        while ((sel = nova_sel_alloc(0)) != NOVA_SEL_NONE &&
               nova_create_sm(sel, nova_program.pd, 0) == NOVA_SUCCESS)
                semaphores++;
        while (nova_page_alloc(0))
                pages++;
        return semaphores > 100 && pages > 10 ? GIVEN : 1;
}

static unsigned next(void)
{
        static uint32_t state = 1;

        state = state * 1664525 + 1013904223;
        return state >> 8;
}

/* Sends random requests with random words and items: no EXIT or POWER, and few FAULTs. */
static int do_nonsense(char **argv)
{
        struct nova_utcb *const utcb = nova_thread_utcb();
        const unsigned rounds = (unsigned)atoi(argv[2]);

        for (unsigned i = 0; i < rounds; i++) {
                nova_utcb_clear(utcb);
                nova_utcb_put(utcb, i % 3 ? next() % 14 : next());
                if (utcb->word[0] == NOVA_PARENT_EXIT || utcb->word[0] == NOVA_PARENT_POWER)
                        continue;
                for (unsigned words = next() % 500; words; words--)
                        nova_utcb_put(utcb, next() % 4 ? next() : 0);
                for (unsigned items = next() % 6; items; items--)
                        nova_utcb_put_item(utcb, (struct nova_item){next(), next()});
                nova_utcb_set_windows(utcb, 0, nova_crd_obj(0x10000, 6, NOVA_PERM_ALL));
                if (utcb->word[0] == NOVA_PARENT_FAULT && i % 50)
                        continue;
                if (nova_call(nova_program.parent + nova_thread_cpu(), 0) != NOVA_SUCCESS)
                        return 1;
        }
        return GIVEN;
}

static void *ask(void *argument)
{
        for (;;)
                nova_parent_open("nothing", 0x10000);
        return argument;
}

/* Revokes the ECs of threads that make requests without end: the parent may be serving them. */
static int do_suicide(char **argv)
{
        (void)argv;
        for (unsigned i = 0; i < 5; i++) {
                struct nova_thread *thread;

                if (nova_thread_create(&thread, NULL, ask, NULL))
                        return 1;
                for (unsigned n = 0; n < 20 + i; n++)
                        nova_parent_open("nothing", 0x10000);
                nova_revoke(nova_crd_obj(nova_thread_ec(thread), 0, NOVA_PERM_ALL), NOVA_REVOKE_SR);
        }
        return GIVEN;
}

static void *drop_own_sc(void *argument)
{
        nova_parent_sc_drop(nova_thread_sc(nova_thread_self()));
        __atomic_store_n((bool *)argument, true, __ATOMIC_RELAXED);
        return NULL;
}

/* Returns true if the parent's thread that answers calls becomes free within 5 s. While that thread
 * is busy, the calls of this function fail and do not lend it time. */
static bool parent_is_free(void)
{
        struct nova_utcb *const utcb = nova_thread_utcb();

        for (unsigned ms = 0; ms < 5000; ms++) {
                nova_utcb_clear(utcb);
                nova_utcb_put(utcb, ~(nova_word_t)0); /* not a valid operation */
                if (nova_call(nova_program.parent + nova_thread_cpu(), NOVA_CALL_DB) ==
                    NOVA_SUCCESS)
                        return true;
                nova_sleep(1000000);
        }
        return false;
}

/* Creates threads that request their parent to drop the SC on which they run. The parent still
 * replies, and the SC ends with the reply. */
static int do_drop(char **argv)
{
        (void)argv;
        for (unsigned i = 0; i < 5; i++) {
                bool went_on = false;
                struct nova_thread *thread;

                if (nova_thread_create(&thread, NULL, drop_own_sc, &went_on))
                        return 1;
                nova_sleep(20000000);
                if (!parent_is_free())
                        return 2;
                if (__atomic_load_n(&went_on, __ATOMIC_RELAXED))
                        return 3;
                nova_revoke(nova_crd_obj(nova_thread_ec(thread), 0, NOVA_PERM_ALL), NOVA_REVOKE_SR);
        }
        return GIVEN;
}

static void *add_one(void *argument)
{
        __atomic_fetch_add((unsigned *)argument, 1, __ATOMIC_RELAXED);
        return NULL;
}

/* Makes threads on all granted CPUs, again and again. */
static int do_threads(char **argv)
{
        const unsigned cpus = (unsigned)atoi(argv[2]);
        unsigned sum = 0, ran = 0;

        for (unsigned round = 0; round < 20; round++)
                for (nova_word_t cpu = 0; cpu < NOVA_CPU_MAX; cpu++) {
                        const struct nova_thread_attr attr = {.name = "adder", .cpu = cpu};
                        struct nova_thread *thread;

                        if (!nova_program_has_cpu(cpu))
                                continue;
                        if (nova_thread_create(&thread, &attr, add_one, &sum) ||
                            nova_thread_join(thread, NULL))
                                return 1;
                        ran++;
                }
        return sum == ran && ran == 20 * cpus && nova_hip_cpu_count(nova_program.hip) == cpus
                       ? GIVEN
                       : 2;
}

/* Acts as a parent. */
static int do_parent(char **argv)
{
        return parent_of(atoi(argv[2]) ? "return" : "print", argv[2], true);
}

/* Ends while its child runs; with an argument, after it has given up all its capabilities. */
static int do_leave(char **argv)
{
        const int status = parent_of("sleep", NULL, false);

        nova_sleep(20000000); /* the child creates its threads meanwhile */
        if (argv[2])
                parent_revoke_all();
        return status ? status : GIVEN;
}

/* Makes the kernel create a thread on @p cpu and an SC with @p priority, and frees both. */
static enum nova_status grab(nova_word_t cpu, unsigned priority)
{
        const nova_sel_t sel = nova_sel_alloc(1);
        void *const utcb = nova_region_reserve(NOVA_PAGE_SIZE);
        enum nova_status status =
                nova_create_ec(sel, nova_program.pd, (nova_word_t)utcb, cpu, 0, 0, NOVA_EC_GLOBAL);

        if (status == NOVA_SUCCESS)
                status = nova_create_sc(sel + 1, nova_program.pd, sel, nova_qpd(1000, priority));
        nova_sel_release(sel, 1);
        nova_region_free(utcb);
        return status;
}

/* Tries each CPU and some priorities without the runtime. Returns false if the limits are not @p
 * cpus and @p priority. */
static bool bound_to(uint64_t cpus, unsigned priority)
{
        const nova_word_t own = nova_thread_cpu();

        for (nova_word_t cpu = 0; cpu < 4; cpu++)
                if (grab(cpu, 1) != (cpus >> cpu & 1 ? NOVA_SUCCESS : NOVA_BAD_CPU))
                        return false;
        return grab(own, priority) == NOVA_SUCCESS && grab(own, priority + 1) == NOVA_BAD_PAR &&
               grab(own, NOVA_PRIO_MAX) == NOVA_BAD_PAR;
}

/* Starts its own program as a child, and asks for more CPUs or a higher priority than it has
 * itself. */
static int start_greedy(struct nova_child_config *config, unsigned priority, uint64_t cpus)
{
        struct nova_child *child;
        int status;

        config->priority = priority;
        config->cpus = cpus;
        if (nova_child_start(&child, config, NULL))
                return -1;
        nova_child_wait(child, &status);
        return status;
}

/* Tries to take the name of another program: services would then grant this program the rights of
 * the other one. The program's own PD, and each PD that it creates, must keep the program's
 * name. */
static bool keeps_its_name(void)
{
        static const char other[NOVA_NAME_SIZE] = {'b', 'a', 'n', 'k'};
        const nova_sel_t pd = nova_sel_alloc(0);
        char name[NOVA_NAME_SIZE];
        bool kept = nova_name_set(nova_program.pd, other) == NOVA_BAD_PAR &&
                    nova_create_pd(pd, nova_program.pd, 0) == NOVA_SUCCESS &&
                    nova_name_set(pd, other) == NOVA_BAD_PAR;

        kept = kept && nova_name_get(pd, name) == NOVA_SUCCESS &&
               strncmp(name, nova_program.name, sizeof(name)) == 0;
        nova_sel_release(pd, 0);
        return kept;
}

/* Has the grants of CPUs 0 and 1, priority 20 and children. Requests more for itself. Then changes
 * its limits in the runtime's record, and requests more for its children. */
static int do_greedy(char **argv)
{
        const char *arguments[] = {"greedy", "grandchild", NULL};
        struct nova_child_config config = {.name = "grandchild",
                                           .arguments = arguments,
                                           .memory = 64 << 10,
                                           .kernel_memory = 128 << 10,
                                           .flags = NOVA_CHILD_MAY_HAVE_CHILDREN};

        if (argv[2])
                return bound_to(0x1, 10) ? GIVEN : 1;
        if (!bound_to(0x3, 20))
                return 1;
        if (!keeps_its_name())
                return 7;
        if (nova_pd_limit(nova_program.pd, NOVA_PRIO_MAX, UINT64_MAX) != NOVA_SUCCESS ||
            !bound_to(0x3, 20))
                return 2;
        if (!ends_are_limited())
                return 8;
        if (nova_parent_module("runtime-child", &config.image, &config.image_bytes))
                return 3;
        nova_program.priority = NOVA_PRIO_MAX;
        nova_program.cpus = 0xf;
        if (start_greedy(&config, 21, 0x1) != -1)
                return 4;
        nova_program.priority = 20;
        if (start_greedy(&config, 10, 0x4) != -1)
                return 5;
        return start_greedy(&config, 10, 0x1) == GIVEN ? 0 : 6;
}

/* Checks that resources without a grant are not available. */
static int do_denied(char **argv)
{
        const void *data;
        size_t bytes;
        uint16_t first, last;
        nova_sel_t sel = nova_sel_alloc(6);

        (void)argv;
        return nova_parent_open("log", sel) == EACCES && nova_parent_serve("log", sel) == EACCES &&
                               nova_parent_module("secret", &data, &bytes) == ENOENT &&
                               nova_parent_ports("serial", 0, &first, &last) == ENOENT &&
                               nova_time_set_by_rtc() == ENOENT &&
                               nova_parent_power(NOVA_EXT_MACHINE_OFF) == EPERM &&
                               status_is_denied() && nova_parent_ended() == EPERM &&
                               watches_are_limited() &&
                               nova_parent_open("a-name-of-more-than-thirty-one-characters", sel) ==
                                       EINVAL &&
                               nova_create_pd(sel, nova_program.pd, 0) == NOVA_BAD_CAP
                       ? GIVEN
                       : 1;
}

/* Adds one to each word that it receives. With the argument `crash`, the server faults at its third
 * call. */
static void serve(nova_sel_t portal, struct nova_utcb *utcb, void *argument)
{
        static unsigned calls;
        const bool crash = strcmp(argument, "crash") == 0;

        (void)portal;
        if (crash && ++calls == 3)
                *(volatile int *)0x4321 = 1;
        utcb->word[0]++;
        utcb->items = nova_utcb_items(1, 0);
}

static int do_serve(char **argv)
{
        const nova_sel_t base = nova_sel_alloc(NOVA_PARENT_SERVICE_ORDER);
        struct nova_handler *handler;

        if (nova_handler_create(&handler, NOVA_CPU_SELF, "server", serve, argv[2]) ||
            nova_handler_portal(handler, base + nova_thread_cpu(), 0))
                return 1;

        const int error = nova_parent_serve("adder", base);

        return error ? error : do_sleep(argv);
}

/* Calls the server until it has twelve answers. Opens the service again each time the server has
 * died. */
static int do_use(char **argv)
{
        struct nova_utcb *const utcb = nova_thread_utcb();
        const nova_sel_t base = nova_sel_alloc(NOVA_PARENT_SERVICE_ORDER);
        unsigned answers = 0, opened = 0;

        (void)argv;
        while (answers < 12) {
                const int error = nova_parent_open("adder", base);

                if (error && error != EAGAIN)
                        return error;
                opened += !error;
                for (;;) {
                        nova_utcb_clear(utcb);
                        nova_utcb_put(utcb, 41);
                        if (nova_call(base + nova_thread_cpu(), 0) != NOVA_SUCCESS)
                                break;
                        answers += utcb->word[0] == 42;
                }
                nova_revoke(nova_crd_obj(base, NOVA_PARENT_SERVICE_ORDER, NOVA_PERM_ALL),
                            NOVA_REVOKE_SR);
        }
        printf("opened %u times\n", opened);
        return 0;
}

#define YEAR_2020 1577836800 /* start of 2020, in seconds since 1970 */

/* Checks the clock's ports, date and interrupt, the HPET's registers, and that other grants are
 * absent. */
static int do_device(char **argv)
{
        const nova_sel_t sm = nova_sel_alloc(0);
        uint16_t first, last;
        unsigned gsi;
        void *memory;
        size_t bytes;

        (void)argv;
        if (nova_parent_ports("rtc", 0, &first, &last) || first != 0x70 || last != 0x71)
                return 1;
        nova_out8(first, 0);
        if (nova_in8(last) > 0x59 || nova_time_set_by_rtc() || time(NULL) < YEAR_2020)
                return 2;
        if (nova_parent_interrupt("rtc", 0, sm, &gsi) || gsi != 8 ||
            nova_sm_down_until(sm, 0, 0) != NOVA_COM_TIM)
                return 3;
        if (nova_parent_memory("hpet", 0, &memory, &bytes) || bytes != NOVA_PAGE_SIZE ||
            *(volatile uint32_t *)memory >> 16 != 0x8086)
                return 4;
        if (nova_parent_ports("rtc", 1, &first, &last) != ENOENT ||
            nova_parent_ports("keyboard", 0, &first, &last) != ENOENT)
                return 5;
        return 0;
}

/* Opens a service that its description does not name. */
static int do_ask(char **argv)
{
        const nova_sel_t sel = nova_sel_alloc(NOVA_PARENT_SERVICE_ORDER);

        return nova_parent_open(argv[2], sel) == EACCES ? 0 : 1;
}

/* Opens services with many names, some of them invalid. */
static int do_pester(char **argv)
{
        const nova_sel_t sel = nova_sel_alloc(NOVA_PARENT_SERVICE_ORDER);
        char name[] = "a\033[2J";

        (void)argv;
        if (nova_parent_open(name, sel) != EACCES || nova_parent_open("a b", sel) != EACCES)
                return 1;
        name[1] = 0;
        for (name[0] = 'a'; name[0] <= 'z'; name[0]++)
                if (nova_parent_open(name, sel) != EACCES)
                        return 2;
        return 0;
}

/* ---- DMA by QEMU's device edu ---------------------------------------------------------------- */

#define EDU_ID      0x11e81234
#define EDU_ADDRESS 0xd0000000
#define EDU_BUFFER  0x40000
#define EDU_FROM    (0x80 / 4)
#define EDU_TO      (0x88 / 4)
#define EDU_COUNT   (0x90 / 4)
#define EDU_COMMAND (0x98 / 4)
#define EDU_MOVE    0x1
#define EDU_STORE   0x2 /* copy from the device to memory */

static uint32_t pci(unsigned device, unsigned offset)
{
        nova_out32(0xcf8, 0x80000000 | device << 11 | offset);
        return nova_in32(0xcfc);
}

/* Maps the device's registers at the address in the description, and enables its bus mastering. */
static bool place_edu(void)
{
        unsigned device = 0;

        while (device < 32 && pci(device, 0) != EDU_ID)
                device++;
        if (device == 32)
                return false;
        pci(device, 0x10);
        nova_out32(0xcfc, EDU_ADDRESS);
        nova_out32(0xcfc, (pci(device, 0x04) & 0xffff) | 0x6);
        return true;
}

static void edu_move(volatile uint32_t *edu, uint64_t from, uint64_t to, uint32_t command)
{
        edu[EDU_FROM] = (uint32_t)from;
        edu[EDU_TO] = (uint32_t)to;
        edu[EDU_COUNT] = 64;
        edu[EDU_COMMAND] = command | EDU_MOVE;
        while (edu[EDU_COMMAND] & EDU_MOVE)
                nova_sleep(1000000);
}

/* Makes the device read a page of the program by DMA and write a copy to the next page. */
static int do_dma(char **argv)
{
        struct nova_dma dma;
        uint16_t first, last;
        void *registers;
        size_t bytes;

        (void)argv;
        if (nova_parent_ports("pci", 0, &first, &last) || !place_edu() ||
            nova_parent_memory("edu", 0, &registers, &bytes))
                return 1;
        if (nova_dma_alloc(2 * NOVA_PAGE_SIZE, &dma) || dma.phys % dma.bytes)
                return 2;

        char *const here = dma.memory, *const there = here + NOVA_PAGE_SIZE;

        for (unsigned i = 0; i < 64; i++)
                here[i] = (char)(i * 7 + 1);
        memset(there, 0, 64);
        edu_move(registers, dma.phys, EDU_BUFFER, 0);
        edu_move(registers, EDU_BUFFER, dma.phys + NOVA_PAGE_SIZE, EDU_STORE);
        if (memcmp(here, there, 64) != 0)
                return 3;
        nova_dma_free(&dma);
        return 0;
}

/* Checks that a child without the grant cannot learn a physical address. */
static int do_no_dma(char **argv)
{
        struct nova_dma dma;

        (void)argv;
        return nova_dma_alloc(1, &dma) == EPERM && !nova_program.start->pool_phys ? 0 : 1;
}

/* Returns the number of pages that the runtime has taken from the pool so far. */
static int do_measure(char **argv)
{
        (void)argv;
        return (int)(nova_program.start->pool_bytes / NOVA_PAGE_SIZE - nova_page_free_count());
}

int main(int argc, char **argv)
{
        static const struct {
                const char *name;
                int (*function)(char **argv);
        } deeds[] = {
                {"return", do_return},     {"print", do_print},     {"fault", do_fault},
                {"overflow", do_overflow}, {"spin", do_spin},       {"sleep", do_sleep},
                {"flood", do_flood},       {"exhaust", do_exhaust}, {"nonsense", do_nonsense},
                {"traces", do_traces},     {"suicide", do_suicide}, {"threads", do_threads},
                {"parent", do_parent},     {"leave", do_leave},     {"denied", do_denied},
                {"measure", do_measure},   {"serve", do_serve},     {"use", do_use},
                {"device", do_device},     {"greedy", do_greedy},   {"hog", do_hog},
                {"count", do_count},       {"dma", do_dma},         {"no-dma", do_no_dma},
                {"pester", do_pester},     {"chatter", do_chatter}, {"reports", do_reports},
                {"progress", do_progress}, {"drop", do_drop},       {"ask", do_ask},
                {"input", do_input},
        };

        for (unsigned i = 0; argc > 1 && i < sizeof(deeds) / sizeof(*deeds); i++)
                if (strcmp(argv[1], deeds[i].name) == 0)
                        return deeds[i].function(argv);
        return 99;
}
