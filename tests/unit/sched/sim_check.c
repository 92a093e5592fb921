/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Properties of the scheduler, checked after every event of the simulated machine; their names stand in messages and in
 * sim_bugs_test.c. They follow from the contract in camber/sched.h, not from how it is implemented; bounds are derived
 * where they stand.
 *
 *   charge    every tick of a CPU is idle or charged to the one unit that had it; waiting is counted exactly
 *   share     saturated units have CPU time by weight (scenes)
 *   cap       a group runs no more than its cap, and as much if it is saturated (scenes)
 *   budget    a real-time unit that always wants to run has exactly its budget in RT in each period
 *   deadline  jobs that fit into budget and period are done before the period is over
 *   credit    credits change by what is paid and given back only, and stay within limits
 *   starve    a unit with a weight runs within a bounded time
 *   wake-up   none is lost; no CPU is idle while a unit that may run there waits
 *   place     units run where they may, on one CPU at a time, and don't move while a CPU holds their state
 *   queue     queues, masks and states agree; the most urgent unit of a CPU runs
 *   lateness  the worst lateness reported is the worst there was
 *   stop      a unit that was stopped is off once its CPU has looked
 *   quiet     a unit alone on its CPU causes no timer
 */
#include "sim.h"

#include <stdio.h>

/* Longest that a CPU may be idle while a unit that may run there waits. */
#define IDLE_MAX_US 1000u

void (*sim_on_fail)(const char *property);

void sim_fail(const char *property, const struct sim_unit *g, const char *fmt, ...)
{
	char who[24] = "";
	va_list ap;

	if (g)
		(void)snprintf(who, sizeof(who), "unit %u: ", g->id);
	printf("sim: property %s: scene %s, seed %llu, %llu ns, event %llu: %s", property, sim.scene,
	       (unsigned long long)sim.seed, (unsigned long long)time_ticks_to_ns(sim.now - sim.start),
	       (unsigned long long)sim.events, who);
	va_start(ap, fmt);
	(void)vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	for (unsigned int i = 0; i < sim.units; i++) {
		const struct sched_unit *u = &sim.unit[i].u;

		printf("  unit %2u: guest %d, state %d, CPU %u of 0x%x, class %d, weight %u, credit %lld%s%s%s\n", i,
		       sim.unit[i].guest, sched_unit_state(u), sched_unit_cpu(u), u->cpu_mask, u->class, u->weight,
		       (long long)u->credit, u->rt ? ", rt" : "", u->parked ? ", parked" : "",
		       u->active ? ", active" : "");
	}
	(void)fflush(stdout);
	sim_on_fail(property);
	__builtin_unreachable();
}

static struct sched_cpu *sched_of(unsigned int cpu)
{
	return &unit_cpu(cpu)->sched;
}

static bool first_of_pool(unsigned int cpu)
{
	return (unsigned int)__builtin_ctz(sched_of(cpu)->pool->cpus) == cpu;
}

/* It has been told to look, and will. */
static bool will_look(unsigned int cpu)
{
	return unit_cpu(cpu)->work || sim.cpu[cpu].look_at != TIME_NEVER;
}

/* --- queues and places -------------------------------------------------------------------------------------------- */

/* Returns how many units are in it. */
static unsigned int check_queue(unsigned int cpu, unsigned int class)
{
	struct list *q = &sched_of(cpu)->queue[class], *at;
	uint64_t deadline = 0;
	unsigned int n = 0;

	for (at = q->next; at != q; at = at->next) {
		struct sim_unit *g = sim_of(list_entry(at, struct sched_unit, node));

		if (at->next->prev != at || at->prev->next != at)
			sim_fail("queue", g, "broken links in the queue of class %u of CPU %u", class, cpu);
		if (++n > SIM_UNITS)
			sim_fail("queue", g, "the queue of class %u of CPU %u has no end", class, cpu);
		if (g < sim.unit || g >= &sim.unit[sim.units])
			sim_fail("queue", NULL, "no unit in the queue of class %u of CPU %u", class, cpu);
		if (sched_unit_state(&g->u) != SCHED_QUEUED || g->u.parked || g->u.class != class)
			sim_fail("queue", g, "state %d, parked %d, class %d in the queue of class %u of CPU %u",
				 sched_unit_state(&g->u), g->u.parked, g->u.class, class, cpu);
		if (sched_unit_cpu(&g->u) != cpu)
			sim_fail("queue", g, "of CPU %u in a queue of CPU %u", sched_unit_cpu(&g->u), cpu);
		if (class == SCHED_RT && g->u.deadline < deadline)
			sim_fail("queue", g, "behind a later deadline");
		deadline = g->u.deadline;
	}
	return n;
}

