/* SPDX-License-Identifier: BSD-2-Clause */
/* The operations of the service `files`, with a file system that the test controls. */
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <gtest/gtest.h>

extern "C" {
#include "files/server.h"
#include "files/volume.h"
#include "novart/page.h"
#include "tests/fuzz/service.h"

/* Declared here, because cache.h has a function and a structure of one name. */
size_t cache_create(size_t bytes);

void *nova_page_alloc(unsigned order)
{
        return aligned_alloc(NOVA_PAGE_SIZE, (size_t)NOVA_PAGE_SIZE << order);
}

int volume_find(const struct volume *volume, const char *path, struct files_node **node)
{
        return volume->system->backend->lookup(nullptr, path, node);
}

int volume_find_parent(const struct volume *volume, const char *, struct files_node **folder,
                       char *)
{
        return volume->system->backend->lookup(nullptr, "", folder);
}
}

namespace
{

constexpr uint64_t BEFORE = 4 * NOVA_FILES_VIEW_BYTES;
enum { OPEN, CLOSE, READ, WRITE, MAKE = 9, VIEW = 14 };

/* A file whose next write fails and makes the file smaller, as if a gap before the written data did
 * not fit on the disk. */
uint64_t file_size;
bool file_damaged;
int release_error;
files_system file_system;
files_node file = {&file_system, 1};

int look_up(files_node *, const char *, files_node **node)
{
        *node = &file;
        return 0;
}

int release(files_node *)
{
        return release_error;
}

int create(files_node *, const char *, bool, files_node **node)
{
        *node = &file;
        return 0;
}

int stat(files_node *, files_about *about)
{
        *about = {};
        about->size = file_size;
        about->damaged = file_damaged;
        return 0;
}

int read(files_node *, uint64_t offset, void *to, size_t bytes, size_t *done)
{
        *done = offset >= file_size ? 0 : std::min<uint64_t>(bytes, file_size - offset);
        memset(to, 'd', *done);
        return 0;
}

int write(files_node *, uint64_t, const void *, size_t, size_t *done)
{
        *done = 0;
        file_size = 5;
        return ENOSPC;
}

files_backend backend()
{
        files_backend made = {};

        made.lookup = look_up;
        made.release = release;
        made.stat = stat;
        made.read = read;
        made.write = write;
        made.create = create;
        return made;
}

struct files_server_test : testing::Test {
        const files_backend functions = backend();
        struct volume volume = {};
        grant grants[2] = {};
        client_answer answer = {};

        void SetUp() override
        {
                file_size = BEFORE;
                file_damaged = false;
                release_error = 0;
                file_system.backend = &functions;
                volume.system = &file_system;
                grants[0].client = "client0";
                grants[1].client = "client1";
                grants[0].volume = grants[1].volume = &volume;
                ASSERT_NE(cache_create(8 * NOVA_FILES_VIEW_BYTES), 0U);
                ASSERT_EQ(files_service_start(grants, 2), 0);
                for (unsigned i = 0; i < 2; i++) {
                        nova_word_t words[2] = {NOVA_FILES_WRITABLE, 'f'};

                        ASSERT_EQ(client_open(i, "", 0), 0);
                        client_call(i, NOVA_OPERATION_FIRST + OPEN, words, 2, nullptr, &answer);
                        ASSERT_EQ(answer.error, 0);
                }
        }

        /* Calls READ, WRITE of a byte, or VIEW. @return the first word of the answer */
        nova_word_t call(unsigned client, unsigned operation, uint64_t place, nova_word_t word,
                         int error = 0)
        {
                const nova_word_t words[] = {0, place & UINT32_MAX, place >> 32, word, 'w'};

                client_call(client, NOVA_OPERATION_FIRST + operation, words,
                            operation == WRITE ? 5 : 4, nullptr, &answer);
                EXPECT_EQ(answer.error, error);
                return answer.word[0];
        }
};

TEST_F(files_server_test, a_damaged_file_opens_for_reading_only)
{
        file_damaged = true;
        for (const nova_word_t flags : {nova_word_t{0}, nova_word_t{NOVA_FILES_WRITABLE}}) {
                const nova_word_t words[2] = {flags, 'f'};

                client_call(0, NOVA_OPERATION_FIRST + OPEN, words, 2, nullptr, &answer);
                EXPECT_EQ(answer.error, flags ? EIO : 0);
        }
        client_end();
}

TEST_F(files_server_test, close_reports_that_changes_are_lost_and_ends_the_use)
{
        const nova_word_t number = 0;

        for (const int error : {EIO, EBADF}) {
                release_error = EIO;
                client_call(0, NOVA_OPERATION_FIRST + CLOSE, &number, 1, nullptr, &answer);
                EXPECT_EQ(answer.error, error);
        }
        client_end();
}

TEST_F(files_server_test, make_reports_that_the_new_folder_may_be_lost)
{
        const nova_word_t path = 'n';

        release_error = EIO;
        client_call(0, NOVA_OPERATION_FIRST + MAKE, &path, 1, nullptr, &answer);
        EXPECT_EQ(answer.error, EIO);
        client_end();
}

TEST_F(files_server_test, a_write_that_makes_the_file_smaller_removes_pieces_of_the_cache)
{
        const uint64_t place = BEFORE / 2;
        const nova_word_t number = call(1, VIEW, place, 0);

        EXPECT_NE(number, 0U);
        EXPECT_EQ(call(1, READ, place, 16), 16U);
        call(0, WRITE, BEFORE + NOVA_FILES_VIEW_BYTES, 1, ENOSPC);
        EXPECT_EQ(call(1, READ, place, 16), 0U);
        EXPECT_EQ(call(1, VIEW, place, number), 0U);
        EXPECT_EQ(call(1, VIEW, place, 0), 0U);
        client_end();
}

} // namespace
