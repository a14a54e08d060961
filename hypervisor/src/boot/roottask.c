/* SPDX-License-Identifier: BSD-2-Clause */
/* The roottask (see roottask.h). Segments are mapped in place, from the module. A segment that
 * cannot be mapped in place (BSS, unaligned offset, shared pages) is copied. The image is not
 * trusted. */
#include "boot/roottask.h"

#include "arch/x86/boot_paging.h"
#include "arch/x86/insn.h"
#include "arch/x86/resume.h"
#include "boot/boot.h"
#include "boot/boot_info.h"
#include "boot/elf.h"
#include "firmware/memory_map.h"
#include "lib/stop.h"
#include "lib/string.h"
#include "memory/frame.h"
#include "nova/abi/hip.h"
#include "object/ec.h"
#include "object/pd.h"
#include "object/report.h"
#include "object/sc.h"
#include "sched/cpu.h"
#include "thread.h"

#define RUNS_MAX   (PAGE_SIZE / sizeof(struct run))
#define COPY_CHUNK 0x100000 /* bytes that are mapped at a time */

#define ROOT_PRIO       1
#define ROOT_QUANTUM_US 10000

/* Consecutive pages with equal permissions. */
struct run {
        word_t page, frame, count;
        unsigned perms;
        bool in_place;
};

static struct run *runs; /* in one frame */
static unsigned run_count;
static word_t entry;

static void roottask_add_run(const struct run *run)
{
        struct run *last = run_count ? &runs[run_count - 1] : NULL;

        if (last && last->in_place == run->in_place && last->perms == run->perms &&
            last->page + last->count == run->page && last->frame + last->count == run->frame) {
                last->count += run->count;
                return;
        }
        if (!runs || run_count == RUNS_MAX)
                kernel_stop("the roottask has more than %u ranges of pages", (unsigned)RUNS_MAX);
        runs[run_count++] = *run;
}

static bool roottask_can_map_in_place(const struct elf_segment *segment)
{
        return !((boot_roottask.start | (segment->offset ^ segment->address)) & (PAGE_SIZE - 1)) &&
               segment->file_size == segment->memory_size;
}

/* Copies a segment's file part to the memory of its group, a chunk at a time. */
static void roottask_copy_segment(const struct elf_segment *segment, paddr_t to)
{
        for (uint64_t done = 0; done < segment->file_size;) {
                const uint64_t left = segment->file_size - done;
                const size_t size = (size_t)(left < COPY_CHUNK ? left : COPY_CHUNK);
                const void *source =
                        boot_map(0, boot_roottask.start + segment->offset + done, size);
                memcpy(boot_map(1, to + done, size), source, size);
                done += size;
        }
}

static void roottask_clear(paddr_t at, uint64_t size)
{
        for (uint64_t done = 0; done < size;) {
                const uint64_t left = size - done;
                const size_t part = (size_t)(left < COPY_CHUNK ? left : COPY_CHUNK);
                memset(boot_map(1, at + done, part), 0, part);
                done += part;
        }
}

/* Copies the segments `first` to `last`, which share pages, to newly reserved memory. */
static void roottask_load_copy(const struct elf_segment *segments, unsigned first, unsigned last)
{
        const word_t page = segments[first].address >> PAGE_BITS;
        const word_t end = elf_segment_end_page(&segments[last]);
        const uint64_t size = (uint64_t)(end - page) << PAGE_BITS;
        const paddr_t memory = boot_reserve(size);

        if (!memory)
                kernel_stop("the roottask needs %lu KiB more memory than there is",
                            (unsigned long)(size >> 10));
        roottask_clear(memory, size);
        for (unsigned i = first; i <= last; i++)
                roottask_copy_segment(&segments[i],
                                      memory + (segments[i].address - (page << PAGE_BITS)));
        unsigned from = first;
        for (word_t at = page; at < end; at++) {
                struct run run = {.page = at, .count = 1, .perms = 0, .in_place = false};
                run.frame = (word_t)(memory >> PAGE_BITS) + (at - page);
                while (elf_segment_end_page(&segments[from]) <= at)
                        from++;
                for (unsigned i = from; i <= last && segments[i].address >> PAGE_BITS <= at; i++)
                        run.perms |= segments[i].perms;
                roottask_add_run(&run);
        }
}

/* Reads the image's headers. Maps more of the image only if they do not lie at its beginning. */
static const char *roottask_read(struct elf_segment *segments, unsigned *count)
{
        const uint64_t size = boot_roottask.size;
        const uint64_t usual = size < ELF_HEAD_USUAL ? size : ELF_HEAD_USUAL;
        const void *image = boot_map(0, boot_roottask.start, usual);
        uint64_t head = elf_head(image, usual);

        if (head > size)
                head = usual;
        if (head > usual)
                image = boot_map(0, boot_roottask.start, head);
        return elf_read(image, head, size, NOVA_ROOT_UTCB, segments, count, &entry);
}

