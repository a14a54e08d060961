/* SPDX-License-Identifier: BSD-2-Clause */
/* Lets a test on the host use the ultravisor's reader of blobs. Each line of the input is a command
 * with words in hexadecimal. Each gets a line of output, except `rows`:
 *
 *     open KEY BLOB        opens a blob: the status, and the content if it is in order
 *     plain CONTENT        reads decrypted content
 *     write CONTENT PUB…   encrypts content for machines: the blob
 *     rows                 the names, statuses and sentences of all results, a line each, and an
 *                          empty line */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "write.h"

#define LINE_MAX  (4 * WRITE_MAX)
#define WORDS_MAX (2 + SEAL_MACHINES_MAX)

struct word {
        uint8_t *data; /* on the heap, so that the sanitizer guards its end */
        size_t bytes;
};

static size_t source(void *to, size_t bytes)
{
        const ssize_t done = getrandom(to, bytes, 0);

        return done < 0 ? 0 : (size_t)done;
}

static struct word read_word(const char *text)
{
        struct word word = {.bytes = strlen(text) / 2};

        word.data = malloc(word.bytes + !word.bytes);
        for (size_t i = 0; word.data && i < word.bytes; i++) {
                const char pair[] = {text[2 * i], text[2 * i + 1], 0};

                word.data[i] = (uint8_t)strtoul(pair, NULL, 16);
        }
        return word;
}

static void print_hex(const uint8_t *data, size_t bytes)
{
        while (bytes--)
                printf("%02x", *data++);
}

static void print_seal(const struct seal *seal)
{
        printf(" %d %u 0x%llx 0x%llx 0x%llx 0x%llx 0x%llx ", seal->debug | seal->vector_128 << 1,
               seal->vcpus, (unsigned long long)seal->memory, (unsigned long long)seal->entry,
               (unsigned long long)seal->params, (unsigned long long)seal->tables,
               (unsigned long long)seal->blob);
        print_hex(seal->phrase, seal->phrase_bytes);
        for (unsigned i = 0; i < seal->parts; i++) {
                printf(" part:%u:0x%llx:0x%llx:", (unsigned)seal->part[i].kind,
                       (unsigned long long)seal->part[i].address,
                       (unsigned long long)seal->part[i].bytes);
                print_hex(seal->part[i].digest, CRYPTO_DIGEST_BYTES);
        }
        for (unsigned i = 0; i < seal->secrets; i++) {
                printf(" secret:");
                print_hex(seal->secret[i].name, seal->secret[i].name_bytes);
                printf(":");
                print_hex(seal->secret[i].value, seal->secret[i].value_bytes);
        }
}

static void print_opened(enum seal_status status, const struct seal *seal)
{
        printf("%s", seal_name(status));
        if (status == SEAL_OK)
                print_seal(seal);
        printf("\n");
}

static void write_word(const struct word *word, unsigned words)
{
        static uint8_t blob[WRITE_MAX], keys[SEAL_MACHINES_MAX][CRYPTO_KEY_BYTES];
        size_t bytes;

        for (unsigned i = 1; i < words; i++)
                memcpy(keys[i - 1], word[i].data, CRYPTO_KEY_BYTES);
        bytes = write_blob(blob, word[0].data, word[0].bytes,
                           (const uint8_t(*)[CRYPTO_KEY_BYTES])keys, words - 1);
        print_hex(blob, bytes);
        printf("\n");
}

#define PRINT_ROW(name, status, sentence) printf("%s\tU_%s\t%s\n", #name, #status, sentence);

static void execute(const char *command, const struct word *word, unsigned words)
{
        static struct seal seal;

        if (!strcmp(command, "open") && words == 2) {
                print_opened(seal_open(&seal, word[0].data, word[1].data, word[1].bytes), &seal);
        } else if (!strcmp(command, "plain") && words == 1 && word[0].bytes <= sizeof(seal.plain)) {
                memset(&seal, 0, sizeof(seal));
                memcpy(seal.plain, word[0].data, word[0].bytes);
                print_opened(seal_read_plain(&seal, word[0].bytes), &seal);
        } else if (!strcmp(command, "write") && words >= 1) {
                write_word(word, words);
        } else if (!strcmp(command, "rows")) {
                SEAL_STATUS_ROWS(PRINT_ROW)
                printf("\n");
        } else {
                printf("?\n");
        }
        fflush(stdout);
}

int main(void)
{
        static char line[LINE_MAX];

        if (crypto_init(source) != CRYPTO_OK)
                return 1;
        while (fgets(line, sizeof(line), stdin)) {
                struct word word[WORDS_MAX];
                unsigned words = 0;
                const char *const command = strtok(line, " \n");
                const char *text;

                while (words < WORDS_MAX && (text = strtok(NULL, " \n")))
                        word[words++] = read_word(text);
                if (command)
                        execute(command, word, words);
                while (words)
                        free(word[--words].data);
        }
        return 0;
}
