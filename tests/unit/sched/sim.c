/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The simulated machine: time, CPUs, the way from an interrupt to the next pick. See sim.h.
 *
 * A CPU does here what hv/vm/vcpu.c and the architecture do on hardware, in that order, and nothing else; whatever can
 * happen at the same moment happens in random order. With sim.rules.latency, interrupts take random times, so that
 * CPUs' actions mix as they do on hardware, where a CPU is always a little behind.
 */
#include "sim.h"

#include <stdio.h>
#include <string.h>

#include "camber/arch/cpu.h"

/* What happens at one moment has an end; as many steps without time passing have none. */
#define SAME_TIME_MAX 5000u

struct sim sim;

/* --- random numbers ----------------------------------------------------------------------------------------------- */

/* splitmix64 (Steele, Lea and Flood, 2014): any seed is a good one. */
uint64_t sim_random(void)
{
	uint64_t z = sim.random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

uint64_t sim_below(uint64_t n)
{
	return n ? sim_random() % n : 0;
}

uint64_t sim_between(uint64_t low, uint64_t high)
{
	return low + sim_below(high - low + 1);
}

bool sim_chance(unsigned int percent)
{
	return sim_below(100) < percent;
}

/* Exponential but for straight lines between the points where the probability halves. */
uint64_t sim_around(uint64_t mean)
{
	uint64_t bits = sim_random(), half = mean * 693 / 1000;
	unsigned int halvings = (unsigned int)__builtin_ctzll(bits | BIT64(10));

	return 1 + half * halvings + sim_below(half + 1);
}

uint64_t sim_us(uint64_t us)
{
	return time_ns_to_ticks(us * 1000);
}

/* --- CPUs --------------------------------------------------------------------------------------------------------- */

void sim_be(unsigned int cpu)
{
	host_set_pcpu(unit_cpu(cpu));
}

static unsigned int number(const struct sim_cpu *c)
{
	return (unsigned int)(c - sim.cpu);
}

static uint64_t latency(void)
{
	return sim.rules.latency ? sim_below(sim.rules.latency + 1) : 0;
}

/* The guest on the CPU has computed until now. */
static void compute(struct sim_cpu *c)
{
	struct sim_unit *g = c->current;

	if (g && g->left != TIME_NEVER)
		g->left -= MIN(g->left, sim.now - c->run_from);
	c->run_from = sim.now;
}

/* Who had the CPU since the last pick pays; nobody did: it was idle. */
static void book(struct sim_cpu *c, struct sim_unit *next)
{
	if (c->picked)
		c->picked->ran += sim.now - c->picked_at;
	c->picked = next;
	c->picked_at = sim.now;
}

void sim_see(struct sim_unit *g)
{
	enum sched_state state = sched_unit_state(&g->u);
	bool waits;

	/* The end of an announced sleep is the scheduler's own doing. */
	if (g->state == SCHED_BLOCKED && state != SCHED_BLOCKED && g->due == TIME_NEVER &&
	    g->asleep_until != TIME_NEVER)
		g->due = g->asleep_until;
	if (state != SCHED_BLOCKED)
		g->asleep_until = TIME_NEVER;
	if (g->state == SCHED_QUEUED)
		g->waited += sim.now - g->state_since;
	g->state_since = sim.now;
	waits = state == SCHED_QUEUED && !g->u.parked;
	if (!waits)
		g->wait_since = TIME_NEVER;
	else if (g->wait_since == TIME_NEVER || g->state != SCHED_QUEUED)
		g->wait_since = sim.now;
	g->state = state;
}

/* What the hardware holds; the state of a unit that is off leaves it, as its VM may be waiting for that. */
static void load(struct sim_cpu *c, struct sim_unit *next)
{
	struct sim_unit *old = c->loaded;

	bool off = old && sched_unit_state(&old->u) == SCHED_OFF;

	if (old && old != next && (next || off)) {
		c->loaded = NULL;
		if (off || sched_joined(&unit_cpu(number(c))->sched))
			sched_release(&unit_cpu(number(c))->sched, &old->u);
	}
	if (next && sched_joined(&unit_cpu(number(c))->sched))
		sched_hold(&unit_cpu(number(c))->sched, &next->u);
	if (next)
		c->loaded = next;
}

/* The way back to a guest when there is work: hv/vm/vcpu.c, vcpu_leave_slow(). */
static void look(struct sim_cpu *c)
{
	struct pcpu *p = unit_cpu(number(c));
	struct sim_unit *g;
	unsigned int turns = 0;
	uint32_t work;

	sim_be(p->id);
	compute(c);
	c->current = NULL;
	c->look_at = TIME_NEVER;
	c->looks++;
	do {
		work = __atomic_exchange_n(&p->work, 0, __ATOMIC_ACQUIRE);
		if (work & PCPU_WORK_TIMERS)
			timer_queue_run(&p->timers);
		g = sim_of(sched_pick(&p->sched));
		if (g && g != c->picked)
			sim_check_pick(g, c);
		book(c, g);
		/* The switch is long: an interrupt that came meanwhile is served first, and may want another one. */
		if (g && g != c->loaded && sim.rules.latency && sim_chance(10)) {
			timer_queue_run(&p->timers);
			pcpu_post_here(p, PCPU_WORK_RESCHED);
		} else {
			load(c, g);
		}
		if (++turns > SAME_TIME_MAX)
			sim_fail("livelock", g, "CPU %u finds work again and again", p->id);
	} while (p->work);
	if (sim.trace)
		printf("%12llu  cpu %u: %s %d class %d, ready %x, turn %lld, timer %lld\n",
		       (unsigned long long)(sim.now - sim.start), p->id, g ? "runs" : "idle", g ? (int)g->id : -1,
		       g ? g->u.class : -1, p->sched.ready, (long long)(p->sched.turn_end - sim.now),
		       host_timer(p->id) == TIME_NEVER ? -1LL : (long long)(host_timer(p->id) - sim.now));
	c->current = g;
	c->run_from = sim.now;
	if (g)
		c->idle_since = TIME_NEVER;
	else if (c->idle_since == TIME_NEVER)
		c->idle_since = sim.now;
	if (g && !g->busy)
		guest_begin(g);
}

/* The guest on the CPU has done what it had to, and acts. */
static void act(struct sim_cpu *c)
{
	struct sim_unit *g = c->current;

	sim_be(number(c));
	compute(c);
	guest_done(c, g);
	/* It blocked: nobody pays until the CPU has looked. */
	if (sched_unit_state(&g->u) != SCHED_RUNNING || unit_cpu(number(c))->sched.running != &g->u)
		book(c, NULL);
	if (unit_cpu(number(c))->work)
		c->current = NULL; /* it doesn't enter the guest before it has looked */
	else if (!g->busy)
		guest_begin(g);
}

static void timer_interrupt(struct sim_cpu *c)
{
	sim_be(number(c));
	compute(c);
	timer_queue_run(&unit_cpu(number(c))->timers);
	c->jitter = latency();
	if (sim.trace)
		printf("%12llu  cpu %u: timer, next in %lld\n", (unsigned long long)(sim.now - sim.start), number(c),
		       host_timer(number(c)) == TIME_NEVER ? -1LL : (long long)(host_timer(number(c)) - sim.now));
}

/* --- events ------------------------------------------------------------------------------------------------------- */

/* What comes next: one of a CPU's three kinds of events, a unit's, or the outside's. */
struct next {
	uint64_t at;
	unsigned int same; /* candidates of this moment: one of them is taken at random */
	void (*run)(struct sim_cpu *c);
	struct sim_cpu *cpu;
	struct sim_unit *unit;
};

static void consider(struct next *n, uint64_t at, void (*run)(struct sim_cpu *), struct sim_cpu *c, struct sim_unit *g)
{
	at = MAX(at, sim.now);
	if (at > n->at)
		return;
	n->same = at < n->at ? 1 : n->same + 1;
	if (n->same > 1 && sim_below(n->same))
		return;
	n->at = at;
	n->run = run;
	n->cpu = c;
	n->unit = g;
}

static struct next find_next(void)
{
	struct next n = { .at = TIME_NEVER - 1 };

	for (unsigned int i = 0; i < sim.cpus; i++) {
		struct sim_cpu *c = &sim.cpu[i];

		if (host_timer(i) != TIME_NEVER)
			consider(&n, host_timer(i) + c->jitter, timer_interrupt, c, NULL);
		if (c->look_at != TIME_NEVER)
			consider(&n, c->look_at, look, c, NULL);
		if (c->current && c->current->busy && c->current->left != TIME_NEVER)
			consider(&n, c->run_from + c->current->left, act, c, NULL);
	}
	for (unsigned int i = 0; i < sim.units; i++)
		if (sim.unit[i].event_at != TIME_NEVER)
			consider(&n, sim.unit[i].event_at, NULL, NULL, &sim.unit[i]);
	if (sim.control_at != TIME_NEVER)
		consider(&n, sim.control_at, NULL, NULL, NULL);
	return n;
}

/* Whoever has work comes to see it. */
static void deliver(void)
{
	for (unsigned int i = 0; i < sim.cpus; i++)
		if (unit_cpu(i)->work && sim.cpu[i].look_at == TIME_NEVER)
			sim.cpu[i].look_at = sim.now + latency();
}

/* One event that comes before `end`; false if there is none. */
static bool step(uint64_t end)
{
	struct next n = find_next();

	if (n.at > end)
		return false;
	sim.same_time = n.at == sim.now ? sim.same_time + 1 : 0;
	sim.now = n.at;
	host_set_now(sim.now);
	if (sim.same_time > SAME_TIME_MAX)
		sim_fail("livelock", NULL, "time stands still");
	if (n.cpu) {
		n.run(n.cpu);
	} else {
		/* Devices interrupt any CPU. */
		sim_be((unsigned int)sim_below(sim.cpus));
		if (n.unit)
			guest_event(n.unit);
		else
			sim.control();
	}
	deliver();
	sim.events++;
	sim_check();
	return true;
}

static void run_to(uint64_t end)
{
	deliver();
	sim_check();
	while (step(end))
		;
	sim.now = end;
	host_set_now(end);
	for (unsigned int i = 0; i < sim.cpus; i++) {
		compute(&sim.cpu[i]);
		book(&sim.cpu[i], sim.cpu[i].picked);
	}
	sim_check_end();
}

void sim_run(uint64_t ticks)
{
	run_to(sim.now + ticks);
}

void sim_run_events(uint64_t until)
{
	/* Time ends too: a machine with nothing to do has no events. */
	uint64_t end = sim.now + sim_us(60000000);

	deliver();
	sim_check();
	while (sim.events < until && step(end))
		;
	run_to(sim.now);
}

/* --- making and starting ------------------------------------------------------------------------------------------ */

void sim_begin(const char *scene, uint64_t seed, unsigned int cpus)
{
	bool trace = sim.trace;

	memset(&sim, 0, sizeof(sim));
	sim.trace = trace;
	sim.scene = scene;
	sim.seed = seed;
	sim.random = seed;
	sim.cpus = cpus;
	sim.control_at = TIME_NEVER;
	sim.start = sim.now = sim.mark = sim_between(1, UINT64_C(1) << 44);
	host_set_now(sim.now);
	/* All there are, so that nothing is left of the machine before. */
	unit_cpus(PCPU_MAX);
	for (unsigned int i = 0; i < PCPU_MAX; i++) {
		sim.cpu[i] = (struct sim_cpu){ .look_at = TIME_NEVER, .idle_since = sim.now, .picked_at = sim.now };
		unit_cpu(i)->online = i < cpus;
		sim_be(i);
		arch_timer_set(TIME_NEVER);
	}
	sim_be(0);
}

struct sched_group *sim_add_group(uint32_t cap_percent)
{
	struct sched_group *g = &sim.group[sim.groups++];

	sched_group_init(g, cap_percent);
	return g;
}

struct sim_unit *sim_add(const struct sched_config *cfg, enum sim_guest guest, uint64_t work, uint64_t period, int *why)
{
	struct sim_unit *g = &sim.unit[sim.units];
	int ret;

	*g = (struct sim_unit){ .id = sim.units, .guest = guest, .work = work, .period = period };
	ret = sched_unit_init(&g->u, cfg);
	if (why)
		*why = ret;
	if (ret)
		return NULL;
	sim.units++;
	g->state_since = sim.now;
	g->wait_since = TIME_NEVER;
	guest_reset(g);
	g->event_at = TIME_NEVER;
	return g;
}

void sim_ready(void)
{
	sched_seal();
	for (unsigned int i = 0; i < sim.units; i++)
		sim.unit[i].first_cpu = sched_unit_cpu(&sim.unit[i].u);
	sim_changed();
	sim_check();
}

/* The CPU whose hardware holds its state; sim.cpus: none. */
static unsigned int holder(const struct sim_unit *g)
{
	unsigned int i;

	for (i = 0; i < sim.cpus; i++)
		if (sim.cpu[i].loaded == g)
			break;
	return i;
}

/* From where it is: the boot CPU, a sibling's CPU, the monitor's. */
void sim_start(struct sim_unit *g)
{
	/* Only what has left the hardware is started again. */
	if (sched_unit_state(&g->u) != SCHED_OFF || holder(g) < sim.cpus)
		return;
	guest_reset(g);
	g->stop_asked = false;
	sim_see(g);
	if (!sched_wake(&g->u, SCHED_WAKE_START))
		sim_fail("wake-up", g, "a unit that is off wasn't started");
	sim_see(g);
}

void sim_start_all(void)
{
	for (unsigned int i = 0; i < sim.units; i++)
		sim_start(&sim.unit[i]);
}

void sim_stop(struct sim_unit *g)
{
	timer_cancel(&g->alarm);
	g->asleep_until = TIME_NEVER;
	g->event_at = TIME_NEVER;
	g->stop_asked = true;
	if (sched_stop(&g->u) && holder(g) < sim.cpus)
		pcpu_post(unit_cpu(holder(g)), PCPU_WORK_LEAVING);
}

uint64_t sim_rt_total(const struct sim_unit *g)
{
	bool runs = sched_unit_state(&g->u) == SCHED_RUNNING && g->u.class == SCHED_RT;

	return g->u.stats.ran[SCHED_RT] + (runs ? sim.now - g->u.since : 0);
}

void sim_mark(void)
{
	sim.mark = sim.now;
	for (unsigned int i = 0; i < sim.units; i++)
		sim.unit[i].mark_ran = sim.unit[i].ran;
}

uint64_t sim_ran(const struct sim_unit *g)
{
	return g->ran - g->mark_ran;
}
