/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scenes: what the simulated machine is made of, and what is expected of a scene beyond the properties that always
 * hold.
 *
 * Most have one purpose and are random in its parameters; "chaos" is random in everything and has no purpose but the
 * properties.
 */
#include "sim.h"

#include <stdio.h>

#include "camber/errno.h"

#define SECOND_US UINT64_C(1000000)
#define ALL UINT32_MAX

/* --- shares ------------------------------------------------------------------------------------------------------- */

/*
 * What each unit gets that always wants to run, on `cpus` CPUs where all may run: by weight, but for those whose part
 * is more than a CPU: they get one, and the others share the rest.
 */
static void fair_shares(const struct sim_unit *g, unsigned int n, double cpus, double *share)
{
	bool whole[SIM_UNITS] = { false };
	bool again;

	do {
		double weights = 0, left = cpus;

		again = false;
		for (unsigned int i = 0; i < n; i++) {
			if (whole[i])
				left--;
			else
				weights += g[i].u.weight;
		}
		for (unsigned int i = 0; i < n; i++) {
			share[i] = whole[i] ? 1 : left * g[i].u.weight / weights;
			if (share[i] > 1) {
				whole[i] = true;
				again = true;
			}
		}
	} while (again);
}

/*
 * Within so much of what is right; of a small share within a quarter of an accounting period and a turn, which a unit may be ahead or behind
 * by when the time begins or ends.
 */
static void expect_shares(const struct sim_unit *g, unsigned int n, double cpus, unsigned int permille)
{
	uint64_t ahead = sched_params.account / 4 + sched_params.slice;
	double share[SIM_UNITS];

	fair_shares(g, n, cpus, share);
	for (unsigned int i = 0; i < n && sim.trace; i++)
		printf("unit %u: weight %u, %.4f of %.4f, credit %lld\n", g[i].id, g[i].u.weight,
		       (double)sim_ran(&g[i]) / (double)(sim.now - sim.mark), share[i], (long long)g[i].u.credit);
	for (unsigned int i = 0; i < n; i++) {
		uint64_t right = (uint64_t)((double)(sim.now - sim.mark) * share[i]);

		sim_expect("share", &g[i], sim_ran(&g[i]), right,
			   MAX(permille, (unsigned int)(1000 * ahead / MAX(right, UINT64_C(1)) + 1)));
	}
}

/* Always wants to run, in some way or other. */
static enum sim_guest any_hog(void)
{
	return sim_chance(70) ? SIM_HOG : SIM_SPIN;
}

/* Half of the time all start before a CPU has looked once; else one after the other. */
static void start_somehow(void)
{
	bool at_once = sim_chance(50);

	for (unsigned int i = 0; i < sim.units && !at_once; i++) {
		sim_start(&sim.unit[i]);
		sim_run(sim_below(sim_us(2000)));
	}
	sim_start_all();
}

/* One CPU: 10 s by weight within 1 %, but for the smallest shares. */
static void weights(const char *name, uint64_t seed)
{
	unsigned int n;

	sim_begin(name, seed, 1);
	n = (unsigned int)sim_between(2, 5);
	for (unsigned int i = 0; i < n; i++)
		(void)sim_add(&(struct sched_config){ .cpu_mask = ALL, .weight = (uint32_t)sim_between(64, 512) },
			      any_hog(), sim_us(sim_between(50, 5000)), 0, NULL);
	sim_ready();
	start_somehow();
	sim_run(sim_us(SECOND_US));
	sim_mark();
	sim_run(sim_us(10 * SECOND_US));
	expect_shares(sim.unit, n, 1, 10);
}

/*
 * A pool of several CPUs: each gets what is its own within 5 %. What a unit is ahead or behind is limited to some 70 ms
 * (a period's debt, a period's credit and a quarter), which in 10 s is 4.4 % of the smallest share here, 16 % of a CPU.
 */
static void pool_weights(const char *name, uint64_t seed)
{
	unsigned int n, cpus;

	sim_begin(name, seed, 1 + (unsigned int)(seed % 4));
	cpus = sim.cpus;
	n = cpus + (unsigned int)sim_between(1, 3);
	for (unsigned int i = 0; i < n; i++)
		(void)sim_add(&(struct sched_config){ .cpu_mask = ALL, .weight = (uint32_t)sim_between(100, 400) },
			      SIM_HOG, 0, 0, NULL);
	sim_ready();
	start_somehow();
	sim_run(sim_us(SECOND_US));
	sim_mark();
	sim_run(sim_us(10 * SECOND_US));
	expect_shares(sim.unit, n, cpus, cpus > 1 ? 50 : 10);
}

