/* SPDX-License-Identifier: BSD-2-Clause */
/* The service `files`, for a program that contains it. */
#ifndef NOVART_FILES_SERVER_H
#define NOVART_FILES_SERVER_H

#include "volume.h"

/* Starts the service. The list of grants must stay valid. @return 0 or an errno value */
int files_service_start(const struct grant *list, unsigned count);

#endif
