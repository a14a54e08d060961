/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes a line slowly, in pieces. The system runs this program twice at the same time, but the log
 * does not mix the lines of the two programs. */
#include <novart/program.h>
#include <novart/service/log.h>
#include <novart/time.h>
#include <stdio.h>
#include <string.h>

int main(void)
{
        const char *poem[] = {"every ", "word ", "of this line ", "is sent ", "alone\n"};
        struct nova_session *log;

        if (nova_log_open(&log))
                return 1;
        for (unsigned i = 0; i < 5; i++) {
                nova_log_write(log, poem[i], strlen(poem[i]));
                nova_sleep(2000000);
        }
        nova_session_close(log);

        /* From here on, stdout and stdin use the log. */
        if (nova_log_use())
                return 1;
        printf("printf by %s\n", nova_program.name);
        return 0;
}