/*
 * Hogs beside units that sleep just when they would have to pay, or at random: those get no more than their part, the
 * hogs the rest by weight.
 */
static void dodgers(const char *name, uint64_t seed)
{
	uint64_t weights = 0, rest;
	unsigned int n;

	sim_begin(name, seed, 1);
	n = (unsigned int)sim_between(1, 3);
	for (unsigned int i = 0; i < n + 2; i++) {
		struct sched_config cfg = { .cpu_mask = ALL, .weight = (uint32_t)sim_between(128, 512) };
		enum sim_guest guest = i < n ? SIM_HOG : sim_chance(50) ? SIM_PERIODIC : SIM_SLEEPER;

		(void)sim_add(&cfg, guest, sim_us(9500), sim_us(sim_chance(50) ? 10000 : 500), NULL);
		weights += cfg.weight;
	}
	sim_ready();
	start_somehow();
	sim_run(sim_us(SECOND_US));
	sim_mark();
	sim_run(sim_us(10 * SECOND_US));
	rest = sim.now - sim.mark;
	for (unsigned int i = n; i < n + 2; i++) {
		const struct sim_unit *other = &sim.unit[i == n ? n + 1 : n];
		uint64_t all = sim.now - sim.mark, part = all * sim.unit[i].u.weight / weights;

		/* What the other one leaves of its part is there for all. */
		part = MAX(part, (all - sim_ran(other)) * sim.unit[i].u.weight / (weights - other->u.weight));
		if (sim_ran(&sim.unit[i]) > part * 101 / 100 + sim_us(60000))
			sim_fail("share", &sim.unit[i], "%llu ns, its part is %llu ns",
				 (unsigned long long)time_ticks_to_ns(sim_ran(&sim.unit[i])),
				 (unsigned long long)time_ticks_to_ns(part));
		rest -= sim_ran(&sim.unit[i]);
	}
	weights = 0;
	for (unsigned int i = 0; i < n; i++)
		weights += sim.unit[i].u.weight;
	for (unsigned int i = 0; i < n; i++)
		sim_expect("share", &sim.unit[i], sim_ran(&sim.unit[i]), rest * sim.unit[i].u.weight / weights, 15);
}

/* --- caps --------------------------------------------------------------------------------------------------------- */

/*
 * Groups of units that always want to run, on CPUs that have more than enough for all caps: each gets its cap within 1
 * %.
 */
static void caps(const char *name, uint64_t seed)
{
	static uint32_t cap[SIM_GROUPS];
	unsigned int groups, n = 0;
	uint32_t left;

	sim_begin(name, seed, 1 + (unsigned int)(seed % 4));
	groups = (unsigned int)sim_between(1, 3);
	left = 95 * sim.cpus;
	for (unsigned int i = 0; i < groups; i++) {
		unsigned int units = (unsigned int)sim_between(1, 3);
		/* A unit can't use more than a CPU, and needs a part of it that others of its CPU leave. */
		uint32_t most = MIN(left / groups, sim.cpus > 1 ? 60 : 95);
		struct sched_group *g;

		cap[i] = (uint32_t)sim_between(5, most);
		g = sim_add_group(cap[i]);
		for (unsigned int j = 0; j < units; j++, n++)
			(void)sim_add(&(struct sched_config){ .cpu_mask = ALL, .weight = 256, .group = g }, any_hog(),
				      sim_us(300), 0, NULL);
	}
	/* Often somebody takes what they leave. */
	if (sim_chance(50))
		(void)sim_add(&(struct sched_config){ .cpu_mask = ALL, .weight = 16 }, SIM_HOG, 0, 0, NULL);
	sim_ready();
	start_somehow();
	sim_run(sim_us(SECOND_US));
	sim_mark();
	sim_run(sim_us(10 * SECOND_US));
	for (unsigned int i = 0; i < groups; i++) {
		uint64_t ran = 0;

		for (unsigned int j = 0; j < n; j++)
			if (sim.unit[j].u.group == &sim.group[i])
				ran += sim_ran(&sim.unit[j]);
		sim_expect("cap", NULL, ran, (sim.now - sim.mark) * cap[i] / 100, 10);
	}
}