/* The running unit is the most urgent of its CPU, unless the CPU is about to look. */
static void check_order(unsigned int cpu)
{
	const struct sched_cpu *s = sched_of(cpu);
	const struct sched_unit *r = s->running, *first;
	unsigned int best;

	if (!s->ready || will_look(cpu))
		return;
	best = (unsigned int)__builtin_ctz(s->ready);
	first = list_entry(s->queue[best].next, struct sched_unit, node);
	if (!r)
		sim_fail("wake-up", sim_of((struct sched_unit *)(uintptr_t)first),
			 "waits in class %u on CPU %u, which is idle and hasn't been told to look", best, cpu);
	/* Whoever yields lets less urgent ones go first. The baseline ends boosts at its ticks, turns later. */
	if (sched_params.mode == SCHED_MODE_CREDIT ||
	    sim_of((struct sched_unit *)(uintptr_t)first)->guest == SIM_YIELDER)
		return;
	if (best < r->class || (best == SCHED_RT && r->class == SCHED_RT && first->deadline < r->deadline))
		sim_fail("queue", sim_of((struct sched_unit *)(uintptr_t)first),
			 "waits in class %u on CPU %u, where unit %u runs in class %u", best, cpu,
			 sim_of((struct sched_unit *)(uintptr_t)r)->id, r->class);
}

static void check_cpus(void)
{
	unsigned int queued = 0, expected = 0;

	for (unsigned int i = 0; i < sim.cpus; i++) {
		const struct sched_cpu *s = sched_of(i);
		const struct sim_cpu *c = &sim.cpu[i];

		for (unsigned int class = 0; class < SCHED_CLASSES; class ++) {
			unsigned int n = check_queue(i, class);

			queued += n;
			if (!!(s->ready & BIT32(class)) != !!n)
				sim_fail("queue", NULL, "CPU %u has %u units of class %u, and ready is 0x%x", i, n,
					 class, s->ready);
		}
		if (sim_of(s->running) != c->picked)
			sim_fail("queue", c->picked, "CPU %u runs another unit than it picked", i);
		if (sched_joined(s) && (s->pool->idle & BIT32(i)) && s->running)
			sim_fail("queue", sim_of(s->running), "runs on CPU %u, which the pool takes for idle", i);
		if (sched_joined(s) && !(s->pool->idle & BIT32(i)) && !s->running && c->looks && !will_look(i))
			sim_fail("queue", NULL, "CPU %u is idle and the pool doesn't know", i);
		check_order(i);
	}
	for (unsigned int i = 0; i < sim.units; i++)
		expected += sched_unit_state(&sim.unit[i].u) == SCHED_QUEUED && !sim.unit[i].u.parked;
	if (queued != expected)
		sim_fail("queue", NULL, "%u units wait, %u are in queues", expected, queued);
}

