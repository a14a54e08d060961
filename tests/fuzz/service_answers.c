/* SPDX-License-Identifier: BSD-2-Clause */
/* Answers of hostile services to the libraries of their clients: log, timer, memory, names, power,
 * pci, disk, ultravisor. A library returns 0 or an errno value. If it returns 0, the results came
 * with the answer and are within the limits that its header promises. It writes only the client's
 * buffers, whose ends the sanitizer watches, and gives back addresses and selectors that it has
 * reserved. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "answers.h"
#include "nova/crd.h"
#include "novart/program.h"
#include "novart/region.h"
#include "novart/service/disk.h"
#include "novart/service/log.h"
#include "novart/service/memory.h"
#include "novart/service/names.h"
#include "novart/service/pci.h"
#include "novart/service/power.h"
#include "novart/service/timer.h"
#include "novart/service/ultravisor.h"
#include "novart/time.h"
#include "service/client.h"

#define MEMORY_TRIES 100 /* calls of nova_memory_alloc() at most: it repeats after EAGAIN */
#define PORTALS      0x100u
#define WINDOW       0x200u /* first selector for capabilities that the service `names` gives */
#define CANARY       0x5a5a5a5a5a5a5a5au
#define MAX          2048u
#define WORDS        NOVA_WORDS_OF(sizeof(struct nova_pci_function))

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct nova_program nova_program;

static struct nova_session session = {.portals = PORTALS, .cpus = 1};
static bool opened;
static char shared[2 * NOVA_PAGE_SIZE] __attribute__((aligned(2 * NOVA_PAGE_SIZE)));
static unsigned lent; /* bit n: the service may have page n of `shared` */
static char *region;
static size_t region_bytes;

/* Returns the bits of the pages of `shared` in a range. */
static unsigned pages_of(nova_crd_t crd)
{
        const nova_word_t first = nova_crd_base(crd) - ((nova_word_t)shared >> NOVA_PAGE_BITS);
        const nova_word_t count = nova_crd_count(crd);

        require(nova_crd_type(crd) == NOVA_CRD_MEM && first < 2 && count <= 2 - first);
        return ((1u << count) - 1) << first;
}

/* Records the pages that the service gets with the call, before its code runs. */
static void lend(const struct nova_utcb *utcb)
{
        struct nova_item item;

        for (unsigned i = 0; nova_utcb_get_item(utcb, i, &item); i++)
                if (nova_item_is_delegate(item))
                        lent |= pages_of(item.crd);
}

/* Checks that a message fits into the UTCB, and that its window is a range that the client has
 * reserved. */
void answers_check_call(nova_sel_t portal, const struct nova_utcb *utcb)
{
        const nova_crd_t window = utcb->delegate_window;

        if (portal == PORTALS + 1) {
                lend(utcb);
                return;
        }
        require(portal == PORTALS && opened && !utcb->translate_window);
        require(nova_utcb_untyped(utcb->items) == nova_utcb_word_count(utcb));
        if (nova_crd_type(window) == NOVA_CRD_MEM)
                require(nova_crd_base(window) << NOVA_PAGE_BITS == (nova_word_t)region &&
                        nova_crd_count(window) << NOVA_PAGE_BITS == region_bytes &&
                        !(nova_crd_perms(window) & NOVA_MEM_X));
        else
                require(!window || nova_crd_base(window) == WINDOW);
}

void answers_check_lookup(nova_crd_t crd)
{
        const nova_word_t base = nova_crd_base(crd);

        if (nova_crd_type(crd) == NOVA_CRD_MEM)
                require((base << NOVA_PAGE_BITS) - (nova_word_t)region < region_bytes);
        else
                require(base - WINDOW < 16);
}

void answers_check_revoke(nova_crd_t crd, bool own)
{
        require(!own);
        lent &= ~pages_of(crd);
}

/* Substitutes for the rest of the runtime. */
void nova_sleep(uint64_t ns)
{
        (void)ns;
}

int nova_session_open(struct nova_session **to, const char *service, const char *arguments)
{
        (void)service, (void)arguments;
        if (answers_take() >= 0xf8)
                return ENOENT;
        require(!opened);
        opened = true;
        *to = &session;
        return 0;
}

void nova_session_close(struct nova_session *of)
{
        require(of == &session && opened);
        opened = false;
}

int nova_session_enable_notify(struct nova_session *of)
{
        require(of == &session && opened);
        return answers_take() >= 0xf8 ? ENOMEM : 0;
}

int nova_session_wait(struct nova_session *of, uint64_t deadline)
{
        (void)deadline;
        require(of == &session && opened);
        return answers_has_input() && answers_take() < 0xf0 ? 0 : ETIMEDOUT;
}

int novart_client_wait_again(struct nova_session *of, uint64_t deadline)
{
        return nova_session_wait(of, deadline);
}

uint64_t nova_tsc_of_ns(uint64_t ns)
{
        return ns;
}

int novart_client_call_async(const struct client_call *call, uint64_t deadline, bool *left)
{
        (void)call, (void)deadline, (void)left;
        require(false);
        return EIO;
}

void *nova_region_reserve(size_t bytes)
{
        require(!region);
        if (answers_take() >= 0xf8)
                return NULL;
        region_bytes = bytes;
        return region = aligned_alloc(bytes, bytes);
}

int nova_region_free(void *of)
{
        require(of && of == region);
        free(region);
        region = NULL;
        return 0;
}

/* Libraries. Each function makes a call and checks its results. */
static int check(int error)
{
        require(error >= 0);
        require(!answers_utcb.delegate_window && !answers_utcb.items);
        return error;
}