/* --- real time ---------------------------------------------------------------------------------------------------- */

/*
 * Real-time units that an admission test would let in, up to all of a CPU, beside hogs: properties "deadline" and
 * "budget". Some keep to their budgets, some overrun them, some never sleep.
 */
static void rt_set(const char *name, uint64_t seed)
{
	uint32_t left[PCPU_MAX];
	unsigned int n;

	sim_begin(name, seed, 1 + (unsigned int)(seed % 2));
	if (sim_chance(30))
		sim.rules.latency = sim_us(2);
	for (unsigned int i = 0; i < sim.cpus; i++)
		left[i] = sim_chance(50) ? 1000000 : 800000;
	n = (unsigned int)sim_between(1, 4) * sim.cpus;
	for (unsigned int i = 0; i < n; i++) {
		unsigned int cpu = (unsigned int)sim_below(sim.cpus), kind = (unsigned int)sim_below(4);
		uint32_t period = (uint32_t)(sim_chance(30) ? sim_between(400, 3000) : sim_between(5000, 50000));
		uint32_t ppm = (uint32_t)sim_between(20000, 600000), budget;
		struct sim_unit *g;

		ppm = MIN(ppm, left[cpu]);
		budget = (uint32_t)((uint64_t)period * ppm / 1000000);
		if (budget < 40)
			continue;
		left[cpu] -= ppm;
		/* A switch or two are paid from the budget too: 5 us less, with late interrupts more. */
		g = sim_add(&(struct sched_config){ .cpu_mask = BIT32(cpu),
						    .weight = sim_chance(50) ? 0 : 256,
						    .rt_budget_us = budget,
						    .rt_period_us = period },
			    kind == 3 ? SIM_HOG : SIM_PERIODIC,
			    sim_us(kind == 2 ? budget + budget / 2 : budget - MIN(budget / 4, 30)),
			    sim_us(sim_chance(50) ? period : period + sim_below(20000)), NULL);
		if (!g)
			sim_fail("budget", NULL, "a set that fits isn't admitted: %u of %u us", budget, period);
		g->punctual = kind < 2;
		g->announced = sim_chance(40);
	}
	for (unsigned int i = 0; i < 2 * sim.cpus; i++)
		(void)sim_add(&(struct sched_config){ .cpu_mask = BIT32(i % sim.cpus), .weight = 256 },
			      sim_chance(70) ? SIM_HOG : SIM_SLEEPER, sim_us(500), sim_us(800), NULL);
	sim_ready();
	start_somehow();
	sim_run(sim_us(2 * SECOND_US));
}

/*
 * Never sleeping, without weight, beside hogs: its budget within 1 % and nothing else; the hogs get the rest by weight.
 */
static void rt_greedy(const char *name, uint64_t seed)
{
	uint32_t period, budget;
	struct sim_unit *g;
	uint64_t right;

	sim_begin(name, seed, 1);
	period = (uint32_t)sim_between(1000, 20000);
	budget = (uint32_t)sim_between(period / 20, period / 2);
	g = sim_add(&(struct sched_config){ .cpu_mask = ALL, .rt_budget_us = budget, .rt_period_us = period }, SIM_HOG,
		    0, 0, NULL);
	g->announced = sim_chance(50);
	for (unsigned int i = 0; i < 3; i++)
		(void)sim_add(&(struct sched_config){ .cpu_mask = ALL, .weight = 128 << i }, SIM_HOG, 0, 0, NULL);
	sim_ready();
	start_somehow();
	sim_run(sim_us(SECOND_US));
	sim_mark();
	sim_run(sim_us(10 * SECOND_US));
	right = (sim.now - sim.mark) / period * budget;
	sim_expect("budget", g, sim_ran(g), right, 10);
	expect_shares(g + 1, 3, 1 - (double)budget / period, 10);
}

/* --- quiet -------------------------------------------------------------------------------------------------------- */

