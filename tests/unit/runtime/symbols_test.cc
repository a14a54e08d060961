/* SPDX-License-Identifier: BSD-2-Clause */
/* Symbols of well-formed ELF files of both classes, and of hostile ones. The sanitizer watches the
 * end of the file. */
#include "novart/symbols.h"

#include <cerrno>
#include <cstring>
#include <elf.h>
#include <gtest/gtest.h>
#include <memory>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

namespace
{

struct elf32 {
        using header = Elf32_Ehdr;
        using section = Elf32_Shdr;
        using symbol = Elf32_Sym;
        static constexpr unsigned char file_class = ELFCLASS32;
};

struct elf64 {
        using header = Elf64_Ehdr;
        using section = Elf64_Shdr;
        using symbol = Elf64_Sym;
        static constexpr unsigned char file_class = ELFCLASS64;
};

/* header | symbols | names | section headers: null, symtab, strtab */
template <class elf> class symbols : public testing::Test
{
      protected:
        static constexpr size_t count = 4;
        static constexpr char names[] = "\0first\0second\0\x1b[31mred\n";
        static constexpr size_t table = sizeof(typename elf::header);
        static constexpr size_t text = table + count * sizeof(typename elf::symbol);
        static constexpr size_t headers = text + sizeof(names) + 1;
        static constexpr size_t size = headers + 3 * sizeof(typename elf::section);
        std::vector<unsigned char> file = std::vector<unsigned char>(size);
        nova_symbols s = {};

        template <class T> T get(size_t offset) const
        {
                T value;

                std::memcpy(&value, file.data() + offset, sizeof(value));
                return value;
        }

        template <class T> void put(size_t offset, const T &value)
        {
                std::memcpy(file.data() + offset, &value, sizeof(value));
        }

        template <class change> void header(change change_it)
        {
                auto h = get<typename elf::header>(0);

                change_it(h);
                put(0, h);
        }

        template <class change> void section(size_t i, change change_it)
        {
                const size_t at = headers + i * sizeof(typename elf::section);
                auto h = get<typename elf::section>(at);

                change_it(h);
                put(at, h);
        }

        void symbol(size_t i, uint32_t name, uint32_t value, uint32_t bytes, unsigned char type)
        {
                typename elf::symbol entry = {};

                entry.st_name = name;
                entry.st_value = value;
                entry.st_size = bytes;
                entry.st_info = type;
                put(table + i * sizeof(entry), entry);
        }

        void SetUp() override
        {
                header([](auto &h) {
                        std::memcpy(h.e_ident, ELFMAG, SELFMAG);
                        h.e_ident[EI_CLASS] = elf::file_class;
                        h.e_ident[EI_DATA] = ELFDATA2LSB;
                        h.e_shoff = headers;
                        h.e_shentsize = sizeof(typename elf::section);
                        h.e_shnum = 3;
                });
                section(1, [](auto &h) {
                        h.sh_type = SHT_SYMTAB;
                        h.sh_offset = table;
                        h.sh_size = text - table;
                        h.sh_link = 2;
                        h.sh_entsize = sizeof(typename elf::symbol);
                });
                section(2, [](auto &h) {
                        h.sh_type = SHT_STRTAB;
                        h.sh_offset = text;
                        h.sh_size = sizeof(names) - 1;
                });
                std::memcpy(file.data() + text, names, sizeof(names));
                symbol(0, 1, 0x1000, 0x10, STT_OBJECT);
                symbol(1, 1, 0x1000, 0x10, STT_FUNC);
                symbol(2, 7, 0x1010, 0x20, STT_FUNC | STB_GLOBAL << 4);
                symbol(3, 14, 0x2000, 0, STT_FUNC);
        }

        /* Reads from memory of exactly the file's size. */
        int init(size_t bytes = size)
        {
                exact.reset(new unsigned char[bytes]);
                std::memcpy(exact.get(), file.data(), bytes);
                return nova_symbols_init(&s, exact.get(), bytes);
        }

        std::string find(uint64_t addr)
        {
                nova_symbol found;

                if (!nova_symbols_find(&s, addr, &found))
                        return "";
                return found.name + ("+" + std::to_string(found.offset));
        }

        std::unique_ptr<unsigned char[]> exact;
};

using classes = testing::Types<elf32, elf64>;
TYPED_TEST_SUITE(symbols, classes);

TYPED_TEST(symbols, name_the_function_that_holds_an_address)
{
        ASSERT_EQ(this->init(), 0);
        EXPECT_EQ(this->find(0x1000), "first+0");
        EXPECT_EQ(this->find(0x100f), "first+15");
        EXPECT_EQ(this->find(0x1010), "second+0");
        EXPECT_EQ(this->find(0x102f), "second+31");
        EXPECT_EQ(this->find(0x1030), "");
        EXPECT_EQ(this->find(0xfff), "");
        EXPECT_EQ(this->find(UINT64_MAX), "");
}

TYPED_TEST(symbols, names_are_printable_and_end)
{
        ASSERT_EQ(this->init(), 0);
        EXPECT_EQ(this->find(0x2000), "?[31mred?+0");
        this->section(2, [](auto &h) { h.sh_size = 9; });
        ASSERT_EQ(this->init(), 0);
        EXPECT_EQ(this->find(0x1010), "se+0");
        EXPECT_EQ(this->find(0x2000), "");
}

TYPED_TEST(symbols, a_file_without_them_is_distinguished)
{
        this->section(1, [](auto &h) { h.sh_type = SHT_DYNSYM; });
        EXPECT_EQ(this->init(), ENOENT);
        EXPECT_EQ(this->find(0x1000), "");
        this->header([](auto &h) { h.e_shnum = 0; });
        EXPECT_EQ(this->init(), ENOENT);
}

TYPED_TEST(symbols, other_files_are_refused)
{
        this->file[0] = 'E';
        EXPECT_EQ(this->init(), ENOEXEC);
        this->SetUp();
        this->file[EI_DATA] = ELFDATA2MSB;
        EXPECT_EQ(this->init(), ENOEXEC);
        this->SetUp();
        this->file[EI_CLASS] = 3;
        EXPECT_EQ(this->init(), ENOEXEC);
        EXPECT_EQ(nova_symbols_init(&this->s, nullptr, 0), ENOEXEC);
}

TYPED_TEST(symbols, headers_that_lead_outside_are_refused)
{
        const auto refuses = [this] {
                EXPECT_EQ(this->init(), ENOEXEC);
                EXPECT_EQ(this->find(0x1000), "");
                this->SetUp();
        };

        this->header([](auto &h) { h.e_shoff = static_cast<decltype(h.e_shoff)>(-8); });
        refuses();
        this->header([](auto &h) { h.e_shnum = 0xffff; });
        refuses();
        this->header([](auto &h) { h.e_shentsize = 8; });
        refuses();
        this->section(1, [](auto &h) { h.sh_offset = static_cast<decltype(h.sh_offset)>(-1); });
        refuses();
        this->section(1, [](auto &h) { h.sh_size = static_cast<decltype(h.sh_size)>(-1); });
        refuses();
        this->section(1, [](auto &h) { h.sh_link = 3; });
        refuses();
        this->section(1, [](auto &h) { h.sh_link = 1; });
        refuses();
        this->section(1, [](auto &h) { h.sh_link = 0xffffffff; });
        refuses();
        this->section(1, [](auto &h) { h.sh_entsize = 0; });
        refuses();
        this->section(2, [](auto &h) { h.sh_size = 0x7fffffff; });
        refuses();
}

TYPED_TEST(symbols, every_shorter_file_is_survived)
{
        for (size_t bytes = 0; bytes < this->size; bytes++)
                EXPECT_NE(this->init(bytes), 0);
}

TYPED_TEST(symbols, damaged_files_are_survived)
{
        std::mt19937 random(5);

        for (int i = 0; i < 20000; i++) {
                this->SetUp();
                for (int k = 0; k < 3; k++)
                        this->file[random() % this->size] = static_cast<unsigned char>(random());
                if (this->init() == 0)
                        for (const uint64_t addr : {0x1000, 0x1011, 0x2000, 0})
                                this->find(addr);
        }
}

} // namespace
