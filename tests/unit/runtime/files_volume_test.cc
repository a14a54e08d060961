/* SPDX-License-Identifier: BSD-2-Clause */
/* Paths in a volume whose file system is damaged. */
#include "files_fat.h"

extern "C" {
#include "fat/fat.h"
#include "novart/parent.h"
#include "novart/service/block.h"
#include "volume.h"

int nova_block_open(struct nova_block **, const char *, const char *, size_t)
{
        return ENODEV;
}
void nova_block_close(struct nova_block *)
{
}
const struct nova_block_info *nova_block_get_info(const struct nova_block *)
{
        return nullptr;
}
int nova_block_claim(struct nova_block *, enum nova_block_use)
{
        return ENODEV;
}
int nova_block_read(struct nova_block *, uint64_t, uint32_t, void *)
{
        return ENODEV;
}
int nova_block_write(struct nova_block *, uint64_t, uint32_t, const void *)
{
        return ENODEV;
}
int nova_block_flush(struct nova_block *)
{
        return ENODEV;
}
int nova_parent_module(const char *, const void **, size_t *)
{
        return ENOENT;
}
}

namespace
{

struct files_volume_test : testing::Test, mounted_disk {
        struct volume volume = {};

        /* Makes a folder BIG of the maximum size. Its last entry A is the folder BIG. */
        void SetUp() override
        {
                std::string content;
                files_node *node;
                uint64_t entry;

                memory.format("-F 16 -s 4", 20000);
                mount();
                ASSERT_EQ(create("BIG"), 0);
                ASSERT_EQ(write("BIG", 0, "x"), 0);
                ASSERT_EQ(find("BIG", &node), 0);
                for (unsigned i = 1; i < FAT_FOLDER_MAX; i++)
                        content += make_entry('X', FAT_ARCHIVE, 0);
                content += make_entry('A', FAT_FOLDER, ((struct fat_node *)node)->first);
                entry = ((struct fat_node *)node)->sector * UINT64_C(512) +
                        ((struct fat_node *)node)->slot * UINT64_C(32);
                fat->release(node);
                ASSERT_EQ(write("BIG", 0, content), 0);
                unmount();
                memory.bytes[entry + 11] = FAT_FOLDER;
                mount();
                volume.system = system;
        }

        static std::string make_entry(char name, uint8_t attributes, uint32_t cluster)
        {
                std::string entry(FAT_ENTRY, 0);

                entry.replace(0, 11, std::string(1, name) + std::string(10, ' '));
                entry[11] = (char)attributes;
                fat_put16((uint8_t *)&entry[26], cluster);
                return entry;
        }
};

TEST_F(files_volume_test, a_path_through_large_folders_has_a_bounded_number_of_reads)
{
        char name[FILES_NAME_SIZE];
        std::string path = "BIG";
        files_node *node;

        ASSERT_EQ(volume_find(&volume, "BIG/A/A", &node), 0);
        fat->release(node);
        for (unsigned i = 0; i < 20; i++)
                path += "/A";
        for (unsigned i = 0; i < 2; i++) {
                const uint64_t before = memory.reads;

                EXPECT_EQ(i ? volume_find(&volume, path.c_str(), &node)
                            : volume_find_parent(&volume, path.c_str(), &node, name),
                          EIO);
                EXPECT_LT(memory.reads - before, 6U * FAT_FOLDER_MAX / 16);
        }
        ASSERT_EQ(volume_find(&volume, "BIG/A/A", &node), 0);
        fat->release(node);
}

} // namespace