/* As many units as CPUs, or fewer: once they run nothing of ours happens. */
static void quiet(const char *name, uint64_t seed)
{
	unsigned int sets[PCPU_MAX];
	unsigned int n;

	sim_begin(name, seed, 1 + (unsigned int)(seed % PCPU_MAX));
	n = (unsigned int)sim_between(1, sim.cpus);
	for (unsigned int i = 0; i < n; i++) {
		bool rt = sim_chance(30);

		(void)sim_add(&(struct sched_config){ .cpu_mask = sim_chance(50) ? ALL : BIT32(i),
						      .weight = 256,
						      .rt_budget_us = rt ? 1000 : 0,
						      .rt_period_us = rt ? 10000 : 0 },
			      SIM_HOG, 0, 0, NULL);
	}
	sim_ready();
	for (unsigned int i = 0; i < n; i++)
		for (unsigned int j = 0; j < i; j++)
			if (sched_unit_cpu(&sim.unit[i].u) == sched_unit_cpu(&sim.unit[j].u))
				return; /* bound to the same one: not this scene's */
	for (unsigned int i = 0; i < n; i++)
		if (!sched_unit_alone(&sim.unit[i].u))
			sim_fail("quiet", &sim.unit[i], "has a CPU of its own, and isn't alone");
	for (unsigned int i = 0; i < sim.cpus; i++)
		sets[i] = host_timer_sets(i);
	start_somehow();
	sim_run(sim_us(10 * SECOND_US));
	for (unsigned int i = 0; i < n; i++) {
		unsigned int cpu = sched_unit_cpu(&sim.unit[i].u);

		if (host_timer(cpu) != TIME_NEVER || host_timer_sets(cpu) != sets[cpu])
			sim_fail("quiet", &sim.unit[i], "alone on CPU %u, and its timer was programmed %u times", cpu,
				 host_timer_sets(cpu) - sets[cpu]);
	}
}

/* --- chaos -------------------------------------------------------------------------------------------------------- */

/* What the outside does in this run. */
static struct {
	bool stops, sets, modes;
	uint64_t every;
} chaos_is;

static void change_rt(struct sim_unit *g)
{
	uint32_t period = (uint32_t)sim_between(100, 30000), ppm;
	int ret = sched_set_rt(&g->u, (uint32_t)sim_between(10, period), period, &ppm);

	if (ret != (g->u.rt ? 0 : -EPERM) && (ret != -ENOSPC || ppm <= 1000000))
		sim_fail("budget", g, "sched_set_rt() says %d", ret);
	/* Servers of other budgets are still under way. */
	if (!ret)
		sim.disturbed_until = MAX(sim.disturbed_until, sim.now + 2 * sim_us(50000));
}

static void change_params(void)
{
	struct sched_params p = sched_params;

	if (chaos_is.modes)
		p.mode = sim_chance(60) ? SCHED_MODE_RT : SCHED_MODE_CREDIT;
	if (sim_chance(30))
		p.slice = sim_us(sim_between(200, 10000));
	if (sim_chance(10))
		p.demote = sim_us(sim_between(1000, 20000));
	sched_set_params(&p);
	sim.disturbed_until = p.mode == SCHED_MODE_CREDIT ? TIME_NEVER :
			      chaos_is.modes              ? sim.now + 2 * sim_us(50000) :
							    sim.disturbed_until;
}

static void chaos_control(void)
{
	struct sim_unit *g = &sim.unit[sim_below(sim.units)];

	sim.control_at = sim.now + sim_around(chaos_is.every);
	if (chaos_is.stops && sim_chance(50)) {
		if (sched_unit_state(&g->u) == SCHED_OFF)
			sim_start(g);
		else if (sim_chance(50))
			sim_stop(g);
		/* A job that was interrupted by a stop, or begins by a start, begins anew. */
		return;
	}
	if (!chaos_is.sets)
		return;
	switch (sim_below(4)) {
	case 0:
		sched_set_weight(&g->u, (uint32_t)sim_between(g->u.rt ? 0 : 1, 1024));
		break;
	case 1:
		if (g->u.group)
			sched_set_cap(g->u.group, sim_chance(40) ? 0 : (uint32_t)sim_between(1, 200));
		break;
	case 2:
		change_rt(g);
		break;
	default:
		change_params();
		break;
	}
	sim_changed();
}

