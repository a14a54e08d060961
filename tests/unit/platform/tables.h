// SPDX-License-Identifier: BSD-2-Clause
// ACPI tables that tests build.
#ifndef UNIT_PLATFORM_TABLES_H
#define UNIT_PLATFORM_TABLES_H

#include <initializer_list>

#include "machine.h"

constexpr uint64_t RSDP = 0xf5000, RSDT = 0x10000, XSDT = 0x11000;

// Sets the byte at a place so that the sum of the bytes is 0.
void fix_sum(Bytes &bytes, size_t at, size_t length);

// Returns a table with its header.
Bytes table(const char *signature, const Bytes &body);

// Returns the root pointer; root() returns an RSDT (entries of 4 bytes) or XSDT (8).
Bytes rsdp(unsigned revision, uint64_t rsdt, uint64_t xsdt);
Bytes root(const char *signature, std::initializer_list<uint64_t> tables, unsigned size);

#endif
