/* SPDX-License-Identifier: BSD-2-Clause */
/* The reads of main.c on Linux, without a library: pread() of a device opened with O_DIRECT, with
 * pauses and without, then IO_DEPTH reads in flight with io_submit(), then with io_uring. The
 * numbers of system calls, flags and offsets are those of Linux on x86-64. */
#include "io.h"
#include "linux_calls.h"

#include <stddef.h>
#include <stdint.h>

#define O_DIRECT        0x4000
#define URING_OP_READ   22
#define URING_GETEVENTS 1
#define URING_AT_SQ     0
#define URING_AT_CQ     0x8000000
#define URING_AT_SQES   0x10000000

/* io_submit()'s request and event. */
struct request {
        uint64_t data;
        uint32_t key, flags;
        uint16_t opcode, priority;
        uint32_t file;
        uint64_t buffer, bytes;
        int64_t offset;
        uint64_t reserved;
        uint32_t more_flags, event_file;
};

struct event {
        uint64_t data, object;
        int64_t result, result2;
};

struct offsets {
        uint32_t head, tail, mask, entries, flags, dropped, array, reserved;
        uint64_t more;
};

struct setup {
        uint32_t sq_entries, cq_entries, flags, cpu, idle, features, wq, reserved[3];
        struct offsets sq, cq;
};

struct submission {
        uint8_t opcode, flags;
        uint16_t priority;
        int32_t file;
        uint64_t offset, buffer;
        uint32_t bytes, op_flags;
        uint64_t data;
        uint64_t more[3];
};

struct completion {
        uint64_t data;
        int32_t result;
        uint32_t flags;
};

static char pool[IO_DEPTH * IO_BYTES] __attribute__((aligned(IO_BYTES)));
static uint64_t next; /* block of the next read */
static long file;

static uint64_t next_offset(void)
{
        const uint64_t offset = next * IO_BYTES;

        next = (next + IO_STEP) % IO_BLOCKS;
        return offset;
}

static void read_alone(void)
{
        if (call6(SYS_PREAD, file, (long)pool, IO_BYTES, (long)next_offset(), 0, 0) != IO_BYTES)
                end("pread failed\n");
}

static void count_alone(void)
{
        for (unsigned i = 0; i < IO_WARM; i++)
                read_alone();
        for (unsigned i = 0; i < IO_ALONE; i++) {
                pause_ms(1);
                IO_MARK(IO_OP_ALONE);
                read_alone();
                IO_MARK(IO_OP_NONE);
        }
}

static void count_row(void)
{
        IO_MARK(IO_OP_ROW);
        for (unsigned i = 0; i < IO_MANY; i++)
                read_alone();
        IO_MARK(IO_OP_NONE);
}

/* ---- io_submit() ----------------------------------------------------------------------------- */

static uint64_t context;

static void submit(const uint64_t *places, unsigned count)
{
        static struct request requests[IO_DEPTH];
        struct request *list[IO_DEPTH];

        for (unsigned i = 0; i < count; i++) {
                struct request *request = &requests[places[i]];

                *request = (struct request){.data = places[i],
                                            .file = (uint32_t)file,
                                            .buffer = (uint64_t)(pool + places[i] * IO_BYTES),
                                            .bytes = IO_BYTES,
                                            .offset = (int64_t)next_offset()};
                list[i] = request;
        }
        if (call6(SYS_IO_SUBMIT, (long)context, count, (long)list, 0, 0, 0) != (long)count)
                end("io_submit failed\n");
}

static unsigned take(uint64_t *places)
{
        static struct event events[IO_DEPTH];
        const long count = call6(SYS_IO_GETEVENTS, (long)context, 1, IO_DEPTH, (long)events, 0, 0);

        if (count < 1)
                end("io_getevents failed\n");
        for (long i = 0; i < count; i++) {
                if (events[i].result != IO_BYTES)
                        end("a read failed\n");
                places[i] = events[i].data;
        }
        return (unsigned)count;
}

/* ---- io_uring -------------------------------------------------------------------------------- */

static struct setup setup;
static char *sq, *cq;
static struct submission *entries;
static long ring;

static uint32_t *word(char *base, uint32_t offset)
{
        return (uint32_t *)(base + offset);
}

