/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trace: the events, and the format of the stream, for the hypervisor, tools/hvtrace and docs/trace.md alike. Self-contained.
 *
 * TRACE_EVENTS is the one table. EVENT(NAME, name, number, CLASS, words, "fields", "what it says"): `words` 32-bit words, whose names
 * and kinds `fields` has as "name:kind", one for each. Numbers stay what they are; new events get new ones. Events below 16 take
 * one byte less on the line.
 *
 * Kinds of words:
 *   vcpu   VM number << 8 | vCPU's number in its VM; TRACE_NOBODY: none, the CPU is idle
 *   vm     VM number, as the monitor's `vm list` has it
 *   ticks  duration in ticks of the system counter (CNTFRQ), TRACE_TICKS_MAX: that or longer
 *   class  enum sched_class: 0 RT, 1 BOOST, 2 UNDER, 3 OVER, 4 IDLE
 *   why    enum sched_wake: 0 timer, 1 event, 2 IPI, 3 sleep, 4 start
 *   left   enum sched_state of who ran before: 0 off, 1 blocked, 2 queued, 3 running (elsewhere by now, or nobody was there)
 *   cause  of an exit from a guest: ESR_EL2; TRACE_CAUSE_IRQ: a physical interrupt; TRACE_CAUSE_SERROR: an SError
 *   state  enum vm_state
 *   reason enum vm_stop_reason
 *   text   four characters, the first in the lowest byte, NUL when there are no more
 *   dec, hex   a number
 *   lo, hi     halves of a 64-bit number: "pc:lo pc:hi" is one number called pc
 */
#ifndef ABI_TRACE_H
#define ABI_TRACE_H

/* Classes: what can be switched on and off. META always is on. */
#define TRACE_CLASSES(CLASS)                                                                                           \
	CLASS(META, meta, 0, "the trace itself")                                                                       \
	CLASS(EXIT, exit, 1, "stays in the hypervisor: guest exits and entries")                                       \
	CLASS(SCHED, sched, 2, "which vCPU runs, and why")                                                             \
	CLASS(RT, rt, 3, "real-time sleeps, budgets and how late timer interrupts reach their guest")                  \
	CLASS(IRQ, irq, 4, "interrupts: physical ones, those given to guests, those that guests ended")                \
	CLASS(TIMER, timer, 5, "the hypervisor's own timers")                                                          \
	CLASS(PSCI, psci, 6, "power calls of guests")                                                                  \
	CLASS(LIFE, life, 7, "VMs that start, stop, pause")                                                            \
	CLASS(FAULT, fault, 8, "faults of guests and of the hypervisor")                                               \
	CLASS(MONITOR, monitor, 9, "commands of the monitor")

#define TRACE_EVENTS(EVENT)                                                                                            \
	EVENT(SWITCH, switch, 1, SCHED, 5, "prev:vcpu left:left next:vcpu class:class late:ticks",                     \
	      "another vCPU, or nobody, has this CPU; late: since what it was woken for was due, 0: it was not woken") \
	EVENT(EXIT, exit, 2, EXIT, 5, "vcpu:vcpu cause:cause stay:ticks pc:lo pc:hi",                                  \
	      "a stay in the hypervisor ends now, with the entry to vcpu; it began `stay` ago with `cause`")           \
	EVENT(WAKE, wake, 3, SCHED, 4, "vcpu:vcpu why:why class:class cpu:dec", "a vCPU wants to run, on that CPU")    \
	EVENT(BLOCK, block, 4, SCHED, 2, "vcpu:vcpu sleep:ticks",                                                      \
	      "a vCPU waits for an interrupt; sleep: it announced one of so long, 0: it did not")                      \
	EVENT(CLASS, class, 5, SCHED, 3, "vcpu:vcpu from:class to:class",                                              \
	      "a vCPU that runs or waits has another class")                                                           \
	EVENT(TICK, tick, 6, RT, 2, "vcpu:vcpu late:ticks",                                                            \
	      "the interrupt of a guest's virtual timer is given to it, `late` after the deadline it programmed")      \
	EVENT(RT_ARM, rt_arm, 7, RT, 2, "vcpu:vcpu ahead:ticks", "the real-time ticker is set")                        \
	EVENT(RT_EXPIRE, rt_expire, 8, RT, 2, "vcpu:vcpu late:ticks",                                                  \
	      "the real-time ticker ends a sleep or begins a period")                                                  \
	EVENT(RT_OVERRUN, rt_overrun, 9, RT, 2, "vcpu:vcpu over:ticks", "a budget is used up with more to do")         \
	EVENT(IRQ, irq, 10, IRQ, 1, "intid:dec", "a physical interrupt is taken")                                      \
	EVENT(INJECT, inject, 11, IRQ, 2, "vcpu:vcpu intid:dec", "an interrupt becomes pending for a vCPU")            \
	EVENT(EOI, eoi, 12, IRQ, 2, "vcpu:vcpu intid:dec", "it is seen that a guest has ended an interrupt")           \
	EVENT(TIMER_SET, timer_set, 13, TIMER, 1, "ahead:ticks",                                                       \
	      "the CPU's timer is programmed; TRACE_TICKS_MAX: off")                                                   \
	EVENT(TIMER_RUN, timer_run, 14, TIMER, 1, "late:ticks", "a timer's function is called")                        \
	EVENT(PSCI, psci, 16, PSCI, 4, "vcpu:vcpu function:hex arg:hex result:hex", "a PSCI call is answered")         \
	EVENT(VM, vm, 17, LIFE, 3, "vm:vm state:state reason:reason", "a VM has another state")                        \
	EVENT(GUEST_FAULT, guest_fault, 18, FAULT, 5, "vcpu:vcpu esr:hex addr:lo addr:hi pc:lo",                       \
	      "a guest did what it may not; addr: IPA where the fault has one")                                        \
	EVENT(HV_FAULT, hv_fault, 19, FAULT, 5, "esr:hex pc:lo pc:hi addr:lo addr:hi",                                 \
	      "the hypervisor faulted, or gave up")                                                                    \
	EVENT(COMMAND, command, 20, MONITOR, 5, "text:text text:text text:text text:text text:text",                   \
	      "a command of the monitor begins; its first 20 characters")                                              \
	EVENT(CLASSES, classes, 21, META, 2, "from:hex to:hex", "other classes are on from here on, a bit for each")

