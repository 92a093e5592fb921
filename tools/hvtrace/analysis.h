/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Analysis: fed with the records of one boot in order of time, it knows who runs, waits and sleeps, and counts.
 *
 * Where records of a CPU are missing it doesn't guess: what that CPU did is unknown until a record tells, and that time is counted as unknown.
 * Everything is in ticks.
 */
#ifndef HVTRACE_ANALYSIS_H
#define HVTRACE_ANALYSIS_H

#include "event.h"
#include "hvtrace.h"
#include "sample.h"

#define ANALYSIS_UNKNOWN 0x10000u /* who runs; no vCPU */
#define CLASS_UNKNOWN SCHED_CLASS_COUNT
#define CAUSES 66u /* exception classes, interrupts, SErrors: cause_key() */
#define WAKE_WHYS 5u

struct worst {
	uint64_t ticks; /* 0: there was none */
	uint64_t time;  /* when it ended */
	uint64_t pc;
	uint32_t cause;
	uint32_t vcpu; /* that left; ANALYSIS_UNKNOWN */
	uint8_t cpu;
};

struct vcpu_irq {
	uint32_t intid;
	uint64_t injected; /* count */
	uint64_t since;    /* pending for the guest; 0: not */
	uint64_t physical; /* when the physical one that it comes from was taken; 0: there is none */
	struct samples irq_inject, inject_eoi, irq_eoi;
};

enum vcpu_place { PLACE_UNKNOWN, PLACE_OFF, PLACE_BLOCKED, PLACE_QUEUED, PLACE_RUNNING };

struct vcpu_stats {
	uint32_t id;
	/* now */
	enum vcpu_place place;
	uint64_t since;
	uint32_t class; /* CLASS_UNKNOWN */
	uint8_t cpu;    /* the last one it was seen on */
	bool ticked;    /* a timer interrupt was given, and the guest not entered since */
	uint64_t tick_time;
	uint32_t tick; /* late by */
	/* counted */
	uint64_t ran[SCHED_CLASS_COUNT + 1]; /* the last one: class unknown */
	uint64_t turns;
	uint64_t wakeups[WAKE_WHYS];
	uint64_t blocks, overruns, psci, faults;
	struct samples waits;         /* from being ready to having a CPU */
	struct samples exits[CAUSES]; /* stays, by what ended the guest's turn */
	struct worst worst;           /* of the stays */
	/*
	 * tick_late: until the interrupt was given. entry_late: until the guest was entered with it, where ends of stays are recorded; it
	 * is what the guest sees.
	 */
	struct samples tick_late, entry_late, wake_late, expire_late;
	struct vcpu_irq *irqs; /* by number */
	size_t irq_count, irq_room;
};

struct cpu_stats {
	/* now */
	bool seen;
	uint32_t running; /* vCPU, TRACE_NOBODY, ANALYSIS_UNKNOWN */
	uint64_t since;
	uint64_t last;     /* time of the latest record */
	uint32_t entered;  /* vCPU that the last stay ended with; ANALYSIS_UNKNOWN */
	uint32_t irq;      /* taken in this stay */
	uint64_t irq_time; /* 0: none, or it was passed on */
	bool saw_exit;     /* ends of stays are recorded */
	/* counted */
	uint64_t busy, idle, unknown; /* ticks */
	uint64_t records, lost, switches, irqs;
	struct samples stays, timer_late;
	struct worst worst;
};

struct analysis {
	uint64_t records;
	uint64_t begin, now; /* ticks: of the first record, of the latest */
	uint64_t by_event[256];
	struct vcpu_stats **vcpus; /* by VM and vCPU number */
	size_t count, room;
	unsigned int cpus;
	struct cpu_stats cpu[HVTRACE_CPUS];
	struct vcpu_stats *by_id[HVTRACE_VMS * 256];
};

struct analysis *analysis_new(void);
void analysis_free(struct analysis *a);

/* `missing`: records of this CPU that are lost right before it. */
void analysis_record(struct analysis *a, const struct record *r, uint64_t missing);
/* Counts what lasts up to now, which isn't before the latest record; may go on after that. */
void analysis_until(struct analysis *a, uint64_t now);
/* What comes after the CPU's latest record isn't known. */
void analysis_lost(struct analysis *a, uint8_t cpu);
/* Everything counted begins anew, what is known of the present stays. */
void analysis_clear(struct analysis *a);

unsigned int cause_key(uint32_t cause);
const char *cause_key_name(char text[NAME_ROOM], unsigned int key);
uint64_t vcpu_ran(const struct vcpu_stats *v);

#endif
