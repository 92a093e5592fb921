#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The kernel itself is stuck, while a service refreshes the watchdog: a panic, after which Debian's kernel waits for ever.
# The machine must not get to the end: that is the failure.
set -eu

[ -c /dev/watchdog0 ] || { echo "watchdog-hang: there is no watchdog"; exit 1; }
exec 3> /dev/watchdog0
(while echo . >&3; do sleep 0.5; done) &
sleep 2
echo c > /proc/sysrq-trigger
sleep 600
exit 1