#define TRACE_NOBODY 0xffffu
#define TRACE_TICKS_MAX 0xffffffffu
#define TRACE_CAUSE_IRQ 0u
#define TRACE_CAUSE_SERROR 0xfffffffeu
#define TRACE_WORDS 5u /* of a record, at most */

enum trace_class {
#define TRACE_CLASS(NAME, name, bit, what) TRACE_CLASS_##NAME = bit,
	TRACE_CLASSES(TRACE_CLASS)
#undef TRACE_CLASS
};

enum trace_event {
#define TRACE_EVENT(NAME, name, number, class, words, fields, what) TRACE_##NAME = number,
	TRACE_EVENTS(TRACE_EVENT)
#undef TRACE_EVENT
};

/*
 * The stream: frames, each at most TRACE_FRAME_BYTES long and complete in itself. Numbers are little-endian, "varint" is unsigned LEB128.
 *   byte 0    TRACE_VERSION << 4 | kind
 *   byte 1    boot: number of boots since power-on, modulo 256. Numbers of records begin anew with each
 *   ...       by kind, below
 *   last 4    CRC-32 (IEEE 802.3, as zlib's crc32()) of all before
 *
 * TRACE_FRAME_RECORDS: records of one CPU
 *   byte 2    CPU
 *   varint    number of the first record; the others follow it without a gap. Each CPU counts its records from 0 on
 *   varint    records that were overwritten before they could be sent, so far on this CPU: they have numbers that are missing
 *   varint    records that found the ring full, so far on this CPU: they have no numbers
 *   varint    time of the first record, ticks of the system counter
 *   then for each record, up to the CRC:
 *     varint  event << 3 | words
 *     varint  ticks since the record before; 0 for the first
 *     varint  each word
 *   So all records that were made on a CPU are: those decoded + numbers missing + those without numbers.
 *
 * TRACE_FRAME_STATUS: about once a second, and when something is switched
 *   varint    ticks per second
 *   varint    now, ticks
 *   varint    classes that are on, a bit for each
 *   byte      TRACE_STATUS_* flags
 *   varint    bytes per second of the line that the stream keeps to; 0: as fast as the line takes it
 *   varint    records that a CPU's ring holds
 *   varint    CPUs of the machine
 *   varint    the first of them that follows; up to the CRC, for each (those that don't fit follow in another frame at once):
 *     varint  records with numbers so far: the next one's number
 *     varint  overwritten, as above
 *     varint  without numbers, as above
 *     varint  ticks that the CPU had nothing to run, so far
 *     varint  stays in the hypervisor so far
 *     varint  ticks of all stays so far
 *
 * TRACE_FRAME_VM: one VM, after each status, in turn
 *   byte      VM number
 *   byte      vCPUs
 *   byte      1: a real-time VM
 *   rest      label, without NUL
 *
 * On a line of its own a frame is sent as COBS (Cheshire and Baker, 1999) with a 0 byte behind it; a 0 before the first one, too.
 * On the console's line it is sent in text that terminals don't show (ECMA-48 8.3.2, APC ... ST):
 * ESC _ C t <base64 (RFC 4648 4) of the frame, without padding> ESC \
 */
#define TRACE_VERSION 1u
enum trace_frame { TRACE_FRAME_RECORDS = 1, TRACE_FRAME_STATUS, TRACE_FRAME_VM };

#define TRACE_FRAME_BYTES 240u        /* with CRC: fits one COBS block, so one byte and the 0 are all that is added */
#define TRACE_CONSOLE_FRAME_BYTES 80u /* on the console's line: others wait for it */

#define TRACE_STATUS_STOP 1u     /* a full ring takes no more, rather than overwriting the oldest */
#define TRACE_STATUS_DUMP 2u     /* what follows was recorded before: a dump of the rings */
#define TRACE_STATUS_DUMP_END 4u /* it ends here */
#define TRACE_STATUS_ENDED 8u    /* the stream is switched off: nothing follows */

#define TRACE_CONSOLE_BEGIN "\033_Ct"
#define TRACE_CONSOLE_END "\033\\"

/*
 * Records in RAM: a ring for each CPU, at a place that is the same after a warm reset. Record n is in slot n % slots; a slot whose number
 * doesn't fit its place, or is older than the newest one's by the number of slots or more, holds nothing.
 */
struct trace_record {
	unsigned long long time; /* ticks */
	unsigned int head;       /* number << 11 (modulo 2^21) | event << 3 | words */
	unsigned int word[TRACE_WORDS];
};

#define TRACE_HEAD(event, words) ((unsigned int)(event) << 3 | (words))
#define TRACE_HEAD_NUMBER_SHIFT 11

#endif
