/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Roles of the second VM in a pair that shares a CPU with the VM under test. Each works for rounds= rounds, for ever
 * without the option. A role that checks something fails loudly; none prints while it works.
 */
#include "probe.h"

#include "fp.h"
#include "gic.h"
#include "psci.h"
#include "timer.h"

#define COMPUTE_STEPS 1000

static volatile uint64_t compute_sink;

static enum outcome round_yield(uint64_t i)
{
	(void)i;
	vm_yield();
	return OUTCOME_OK;
}

static enum outcome round_compute(uint64_t i)
{
	uint64_t x = i + 1;

	for (unsigned int n = 0; n < COMPUTE_STEPS; n++)
		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
	compute_sink = x;
	return OUTCOME_OK;
}

/* Clobbers every FP register in each turn, and looks whether its own state came back. */
static enum outcome round_fp(uint64_t i)
{
	static struct fp_state want, got;
	int at;

	fp_pattern(&want, ~i);
	fp_load(&want);
	vm_yield();
	fp_store(&got);
	at = fp_compare(&want, &got);
	CHECK(at < 0, "round %lu: FP register word %d is lost", i, at);
	return OUTCOME_OK;
}

static void on_timer(struct cpu *c, uint32_t intid)
{
	vtimer.set_ctl(0);
	gic_irq_default(c, intid);
}

/* Keeps its own virtual timer busy: the active state of the shared physical PPI changes hands all the time. */
static enum outcome round_timer(uint64_t i)
{
	struct cpu *c = cpu_self();
	uint32_t before = c->irq_count;

	c->on_irq = on_timer;
	timer_setup(&vtimer);
	irq_enable();
	vtimer.set_cval(now() + us_to_ticks(50 + i % 7 * 30));
	vtimer.set_ctl(TIMER_ENABLE);
	while (c->irq_count == before) {
		CHECK(now() < vtimer.cval() + us_to_ticks(PATIENCE_US), "round %lu: timer interrupt lost", i);
		if (i & 1)
			vm_yield();
	}
	irq_disable();
	return OUTCOME_OK;
}

static const struct {
	const char *name;
	enum outcome (*round)(uint64_t i);
} roles[] = {
	{ "peer", round_yield },           /* gives its turn back at once: yield_round */
	{ "compute-peer", round_compute }, /* never gives up the CPU by itself */
	{ "fp-peer", round_fp },
	{ "timer-peer", round_timer },
};

bool peer_run(const char *role)
{
	uint64_t rounds = option_number("rounds", 0);

	for (size_t i = 0; i < ARRAY_SIZE(roles); i++) {
		if (strcmp(role, roles[i].name))
			continue;
		for (uint64_t n = 0; !rounds || n < rounds; n++) {
			if (roles[i].round(n) != OUTCOME_OK) {
				print("probe: peer %s FAIL %s\n", role, case_why);
				return true;
			}
		}
		print("probe: peer %s ok rounds=%lu\n", role, rounds);
		return true;
	}
	return false;
}