static void use_log(struct nova_session *log)
{
        const size_t max = answers_take_word() % MAX;
        char *const text = malloc(max ? max : 1);
        size_t bytes = 0;

        memset(text, 'x', max);
        check(nova_log_write(log, text, max));
        if (!check(nova_log_read_line(log, text, max, &bytes, 1)))
                require(bytes <= max);
        free(text);
}

static void use_timer(struct nova_session *timer)
{
        unsigned count = 0;

        check(nova_timer_arm(timer, answers_take_word(), answers_take_word()));
        check(nova_timer_cancel(timer));
        if (!check(nova_timer_wait(timer, &count, 1)))
                require(count);
}

static void use_memory(struct nova_session *of)
{
        struct nova_memory memory = {.number = CANARY};
        size_t used, quota;
        const unsigned calls = answers_calls;
        const int error = check(nova_memory_alloc(of, answers_take_word(), &memory));

        if (!error) {
                require(memory.address == region && region_bytes == memory.bytes);
                require(memory.number != CANARY || answers_first[0] == CANARY);
                require(calls < answers_calls && answers_calls - calls <= MEMORY_TRIES);
                check(nova_memory_free(of, &memory));
        }
        require(!region);
        if (!check(nova_memory_query(of, &used, &quota)))
                require(used == answers_first[0] && quota == answers_first[1]);
}

static void use_names(struct nova_session *names)
{
        char name[NOVA_SERVICE_NAME_SIZE + 2] = {0};
        const nova_crd_t window = nova_crd_obj(WINDOW, answers_take() % 5, NOVA_PERM_ALL);

        memset(name, 'n', answers_take() % sizeof(name));
        name[sizeof(name) - 1] = 0;
        check(nova_names_publish(names, name, nova_crd_obj(1, 0, NOVA_PERM_ALL)));
        check(nova_names_withdraw(names, name));
        check(nova_names_lookup(names, name, window, answers_take() & 1));
        check(nova_power_reset(names));
        check(nova_power_off(names));
}

static void use_pci(struct nova_session *pci)
{
        struct nova_pci_function *const function = malloc(sizeof(*function));
        uint32_t value = 0;

        if (!check(nova_pci_stat(pci, answers_take(), function)))
                require(!memcmp(function, answers_first, sizeof(answers_first)));
        if (!check(nova_pci_read(pci, answers_take(), 0, 4, &value)))
                require(value == (uint32_t)answers_first[0]);
        free(function);
}

static void use_disk(struct nova_session *disk)
{
        struct nova_disk_file *const file = calloc(1, sizeof(*file));
        const size_t max = answers_take_word() % MAX;
        char *const to = malloc(max ? max : 1);
        size_t bytes = 0;

        if (!check(nova_disk_find(disk, "a/path", file)))
                require(!strcmp(file->path, "a/path") && file->number == answers_first[0] &&
                        file->size == answers_first[1]);
        if (!check(nova_disk_stat(disk, 3, file)))
                require(strlen(file->path) < NOVA_DISK_PATH_SIZE && file->size == answers_first[0]);
        check(nova_disk_read(disk, file, answers_take_word(), to, max, &bytes));
        require(bytes <= max);
        if (!check(nova_disk_fetch(disk, file, 0, 0, max, &bytes)))
                require(bytes <= max && bytes == answers_first[0]);
        free(to);
        free(file);
}

static void use_ultravisor(struct nova_session *of)
{
        const struct nova_uv uv = {.session = of, .lpid = 1};
        unsigned secure = 0, shared = 0;
        const unsigned calls = answers_calls;
        int status = nova_uv_call(&uv, answers_take(), 1, 2, 3, 4);

        require(status == (int)NOVA_U_FUNCTION ||
                (answers_calls == calls + 1 && status == (int)answers_first[0]));
        status = nova_uv_esm(&uv, 1, 2);
        require(status == (int)NOVA_U_FUNCTION || status == (int)answers_first[0]);
        nova_uv_state(&uv);
        if (!check(nova_uv_attributes(&uv, 1, &secure, &shared)))
                require(secure == (unsigned)answers_first[0] &&
                        shared == (unsigned)answers_first[1]);
        check(nova_uv_attach(&uv, 0, 0, 1));
        check(nova_uv_kick(&uv, 0));
        check(nova_uv_start(&uv, 1, 2));
        check(nova_uv_reset(&uv, 1));
}

/* Shares memory. If the service refuses the memory or does not answer, it must have no page of the
 * memory. */
static void use_share(struct nova_session *of)
{
        of->share_max = 2;
        require(!lent);
        if (check(nova_session_share(of, shared, 1 + answers_take() % 2)))
                require(!lent);
        if (answers_take() % 2)
                check(nova_session_unshare(of));
        novart_client_take_back(of);
        of->share = NULL;
        require(!lent);
}

static void use_library(uint8_t kind)
{
        static const struct {
                int (*open)(struct nova_session **to);
                void (*use)(struct nova_session *of);
        } libraries[] = {
                {nova_log_open, use_log},          {nova_timer_open, use_timer},
                {nova_memory_open, use_memory},    {nova_names_open, use_names},
                {nova_pci_open, use_pci},          {nova_disk_open, use_disk},
                {nova_power_open, use_ultravisor}, {nova_power_open, use_share},
        };
        const unsigned which = kind % (sizeof(libraries) / sizeof(*libraries));
        struct nova_session *of = NULL;
        const int error = libraries[which].open(&of);

        require(error >= 0 && opened == !error);
        if (error)
                return;
        libraries[which].use(of);
        nova_session_close(of);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        answers_begin(data, size);
        nova_program.cpus = 1;
        opened = false;
        while (answers_has_input())
                use_library(answers_take());
        require(!region && !opened);
        return 0;
}
