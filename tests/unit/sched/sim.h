/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Simulated machine for the scheduler: 1 to 8 CPUs in virtual time, over hv/sched as it is and hv/arch/host.
 *
 * It is made of the machine (sim.c: CPUs that take timer interrupts, look at their work and pick), guests (sim_guest.c:
 * what a unit does with its time), properties that must hold (sim_check.c), and scenes that put these together
 * (sim_scene.c). A run is a function of its scene and seed. One thread, one machine at a time, so everything is in one
 * global, `sim`.
 */
#ifndef UNIT_SCHED_SIM_H
#define UNIT_SCHED_SIM_H

#include "support.h"

#include "camber/sched.h"

#define SIM_UNITS 24
#define SIM_GROUPS 8

/* What a unit does. RT units are of these too: only their configuration differs. */
enum sim_guest {
	SIM_HOG,      /* computes without end */
	SIM_PERIODIC, /* computes `work` every `period`, woken by its own timer, or by an announced sleep's end */
	SIM_SLEEPER,  /* computes and sleeps for random times around `work` and `period` */
	SIM_SERVER,   /* computes about `work` for each of the events that come about every `period`, busy or not */
	SIM_PING,     /* computes about `work`, interrupts its peer, and waits for being interrupted */
	SIM_SPIN,     /* like it, but computes on */
	SIM_YIELDER,  /* gives way after every `work` */
	SIM_GUESTS
};

struct sim_unit {
	struct sched_unit u;
	unsigned int id;
	enum sim_guest guest;
	uint64_t work, period; /* ticks */
	bool announced;        /* sleeps by sched_rt_sleep() */
	bool punctual;         /* its jobs must be done within the real-time period: property "deadline" */
	struct sim_unit *peer;

	bool busy;             /* with a piece of work; else it takes up the next one when it runs */
	uint64_t left;         /* of that, until it does something; TIME_NEVER: hog */
	uint64_t release;      /* of the present job, or of the next one; TIME_NEVER: none */
	bool in_job;           /* computes for the job of `release` */
	bool woken_in_time;    /* in RT, for its present job */
	uint64_t looks;        /* of its CPU when the job was released */
	bool pending;          /* interrupted since it last waited */
	uint64_t event_at;     /* SIM_SERVER: the next one */
	uint64_t asleep_until; /* announced: BLOCKED, and nobody else wakes it */
	struct timer alarm;

	/* What the machine saw, to compare with what the scheduler says. */
	uint64_t ran, waited;
	enum sched_state state; /* at the last look */
	uint64_t state_since;
	uint64_t wait_since; /* queued and not parked, under the same settings; TIME_NEVER: not */
	uint64_t jobs;
	uint64_t due, late_worst; /* what it was woken for; TIME_NEVER: nothing */
	bool stop_asked;
	unsigned int first_cpu;
	uint64_t mark_ran; /* `ran` at sim_mark() */
	/* Of a real-time unit: what its present period began with. */
	uint64_t rt_deadline, rt_ran, rt_looks, rt_wakeups;
	bool rt_whole; /* it wanted to run in all of it */
	bool rt_free;  /* and did so for a time while nobody else wanted to */
};

struct sim_cpu {
	struct sim_unit *current; /* computes; NULL: idle, or in the hypervisor */
	uint64_t run_from;        /* since when, of its `left` */
	struct sim_unit *picked;  /* by the last pick, at picked_at: who pays */
	uint64_t picked_at;
	struct sim_unit *loaded; /* whose state the hardware holds */
	uint64_t look_at;        /* its work is about to be seen; TIME_NEVER: none */
	uint64_t jitter;         /* of the next timer interrupt */
	uint64_t idle_since;     /* TIME_NEVER: not idle */
	uint64_t looks;
};

/* What a scene may ask for. */
struct sim_rules {
	uint64_t latency; /* longest time from an interrupt to what it causes, random; 0: exact figures */
};

struct sim {
	const char *scene;
	uint64_t seed, random;
	uint64_t now, start, events, mark;
	unsigned int cpus, units, groups;
	struct sim_rules rules;
	struct sim_cpu cpu[PCPU_MAX];
	struct sim_unit unit[SIM_UNITS];
	struct sched_group group[SIM_GROUPS];
	void (*control)(void); /* the outside: stops, starts, changes settings, and sets control_at anew */
	uint64_t control_at;
	unsigned int same_time;   /* events without time passing */
	uint64_t disturbed_until; /* real-time settings changed: no promises until then; TIME_NEVER: while it lasts */
	bool trace;

