#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A service that refreshes the watchdog, and ends in order: SECONDS times once a second, then the magic close. The machine
# must still be there, and the watchdog off, after twice its timeout. watchdog=<seconds> on the kernel's command line
# chooses SECONDS. It fails if there is no watchdog.
set -eu

fail()
{
	echo "watchdog: $*"
	exit 1
}

sys=/sys/class/watchdog/watchdog0
seconds=$(sed -n 's/.*\bwatchdog=\([0-9]*\).*/\1/p' /proc/cmdline)

[ -c /dev/watchdog0 ] || fail "there is no watchdog"
echo "watchdog: $(cat $sys/identity), timeout $(cat $sys/timeout) s, state $(cat $sys/state)"
echo "watchdog: bootstatus $(cat $sys/bootstatus)"
exec 3> /dev/watchdog0
n=0
while [ $n -lt "${seconds:-5}" ]; do
	echo . >&3
	[ "$(cat $sys/timeleft)" -le "$(cat $sys/timeout)" ] || fail "more time is left than there is"
	sleep 1
	n=$((n + 1))
done
[ "$(cat $sys/state)" = active ] || fail "it is not active while it is open"
echo V >&3
exec 3>&-
[ "$(cat $sys/state)" = inactive ] || fail "it goes on after the magic close"
sleep $(($(cat $sys/timeout) * 2))
echo "watchdog: refreshed $n times"
