/* SPDX-License-Identifier: Apache-2.0 */
/* For libfdt, which is compiled freestanding: the library's own string functions. */
#ifndef LIBFDT_STRING_H
#define LIBFDT_STRING_H

#include "camber/lib.h"

#endif
