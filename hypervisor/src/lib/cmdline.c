/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's command line: words between spaces. */
#include "lib/cmdline.h"

#include "lib/console.h"
#include "lib/string.h"

struct cmdline cmdline;

/* Words that had a meaning in 2012 but have none in this kernel. They are accepted without a
 * message. */
static const char *const old_words[] = {"iommu", "keyb", "spinner", "vtlb", "novga", "novpid"};

static bool cmdline_is_space(char character)
{
        return character == ' ' || character == '\t' || character == '\r' || character == '\n';
}

static bool cmdline_word_is(const char *word, size_t length, const char *name)
{
        return strlen(name) == length && !strncmp(word, name, length);
}

/* Parses a number of bytes: digits, optionally followed by K or M. Returns false if it is
 * invalid. */
static bool cmdline_parse_size(const char *text, size_t length, uint64_t *size)
{
        uint64_t value = 0;
        unsigned shift = 0;

        if (length && (text[length - 1] == 'K' || text[length - 1] == 'k'))
                shift = 10;
        else if (length && (text[length - 1] == 'M' || text[length - 1] == 'm'))
                shift = 20;
        if (shift)
                length--;
        if (!length || length > 12)
                return false;
        for (size_t i = 0; i < length; i++) {
                if (text[i] < '0' || text[i] > '9')
                        return false;
                value = value * 10 + (unsigned)(text[i] - '0');
        }
        *size = value << shift;
        return value != 0;
}

static bool cmdline_parse_mitigations(const char *word, size_t length)
{
        static const char *const names[] = {[MITIGATIONS_AUTO] = "mitigations=auto",
                                            [MITIGATIONS_OFF] = "mitigations=off",
                                            [MITIGATIONS_FULL] = "mitigations=full"};

        for (unsigned i = 0; i < array_size(names); i++)
                if (cmdline_word_is(word, length, names[i])) {
                        cmdline.mitigations = (enum mitigations)i;
                        return true;
                }
        return false;
}

static bool cmdline_parse_word(const char *word, size_t length)
{
        static const char kmem[] = "kmem=";
        const size_t prefix = sizeof(kmem) - 1;

        if (cmdline_word_is(word, length, "serial"))
                cmdline.serial = true;
        else if (cmdline_word_is(word, length, "noiommu"))
                cmdline.no_iommu = true;
        else if (length > prefix && !strncmp(word, kmem, prefix))
                return cmdline_parse_size(word + prefix, length - prefix, &cmdline.kmem);
        else if (!cmdline_parse_mitigations(word, length)) {
                for (unsigned i = 0; i < array_size(old_words); i++)
                        if (cmdline_word_is(word, length, old_words[i]))
                                return true;
                return false;
        }
        return true;
}

void cmdline_parse(const char *text, size_t room)
{
        const char *const begin = text;
        const bool full = strlen(text) == room - 1;
        bool first = true;

        while (*text) {
                size_t length = 0;

                while (cmdline_is_space(*text))
                        text++;
                while (text[length] && !cmdline_is_space(text[length]))
                        length++;
                if (full && !text[length]) {
                        console_print("NOVA: the command line is too long: its words from byte %u "
                                      "on are ignored.\n",
                                      (unsigned)(text - begin));
                        return;
                }
                if (length && !cmdline_parse_word(text, length) && !first) {
                        console_print("NOVA: option '");
                        for (size_t i = 0; i < length; i++)
                                console_print("%c",
                                              text[i] >= ' ' && text[i] <= '~' ? text[i] : '?');
                        console_print(
                                "' is not an option of the kernel and is ignored; the options "
                                "are serial, kmem=<n>[K|M], noiommu and "
                                "mitigations=off|auto|full.\n");
                }
                first = false;
                text += length;
        }
}
