#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Switch the machine off by PSCI SYSTEM_OFF. It must not come back: returning is the failure.
poweroff -f
exit 1
