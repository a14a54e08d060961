// SPDX-License-Identifier: BSD-2-Clause
// Devices that could reach the memory of secure guests, in system descriptions.
#include "description_text.h"

namespace
{

#define ULTRAVISOR "program u\n provides ultravisor\n"
#define IOMMU      "machine\n memory 64M\n iommu\n"

const std::string resources[] = {
        " memory 0xfed00000-0xfed00fff\n", // HPET
        " memory 0xfd000000-0xfdffffff\n", // may belong to a function with DMA
        " memory 0x9f000-0xa0fff\n",
        " memory 0xbf000-0xc0fff\n",
        " memory 0xa0000-0xbffff 0xfed01000-0xfed01fff\n",
        " ports 0x0\n", // DMA controllers
        " ports 0x70 0x87\n",
        " ports 0x481-0x48b\n",
        " ports 0x60\n",
        " ports 0x64\n interrupts 1\n", // A20 gates
        " ports 0x92\n",
        " ports 0xb2-0xb3\n",   // calls the firmware
        " ports 0x514-0x51b\n", // fw_cfg of QEMU
        " ports 0x3e8-0x3ff\n", // the disk controller between two serial ports
        " ports 0xcf8\n",       // PCI's configuration
        " ports 0xcff\n",
        " ports 0x60 0xcf0-0xd00\n",
        " ports 0xc000-0xc00f\n",
};

const std::string harmless[] = {
        " memory 0xa0000-0xbffff\n",
        " memory 0xb8000-0xb8fff\n",
        " ports 0x40-0x43\n interrupts 0\n",
        " ports 0x42 0x61\n",
        " ports 0x70-0x77\n",
        " ports 0x2f8-0x2ff\n interrupts 3\n",
        " ports 0x378-0x37a\n",
        " ports 0x3c0-0x3df 0x3f8\n",
        " interrupts 0-127\n",
};

// Returns a description with a device without a line `dma-unprotected`, and its program beside the
// ultravisor.
std::string beside(const std::string &lines, const std::string &before = "")
{
        return before + ULTRAVISOR "device c\n" + lines + "program b\n devices c\n";
}

TEST(description_reach, beside_secure_guests_no_device_reaches_their_memory)
{
        const std::string sentence =
                "the device 'c' of 'b' could access the memory of secure guests, even with an "
                "I/O MMU; leave it out, or write 'dma-unprotected' for the device if 'b' is "
                "trusted.\n";

        for (const auto &lines : resources) {
                EXPECT_EQ(Description(beside(lines)).all(), "3: " + sentence) << lines;
                EXPECT_EQ(Description(beside(lines, IOMMU)).all(), "6: " + sentence) << lines;
                EXPECT_EQ(Description(beside(lines + " dma-unprotected\n")).all(), "") << lines;
                EXPECT_EQ(Description("device c\n" + lines + "program b\n devices c\n").all(), "")
                        << lines;
        }
        for (const auto &lines : harmless)
                EXPECT_EQ(Description(beside(lines)).all(), "") << lines;
}

TEST(description_reach, beside_secure_guests_no_program_has_the_hpet_or_the_keyboard)
{
        const std::string own = "program b\n devices hpet\n";
        const std::string sentence =
                "the device 'hpet' of 'b' could access the memory of secure guests, even with an "
                "I/O MMU; leave it out, or declare a device with the same ranges and "
                "'dma-unprotected' if 'b' is trusted.\n";

        EXPECT_EQ(Description(own).all(), "");
        EXPECT_EQ(Description(ULTRAVISOR + own).all(), "4: " + sentence);
        EXPECT_EQ(Description(ULTRAVISOR + own + " grants dma\n").all(), "4: " + sentence);
        EXPECT_EQ(Description(IOMMU ULTRAVISOR + own).all(), "7: " + sentence);
        EXPECT_EQ(Description(ULTRAVISOR "program b\n devices keyboard\n").mistakes.size(), 1u);
        EXPECT_EQ(Description(ULTRAVISOR "program b\n devices serial rtc\n").all(), "");
}

TEST(description_reach, beside_secure_guests_only_the_service_pci_has_the_configuration)
{
        const std::string own = "program p\n devices pci-config\n";

        EXPECT_EQ(Description(ULTRAVISOR + own + " provides pci\n").all(), "");
        EXPECT_EQ(Description(ULTRAVISOR + own).mistakes.size(), 1u);
        EXPECT_EQ(Description(IOMMU ULTRAVISOR + own).mistakes.size(), 1u);
        EXPECT_EQ(Description(IOMMU ULTRAVISOR "program p\n devices pci\n").mistakes.size(), 1u);
        EXPECT_EQ(
                Description(ULTRAVISOR "program p\n devices pci\n provides pci\n").mistakes.size(),
                1u);
}

TEST(description_reach, beside_secure_guests_the_service_pci_has_no_other_device_of_the_board)
{
        const std::string service = "program p\n devices pci-config hpet\n provides pci\n";

        EXPECT_EQ(Description(ULTRAVISOR + service).mistakes.size(), 1u);
}

} // namespace
