/* SPDX-License-Identifier: BSD-2-Clause */
/* Boot modules, for roots: the files that the boot loader loaded. */
#ifndef NOVART_MODULE_H
#define NOVART_MODULE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Size of a module's name in bytes, including the terminating 0; longer names are cut. */
#define NOVA_MODULE_NAME 64

/** A boot module. */
struct nova_module {
        char name[NOVA_MODULE_NAME]; /**< name of its file without folders */
        uint64_t phys;               /**< physical address, page-aligned */
        size_t bytes;                /**< size of the module in bytes */
};

/**
 * Describes a boot module.
 *
 * @code
 * struct nova_module module;
 *
 * for (unsigned i = 0; nova_module_get(i, &module) == 0; i++)
 *         printf("%s: %zu bytes\n", module.name, module.bytes);
 * @endcode
 * @param number 0 is the roottask itself
 * @retval 0      @p module is valid
 * @retval ENOENT there is no such module, or the program is not a root
 * @retval ENOMEM no memory to read its name
 */
int nova_module_get(unsigned number, struct nova_module *module);

/** Finds a boot module by its name. @return as nova_module_get() */
int nova_module_find(const char *name, struct nova_module *module);

/**
 * Maps a module, readable and executable, so that it can be the image of children.
 * nova_region_free() unmaps it.
 * @param[out] data its first byte, at the start of a page
 * @return 0, or as nova_map_physical()
 */
int nova_module_map(const struct nova_module *module, const void **data);

/**
 * Finds a module by its name and maps it.
 *
 * @param name       name of its file
 * @param[out] data  as for nova_module_map()
 * @param[out] bytes its size
 * @return 0, or as nova_module_find() and nova_module_map()
 */
int nova_module_open(const char *name, const void **data, size_t *bytes);

#ifdef __cplusplus
}
#endif

#endif
