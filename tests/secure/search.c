/* SPDX-License-Identifier: BSD-2-Clause */
/* The monitor of the example secure-linux with some functions replaced. It looks for the guest's
 * secrets in each buffer of a virtio request. When the guest has ended, it looks in its own view of
 * the guest's memory, in all other memory of its own, and on the disk that the guest has written.
 * When the guest reports on its console that its memory is full of a marker, the monitor looks for
 * the marker while the guest waits, and once more when the ultravisor has written it to all secure
 * pages. It looks again when the guest writes the marker to the console, by a shared page. It has
 * an entropy device, which the guest must not use. The devices answer wrongly when the guest
 * requests an attack (attack.c). */
#include "search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attack.h"
#include "novavmm/virtio_random.h"

static const uint8_t *disk;
static size_t disk_bytes;
static const struct nova_guest_memory *guest_memory;

/* Buffers of the disk and of the console, from the guest and to it. */
static struct search_stream stream[2][2];
static bool (*usual_serve)(struct nova_virtio *virtio, uint32_t *written);

void search_block_init(struct nova_virtio_block *block, const struct nova_guest_memory *memory,
                       void *data, size_t bytes, bool read_only)
{
        disk = data;
        disk_bytes = bytes;
        nova_virtio_block_init(block, memory, data, bytes, read_only);
}

static size_t known_bytes(void *context, void *to, size_t bytes)
{
        (void)context;
        memset(to, 0, bytes);
        return bytes;
}

/* Adds the console, and also an entropy device, whose bytes this monitor knows. */
int search_add_console(struct nova_pc *pc, unsigned slot)
{
        static struct nova_virtio_random entropy;
        const int error = nova_pc_add_console(pc, slot);

        nova_virtio_random_init(&entropy, &pc->vm->memory, known_bytes, NULL);
        return error ? error : nova_pc_add_virtio(pc, 3, &entropy.virtio);
}

/* Scans when the guest has written a text to its console that asks for a scan, once for each such
 * text. */
static void scan(enum search_text text)
{
        static bool scanned[SEARCH_TEXTS + 1];

        if (scanned[text])
                return;
        scanned[text] = true;
        if (text == SEARCH_MARKED) {
                search_scan("of a full guest", guest_memory);
                search_scan_all(guest_memory);
        } else if (text == SEARCH_MARKER) {
                search_scan("of a shared page", guest_memory);
        }
}

/* Looks at the pieces of the current chain that the guest has written, or, with @p to_guest, at
 * those that the guest will read. */
static void look(struct nova_virtio *virtio, bool to_guest, uint64_t bytes)
{
        const struct nova_virtio_chain *const chain = &virtio->chain;
        const bool is_console = virtio->kind->kind == NOVA_VIRTIO_CONSOLE;
        const unsigned end = to_guest ? chain->pieces : chain->readable;

        guest_memory = virtio->memory;
        for (unsigned i = to_guest ? chain->readable : 0; i < end; i++)
                for (uint32_t at = 0; at < chain->piece[i].bytes && bytes; at++, bytes--) {
                        const enum search_text text = search_pass(&stream[is_console][to_guest],
                                                                  chain->piece[i].data[at]);

                        if (!is_console || to_guest)
                                continue;
                        scan(text);
                        attack_hear(chain->piece[i].data[at]);
                }
}

static bool look_and_serve(struct nova_virtio *virtio, uint32_t *written)
{
        const bool is_console = virtio->kind->kind == NOVA_VIRTIO_CONSOLE;
        static bool put_back; /* the console will serve the rest of a chain at which look() has
                               * looked */
        bool done;

        if (!is_console || !put_back)
                look(virtio, false, UINT64_MAX);
        done = usual_serve(virtio, written);
        put_back = is_console ? !done : put_back;
        if (done)
                look(virtio, true, *written);
        return done;
}

/* NOLINTBEGIN(bugprone-reserved-identifier): names that the linker prescribes */
void __wrap_nova_virtio_serve(struct nova_virtio *virtio, unsigned number,
                              bool (*serve)(struct nova_virtio *virtio, uint32_t *written))
{
        const uint16_t before = virtio->queue[number].given;

        usual_serve = serve;
        __real_nova_virtio_serve(virtio, number, look_and_serve);
        attack_change(virtio, number, before);
}

/* Called for input of the console: the other devices use nova_virtio_serve(). */
void __wrap_nova_virtio_give(struct nova_virtio *virtio, unsigned number, uint32_t written)
{
        look(virtio, true, written);
        __real_nova_virtio_give(virtio, number, written);
}
/* NOLINTEND(bugprone-reserved-identifier) */

static unsigned passed(unsigned device, enum search_text text)
{
        return stream[device][0].found.of[text] + stream[device][1].found.of[text];
}

static void report(const struct nova_vm *vm)
{
        static const char *const names[] = {"header", "phrase", "text"};
        struct search_found in_memory = {{0}}, in_own = {{0}}, on_disk = {{0}};
        const unsigned pages = search_own(&in_own, &vm->memory);

        search_count(&in_memory, nova_guest_pointer(&vm->memory, 0, vm->memory.bytes),
                     vm->memory.bytes);
        search_count(&on_disk, disk, disk_bytes);
        for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
                printf("%s: %u times in the memory, %u times in the monitor's other pages, %u "
                       "times "
                       "on the disk, %u times in the disk's requests, %u in the console's.\n",
                       names[i], in_memory.of[i], in_own.of[i], on_disk.of[i], passed(0, i),
                       passed(1, i));
        printf("The monitor has %u other pages.\n", pages);
        for (unsigned i = 0; i < 2; i++)
                printf("requests of the %s: %llu bytes from the guest, %llu bytes to it.\n",
                       i ? "console" : "disk", (unsigned long long)stream[i][0].bytes,
                       (unsigned long long)stream[i][1].bytes);
        printf("pages: %llu moved out, %llu came back.\n",
               (unsigned long long)vm->secure->pages_out,
               (unsigned long long)vm->secure->pages_returned);
        attack_report();
}

enum nova_vm_end search_wait(struct nova_vm *vm)
{
        const enum nova_vm_end end = nova_vm_wait(vm);

        report(vm);
        return end;
}
