/* SPDX-License-Identifier: BSD-2-Clause */
/* A disk in the host's memory for tests of file systems. It records writes and flushes, so a test
 * can make the disk that a loss of power leaves. */
#ifndef NOVA_TEST_FILES_DISK_H
#define NOVA_TEST_FILES_DISK_H

extern "C" {
#include "backend.h"
}

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

/* Runs a command. @return its status and output */
inline std::pair<int, std::string> run_command(const std::string &command)
{
        std::string text;
        std::array<char, 4096> part;
        FILE *pipe = popen((command + " 2>&1").c_str(), "r");
        size_t got;

        while ((got = fread(part.data(), 1, part.size(), pipe)) != 0)
                text.append(part.data(), got);
        return {pclose(pipe), text};
}

struct memory_disk {
        struct record {
                uint64_t offset;
                std::vector<uint8_t> bytes; /* empty: a flush */
        };

        files_disk disk = {};
        std::vector<uint8_t> bytes;
        std::vector<record> log;
        bool logging = false;
        bool flushes = true; /* flushes have an effect; false: as with a broken disk or server */
        long writes_left =
                -1; /* number of writes before the disk fails; -1: the disk never fails */
        long flushes_left =
                -1; /* number of flushes before the disk fails; -1: the disk never fails */
        long good_reports_left =
                -1; /* number of writes before one that takes effect, but reports an error */
        long death_left = -1; /* number of writes before one that takes effect and reports an
                               * error, after which the disk does not answer */
        bool dead = false;    /* it does not answer */
        uint64_t refused = 0, refused_end = 0;        /* writes of these bytes fail */
        long refusals_left = -1;                      /* number of these failures; -1: all */
        uint64_t reads = 0, writes = 0, refusals = 0; /* numbers of calls */
        std::string path;

        memory_disk()
        {
                path = testing::TempDir() + "files-disk-" + std::to_string(getpid()) + ".img";
                disk.context = this;
                disk.block_bytes = 512;
                disk.read = read;
                disk.write = write;
                disk.flush = flush;
                disk.now = now;
        }
        memory_disk(const memory_disk &) = delete;
        memory_disk &operator=(const memory_disk &) = delete;
        ~memory_disk()
        {
                unlink(path.c_str());
        }

        /* Makes a file system with mkfs.fat. */
        void format(const std::string &options, unsigned kib)
        {
                const auto result = run_command("PATH=$PATH:/usr/sbin:/sbin; rm -f " + path +
                                                "; mkfs.fat -i 4e4f5641 " + options + " -C " +
                                                path + " " + std::to_string(kib));

                ASSERT_EQ(result.first, 0) << result.second;
                load();
        }

        void load()
        {
                std::ifstream file(path, std::ios::binary | std::ios::ate);

                bytes.resize((size_t)file.tellg());
                file.seekg(0);
                file.read((char *)bytes.data(), (std::streamsize)bytes.size());
                disk.bytes = bytes.size();
        }

        static void save(const std::string &to, const std::vector<uint8_t> &content)
        {
                std::ofstream file(to, std::ios::binary);

                file.write((const char *)content.data(), (std::streamsize)content.size());
        }

        /* Runs fsck.fat without repair. @return its status and output */
        std::pair<int, std::string> check() const
        {
                save(path, bytes);
                return run_command("PATH=$PATH:/usr/sbin:/sbin; fsck.fat -n " + path);
        }

        static memory_disk *of(files_disk *disk)
        {
                return (memory_disk *)disk->context;
        }

        static bool inside(const memory_disk *self, uint64_t offset, size_t size)
        {
                const bool yes = offset % 512 == 0 && size % 512 == 0 && size &&
                                 offset <= self->bytes.size() &&
                                 size <= self->bytes.size() - offset;

                EXPECT_TRUE(yes) << "offset " << offset << ", " << size << " bytes";
                return yes;
        }

        static int read(files_disk *disk, uint64_t offset, void *to, size_t size)
        {
                memory_disk *self = of(disk);

                self->reads++;
                if (self->dead)
                        return EIO;
                if (!inside(self, offset, size))
                        return ENXIO;
                memcpy(to, &self->bytes[offset], size);
                return 0;
        }

        bool refuses(uint64_t offset, size_t size)
        {
                const bool yes = refusals_left && offset < refused_end && offset + size > refused;

                if (yes && refusals_left > 0)
                        refusals_left--;
                return yes;
        }

        static int write(files_disk *disk, uint64_t offset, const void *from, size_t size)
        {
                memory_disk *self = of(disk);
                const uint8_t *first = (const uint8_t *)from;

                self->writes++;
                if (self->dead)
                        return EIO;
                if (!inside(self, offset, size))
                        return ENXIO;
                if (self->writes_left == 0 || self->refuses(offset, size)) {
                        self->refusals++;
                        return EIO;
                }
                if (self->writes_left > 0)
                        self->writes_left--;
                memcpy(&self->bytes[offset], from, size);
                if (self->logging)
                        for (size_t i = 0; i < size; i += 512)
                                self->log.push_back({offset + i, {first + i, first + i + 512}});
                if (self->death_left >= 0 && !self->death_left--)
                        self->dead = true;
                if (self->dead)
                        return EIO;
                return self->good_reports_left >= 0 && !self->good_reports_left-- ? EIO : 0;
        }

        static int flush(files_disk *disk)
        {
                memory_disk *self = of(disk);

                if (self->flushes_left == 0 || self->dead)
                        return EIO;
                if (self->flushes_left > 0)
                        self->flushes_left--;
                if (self->logging && self->flushes)
                        self->log.push_back({0, {}});
                return 0;
        }

        static int64_t now()
        {
                return 1780000000;
        }
};

#endif
