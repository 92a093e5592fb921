#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The clocks agree: the kernel took its date from the RTC, both go at the same rate, and no sleep ends early. How late
# a sleep ends depends on the machine's load, so it is printed and not judged; the caller compares the printed date
# with its own.
set -eu

SPAN_S=5
SLACK_S=2

fail()
{
	echo "clock: $*"
	exit 1
}

rtc()
{
	cat /sys/class/rtc/rtc0/since_epoch
}

# Hundredths of a second since boot.
uptime_cs()
{
	cut -d' ' -f1 /proc/uptime | tr -d .
}

near()
{
	[ $(($1 - $2)) -le $SLACK_S ] && [ $(($2 - $1)) -le $SLACK_S ]
}

[ -e /sys/class/rtc/rtc0 ] || fail "there is no RTC"
[ "$(cat /sys/class/rtc/rtc0/hctosys)" = 1 ] || fail "the kernel did not set its date from the RTC"
rtc_0=$(rtc)
date_0=$(date +%s)
up_0=$(uptime_cs)
near "$rtc_0" "$date_0" || fail "date says $date_0, the RTC says $rtc_0"

for tenths in 1 5 10; do
	before=$(uptime_cs)
	sleep "$((tenths / 10)).$((tenths % 10))"
	slept=$(($(uptime_cs) - before))
	echo "clock: sleep of ${tenths}00 ms took ${slept}0 ms"
	[ $slept -ge $((tenths * 10 - 1)) ] || fail "a sleep ended early"
done

sleep $SPAN_S
rtc_span=$(($(rtc) - rtc_0))
date_span=$(($(date +%s) - date_0))
up_span=$((($(uptime_cs) - up_0) / 100))
echo "clock: RTC went on by $rtc_span s, date by $date_span s, the counter by $up_span s"
[ $rtc_span -ge $SPAN_S ] || fail "the RTC stands"
near $rtc_span $date_span || fail "RTC and date go at different rates"
near $rtc_span $up_span || fail "RTC and counter go at different rates"
echo "clock: date $(date -u '+%Y-%m-%d %H:%M:%S') UTC epoch $(date +%s)"