static void check_place(struct sim_unit *g)
{
	unsigned int cpu = sched_unit_cpu(&g->u);
	enum sched_state state = sched_unit_state(&g->u);

	if (cpu >= sim.cpus || !(g->u.cpu_mask & BIT32(cpu)))
		sim_fail("place", g, "on CPU %u, allowed are 0x%x", cpu, g->u.cpu_mask);
	if ((sched_unit_fixed(&g->u) || g->u.rt) && cpu != g->first_cpu)
		sim_fail("place", g, "bound to CPU %u, now on %u", g->first_cpu, cpu);
	if (g->u.group && unit_cpu(cpu)->sched.kind != unit_cpu(sched_unit_cpu(g->u.group->first))->sched.kind)
		sim_fail("place", g, "on another kind of core than its group");
	if (state == SCHED_RUNNING && sched_of(cpu)->running != &g->u)
		sim_fail("place", g, "RUNNING, but not on CPU %u, where it should be", cpu);
	for (unsigned int i = 0; i < sim.cpus; i++) {
		if (sim.cpu[i].loaded == g && sched_joined(sched_of(i)) && g->u.resident != i)
			sim_fail("place", g, "its state is on CPU %u, and resident says %u", i, g->u.resident);
		if (sched_of(i)->running == &g->u && state != SCHED_RUNNING)
			sim_fail("place", g, "CPU %u runs it in state %d", i, state);
	}
	if (g->stop_asked && state != SCHED_OFF && !will_look(cpu))
		sim_fail("stop", g, "was stopped, its state is %d, and CPU %u won't look", state, cpu);
}

void sim_check_pick(struct sim_unit *g, const struct sim_cpu *c)
{
	for (unsigned int i = 0; i < sim.cpus; i++)
		if (&sim.cpu[i] != c && (sim.cpu[i].loaded == g || sim.cpu[i].picked == g))
			sim_fail("place", g, "runs on CPU %u while CPU %u holds its state", (unsigned int)(c - sim.cpu),
				 i);
	if (g->due != TIME_NEVER)
		g->late_worst = MAX(g->late_worst, sim.now - g->due);
	g->due = TIME_NEVER;
}

/* --- waiting ------------------------------------------------------------------------------------------------------ */

/*
 * Longest wait of a unit that has a weight. At an accounting its debt is one period's credit at most, and it may run up
 * another before the next; all that is paid is given back by weight, so it regains at least its part w/W of a period's
 * ordinary time each period: after 2 W/w periods it is UNDER. From then on only units that have credit too come first.
 * All n of them hold no more than a period's credit each; of what they pay they get less than all back, for at least
 * w/W of it is given to this one: after n W/w periods they have none. In sum, with u the CPU's part promised to
 * real-time units,
 *     ((2 + n) W/w + 2) periods / (1 - u), and a turn of each.
 */
static uint64_t starve_bound(const struct sim_unit *g)
{
	const struct sched_pool *pool = sched_of(sched_unit_cpu(&g->u))->pool;
	uint64_t weights = 0, turn, n = 0, ppm = 0;

	if (!g->u.weight)
		return TIME_NEVER;
	for (unsigned int i = 0; i < sim.units; i++) {
		const struct sched_unit *u = &sim.unit[i].u;

		if (sched_of(sched_unit_cpu(u))->pool != pool)
			continue;
		/* The baseline gives a real-time unit without weight the default one. */
		weights += MAX(u->weight, u->rt ? 256 : 0);
		n++;
	}
	for (unsigned int i = 0; i < sim.cpus; i++)
		if (sched_of(i)->pool == pool && sched_params.mode == SCHED_MODE_RT)
			ppm = MAX(ppm, sched_of(i)->rt_ppm);
	if (ppm > 950000)
		return TIME_NEVER;
	turn = sched_params.mode == SCHED_MODE_RT ? sched_params.slice : sched_params.account;
	return ((2 + n) * weights / g->u.weight + 2) * sched_params.account * 1000000 / (1000000 - ppm) + n * turn;
}

static uint64_t ran_up_to_now(const struct sim_unit *g)
{
	uint64_t ran = g->ran;

	for (unsigned int i = 0; i < sim.cpus; i++)
		if (sim.cpu[i].picked == g)
			ran += sim.now - sim.cpu[i].picked_at;
	return ran;
}

void sim_changed(void)
{
	for (unsigned int i = 0; i < sim.units; i++) {
		struct sim_unit *g = &sim.unit[i];

		sim.starve[i] = starve_bound(g);
		if (g->wait_since != TIME_NEVER)
			g->wait_since = sim.now;
		g->rt_whole = false;
	}
	for (unsigned int i = 0; i < sim.groups; i++) {
		sim.cap[i].since = sim.now;
		sim.cap[i].ran = 0;
		for (unsigned int j = 0; j < sim.units; j++)
			if (sim.unit[j].u.group == &sim.group[i])
				sim.cap[i].ran += ran_up_to_now(&sim.unit[j]);
	}
	/* Turns that are under way keep their length. */
	sim.turn = MAX(sim.turn, sched_params.mode == SCHED_MODE_RT ? sched_params.slice : sched_params.account);
	/* All may begin anew. */
	for (unsigned int i = 0; i < sim.cpus; i++)
		sim.pool[i].known = false;
}

