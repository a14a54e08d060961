/* SPDX-License-Identifier: BSD-2-Clause */
/* Screen 5: a page fault becomes a message, and the reply delegates the memory. */
#include "tour.h"

#define REGION 0x60000000 /* nothing is mapped here at first */
#define PAGES  4

/* The page faults that the pager served; the screen prints them afterwards. */
static struct {
        nova_word_t ip, addr, code, page;
} fault[PAGES];

static unsigned faults;
static nova_sel_t events, done;
static void *memory[PAGES];
static nova_word_t sum;

static nova_sel_t page_of(const void *address)
{
        return NOVA_ADDRESS(address) >> NOVA_PAGE_BITS;
}

/* Serves STARTUP and page faults of the thread below. */
static void serve_events(nova_sel_t portal, struct nova_utcb *utcb, void *argument)
{
        const nova_word_t addr = (nova_word_t)utcb->state.qual[1];

        (void)argument;
        if (portal == events + NOVA_EXC_STARTUP) {
                thread_startup(utcb);
                return;
        }
        must_be("a page fault in the region",
                faults < PAGES && addr - REGION < (nova_word_t)PAGES * NOVA_PAGE_SIZE);

        const nova_sel_t page = page_of(memory[faults]);

        fault[faults].ip = utcb->state.ip;
        fault[faults].addr = addr;
        fault[faults].code = (nova_word_t)utcb->state.qual[0];
        fault[faults].page = page;
        faults++;
        nova_utcb_event_reply(utcb, 0);
        nova_utcb_delegate(utcb, nova_crd_mem(page, 0, NOVA_MEM_R | NOVA_MEM_W),
                           addr >> NOVA_PAGE_BITS, 0);
}

/* Writes to each page, then reads all of them. The code does not depend on the pager. */
static void use_region(void *argument)
{
        volatile nova_word_t *word = argument;

        for (unsigned i = 0; i < PAGES; i++)
                word[i * (NOVA_PAGE_SIZE / sizeof(*word)) + i] = i + 1;
        for (unsigned i = 0; i < PAGES; i++)
                sum += word[i * (NOVA_PAGE_SIZE / sizeof(*word)) + i];
        nova_sm_up(done);
}

void screen_pager(void)
{
        const struct server server = server_start(root.cpu, serve_events, NULL);
        struct thread thread = {.function = use_region, .argument = (void *)REGION, .prio = 2};

        title(5, "A page fault, served by a pager");
        say("A fault is a message to the portal at event base + 0xe. The portal's message\n"
            "transfer descriptor says which registers it carries; the reply delegates a\n"
            "page, and the instruction that failed runs again.\n\n");

        done = nova_root_sel(&root, 1);
        must("create_sm", nova_create_sm(done, NOVA_SEL_ROOT_PD, 0));
        for (unsigned i = 0; i < PAGES; i++) {
                memory[i] = nova_root_alloc(&root, 0);
                must_be("memory for the pager", memory[i]);
        }
        events = nova_root_sel(&root, NOVA_HIP_EXC);
        server_portal(&server, events + NOVA_EXC_STARTUP, 0);
        server_portal(&server, events + NOVA_EXC_PF, NOVA_MTD_EIP | NOVA_MTD_QUAL);
        thread.cpu = root.cpu;
        thread.event_base = events;
        thread_start(&thread);
        must("down", nova_sm_down(done));

        say("    event  instruction  address   error code     page given\n");
        for (unsigned i = 0; i < faults; i++)
                say("    %-5s  %11zx  %8zx  %zu (%s)%*s  %10zx\n", nova_exception_name(NOVA_EXC_PF),
                    (size_t)fault[i].ip, (size_t)fault[i].addr, (size_t)fault[i].code,
                    fault[i].code & 2 ? "write" : "read", fault[i].code & 2 ? 3 : 4, "",
                    (size_t)fault[i].page << NOVA_PAGE_BITS);
        must_be("one fault per page and the right sum", faults == PAGES && sum == 10);
        say("\n    The thread wrote 1 to 4 into four pages that it did not have, and read\n"
            "    them back: their sum is %zu.\n",
            (size_t)sum);
}
