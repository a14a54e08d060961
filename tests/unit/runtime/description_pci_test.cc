// SPDX-License-Identifier: BSD-2-Clause
// Devices of PCI in system descriptions.
#include "description_text.h"

namespace
{

// A system with the service and a driver. Tests append the device.
#define PCI    "program pci\n devices pci-config\n provides pci\n"
#define DRIVER PCI "program d\n uses pci\n devices disk\n"
#define DISK   "device disk\n"

nova_system_pci_match disk_of(const std::string &lines)
{
        Description d(DRIVER DISK + lines);
        EXPECT_EQ(d.all(), "");
        const int number = nova_system_find_device(d.system.get(), "disk");
        EXPECT_GE(number, 0);
        EXPECT_EQ(nova_system_owner(d.system.get(), "disk"), 1);
        return d.system->device[number].pci;
}

TEST(description_pci, reads_a_class_of_16_bits)
{
        const auto pci = disk_of(" class 0x0108\n");
        EXPECT_EQ(pci.class_code, 0x010800U);
        EXPECT_EQ(pci.class_mask, 0xffff00U);
        EXPECT_EQ(pci.lines, NOVA_SYSTEM_PCI_CLASS);
}

TEST(description_pci, reads_a_class_with_its_programming_interface)
{
        const auto pci = disk_of(" class 0X000002\n");
        EXPECT_EQ(pci.class_code, 0x000002U);
        EXPECT_EQ(pci.class_mask, 0xffffffU);
}

TEST(description_pci, reads_all_lines_together)
{
        const auto pci = disk_of(" at fe:1f.7\n id 8086:5845\n class 0x010802\n dma-unprotected\n");
        EXPECT_EQ(pci.at, 0xfe << 8 | 0x1f << 3 | 7);
        EXPECT_EQ(pci.vendor, 0x8086);
        EXPECT_EQ(pci.device, 0x5845);
        EXPECT_EQ(pci.lines, 0xf);
}

TEST(description_pci, has_no_owner_for_a_device_of_no_program)
{
        Description d(PCI DISK " at 00:04.0\n");
        EXPECT_EQ(d.all(), "");
        EXPECT_EQ(nova_system_owner(d.system.get(), "disk"), -1);
}

#define WRONG(name, text, ...)                                        \
        TEST(description_pci, refuses_##name)                         \
        {                                                             \
                EXPECT_EQ(Description(text).all(), __VA_ARGS__ "\n"); \
        }

#define CLASS(word)                                                               \
        "8: 'class " word                                                         \
        "' is not a class of PCI; write class and subclass as four digits, such " \
        "as 'class 0x0108', or with the programming interface as six, such as 'class 0x010802'."
#define ID(word)                                                                                 \
        "8: 'id " word "' is not VENDOR:DEVICE; write both as four hexadecimal digits, such as " \
        "'id 8086:5845'."
#define AT(word)                                                                      \
        "8: 'at " word                                                                \
        "' is not BUS:DEVICE.FUNCTION; write hexadecimal digits as lspci does, such " \
        "as 'at 00:04.0'."

WRONG(a_class_of_five_digits, DRIVER DISK " class 0x01080\n", CLASS("0x01080"))
WRONG(a_class_without_0x, DRIVER DISK " class 0108\n", CLASS("0108"))
WRONG(a_class_with_a_letter, DRIVER DISK " class 0x01g8\n", CLASS("0x01g8"))
WRONG(an_empty_class, DRIVER DISK " class \"\"\n", CLASS(""))
WRONG(a_bridge, DRIVER DISK " class 0x0604\n",
      "8: 'class 0x0604' is a bridge, which no program can have; write the class of a device.")
WRONG(an_id_without_a_device, DRIVER DISK " id 8086\n", ID("8086"))
WRONG(an_id_with_0x, DRIVER DISK " id 0x8086:0x5845\n", ID("0x8086:0x5845"))
WRONG(an_id_that_goes_on, DRIVER DISK " id 8086:58455\n", ID("8086:58455"))
WRONG(the_id_of_no_device, DRIVER DISK " id ffff:0001\n", ID("ffff:0001"))
WRONG(an_address_without_a_function, DRIVER DISK " at 00:04\n", AT("00:04"))
WRONG(an_address_with_a_segment, DRIVER DISK " at 0000:00:04.0\n", AT("0000:00:04.0"))
WRONG(an_address_beyond_the_devices, DRIVER DISK " at 00:20.0\n", AT("00:20.0"))
WRONG(an_address_beyond_the_functions, DRIVER DISK " at 00:04.8\n", AT("00:04.8"))
WRONG(a_line_twice, DRIVER DISK " id 8086:5845\n id 8086:5845\n",
      "9: 'id' of a device is one value and may occur once, such as 'id 8086:5845'.")
WRONG(a_line_without_a_value, DRIVER DISK " class\n",
      "8: 'class' of a device is one value and may occur once, such as 'class 0x0108'.")
WRONG(a_flag_with_a_value, DRIVER DISK " id 8086:5845\n dma-unprotected yes\n",
      "9: 'dma-unprotected' of a device has no value and may occur once, such as "
      "'dma-unprotected'.")
WRONG(a_device_of_both_kinds, DRIVER DISK " id 8086:5845\n ports 0x2000\n",
      "7: the device 'disk' has lines of a PCI device and resources of its own; leave out 'ports', "
      "'memory' and 'interrupts', which the service 'pci' finds.")
WRONG(a_device_that_could_be_any, DRIVER DISK " dma-unprotected\n",
      "7: the device 'disk' does not say which function it is; write 'class', 'id' or 'at', such "
      "as 'class 0x0108'.")
WRONG(a_driver_that_does_not_use_the_service,
      PCI "program d\n devices disk\n" DISK " id 8086:5845\n",
      "5: the device 'disk' of 'd' is on PCI, so 'd' gets it from the service 'pci'; write 'uses "
      "pci' at 'd'.")
WRONG(a_driver_without_the_service, "program d\n devices disk\n" DISK " id 8086:5845\n",
      "2: the device 'disk' of 'd' is on PCI, and no program provides the service 'pci'; add the "
      "program pci with 'devices pci-config' and 'provides pci'.")
WRONG(both_devices_with_the_configuration_ports,
      "program pci\n devices pci pci-config\n provides pci\n",
      "2: 'pci' has the devices 'pci-config' and 'pci', whose ports are the same; leave out 'pci'.")
WRONG(two_drivers_of_one_function,
      PCI "program d\n uses pci\n devices disk\nprogram e\n uses pci\n devices nic\n" DISK
          " at 00:04.0\ndevice nic\n at 00:04.0\n",
      "9: the device 'nic' has the function of its line 'at' in common with the device 'disk' of "
      "the program 'd'; give both devices to one program.")
WRONG(two_drivers_with_similar_names,
      PCI "program driver-of-disks\n uses pci\n devices disk\nprogram driver-of-nics\n uses "
          "pci\n devices nic\n" DISK " at 00:04.0\ndevice nic\n at 00:05.0\n",
      "7: 'driver-of-nics' and 'driver-of-disks' (line 4) have the same first 8 characters, by "
      "which the service 'pci' distinguishes them; rename one, and name its file with 'file'.")

TEST(description_pci, suggests_a_misspelt_line)
{
        EXPECT_EQ(Description(DRIVER DISK " clas 0x0108\n").all(),
                  "8: a device has no property 'clas'; its properties are ports, memory and "
                  "interrupts, or, on PCI, class, id, at and dma-unprotected: write class.\n");
}

} // namespace
