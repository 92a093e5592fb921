# SPDX-License-Identifier: Apache-2.0
#
# Programs for the build machine. tools/run and tools/lint are scripts and need no rules here; tests/build.mk calls them.

include tools/mkbundle/build.mk
include tools/hvtrace/build.mk
