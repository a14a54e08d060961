/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes transactions in a database. After each commit it writes the transaction's number to block 0
 * of a partition, so the record of the disk shows which transactions must survive a loss of power.
 * Arguments: the name of the partition, and the number of transactions in each mode of the journal.
 *
 * Each transaction moves money between accounts, adds entries and removes old ones. One in
 * five is rolled back. */
#if __has_include("sqlite3.h")
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "novart/service/block.h"
#include "sqlite3.h"

#define TEXT_MAX 1500

static struct nova_block *marks;
static sqlite3 *database;
static sqlite3_stmt *insert;

static void check(int status, const char *what)
{
        if (status == SQLITE_OK || status == SQLITE_DONE)
                return;
        printf("%s: %s\n", what, sqlite3_errmsg(database));
        exit(1);
}

static void run(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void run(const char *format, ...)
{
        char text[256];
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        check(sqlite3_exec(database, text, NULL, NULL, NULL), text);
}

static void mark(unsigned round)
{
        static char block[4096]; /* as large as the largest block of a disk */
        int error;

        memset(block, 0, sizeof(block));
        snprintf(block, sizeof(block), "committed %u\n", round);
        error = nova_block_write(marks, 0, 1, block);
        if (error) {
                printf("mark: %s\n", strerror(error));
                exit(1);
        }
}

static void add_entry(unsigned round, unsigned number)
{
        const unsigned length = 1 + (round * 37 + number * 101) % TEXT_MAX;
        char text[TEXT_MAX];

        for (unsigned i = 0; i < length; i++)
                text[i] = (char)('a' + (i + round + number) % 26);
        check(sqlite3_bind_int(insert, 1, (int)round), "bind");
        check(sqlite3_bind_int(insert, 2, (int)number), "bind");
        check(sqlite3_bind_text(insert, 3, text, (int)length, SQLITE_TRANSIENT), "bind");
        check(sqlite3_step(insert), "insert");
        check(sqlite3_reset(insert), "reset");
}

static void make_transaction(unsigned round)
{
        run("BEGIN");
        for (unsigned number = 0; number < round * 5 % 13; number++)
                add_entry(round, number);
        run("UPDATE accounts SET money = money - %u WHERE number = %u", round, round % 4);
        run("UPDATE accounts SET money = money + %u WHERE number = %u", round, (round + 1) % 4);
        if (round > 5)
                run("DELETE FROM entries WHERE round = %u", round - 5);
        run("UPDATE state SET round = %u", round);
        if (round % 5 == 3) {
                run("ROLLBACK");
                return;
        }
        run("COMMIT");
        mark(round);
}

/* Creates the database. With small pages and a small cache, SQLite writes to the database before a
 * transaction ends. */
static void make_database(void)
{
        check(sqlite3_open("/ledger.db", &database), "open");
        run("PRAGMA page_size = 1024");
        run("PRAGMA cache_size = 8");
        run("PRAGMA synchronous = FULL");
        run("BEGIN");
        run("CREATE TABLE entries (round INTEGER, number INTEGER, text TEXT)");
        run("CREATE INDEX texts ON entries (text)");
        run("CREATE TABLE accounts (number INTEGER PRIMARY KEY, money INTEGER)");
        run("INSERT INTO accounts VALUES (0, 1000), (1, 1000), (2, 1000), (3, 1000)");
        run("CREATE TABLE state (round INTEGER)");
        run("INSERT INTO state VALUES (0)");
        run("COMMIT");
        mark(0);
        check(sqlite3_prepare_v2(database, "INSERT INTO entries VALUES (?, ?, ?)", -1, &insert,
                                 NULL),
              "prepare");
}

/* Prints whether SQLite refuses a second connection. It must, because there are no locks between
 * connections. */
static void check_alone(void)
{
        sqlite3 *other;
        int status = sqlite3_open("/ledger.db", &other);

        if (status == SQLITE_OK)
                status = sqlite3_exec(other, "SELECT round FROM state", NULL, NULL, NULL);
        printf("a second connection: %s\n", sqlite3_errstr(status));
        sqlite3_close(other);
}

int main(int argc, char **argv)
{
        static const char *const modes[] = {"DELETE", "TRUNCATE", "PERSIST"};
        const unsigned count = argc > 2 ? (unsigned)atoi(argv[2]) : 0;
        unsigned round = 0;
        int error = argc > 2 ? nova_block_open(&marks, "partitions", argv[1], 0) : EINVAL;

        if (error) {
                printf("marks: %s\n", strerror(error));
                return 1;
        }
        make_database();
        check_alone();
        for (unsigned mode = 0; mode < sizeof(modes) / sizeof(modes[0]); mode++) {
                run("PRAGMA journal_mode = %s", modes[mode]);
                for (unsigned i = 0; i < count; i++)
                        make_transaction(++round);
        }
        sqlite3_finalize(insert);
        check(sqlite3_close(database), "close");
        printf("%u transactions are done\n", round);
        return 0;
}
#endif