static void check_wait(struct sim_unit *g)
{
	uint64_t since = g->wait_since;

	if (g->asleep_until != TIME_NEVER && g->state == SCHED_BLOCKED &&
	    sim.now > g->asleep_until + 2 * sim.rules.latency)
		sim_fail("wake-up", g, "its sleep was over %llu ticks ago",
			 (unsigned long long)(sim.now - g->asleep_until));
	if (since == TIME_NEVER)
		return;
	for (unsigned int i = 0; i < sim.cpus; i++) {
		const struct sim_cpu *c = &sim.cpu[i];
		uint64_t both;

		if (!(g->u.cpu_mask & BIT32(i)) || c->idle_since == TIME_NEVER)
			continue;
		both = sim.now - MAX(c->idle_since, since);
		if (both > sim_us(IDLE_MAX_US))
			sim_fail("wake-up", g, "has waited on CPU %u for %llu ns while CPU %u is idle",
				 sched_unit_cpu(&g->u), (unsigned long long)time_ticks_to_ns(both), i);
	}
	if (sim.starve[g->id] != TIME_NEVER && sim.now - since > sim.starve[g->id])
		sim_fail("starve", g, "has waited for %llu ns in class %d, credit %lld",
			 (unsigned long long)time_ticks_to_ns(sim.now - since), g->u.class, (long long)g->u.credit);
}

/* --- paying ------------------------------------------------------------------------------------------------------- */

static void check_figures(struct sim_unit *g)
{
	struct sched_stats st;
	uint64_t ran = 0, right = ran_up_to_now(g);

	sched_unit_stats(&g->u, &st);
	for (unsigned int i = 0; i < SCHED_CLASSES; i++)
		ran += st.ran[i];
	if (ran != right)
		sim_fail("charge", g, "ran %llu ticks, charged are %llu", (unsigned long long)right,
			 (unsigned long long)ran);
	if (st.waited != g->waited)
		sim_fail("charge", g, "waited %llu ticks, counted are %llu", (unsigned long long)g->waited,
			 (unsigned long long)st.waited);
	if (st.late_worst != g->late_worst)
		sim_fail("lateness", g, "was %llu ticks late at worst, reported are %llu",
			 (unsigned long long)g->late_worst, (unsigned long long)st.late_worst);
}

/*
 * Credits of a pool: units pay what they run, and an accounting gives all of that back to those that wanted to run. It
 * can't give more than their share of a period, and forgives debts beyond a period, and those of units without weight.
 * The baseline samples, so nothing adds up.
 */