void roottask_load(void)
{
        struct elf_segment segments[ELF_SEGMENTS_MAX];
        unsigned count;

        runs = frame_alloc();
        if (!runs)
                kernel_stop("the kernel pool is too small: enlarge it with kmem=");
        if (!boot_roottask.size)
                kernel_stop("no roottask was given: the first boot module must be one");

        const char *error = roottask_read(segments, &count);
        if (error)
                kernel_stop("the roottask %s", error);

        for (unsigned first = 0, last; first < count; first = last + 1) {
                for (last = first; last + 1 < count; last++)
                        if (segments[last + 1].address >> PAGE_BITS >=
                            elf_segment_end_page(&segments[last]))
                                break;
                const struct elf_segment *segment = &segments[first];
                if (first == last && roottask_can_map_in_place(segment)) {
                        const struct run run = {
                                .page = segment->address >> PAGE_BITS,
                                .frame = (word_t)((boot_roottask.start + segment->offset) >>
                                                  PAGE_BITS),
                                .count = elf_segment_end_page(segment) -
                                         (segment->address >> PAGE_BITS),
                                .perms = segment->perms,
                                .in_place = true,
                        };
                        roottask_add_run(&run);
                } else {
                        roottask_load_copy(segments, first, last);
                }
        }
        boot_unmap();
}

/* Maps a run into the root PD. If the run is in place, its mapping is derived from kernel_pd's
 * memory. */
static enum nova_status roottask_map_run(struct pd *pd, const struct run *run)
{
        if (!run->in_place)
                return mapping_insert(&pd->memory.space, run->page, run->count, run->frame,
                                      run->perms);

        struct revocation revocation = {.owed_end = 0};
        struct delegation delegation = {
                .source = &kernel_pd.memory.space,
                .target = &pd->memory.space,
                .from = run->frame,
                .to = run->page,
                .count = run->count,
                .revocation = &revocation,
                .perms = (uint8_t)run->perms,
        };
        enum step_result step;
        do
                step = delegation_step(&delegation);
        while (step == STEP_AGAIN);
        return step == STEP_DONE ? NOVA_SUCCESS : NOVA_OUT_OF_MEMORY;
}

static enum nova_status roottask_map_all(struct pd *pd)
{
        const word_t hip = (word_t)(pool_to_phys(boot_hip) >> PAGE_BITS);
        enum nova_status status =
                mapping_insert(&pd->memory.space, NOVA_ROOT_HIP >> PAGE_BITS, 1, hip, NOVA_MEM_R);

        for (unsigned i = 0; i < run_count && status == NOVA_SUCCESS; i++)
                status = roottask_map_run(pd, &runs[i]);
        return status;
}

static enum nova_status roottask_create(struct cpu *cpu, struct sc **sc)
{
        struct pd *pd;
        struct ec *ec;
        enum nova_status status = pd_create(&kernel_pd, &account_root, 0, &pd);

        if (status == NOVA_SUCCESS)
                status = object_space_insert(&pd->object_space, NOVA_SEL_ROOT_PD, &pd->object,
                                             NOVA_PERM_ALL);
        if (status == NOVA_SUCCESS)
                status = roottask_map_all(pd);
        if (status != NOVA_SUCCESS)
                return status;

        pd->is_root = true;
        const struct ec_config config = {
                .pd = pd,
                .account = pd->account,
                .kind = EC_GLOBAL,
                .cpu = cpu,
                .utcb_page = NOVA_ROOT_UTCB >> PAGE_BITS,
                .sp = NOVA_ROOT_HIP,
                .start = resume_interrupted,
        };
        status = ec_create(&config, &ec);
        if (status == NOVA_SUCCESS)
                status = object_space_insert(&pd->object_space, NOVA_SEL_ROOT_EC, &ec->object,
                                             NOVA_PERM_ALL);
        if (status != NOVA_SUCCESS)
                return status;
        report_root_ec = ec;
        thread_init_root(ec, entry, cpu->id);
        status = sc_create(&account_root, ec, ROOT_PRIO, ROOT_QUANTUM_US, sc);
        if (status == NOVA_SUCCESS)
                status = object_space_insert(&pd->object_space, NOVA_SEL_ROOT_SC, &(*sc)->object,
                                             NOVA_PERM_ALL);
        return status;
}

void roottask_start(struct cpu *cpu)
{
        struct sc *sc;

        account_root.limit = account_root.used + (frame_count_free() << PAGE_BITS);
        if (roottask_create(cpu, &sc) != NOVA_SUCCESS)
                kernel_stop("the kernel pool is too small for the roottask: enlarge it with kmem=");
        boot_info.boot.tsc_root = rdtsc();
        sc_start(sc);
        frame_free(runs);
}
