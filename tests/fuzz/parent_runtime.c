/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of the runtime that init needs to start programs and to answer their requests (see
 * parent.h). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "child/request.h"
#include "newlib/borrowed_time.h"
#include "newlib/console_line.h"
#include "nova/abi/status.h"
#include "nova/crd.h"
#include "nova/utcb.h"
#include "novart/console.h"
#include "novart/layout.h"
#include "novart/page.h"
#include "novart/region.h"
#include "novart/selector.h"
#include "novart/time.h"
#include "parent.h"
#include "parent_model.h"
#include "printed.h"

#define PAGES 256u

struct nova_program nova_program = {.name = "init",
                                    .cpus = (1u << PARENT_CPUS) - 1,
                                    .pd = 1,
                                    .parent = NOVA_SEL_NONE,
                                    .priority = 200};
struct nova_mutex novart_child_mutex;
struct nova_child *novart_child_first;
const char parent_disk[2 * NOVA_PAGE_SIZE] __attribute__((aligned(NOVA_PAGE_SIZE))) = {"a disk"};

static struct child_server servers[PARENT_CPUS];
static struct request requests[PARENT_CPUS];
static struct nova_utcb utcbs[PARENT_CPUS];
static nova_word_t now_on; /* CPU of the running server */
static nova_sel_t turn;
static uint64_t time_ns;
static unsigned locks;
static void (*kept)(const char *text, size_t bytes);

/* Pages come from an arena. `owner` is the program for which a block was allocated. */
static char arena[PAGES * NOVA_PAGE_SIZE] __attribute__((aligned(PAGES * NOVA_PAGE_SIZE)));
static uint8_t page_orders[PAGES]; /* order + 1 of a block, at its first page; 0: free */
static const struct nova_system_program *owner[PAGES]; /* NULL: free */
static nova_crd_t named[PARENT_CPUS]; /* the objects in the last answer, until it is sent */
static bool sent[PAGES];              /* an answer contained the page; cleared by a revocation */
static const struct nova_system_program *starting;
static unsigned views; /* mappings of executable pages */

/* The file of all programs: one segment that is used in place, and one that is copied. */
static union {
        struct {
                uint64_t header[8], program[2][7];
        } start;
        char bytes[3 * NOVA_PAGE_SIZE];
} file __attribute__((aligned(NOVA_PAGE_SIZE))) = {
        {{0x00010102464c457f, 0, 0x1003e0002, 0x400000, 64, 0, 0x0038004000000000, 2},
         {{0x500000001, 0x1000, 0x400000, 0, 0x1000, 0x1000, 0x1000},
          {0x600000001, 0x2000, 0x401000, 0, 0x200, 0x1800, 0x1000}}}};

static union {
        struct nova_hip hip;
        struct {
                char start[sizeof(struct nova_hip)];
                struct nova_hip_mem mem[3];
        } all;
} information;

/* Memory. */
void *__real_malloc(size_t bytes);
void *__wrap_malloc(size_t bytes);

void *__wrap_malloc(size_t bytes)
{
        return parent_refuses & REFUSE_HEAP ? NULL : __real_malloc(bytes);
}

int nova_map_physical(uint64_t phys, size_t bytes, unsigned perms, void **out)
{
        require(bytes && phys % NOVA_PAGE_SIZE == 0);
        if (parent_refuses & REFUSE_MEMORY)
                return ENOMEM;
        if (phys >= UINT64_C(1) << 48)
                return EACCES;
        views += perms & NOVA_MEM_X ? 1 : 0;
        *out = (void *)(PARENT_VIEW + phys);
        return 0;
}

int nova_region_free(void *addr)
{
        require((nova_word_t)addr >= PARENT_VIEW && views--);
        return 0;
}

static bool is_free(unsigned first, unsigned count)
{
        for (unsigned i = first; i < first + count; i++)
                if (owner[i])
                        return false;
        return true;
}

void *nova_page_alloc(unsigned order)
{
        if (order > 6 || parent_refuses & REFUSE_PAGES)
                return NULL;
        for (unsigned i = 0; i < PAGES; i += 1u << order) {
                char *const page = &arena[(size_t)i * NOVA_PAGE_SIZE];

                if (!is_free(i, 1u << order))
                        continue;
                for (unsigned k = i; k < i + (1u << order); k++)
                        owner[k] = starting;
                page_orders[i] = (uint8_t)(order + 1);
                memset(page, 0, (size_t)NOVA_PAGE_SIZE << order);
                return page;
        }
        return NULL;
}

void nova_page_free(void *page, unsigned order)
{
        const size_t first = (size_t)((char *)page - arena) / NOVA_PAGE_SIZE;

        require(first < PAGES && page_orders[first] == order + 1);
        page_orders[first] = 0;
        for (size_t i = first; i < first + (1u << order); i++) {
                require(!sent[i]); /* only init has it mapped */
                owner[i] = NULL;
        }
}