static void check_sum(unsigned int cpu, bool account)
{
	const struct sched_pool *pool = sched_of(cpu)->pool;
	int64_t most = (int64_t)sched_params.account, credit = 0, change, slack = 0, most_wakes;
	uint64_t ran = 0, wakeups = 0, weights = 0,
		 all = (uint64_t)__builtin_popcount(pool->cpus) * sched_params.account;
	bool full = false, broke = false;

	for (unsigned int i = 0; i < sim.units; i++)
		if (sched_of(sched_unit_cpu(&sim.unit[i].u))->pool == pool)
			weights += sim.unit[i].u.weight;
	for (unsigned int i = 0; i < sim.units; i++) {
		const struct sched_unit *u = &sim.unit[i].u;

		if (sched_of(sched_unit_cpu(u))->pool != pool)
			continue;
		credit += u->credit;
		for (unsigned int class = SCHED_RT + 1; class < SCHED_CLASSES; class ++)
			ran += u->stats.ran[class];
		wakeups += u->stats.wakeups;
		full |= u->weight && u->credit + 1 >= (int64_t)MIN(all * u->weight / weights, sched_params.account);
		broke |= u->credit <= -most || !u->weight;
		slack += 2;
	}
	sim.pool[cpu].paid += ran - sim.pool[cpu].ran;
	change = credit - sim.pool[cpu].credit + (int64_t)(ran - sim.pool[cpu].ran);
	/*
	 * Wake-ups cost something, but for those in RT, whose budget pays. An accounting may follow at once: that one
	 * counts it, or not yet.
	 */
	most_wakes = (int64_t)((wakeups - sim.pool[cpu].wakeups) * sched_params.wake_cost);
	sim.pool[cpu].wakeups = wakeups;
	if (!account && change < 0 && -change <= most_wakes && -change % (int64_t)sched_params.wake_cost == 0) {
		sim.pool[cpu].paid += (uint64_t)-change;
		change = 0;
	}
	slack += account ? most_wakes : 0;
	if (sim.pool[cpu].known && sched_params.mode == SCHED_MODE_RT) {
		if (change && !account)
			sim_fail("credit", NULL, "the sum in the pool of CPU %u changed by %lld between accountings",
				 cpu, (long long)change);
		change -= (int64_t)sim.pool[cpu].paid;
		if (account && ((change > most_wakes + sim.pool[cpu].unsure && !broke) || (change < -slack && !full)))
			sim_fail("credit", NULL, "%lld more was given than paid, in the pool of CPU %u",
				 (long long)change, cpu);
	}
	if (account)
		sim.pool[cpu].unsure = most_wakes;
	sim.pool[cpu].credit = credit;
	sim.pool[cpu].ran = ran;
}

static void check_credit(unsigned int cpu)
{
	const struct sched_pool *pool = sched_of(cpu)->pool;
	bool account = pool->account_at != sim.pool[cpu].account_at, cut = account && sim.pool[cpu].known;
	int64_t most = (int64_t)sched_params.account, turn = (int64_t)MAX(sched_params.slice, sched_params.demote);

	check_sum(cpu, account);
	if (account) {
		sim.pool[cpu].account_at = pool->account_at;
		sim.pool[cpu].paid = 0;
		sim.pool[cpu].known = true;
	}
	for (unsigned int i = 0; i < sim.units; i++) {
		const struct sim_unit *g = &sim.unit[i];

		if (sched_of(sched_unit_cpu(&g->u))->pool != pool)
			continue;
		if (!g->u.weight && g->u.credit >= 0 && sched_params.mode == SCHED_MODE_RT)
			sim_fail("credit", g, "has %lld and no weight", (long long)g->u.credit);
		/*
		 * Siblings that hand over their turns can give it a turn's credit each; debt is cut at an accounting.
		 */
		if ((cut && sched_params.mode == SCHED_MODE_RT && g->u.credit < -most) ||
		    g->u.credit > most + most / 4 + turn * (int64_t)sim.units)
			sim_fail("credit", g, "has %lld, the limit is %lld", (long long)g->u.credit, (long long)most);
	}
}

/*
 * What a group ran since its cap was set: that of each period, one for the period it began in, and a turn on each CPU.
 */
static void check_cap(unsigned int i)
{
	uint64_t ran = 0, turn = sim.turn, periods, right;

	if (!sim.group[i].cap)
		return;
	for (unsigned int j = 0; j < sim.units; j++) {
		if (sim.unit[j].u.group != &sim.group[i])
			continue;
		ran += ran_up_to_now(&sim.unit[j]);
		turn = MAX(turn, sim.unit[j].u.budget);
	}
	periods = (sim.now - sim.cap[i].since) / sched_params.account + 2;
	right = periods * sim.group[i].cap + sim.cpus * (turn + 2 * sim.rules.latency);
	if (ran - sim.cap[i].ran > right)
		sim_fail("cap", NULL, "group %u ran %llu ticks in %llu, may %llu", i,
			 (unsigned long long)(ran - sim.cap[i].ran), (unsigned long long)(sim.now - sim.cap[i].since),
			 (unsigned long long)right);
}

/* --- real time ---------------------------------------------------------------------------------------------------- */

/* Interrupts that come late cost a unit time that isn't the scheduler's to give. */
static uint64_t late_looks(const struct sim_cpu *c, uint64_t before)
{
	return (c->looks - before + 2) * 2 * sim.rules.latency;
}

