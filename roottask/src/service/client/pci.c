/* SPDX-License-Identifier: BSD-2-Clause */
/* Client stub of the service `pci`. */
#include "novart/service/pci.h"

#include <errno.h>
#include <string.h>

#define FUNCTION_WORDS NOVA_WORDS_OF(sizeof(struct nova_pci_function))

int nova_pci_open(struct nova_session **pci)
{
        return nova_session_open(pci, "pci", NULL);
}

int nova_pci_stat(struct nova_session *pci, unsigned number, struct nova_pci_function *function)
{
        const nova_word_t word = number;
        nova_word_t answer[FUNCTION_WORDS];
        struct nova_message message = {.operation = NOVA_PCI_STAT,
                                       .words = &word,
                                       .word_count = 1,
                                       .answer = answer,
                                       .answer_max = FUNCTION_WORDS};
        const int error = nova_session_call(pci, &message);

        if (error)
                return error;
        if (message.answer_count < FUNCTION_WORDS)
                return EPROTO;
        memcpy(function, answer, sizeof(*function));
        return 0;
}

int nova_pci_read(struct nova_session *pci, unsigned address, unsigned offset, unsigned bytes,
                  uint32_t *value)
{
        const nova_word_t words[] = {address, offset, bytes};
        nova_word_t answer = 0;
        struct nova_message message = {.operation = NOVA_PCI_READ,
                                       .words = words,
                                       .word_count = 3,
                                       .answer = &answer,
                                       .answer_max = 1};
        const int error = nova_session_call(pci, &message);

        if (error)
                return error;
        if (!message.answer_count)
                return EPROTO;
        *value = (uint32_t)answer;
        return 0;
}