static void chaos_unit(bool calm)
{
	enum sim_guest guest = (enum sim_guest)sim_below(SIM_GUESTS);
	uint64_t work = sim_us(sim_chance(50) ? sim_between(5, 300) : sim_between(300, 20000));
	uint64_t period = sim_us(sim_chance(50) ? sim_between(50, 5000) : sim_between(5000, 100000));
	struct sched_config cfg = { .cpu_mask = ALL, .weight = (uint32_t)sim_between(16, 1024) };
	struct sim_unit *g;

	if (sim_chance(60))
		cfg.cpu_mask = sim_chance(50) ? (uint32_t)sim_between(1, BIT32(sim.cpus) - 1) :
						BIT32(sim_below(sim.cpus));
	if (sim.groups && sim_chance(70))
		cfg.group = &sim.group[sim_below(sim.groups)];
	if (sim_chance(25)) {
		cfg.rt_period_us = (uint32_t)sim_between(200, 30000);
		cfg.rt_budget_us = (uint32_t)sim_between(MAX(cfg.rt_period_us / 50, 10u), cfg.rt_period_us / 2);
		cfg.weight = sim_chance(50) ? 0 : cfg.weight;
		guest = sim_chance(60) ? SIM_PERIODIC : guest;
		if (sim_chance(60)) {
			work = sim_us(cfg.rt_budget_us - MIN(cfg.rt_budget_us / 2, 40u));
			period = sim_us(cfg.rt_period_us + sim_below(cfg.rt_period_us));
		}
	}
	g = sim_add(&cfg, guest, MAX(work, 1), period, NULL);
	if (!g)
		return;
	/* Nobody changes what the promise rests upon, nobody else interrupts it, and its group has no cap. */
	g->punctual = calm && g->u.rt && guest == SIM_PERIODIC &&
		      work <= g->u.budget - MIN(g->u.budget / 2, sim_us(40)) && period >= g->u.period && !g->u.group;
	g->announced = g->u.rt && sim_chance(50);
	/* Siblings in pairs. */
	if (g->id && (guest == SIM_PING || guest == SIM_SPIN)) {
		struct sim_unit *peer = g - 1;

		if (peer->u.group == g->u.group) {
			g->peer = peer;
			peer->punctual = false;
			peer->peer = peer->peer ? peer->peer : g;
		}
	}
}

static void chaos(const char *name, uint64_t seed)
{
	unsigned int n, groups;
	bool kinds, calm;

	sim_begin(name, seed, 1 + (unsigned int)(seed % PCPU_MAX));
	kinds = sim_chance(20);
	for (unsigned int i = 0; kinds && i < sim.cpus; i++)
		unit_cpu(i)->sched.kind = i & 1;
	if (sim_chance(50))
		sim.rules.latency = sim_us(sim_between(1, 3));
	calm = sim_chance(30);
	chaos_is.stops = !calm && sim_chance(60);
	chaos_is.sets = !calm && sim_chance(60);
	chaos_is.modes = chaos_is.sets && sim_chance(40);
	chaos_is.every = sim_us(sim_between(500, 200000));
	groups = (unsigned int)sim_below(5);
	for (unsigned int i = 0; i < groups; i++)
		(void)sim_add_group(sim_chance(40) ? (uint32_t)sim_between(5, 100 * sim.cpus) : 0);
	n = (unsigned int)sim_between(1, sim_chance(30) ? SIM_UNITS : 2 * sim.cpus);
	for (unsigned int i = 0; i < n; i++)
		chaos_unit(calm);
	if (!sim.units)
		return;
	sim_ready();
	start_somehow();
	if (!calm)
		sim.control_at = sim.now + sim_around(chaos_is.every);
	sim.control = chaos_control;
	sim_run_events(sim.events + 8000);
}

/* --- all ---------------------------------------------------------------------------------------------------------- */

const struct sim_scene sim_scenes[] = {
	{ "weights", weights, 2 }, { "pool-weights", pool_weights, 2 },
	{ "dodgers", dodgers, 2 }, { "caps", caps, 2 },
	{ "rt-set", rt_set, 4 },   { "rt-greedy", rt_greedy, 1 },
	{ "quiet", quiet, 4 },     { "chaos", chaos, 16 },
};
const unsigned int sim_scene_count = ARRAY_SIZE(sim_scenes);

uint64_t sim_play(const struct sim_scene *s, uint64_t seed)
{
	/* Counters of machines that there are; most divisions leave a rest. */
	static const uint64_t hz[] = { 1000000000, 62500000, 24000000 };
	enum host_end how;

	time_init(hz[seed % ARRAY_SIZE(hz)]);
	how = host_catch(s->run(s->name, seed));
	if (how != HOST_END_NONE)
		sim_fail("assertion", NULL, "%s", unit_panic_text);
	return sim.events;
}
