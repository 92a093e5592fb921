#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Somebody outside pauses this machine, once or more often, for pause=<seconds> (kernel's command line) or longer altogether.
# Its time must stand still then: a 10 s sleep begun before takes 10 s, no other timer notices, and neither does the kernel.
# The RTC goes on, so the date is behind afterwards, until it is set from there. Rounds are run until two in a row found no
# pause, after enough of it.
set -eu

SLEEP_S=10
LATE_CS=5        # of a sleep, in hundredths of a second
LATENCY_US=10000 # of a periodic thread: what an emulator that runs CPUs in turn may need
ROUNDS_MAX=2000

fail()
{
	echo "pause: $*"
	exit 1
}

rtc()
{
	cat /sys/class/rtc/rtc0/since_epoch
}

# now: hundredths of a second since boot. No process is started for that: it is done often.
uptime_cs()
{
	read -r up _ < /proc/uptime
	now=$((${up%.*} * 100 + 1${up#*.} - 100))
}

wanted=$(sed -n 's/.*\bpause=\([0-9]*\).*/\1/p' /proc/cmdline)
[ -n "$wanted" ] || fail "pause=<seconds> is missing on the command line"
[ -e /sys/class/rtc/rtc0 ] || fail "there is no RTC"

# Sleeps of 100 ms one after another while the long one lasts. worst: the longest time from one to the next.
short_sleeps()
{
	worst=0
	uptime_cs
	while [ ! -e /run/slept ]; do
		last=$now
		sleep 0.1
		uptime_cs
		[ $((now - last)) -le $worst ] || worst=$((now - last))
	done
}

# away: seconds that the RTC has gone on while this machine's time stood still.
compare()
{
	uptime_cs
	away=$(($(rtc) - rtc_0 - (now - start) / 100))
}

one_round()
{
	uptime_cs
	up_0=$now
	cyclictest --quiet --mlockall --smp --priority=80 --interval=10000 --distance=0 --loops=$((SLEEP_S * 100)) \
		> /run/cyclictest &
	cycles=$!
	rm -f /run/slept
	(sleep $SLEEP_S; : > /run/slept) &
	short_sleeps
	slept=$((now - up_0))
	wait $cycles
	latency=$(awk '/^T:/ { if ($NF > max) max = $NF } END { print max + 0 }' /run/cyclictest)
	[ $slept -ge $((SLEEP_S * 100)) ] || fail "a sleep of $SLEEP_S s ended after ${slept}0 ms"
	# Its end is seen between two short ones.
	[ $slept -le $((SLEEP_S * 100 + 10 + 2 * LATE_CS)) ] || fail "a sleep of $SLEEP_S s took ${slept}0 ms"
	[ "$worst" -le $((10 + LATE_CS)) ] || fail "a sleep of 100 ms took ${worst}0 ms"
	[ "$latency" -le $LATENCY_US ] || fail "cyclictest: a thread was $latency us late"
}

uptime_cs
rtc_0=$(rtc)
start=$now
total=0
paused=0
calm=0
rounds=0
echo "pause: ready"
while [ $total -lt "$wanted" ] || [ $calm -lt 2 ]; do
	[ $rounds -lt $ROUNDS_MAX ] || fail "nobody paused this machine for $wanted s: $total s so far"
	one_round
	rounds=$((rounds + 1))
	compare
	lag=$((away - total))
	if [ $lag -ge 2 ]; then
		echo "pause: away for $lag s; 10 s took ${slept}0 ms, 100 ms ${worst}0 ms, latency $latency us"
		total=$((total + lag))
		paused=$((paused + 1))
		calm=0
	else
		calm=$((calm + 1))
	fi
done

! dmesg | grep -i -e 'soft lockup' -e 'stall' -e 'clocksource.*unstable' -e 'watchdog: BUG' -e 'hung_task' -e 'blocked for' \
	-e 'clock skew' -e 'time jumped' -e 'hrtimer: interrupt took' || fail "the kernel noticed"
behind=$(($(rtc) - $(date +%s)))
hwclock -s -u -f /dev/rtc0
left=$(($(rtc) - $(date +%s)))
echo "pause: $paused of $rounds rounds paused, away for $total s, date $behind s behind, $left s after hwclock -s"
[ $left -ge -1 ] && [ $left -le 1 ] || fail "the date is wrong still"
