/* SPDX-License-Identifier: BSD-2-Clause */
/* Causes of exits by the event numbers of SVM and VMX (see novavmm/exit.h). @spec 7.2 */
#include "novavmm/exit.h"

#include <stddef.h>

#include "nova/abi/event.h"

struct row {
        uint8_t event, exit;
};

/* APM 2, appendix C. */
#define SVM_MSR 0x7c
static const struct row svm[] = {
        {0x18, NOVA_VM_EXIT_CR8},       {0x41, NOVA_VM_EXIT_WINDOW},   {0x64, NOVA_VM_EXIT_WINDOW},
        {0x6f, NOVA_VM_EXIT_COUNTER},   {0x72, NOVA_VM_EXIT_CPUID},    {0x73, NOVA_VM_EXIT_FOREIGN},
        {0x74, NOVA_VM_EXIT_WINDOW},    {0x76, NOVA_VM_EXIT_CACHE},    {0x77, NOVA_VM_EXIT_PAUSE},
        {0x78, NOVA_VM_EXIT_HALT},      {0x7a, NOVA_VM_EXIT_FOREIGN},  {0x7b, NOVA_VM_EXIT_PORT},
        {0x7d, NOVA_VM_EXIT_TASK},      {0x7f, NOVA_VM_EXIT_SHUTDOWN}, {0x80, NOVA_VM_EXIT_FOREIGN},
        {0x81, NOVA_VM_EXIT_HYPERCALL}, {0x82, NOVA_VM_EXIT_FOREIGN},  {0x83, NOVA_VM_EXIT_FOREIGN},
        {0x84, NOVA_VM_EXIT_FOREIGN},   {0x85, NOVA_VM_EXIT_FOREIGN},  {0x86, NOVA_VM_EXIT_FOREIGN},
        {0x87, NOVA_VM_EXIT_FOREIGN},   {0x89, NOVA_VM_EXIT_CACHE},    {0x8a, NOVA_VM_EXIT_FOREIGN},
        {0x8b, NOVA_VM_EXIT_FOREIGN},   {0x8c, NOVA_VM_EXIT_FOREIGN},  {0xfc, NOVA_VM_EXIT_MEMORY},
        {0xfd, NOVA_VM_EXIT_INVALID},
};

/* SDM 3D, appendix C. */
static const struct row vmx[] = {
        {0x02, NOVA_VM_EXIT_SHUTDOWN},  {0x07, NOVA_VM_EXIT_WINDOW},  {0x08, NOVA_VM_EXIT_WINDOW},
        {0x09, NOVA_VM_EXIT_TASK},      {0x0a, NOVA_VM_EXIT_CPUID},   {0x0b, NOVA_VM_EXIT_FOREIGN},
        {0x0c, NOVA_VM_EXIT_HALT},      {0x0d, NOVA_VM_EXIT_CACHE},   {0x0f, NOVA_VM_EXIT_COUNTER},
        {0x12, NOVA_VM_EXIT_HYPERCALL}, {0x13, NOVA_VM_EXIT_FOREIGN}, {0x14, NOVA_VM_EXIT_FOREIGN},
        {0x15, NOVA_VM_EXIT_FOREIGN},   {0x16, NOVA_VM_EXIT_FOREIGN}, {0x17, NOVA_VM_EXIT_FOREIGN},
        {0x18, NOVA_VM_EXIT_FOREIGN},   {0x19, NOVA_VM_EXIT_FOREIGN}, {0x1a, NOVA_VM_EXIT_FOREIGN},
        {0x1b, NOVA_VM_EXIT_FOREIGN},   {0x1c, NOVA_VM_EXIT_CR8},     {0x1e, NOVA_VM_EXIT_PORT},
        {0x1f, NOVA_VM_EXIT_RDMSR},     {0x20, NOVA_VM_EXIT_WRMSR},   {0x21, NOVA_VM_EXIT_INVALID},
        {0x22, NOVA_VM_EXIT_INVALID},   {0x24, NOVA_VM_EXIT_FOREIGN}, {0x27, NOVA_VM_EXIT_FOREIGN},
        {0x28, NOVA_VM_EXIT_PAUSE},     {0x30, NOVA_VM_EXIT_MEMORY},  {0x32, NOVA_VM_EXIT_FOREIGN},
        {0x35, NOVA_VM_EXIT_FOREIGN},   {0x36, NOVA_VM_EXIT_CACHE},   {0x37, NOVA_VM_EXIT_XSETBV},
        {0x4c, NOVA_VM_EXIT_FOREIGN},   {0x4d, NOVA_VM_EXIT_FOREIGN},
};

static enum nova_vm_exit find(const struct row *row, size_t rows, unsigned event)
{
        if (event == NOVA_VMI_STARTUP)
                return NOVA_VM_EXIT_STARTUP;
        if (event == NOVA_VMI_RECALL)
                return NOVA_VM_EXIT_RECALL;
        for (size_t i = 0; i < rows; i++)
                if (row[i].event == event)
                        return (enum nova_vm_exit)row[i].exit;
        return NOVA_VM_EXIT_OTHER;
}

enum nova_vm_exit nova_vm_exit_of_svm(unsigned event, uint64_t qualification)
{
        if (event == SVM_MSR)
                return qualification & 1 ? NOVA_VM_EXIT_WRMSR : NOVA_VM_EXIT_RDMSR;
        return find(svm, sizeof(svm) / sizeof(*svm), event);
}

enum nova_vm_exit nova_vm_exit_of_vmx(unsigned event)
{
        return find(vmx, sizeof(vmx) / sizeof(*vmx), event);
}

/* APM 2, 15.10.2: bit 0 in, 2 string, 3 REP, 4 to 6 one of 1, 2 or 4 bytes, from 16 up the port. */
struct nova_vm_exit_port nova_vm_exit_port_of_svm(uint64_t qualification)
{
        const struct nova_vm_exit_port port = {
                .port = (uint16_t)(qualification >> 16),
                .bytes = (uint8_t)(qualification >> 4 & 7),
                .in = qualification & 1,
                .string = qualification >> 2 & 1,
                .repeated = qualification >> 3 & 1,
        };

        return port;
}

/* SDM 3C, table 28-5: bits 0 to 2 bytes less one, 3 in, 4 string, 5 REP, from 16 up the port. */
struct nova_vm_exit_port nova_vm_exit_port_of_vmx(uint64_t qualification)
{
        const struct nova_vm_exit_port port = {
                .port = (uint16_t)(qualification >> 16),
                .bytes = (uint8_t)((qualification & 7) + 1),
                .in = qualification >> 3 & 1,
                .string = qualification >> 4 & 1,
                .repeated = qualification >> 5 & 1,
        };

        return port;
}

const char *nova_vm_exit_text(enum nova_vm_exit exit)
{
        static const char *const text[] = {
#define TEXT(name, words, answer) words,
                NOVA_VM_EXIT_ROWS(TEXT)
#undef TEXT
        };

        return (unsigned)exit < NOVA_VM_EXIT_COUNT ? text[exit] : text[NOVA_VM_EXIT_OTHER];
}
