/* SPDX-License-Identifier: BSD-2-Clause */
/* The ultravisor: runs secure virtual machines for VMMs that must not read or change them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nova/hip.h"
#include "novart/page.h"
#include "novart/program.h"
#include "novart/random.h"
#include "novart/region.h"
#include "novavmm/memory.h"
#include "server.h"
#include "vm.h"

#define MIB           (1u << 20)
#define BLOCK_ORDER   9
#define ORDER_MAX     18
#define RESERVE_PAGES 2048u /* for the records of pages, threads and cryptography */

/* Maps a block of the program's pages at the end of the secure memory, executable for guests. */
static bool add_block(uint8_t *base, size_t *bytes, unsigned order)
{
        void *const page = nova_page_alloc(order);

        if (!page)
                return false;
        if (nova_guest_memory_map(page, base + *bytes, order)) {
                nova_page_free(page, order);
                return false;
        }
        *bytes += (size_t)NOVA_PAGE_SIZE << order;
        return true;
}

/* Makes secure memory of the program's pages, except those that the program itself needs. */
static bool make_frames(void)
{
        const size_t pages = nova_page_free_count();
        const size_t reserve = RESERVE_PAGES + pages / 16;
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

/* Reads the number of the argument vmms=N, from 1 to VM_COUNT.
 * @return 0: the argument is another one, or the number is not in that range */
static uint32_t vmms_of(const char *argument)
{
        static const char name[] = "vmms=";
        unsigned long vmms;
        char *end;

        if (strncmp(argument, name, sizeof(name) - 1) != 0)
                return 0;
        argument += sizeof(name) - 1;
        vmms = strtoul(argument, &end, 10);
        return end == argument || *end || vmms > VM_COUNT ? 0 : (uint32_t)vmms;
}

/* Divides the memory as the program's argument says, if there is one.
 * @return NULL, or the reason of a refusal */
static const char *share(int argc, char **argv)
{
        static char why[128];
        const uint32_t vmms = argc == 2 ? vmms_of(argv[1]) : 0;

        if (argc == 1)
                return NULL;
        if (!vmms)
                return "its argument is neither 'disabled' nor vmms=N, the number of VMMs that "
                       "share its memory, from 1 to 8";
        if (vm_share(vmms, SERVER_CLIENT_BYTES))
                return NULL;
        snprintf(why, sizeof(why),
                 "'kernel-memory' in its description is too small for vmms=%u: it needs more than "
                 "1 MiB for each VMM",
                 (unsigned)vmms);
        return why;
}

/* The argument 'disabled': guests stay normal. */
static int run_disabled(void)
{
        if (server_start_disabled(&vm_service))
                return refuse("its service does not start");
        printf("It is disabled: all guests stay normal.\n");
        nova_service_sleep();
}

int main(int argc, char **argv)
{
        const char *why;

        if (argc == 2 && !strcmp(argv[1], "disabled"))
                return run_disabled();
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
                return refuse(
                        "no block of 2 MiB is left for secure memory: enlarge 'memory' in its "
                        "description");
        why = share(argc, argv);
        if (why)
                return refuse(why);
        printf("%u MiB of secure memory.\n",
               (unsigned)(memory_frames.count / (MIB / NOVA_PAGE_SIZE)));
        if (server_start())
                return refuse("its service does not start");
        nova_service_sleep();
}