static char *map(long offset)
{
        const long address = call6(SYS_MMAP, 0, 1 << 16, 3, 1, ring, offset);

        return address < 0 && address > -4096 ? NULL : (char *)address;
}

static void uring_open(void)
{
        ring = call6(SYS_URING_SETUP, IO_DEPTH, (long)&setup, 0, 0, 0, 0);
        if (ring < 0)
                end("io_uring_setup failed\n");
        sq = map(URING_AT_SQ);
        cq = map(URING_AT_CQ);
        entries = (struct submission *)map(URING_AT_SQES);
        if (!sq || !cq || !entries)
                end("mmap failed\n");
}

/* Submits, and waits for a completion in the same call. */
static void uring_submit(const uint64_t *places, unsigned count)
{
        const uint32_t mask = *word(sq, setup.sq.mask);
        uint32_t tail = *word(sq, setup.sq.tail);

        for (unsigned i = 0; i < count; i++, tail++) {
                entries[tail & mask] =
                        (struct submission){.opcode = URING_OP_READ,
                                            .file = (int32_t)file,
                                            .offset = next_offset(),
                                            .buffer = (uint64_t)(pool + places[i] * IO_BYTES),
                                            .bytes = IO_BYTES,
                                            .data = places[i]};
                word(sq, setup.sq.array)[tail & mask] = tail & mask;
        }
        __atomic_store_n(word(sq, setup.sq.tail), tail, __ATOMIC_RELEASE);
        if (call6(SYS_URING_ENTER, ring, count, 1, URING_GETEVENTS, 0, 0) != (long)count)
                end("io_uring_enter failed\n");
}

static unsigned uring_take(uint64_t *places)
{
        const uint32_t mask = *word(cq, setup.cq.mask);
        uint32_t head = *word(cq, setup.cq.head);
        unsigned count = 0;

        if (head == __atomic_load_n(word(cq, setup.cq.tail), __ATOMIC_ACQUIRE) &&
            call6(SYS_URING_ENTER, ring, 0, 1, URING_GETEVENTS, 0, 0) < 0)
                end("io_uring_enter failed\n");
        while (head != __atomic_load_n(word(cq, setup.cq.tail), __ATOMIC_ACQUIRE)) {
                /* For cq, Linux stores the offset of the entries where sq has `dropped`. */
                const struct completion *completion =
                        (struct completion *)(cq + setup.cq.dropped) + (head++ & mask);

                if (completion->result != IO_BYTES)
                        end("a read failed\n");
                places[count++] = completion->data;
        }
        __atomic_store_n(word(cq, setup.cq.head), head, __ATOMIC_RELEASE);
        return count;
}

static void read_many(unsigned total, void (*start)(const uint64_t *, unsigned),
                      unsigned (*await)(uint64_t *))
{
        uint64_t places[2 * IO_DEPTH];
        unsigned started = IO_DEPTH, ended = 0;

        for (unsigned i = 0; i < IO_DEPTH; i++)
                places[i] = i;
        start(places, IO_DEPTH);
        while (ended < total) {
                const unsigned count = await(places);
                const unsigned more = count < total - started ? count : total - started;

                ended += count;
                started += more;
                if (more)
                        start(places, more);
        }
}

static void run(void)
{
        file = call6(SYS_OPEN, (long)"/dev/vda", O_DIRECT, 0, 0, 0, 0);
        if (file < 0)
                end("/dev/vda cannot be opened\n");
        count_alone();
        count_row();
        if (call6(SYS_IO_SETUP, IO_DEPTH, (long)&context, 0, 0, 0, 0))
                end("io_setup failed\n");
        read_many(IO_WARM, submit, take);
        IO_MARK(IO_OP_MANY);
        read_many(IO_MANY, submit, take);
        IO_MARK(IO_OP_NONE);
        uring_open();
        read_many(IO_WARM, uring_submit, uring_take);
        IO_MARK(IO_OP_URING);
        read_many(IO_MANY, uring_submit, uring_take);
        IO_MARK(IO_OP_NONE);
        end("clients that have read: 1\n");
}

__asm__(".globl _start\n_start: and $-16, %rsp\n call run_from_start\n");

void run_from_start(void);

void run_from_start(void)
{
        run();
}
