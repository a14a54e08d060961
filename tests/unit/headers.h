/* SPDX-License-Identifier: BSD-2-Clause */
/* Headers that most unit tests include, compiled once for each level of optimization. */
#ifndef UNIT_HEADERS_H
#define UNIT_HEADERS_H

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#endif
