/* SPDX-License-Identifier: BSD-2-Clause */
/* Boot modules, for roots: the files that the boot loader brought. */
#ifndef NOVART_MODULE_H
#define NOVART_MODULE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Bytes of a module's name, the 0 at its end included; a longer one is cut. */
#define NOVA_MODULE_NAME 64

/** A boot module. */
struct nova_module {
        char name[NOVA_MODULE_NAME]; /**< its file's name without folders */
        uint64_t phys;               /**< where it lies, page-aligned */
        size_t bytes;                /**< its size */
};

/**
 * Look at a boot module.
 *
 * @code
 * struct nova_module module;
 *
 * for (unsigned i = 0; nova_module_get(i, &module) == 0; i++)
 *         printf("%s: %zu bytes\n", module.name, module.bytes);
 * @endcode
 * @param number 0 is the roottask itself
 * @retval 0      @p module is valid
 * @retval ENOENT there are not so many, or the program is not a root
 * @retval ENOMEM its name cannot be read
 */
int nova_module_get(unsigned number, struct nova_module *module);

/** Look for a boot module by its name. @return as nova_module_get() */
int nova_module_find(const char *name, struct nova_module *module);

/**
 * Map a module, readable and executable, so that children can be started from it.
 * nova_region_free() unmaps it.
 * @param[out] data its first byte, at the begin of a page
 * @return 0, or as nova_map_physical()
 */
int nova_module_map(const struct nova_module *module, const void **data);

/**
 * Find a module by its name and map it.
 *
 * @param name       of its file
 * @param[out] data  as nova_module_map() says it
 * @param[out] bytes its size
 * @return 0, or as nova_module_find() and nova_module_map()
 */
int nova_module_open(const char *name, const void **data, size_t *bytes);

#ifdef __cplusplus
}
#endif

#endif