	/* Of the properties. */
	uint64_t turn; /* longest that there was */
	struct {
		bool known;
		int64_t credit; /* sum */
		uint64_t ran;   /* sum of what isn't paid from budgets */
		uint64_t paid;  /* since the last accounting */
		uint64_t wakeups;
		int64_t unsure;      /* what wake-ups cost at the moment of the last accounting */
		uint64_t account_at; /* next accounting */
	} pool[PCPU_MAX];
	struct {
		uint64_t since, ran; /* figures when the cap was set */
	} cap[SIM_GROUPS];
	uint64_t starve[SIM_UNITS]; /* longest wait */
};

extern struct sim sim;

/* Called when a property is broken, after it was printed; doesn't return. */
extern void (*sim_on_fail)(const char *property);

/* --- machine (sim.c) ---------------------------------------------------------------------------------------------- */

/* A machine of so many CPUs, of one kind, at a random time, without units. */
void sim_begin(const char *scene, uint64_t seed, unsigned int cpus);

/* A unit; NULL if sched_unit_init() refuses it, with the reason in *why (may be NULL). */
struct sim_unit *sim_add(const struct sched_config *cfg, enum sim_guest guest, uint64_t work, uint64_t period,
			 int *why);
struct sched_group *sim_add_group(uint32_t cap_percent);

/* Seals the scheduler; units are started by sim_start(). */
void sim_ready(void);
void sim_start(struct sim_unit *g);
void sim_start_all(void);
void sim_stop(struct sim_unit *g);

/* Runs for so many ticks, or until sim.events has reached a number. */
void sim_run(uint64_t ticks);
void sim_run_events(uint64_t until);

/* From here on counts sim_ran(), which is exact at the end of a run. */
void sim_mark(void);
uint64_t sim_ran(const struct sim_unit *g);

/* What a unit has run in RT in all. */
uint64_t sim_rt_total(const struct sim_unit *g);

/* Makes this thread the CPU. */
void sim_be(unsigned int cpu);

/* Time since a unit was last looked at is booked; done at each event. */
void sim_see(struct sim_unit *g);

uint64_t sim_random(void);
uint64_t sim_below(uint64_t n);                    /* 0 .. n - 1; 0 for n == 0 */
uint64_t sim_between(uint64_t low, uint64_t high); /* both included */
bool sim_chance(unsigned int percent);
uint64_t sim_around(uint64_t mean); /* distributed nearly exponentially, at least 1 */
uint64_t sim_us(uint64_t us);

static inline struct sim_unit *sim_of(struct sched_unit *u)
{
	return u ? container_of(u, struct sim_unit, u) : NULL;
}

/* --- guests (sim_guest.c) ----------------------------------------------------------------------------------------- */

/* It came onto a CPU and isn't busy: sets `left`. */
void guest_begin(struct sim_unit *g);
/* It has computed what it had to, on this CPU. */
void guest_done(struct sim_cpu *c, struct sim_unit *g);
/* SIM_SERVER: its event is due. */
void guest_event(struct sim_unit *g);
/* Before its first run, and after a stop. */
void guest_reset(struct sim_unit *g);

/* --- properties (sim_check.c) ------------------------------------------------------------------------------------- */

/* Prints property, scene, seed, time, unit (NULL: none) and text, and ends the run. */
void sim_fail(const char *property, const struct sim_unit *g, const char *fmt, ...) __printf(3, 4) __noreturn;

/* After each event, when all that happens at this moment on this CPU has happened. */
void sim_check(void);
/* A job is done. */
void sim_check_job(struct sim_unit *g, const struct sim_cpu *c);
/* At the end of a run, all figures. */
void sim_check_end(void);
/* Settings changed: what follows from them is computed anew, and periods and waits begin anew. */
void sim_changed(void);
/* It has been chosen by a CPU, or has come to wait. */
void sim_check_pick(struct sim_unit *g, const struct sim_cpu *c);
/* Within `permille` of what is right; the figures are printed. */
void sim_expect(const char *property, const struct sim_unit *g, uint64_t got, uint64_t right, unsigned int permille);

/* --- scenes (sim_scene.c) ----------------------------------------------------------------------------------------- */

struct sim_scene {
	const char *name;
	void (*run)(const char *name, uint64_t seed);
	unsigned int weight; /* how many seeds of it in a round */
};

extern const struct sim_scene sim_scenes[];
extern const unsigned int sim_scene_count;

/* Runs a scene with a seed; a panic in the code under test is property "assertion". Returns its events. */
uint64_t sim_play(const struct sim_scene *s, uint64_t seed);

#endif
