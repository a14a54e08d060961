/* SPDX-License-Identifier: BSD-2-Clause */
/* An action of the child: looks for other programs' data in its memory (see child_traces.h). */
#include "child_traces.h"

#include <stdio.h>
#include <string.h>

#include "nova/abi/crd.h"
#include "novart/page.h"

/* Takes all of its memory, the largest blocks first, looks for traces of other programs, and leaves
 * traces of its own. */
int do_traces(char **argv)
{
        size_t pages = 0, traces = 0;

        (void)argv;
        for (unsigned order = 13; order-- > 0;) {
                nova_word_t *block;

                while ((block = nova_page_alloc(order))) {
                        const size_t words = ((size_t)NOVA_PAGE_SIZE << order) / sizeof(*block);

                        for (size_t i = 0; i < words; i++)
                                traces += block[i] != 0;
                        memset(block, 0xa5, words * sizeof(*block));
                        pages += (size_t)1 << order;
                }
        }
        printf("%zu words of %zu pages are not zero\n", traces, pages);
        return !traces && pages > 1000 ? TRACES_NONE : 1;
}
