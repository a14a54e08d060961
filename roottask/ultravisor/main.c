/* SPDX-License-Identifier: BSD-2-Clause */
/* The ultravisor: runs secure virtual machines for VMMs that must not read or change them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nova/hip.h"
#include "novart/page.h"
#include "novart/program.h"
#include "novart/random.h"
#include "novart/region.h"
#include "novart/thread.h"
#include "novavmm/memory.h"
#include "server.h"
#include "vm.h"

#define KIB         1024u
#define MIB         (1u << 20)
#define BLOCK_ORDER 9
#define ORDER_MAX   18
/* The program itself needs RESERVE_PAGES pages for threads and cryptography, and one in every
 * RESERVE_PART pages for the records of pages. */
#define RESERVE_PAGES 2048u
#define RESERVE_PART  16u

static int map_error; /* error of mapping the last block; 0: it was mapped */

/* Maps a block of the program's pages at the end of the secure memory, executable for guests. */
static bool add_block(uint8_t *base, size_t *bytes, unsigned order)
{
        void *const page = nova_page_alloc(order);

        if (!page)
                return false;
        map_error = nova_guest_memory_map(page, base + *bytes, order);
        if (map_error) {
                nova_page_free(page, order);
                return false;
        }
        *bytes += (size_t)NOVA_PAGE_SIZE << order;
        return true;
}

/* Returns the number of pages that the program itself needs if it has @p pages free ones. */
static size_t reserve_of(size_t pages)
{
        return RESERVE_PAGES + pages / RESERVE_PART;
}

/* Turns the program's pages into secure memory, except those that the program itself needs. */
static bool make_frames(void)
{
        const size_t pages = nova_page_free_count();
        const size_t reserve = reserve_of(pages);
        size_t room = NOVA_PAGE_SIZE, bytes = 0;
        unsigned order = ORDER_MAX;
        uint8_t *base;

        while (room < pages * NOVA_PAGE_SIZE)
                room *= 2;
        base = nova_region_reserve(room);
        if (!base)
                return false;
        nova_region_name(base, "secure memory");
        while (order >= BLOCK_ORDER) {
                if (nova_page_free_count() < reserve + ((size_t)1 << order) ||
                    !add_block(base, &bytes, order))
                        order--;
        }
        return bytes && frame_init(&memory_frames, base, (uint32_t)(bytes / NOVA_PAGE_SIZE));
}

static int refuse(const char *why)
{
        printf("It cannot start: %s.\n", why);
        return 1;
}

/* Says which resource vm_settle_init() lacks. */
static int refuse_settle(int error)
{
        return refuse(error == EAGAIN
                              ? "no selector is left: enlarge 'selectors' in its description"
                              : "no kernel memory is left: enlarge 'kernel-memory' in its "
                                "description");
}

/* If a resource is missing, the runtime has usually said which one. */
static int refuse_service(int error)
{
        if (error == ENOMEM)
                return refuse("its service lacks a resource; if no line above names it, enlarge "
                              "'kernel-memory' in its description");
        printf("It cannot start: its service does not start: %s.\n", strerror(error));
        return 1;
}

/* Says why there is no first block, and if pages are missing, how many the program needs. */
static int refuse_memory(void)
{
        const size_t pages = nova_page_free_count();
        size_t least = RESERVE_PAGES;

        if (map_error == EACCES)
                return refuse(
                        "executable guest memory needs 'grants children' without 'dma' in its "
                        "description");
        while (least < reserve_of(least) + (1u << BLOCK_ORDER))
                least++;
        if (pages >= least)
                return refuse("no kernel memory is left to map its secure memory: enlarge "
                              "'kernel-memory' in its description");
        printf("It cannot start: no block of 2 MiB is left for secure memory: %u KiB are free, "
               "and it needs %u KiB: enlarge 'memory' in its description.\n",
               (unsigned)(pages * (NOVA_PAGE_SIZE / KIB)),
               (unsigned)(least * (NOVA_PAGE_SIZE / KIB)));
        return 1;
}

/* Reads the number of the argument vmms=N, from 1 to VM_COUNT.
 * @return 0 for another argument, or for a number outside of that range */
static uint32_t vmms_of(const char *argument)
{
        static const char name[] = "vmms=";
        uint32_t vmms = 0;

        if (strncmp(argument, name, sizeof(name) - 1) != 0)
                return 0;
        argument += sizeof(name) - 1;
        for (; *argument >= '0' && *argument <= '9' && vmms <= VM_COUNT; argument++)
                vmms = vmms * 10 + (uint32_t)(*argument - '0');
        return *argument || vmms > VM_COUNT ? 0 : vmms;
}

/* Divides the memory as the program's argument says, if there is one.
 * @param[out] vmms number of shares; 0: the memory is not divided
 * @return NULL, or the reason of a refusal */
static const char *share(int argc, char **argv, uint32_t *vmms)
{
        static char why[128];

        *vmms = argc == 2 ? vmms_of(argv[1]) : 0;
        if (argc == 1)
                return NULL;
        if (!*vmms)
                return "its argument is neither 'disabled' nor vmms=N, the number of VMMs that "
                       "share its memory, from 1 to 8";
        if (vm_share(*vmms, SERVER_CLIENT_BYTES))
                return NULL;
        snprintf(why, sizeof(why),
                 "'kernel-memory' in its description is too small for vmms=%u: give it 3 MiB for "
                 "each VMM",
                 (unsigned)*vmms);
        return why;
}

static void announce(uint32_t vmms)
{
        const uint32_t frames = MIB / NOVA_PAGE_SIZE;

        printf("%u MiB of secure memory", (unsigned)(memory_frames.count / frames));
        if (vmms)
                printf(", %u MiB for each of %u VMM%s",
                       (unsigned)(memory_frames.count / vmms / frames), (unsigned)vmms,
                       vmms == 1 ? "" : "s");
        printf(".\n");
}

/* The argument 'disabled': guests stay normal. */
static int run_disabled(void)
{
        const int error = server_start_disabled(&vm_service);

        if (error)
                return refuse_service(error);
        printf("It is disabled: all guests stay normal.\n");
        nova_service_sleep();
}

int main(int argc, char **argv)
{
        const char *why;
        uint32_t vmms;
        int error;

        if (argc == 2 && !strcmp(argv[1], "disabled"))
                return run_disabled();
        nova_thread_commit_stacks(); /* VMMs may use up the kernel memory for lazy pages */
        if (sizeof(nova_word_t) < 8)
                return refuse("secure guests need the x86_64 kernel (--arch x86_64)");
        if (!(nova_program.hip->features & (NOVA_HIP_SVM | NOVA_HIP_VMX)))
                return refuse("this CPU cannot run guests (--cpu qemu64,+svm,+npt,+rdrand can)");
        if (!nova_random_available())
                return refuse("this CPU has no RDRAND, so keys could be guessed "
                              "(--cpu qemu64,+svm,+npt,+rdrand has it)");
        if (crypto_init(nova_random) != CRYPTO_OK)
                return refuse("the CPU returns no random numbers");
        if (!convert_read_key())
                return refuse("the module machine.key is missing or damaged: make one with 'nova "
                              "machine-key', and add it to the program's modules");
        if (!make_frames())
                return refuse_memory();
        error = vm_settle_init();
        if (error)
                return refuse_settle(error);
        why = share(argc, argv, &vmms);
        if (why)
                return refuse(why);
        announce(vmms);
        error = server_start();
        if (error)
                return refuse_service(error);
        nova_service_sleep();
}
