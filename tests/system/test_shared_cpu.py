# SPDX-License-Identifier: Apache-2.0
"""Two vCPUs of one Linux on one CPU: an IPI to a preempted sibling must not wait for the end of a time slice."""
from camber import linux


def uptime_ns(boot, profile, arguments):
    """Virtual time from the kernel's first instruction to user space."""
    # A spinning vCPU leaves QEMU's loop at each YIELD: a second of it in virtual time is more than a minute of ours.
    q = boot(profile, bootargs={"linux": linux.run("cat /proc/uptime")}, quiet_s=600, **arguments)
    q.expect(linux.up())
    seconds = q.expect(r"^\[linux\] (\d+)\.(\d\d) \d").groups()
    return int(seconds[0]) * 10 ** 9 + int(seconds[1]) * 10 ** 7


def test_boot_takes_at_most_twice_the_time(boot, icount):
    one = uptime_ns(boot, "linux1", icount)
    two = uptime_ns(boot, "linux2on1", icount)
    assert two <= 2 * one, f"1 vCPU: {one} ns, 2 vCPUs on one CPU: {two} ns"