void sim_check_job(struct sim_unit *g, const struct sim_cpu *c)
{
	uint64_t took = sim.now - g->release, period = g->u.period;

	if (!g->punctual || !g->woken_in_time || !period || sim.now < sim.disturbed_until ||
	    g->release < sim.disturbed_until)
		return;
	if (took > period + late_looks(c, g->looks))
		sim_fail("deadline", g, "job %llu took %llu ns, its period is %llu ns", (unsigned long long)g->jobs,
			 (unsigned long long)time_ticks_to_ns(took), (unsigned long long)time_ticks_to_ns(period));
}

/* A new budget came: what became of the last one? */
static void check_budget(struct sim_unit *g)
{
	const struct sim_cpu *c = &sim.cpu[sched_unit_cpu(&g->u)];
	uint64_t budget = g->u.budget, slack, ran;
	enum sched_state state = sched_unit_state(&g->u);

	if (!g->u.rt)
		return;
	if ((state != SCHED_QUEUED && state != SCHED_RUNNING) || g->u.parked || sim.now < sim.disturbed_until ||
	    g->rt_wakeups != g->u.stats.wakeups)
		g->rt_whole = false;
	/* Nobody waits: what it runs costs nobody anything. */
	g->rt_free |= state == SCHED_RUNNING && !sched_of(sched_unit_cpu(&g->u))->ready;
	if (g->u.deadline == g->rt_deadline)
		return;
	ran = sim_rt_total(g);
	/* Being woken costs some of it too. */
	slack = late_looks(c, g->rt_looks) + budget / 100 + sim_us(1);
	if (g->rt_whole && (ran - g->rt_ran + slack < budget || (!g->rt_free && ran - g->rt_ran > budget + slack)))
		sim_fail("budget", g, "had %llu ns in RT in its period, its budget is %llu ns",
			 (unsigned long long)time_ticks_to_ns(ran - g->rt_ran),
			 (unsigned long long)time_ticks_to_ns(budget));
	g->rt_deadline = g->u.deadline;
	g->rt_ran = ran;
	g->rt_looks = c->looks;
	g->rt_wakeups = g->u.stats.wakeups;
	/*
	 * One that announces its sleeps and was woken otherwise waits for the next period. Of what it ran while nobody
	 * waited, a little may be taken off its next budget.
	 */
	g->rt_whole = (state == SCHED_QUEUED || state == SCHED_RUNNING) && !g->u.parked && g->u.class == SCHED_RT &&
		      !g->rt_free && sim.now >= sim.disturbed_until;
	g->rt_free = false;
}

/* --- all of it ---------------------------------------------------------------------------------------------------- */

void sim_check(void)
{
	struct sim_unit *g;

	for (unsigned int i = 0; i < sim.units; i++) {
		g = &sim.unit[i];
		sim_see(g);
		check_place(g);
		check_wait(g);
		check_budget(g);
	}
	check_cpus();
	for (unsigned int i = 0; i < sim.cpus; i++)
		if (first_of_pool(i))
			check_credit(i);
	/*
	 * One at a time, sooner or later all; seldom, as asking makes a unit pay, and so could cover up that it hasn't.
	 */
	if (sim.units && sim.events % 16 == 0)
		check_figures(&sim.unit[sim.events / 16 % sim.units]);
	if (sim.groups)
		check_cap((unsigned int)(sim.events % sim.groups));
}

void sim_check_end(void)
{
	for (unsigned int i = 0; i < sim.units; i++) {
		sim_see(&sim.unit[i]);
		check_figures(&sim.unit[i]);
		check_wait(&sim.unit[i]);
	}
	for (unsigned int i = 0; i < sim.groups; i++)
		check_cap(i);
}

void sim_expect(const char *property, const struct sim_unit *g, uint64_t got, uint64_t right, unsigned int permille)
{
	uint64_t off = got > right ? got - right : right - got;

	if (off * 1000 > right * permille)
		sim_fail(property, g, "%llu ns, right is %llu ns", (unsigned long long)time_ticks_to_ns(got),
			 (unsigned long long)time_ticks_to_ns(right));
}
