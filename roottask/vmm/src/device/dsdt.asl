/* SPDX-License-Identifier: BSD-2-Clause */
/* ACPI's description of a guest's PC: how to power it off, and its PCI bus, whose pins are wired to
 * interrupts 10 and 11. `iasl -tc` generates the bytes of dsdt.c from this file. */
DefinitionBlock("", "DSDT", 2, "NOVA", "NOVAVMM", 1)
{
        Name(\_S5, Package() { 5, 5, 0, 0 })

        Scope(\_SB)
        {
                Device(PCI0)
                {
                        Name(_HID, EisaId("PNP0A03"))
                        Name(_UID, 0)
                        Name(_CRS, ResourceTemplate() {
                                WordBusNumber(ResourceProducer, MinFixed, MaxFixed, PosDecode,
                                              0, 0, 0xff, 0, 0x100)
                                IO(Decode16, 0xcf8, 0xcf8, 1, 8)
                                WordIO(ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange,
                                       0, 0x1000, 0xffff, 0, 0xf000)
                                DWordMemory(ResourceProducer, PosDecode, MinFixed, MaxFixed,
                                            NonCacheable, ReadWrite,
                                            0, 0xe0000000, 0xefffffff, 0, 0x10000000)
                        })
                        Name(_PRT, Package() {
                                Package() { 0x0001ffff, 0, 0, 10 },
                                Package() { 0x0002ffff, 0, 0, 11 },
                                Package() { 0x0003ffff, 0, 0, 10 },
                                Package() { 0x0004ffff, 0, 0, 11 }
                        })
                }
        }
}
