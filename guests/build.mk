# SPDX-License-Identifier: Apache-2.0
# The guests; each keeps its rules in its own folder.
include guests/linux/build.mk
include guests/rtos/build.mk
include guests/probe/build.mk
include guests/firmware/build.mk
