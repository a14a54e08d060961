// SPDX-License-Identifier: BSD-2-Clause
// Devices that could reach the memory of secure guests, in system descriptions.
#include "description_text.h"

namespace
{

#define ULTRAVISOR "program u\n provides ultravisor\n"
#define IOMMU      "machine\n memory 64M\n iommu\n"

const std::string resources[] = {
        " memory 0xfed00000-0xfed00fff\n",
        " memory 0xfed03000-0xfed03fff\n",
        " memory 0xf0000000-0xffffffff\n",
        " memory 0xa0000-0xbffff 0xfed01000-0xfed01fff\n",
        " ports 0x0\n",
        " ports 0x1f\n",
        " ports 0x70 0x87\n",
        " ports 0xc0\n",
        " ports 0xdf\n",
        " ports 0x481-0x48b\n",
        " ports 0x64\n interrupts 1\n",
        " ports 0x92\n",
        " ports 0x510-0x51b\n",
        " ports 0x51b\n",
};

const std::string harmless[] = {
        " memory 0xfed04000-0xfed04fff\n",
        " memory 0xfecff000-0xfecfffff\n",
        " memory 0x0-0xfff\n",
        " ports 0x20-0x63 0x65-0x80\n",
        " ports 0xa0-0xbf\n",
        " ports 0xe0-0x480\n",
        " ports 0x490-0x513\n",
        " ports 0x51c-0xcf7 0xd00-0xffff\n",
        " ports 0x20\n interrupts 0-127\n",
};

// A device without a line `dma-unprotected`, and its program beside the ultravisor.
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

// Neither does the service pci, which may have the ports of the configuration.
TEST(description_reach, beside_secure_guests_the_service_pci_has_no_hpet_either)
{
        const std::string service = "program p\n devices pci-config hpet\n provides pci\n";

        EXPECT_EQ(Description(ULTRAVISOR + service).mistakes.size(), 1u);
}

TEST(description_reach, beside_secure_guests_one_port_of_the_configuration_is_enough)
{
        for (const auto &lines :
             {" ports 0xcf8\n", " ports 0xcff\n", " ports 0x60 0xcf0-0xd00\n"}) {
                EXPECT_NE(Description(beside(lines)).all(), "") << lines;
                EXPECT_EQ(Description(beside(lines, IOMMU)).all(), "") << lines;
        }
}

} // namespace
