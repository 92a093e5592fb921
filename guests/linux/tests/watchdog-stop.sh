#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A service that refreshes the watchdog three times and then is stuck, without closing it. The machine must not get to the
# end: that is the failure. What it prints shows how long it lived on.
set -eu

[ -c /dev/watchdog0 ] || { echo "watchdog-stop: there is no watchdog"; exit 1; }
echo "watchdog-stop: bootstatus $(cat /sys/class/watchdog/watchdog0/bootstatus)"
exec 3> /dev/watchdog0
for _ in 1 2 3; do
	echo . >&3
	sleep 0.5
done
echo . >&3
n=0
while [ $n -lt 600 ]; do
	n=$((n + 1))
	sleep 0.1
	echo "watchdog-stop: $n tenths of a second without a refresh"
done
exit 1