/* Returns the number of a page of the arena, or of its alias. */
static nova_word_t arena_page(nova_word_t page)
{
        const nova_word_t address = page << NOVA_PAGE_BITS;
        const nova_word_t own =
                address >= PARENT_VIEW ? address - PARENT_VIEW + NOVA_LAYOUT_POOL : address;

        return (own - (nova_word_t)arena) / NOVA_PAGE_SIZE;
}

static void mark_sent(nova_crd_t crd, bool is_sent)
{
        const nova_word_t base = (nova_word_t)arena >> NOVA_PAGE_BITS;

        for (nova_word_t i = 0; i < (nova_word_t)1 << nova_crd_order(crd); i++)
                if (nova_crd_base(crd) + i - base < PAGES)
                        sent[nova_crd_base(crd) + i - base] = is_sent;
}

nova_word_t parent_revoke_pages(nova_crd_t crd)
{
        mark_sent(crd, false);
        return NOVA_SUCCESS;
}

/* Returns true if an item of an answer is a part of a device. */
static bool is_of_device(nova_crd_t crd)
{
        const nova_sel_t base = nova_crd_base(crd);
        const nova_word_t address = base << NOVA_PAGE_BITS;

        if (nova_crd_type(crd) == NOVA_CRD_OBJ)
                return parent_object(base) == INTERRUPT || base == turn;
        return nova_crd_type(crd) == NOVA_CRD_IO ||
               (address >= PARENT_VIEW && arena_page(base) >= PAGES);
}

/* Notes the pages and selectors in an answer. Its receiver may be any program that has the portal,
 * and the handler may send the answer later. */
static void mark_answer(nova_word_t cpu)
{
        struct nova_item item;

        for (unsigned i = 0; nova_utcb_get_item(&utcbs[cpu], i, &item); i++) {
                require(!(utcbs[cpu].word[nova_utcb_item_index(i) + 1] & NOVA_ITEM_H));
                if (nova_crd_type(item.crd) == NOVA_CRD_MEM)
                        mark_sent(item.crd, true);
                if (nova_crd_type(item.crd) == NOVA_CRD_OBJ)
                        named[cpu] = item.crd;
                if (is_of_device(item.crd))
                        parent_give(item.crd);
        }
}

void parent_check_unnamed(nova_sel_t sel, unsigned order)
{
        for (unsigned i = 0; i < PARENT_CPUS; i++) {
                const nova_sel_t first = nova_crd_base(named[i]);

                require(!named[i] || sel + ((nova_sel_t)1 << order) <= first ||
                        first + ((nova_sel_t)1 << nova_crd_order(named[i])) <= sel);
        }
}

void parent_sent(nova_word_t cpu)
{
        named[cpu] = 0;
}

size_t nova_page_free_count(void)
{
        return PAGES;
}

bool parent_page_is_of(nova_word_t page, const struct nova_system_program *program)
{
        const nova_word_t number = arena_page(page);

        return number < PAGES && owner[number] == program;
}

bool parent_page_is_file(nova_word_t page)
{
        return (page << NOVA_PAGE_BITS) - (nova_word_t)file.bytes < sizeof(file);
}

bool modules_map(const char *name, const void **data, size_t *bytes)
{
        if (strcmp(name, "disk.img") == 0) {
                *data = parent_disk;
                *bytes = sizeof(parent_disk) - 100;
                return true;
        }
        starting = NULL;
        for (unsigned i = 0; i < init.system.programs; i++)
                if (strcmp(init.system.program[i].file, name) == 0)
                        starting = &init.system.program[i];
        *data = file.bytes;
        *bytes = sizeof(file);
        return starting;
}

/* Text. */
static void check_text(const char *text, size_t bytes)
{
        require(bytes && text[bytes - 1] == '\n');
        for (size_t i = 0; i + 1 < bytes; i++)
                require(text[i] == '\t' || ((unsigned char)text[i] >= ' ' && text[i] != 0x7f));
        parent_counts.lines++;
        if (printed)
                printed(text, bytes);
}

void parent_check_line(const char *text, size_t bytes)
{
        check_text(text, bytes);
}

/* Checks a program's text that init writes itself. It must not look like a line of init or of
 * another program. */
int novart_console_write_line(const char *text, size_t bytes)
{
        static char line[512];

        require(bytes < sizeof(line));
        memcpy(line, text, bytes);
        line[bytes] = 0;
        check_text(line, bytes);
        require(strncmp(line, "init:", 5) != 0);
        return 0;
}

static void note_text(const char *text, size_t bytes)
{
        model_check_line(text, bytes);
        kept(text, bytes);
}

void nova_console_keep(void (*keep)(const char *text, size_t bytes))
{
        kept = keep;
        printed = note_text;
}

int nova_console_turn(nova_sel_t *sel)
{
        if (turn == NOVA_SEL_NONE) {
                turn = nova_sel_alloc(0);
                if (turn == NOVA_SEL_NONE)
                        return ENOMEM;
                parent_set(turn, SEMAPHORE);
        }
        *sel = turn;
        return 0;
}

nova_sel_t parent_turn(void)
{
        return turn;
}

/* Time, threads and locks. */
uint64_t nova_time_ns(void)
{
        return time_ns;
}

