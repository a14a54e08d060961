// SPDX-License-Identifier: BSD-2-Clause
// Makes ACPI tables (see tables.h).
#include "tables.h"

void fix_sum(Bytes &bytes, size_t at, size_t length)
{
        uint8_t sum = 0;

        bytes[at] = 0;
        for (size_t i = 0; i < length; i++)
                sum = static_cast<uint8_t>(sum + bytes[i]);
        bytes[at] = static_cast<uint8_t>(-sum);
}

Bytes table(const char *signature, const Bytes &body)
{
        Bytes bytes(signature, signature + 4);

        put(bytes, 36 + body.size(), 4);
        bytes.resize(36);
        bytes.insert(bytes.end(), body.begin(), body.end());
        fix_sum(bytes, 9, bytes.size());
        return bytes;
}

Bytes rsdp(unsigned revision, uint64_t rsdt, uint64_t xsdt)
{
        Bytes bytes;

        for (char c : std::string("RSD PTR "))
                bytes.push_back(static_cast<uint8_t>(c));
        put(bytes, 0, 7);
        put(bytes, revision, 1);
        put(bytes, rsdt, 4);
        put(bytes, 36, 4);
        put(bytes, xsdt, 8);
        put(bytes, 0, 4);
        fix_sum(bytes, 8, 20);
        fix_sum(bytes, 32, 36);
        return bytes;
}

Bytes root(const char *signature, std::initializer_list<uint64_t> tables, unsigned size)
{
        Bytes body;

        for (uint64_t phys : tables)
                put(body, phys, size);
        return table(signature, body);
}
