/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Force-included into host builds in place of camber/compiler.h: the same vocabulary, without its hidden visibility, which
 * would hide the C library's functions from the program.
 */
#ifndef HOST_COMPILER_H
#define HOST_COMPILER_H

#include "camber/compiler.h"

#pragma GCC visibility pop

#endif