void parent_pass_time(uint64_t ns)
{
        time_ns += ns;
}

uint64_t nova_tsc_of_ns(uint64_t ns)
{
        return ns;
}

nova_word_t nova_thread_cpu(void)
{
        return now_on;
}

struct nova_utcb *nova_thread_utcb(void)
{
        abort(); /* init has no parent */
}

void nova_mutex_lock(struct nova_mutex *mutex)
{
        require(!mutex->state);
        mutex->state = 1;
        locks++;
}

void nova_mutex_unlock(struct nova_mutex *mutex)
{
        require(mutex->state);
        mutex->state = 0;
        locks--;
}

/* Waits as init does for the end of a child: meanwhile the server's thread removes this child. */
int nova_cond_wait_until(struct nova_cond *cond, struct nova_mutex *mutex, uint64_t deadline)
{
        (void)cond, (void)deadline;
        nova_mutex_unlock(mutex);
        parent_reclaim();
        parent_answer();
        nova_mutex_lock(mutex);
        return 0;
}

void nova_cond_broadcast(struct nova_cond *cond)
{
        (void)cond;
}

void nova_semaphore_up(struct nova_semaphore *semaphore)
{
        semaphore->count++;
}

int nova_semaphore_down_until(struct nova_semaphore *semaphore, uint64_t deadline)
{
        (void)deadline;
        require(!locks);
        if (!semaphore->count)
                parent_wait();
        semaphore->count = 0;
        return 0;
}

/* Substitutes for the servers of children (child/server.c), without their threads. */
struct child_server *novart_child_server_of(nova_word_t cpu)
{
        require(cpu < PARENT_CPUS);
        return &servers[cpu];
}

int novart_child_server_prepare(nova_word_t cpu)
{
        require(cpu < PARENT_CPUS);
        return 0;
}

void novart_child_server_wake(nova_word_t cpu)
{
        require(cpu < PARENT_CPUS);
}

void novart_child_server_flush(nova_word_t cpu)
{
        require(cpu < PARENT_CPUS);
}

void novart_child_server_tell(struct child_server *server)
{
        (void)server;
        novart_child_tell_end();
}

int novart_child_server_renew_window(struct child_server *server)
{
        const nova_sel_t window = nova_sel_alloc(NOVA_PARENT_SERVICE_ORDER);

        if (window == NOVA_SEL_NONE)
                return ENOMEM;
        server->window = window;
        return 0;
}

void parent_reclaim(void)
{
        nova_mutex_lock(&novart_child_mutex);
        for (struct nova_child *child = novart_child_first; child; child = child->next)
                if (child->state == CHILD_ENDED)
                        novart_child_close(child);
        nova_mutex_unlock(&novart_child_mutex);
}

void parent_serve(nova_word_t cpu)
{
        now_on = cpu;
        parent_sent(cpu);
        nova_mutex_lock(&novart_child_mutex);
        novart_child_serve(&servers[cpu], cpu);
        nova_mutex_unlock(&novart_child_mutex);
        mark_answer(cpu);
        require(!servers[cpu].child && nova_utcb_typed(utcbs[cpu].items) < 1000);
}

static void make_information(void)
{
        information.hip.length = sizeof(information);
        information.hip.cpu_offset = offsetof(struct nova_hip, cpu);
        information.hip.cpu_size = sizeof(struct nova_hip_cpu);
        information.hip.mem_offset = sizeof(struct nova_hip);
        information.hip.mem_size = sizeof(struct nova_hip_mem);
        information.hip.features = NOVA_HIP_PCI;
        for (unsigned i = 0; i < PARENT_CPUS; i++)
                information.hip.cpu[i].flags = NOVA_CPU_ENABLED;
        information.all.mem[0] = (struct nova_hip_mem){0, PARENT_RAM, NOVA_MEM_AVAILABLE, 0};
        information.all.mem[1] = (struct nova_hip_mem){PARENT_BUS, 0x200000, NOVA_MEM_PCI, 0};
        information.all.mem[2] = (struct nova_hip_mem){0xfffc0000, 0x40000, NOVA_MEM_RESERVED, 0};
        nova_program.hip = &information.hip;
}

void parent_begin(void)
{
        make_information();
        parent_begin_kernel();
        memset(page_orders, 0, sizeof(page_orders));
        memset(owner, 0, sizeof(owner));
        memset(servers, 0, sizeof(servers));
        memset(requests, 0, sizeof(requests));
        turn = NOVA_SEL_NONE;
        views = 0;
        now_on = 0;
        time_ns = 0;
        for (unsigned i = 0; i < PARENT_CPUS; i++) {
                servers[i].request = &requests[i];
                servers[i].utcb = &utcbs[i];
                require(!novart_child_server_renew_window(&servers[i]));
        }
}

void parent_end(unsigned selectors, unsigned pages)
{
        unsigned left = 0;

        for (unsigned i = 0; i < PAGES; i++)
                left += owner[i] != NULL;
        require(left == pages && !locks && !views && !novart_child_first);
        require(nova_sel_used() == PARENT_CPUS + selectors + (turn != NOVA_SEL_NONE));
}
