/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The monitor's command `sched`: what the scheduler is set to, what it gave to whom, and settings for while guests run.
 *
 * Settings are checked here, or refused by the scheduler, before any of them is changed; they last until the next boot. Must not
 * look into queues: it reads what a unit's owner publishes, so a figure may be one event old. Locking: none; as monitor.c.
 */
#include "camber/vm.h"
#include "main_priv.h"

#define MODES "rt credit"

/* Settings: of the scheduler, then of a VM. */
#define SETTINGS "mode slice-us account-us demote-us min-sleep-us weight cap rt"
enum { SET_MODE, SET_SLICE, SET_WEIGHT = SET_SLICE + 4, SET_CAP, SET_RT };

/* Shorter, and the board does nothing but account; longer, and a typing error looks like a hang. */
#define PARAM_MIN_US 100u
#define PARAM_MAX_US 1000000u

#define WEIGHT_MAX 65535u

#define BUDGET "rt budget-us"

#define PERCENT "%u.%u %%"
#define PPM_PERCENT(ppm) (ppm) / 10000, (ppm) / 1000 % 10

_Static_assert(offsetof(struct sched_params, min_sleep) == offsetof(struct sched_params, slice) + 3 * sizeof(uint64_t),
	       "SETTINGS has them in this order");

static uint64_t *param(struct sched_params *p, int what)
{
	return &p->slice + (what - SET_SLICE);
}

/* Of one CPU, where the accounting period is so long. */
static uint32_t cap_percent(const struct sched_group *g, uint64_t account)
{
	return (uint32_t)((g->cap * 100 + account / 2) / account);
}

static long long signed_us(int64_t ticks)
{
	return ticks < 0 ? -(long long)monitor_us((uint64_t)-ticks) : (long long)monitor_us((uint64_t)ticks);
}

/* --- what is said ----------------------------------------------------------------------------------------------------- */

/* As it would be typed. */
static void say_params(void)
{
	char text[160], word[WORD_BYTES];
	size_t n = 0;
	int i;

	for (i = SET_SLICE; i < SET_WEIGHT; i++) {
		(void)word_get(SETTINGS, (unsigned int)i, word);
		n += (size_t)snprintf(text + n, sizeof(text) - n, " %s %llu", word,
				      monitor_us(*param(&sched_params, i)));
	}
	(void)word_get(MODES, sched_params.mode, word);
	monitor_say("sched: mode %s%s", word, text);
}

/* The job's next vCPU, or NULL. */
static struct vcpu *next_vcpu(void)
{
	struct vm *vm;

	for (; monitor_job.i <= monitor_job.end && (vm = vm_get(monitor_job.i)); monitor_job.i++, monitor_job.j = 0)
		if (monitor_job.j < vm->vcpu_count)
			return vm->vcpu[monitor_job.j++];
	return NULL;
}

/* First the parameters if job.flag, then a vCPU a line. */
static bool list_step(void)
{
	static const char states[] = "off\0blocked\0queued\0running";
	static const char classes[] = "rt\0boost\0under\0over\0idle\0parked\0-";
	enum sched_state state;
	unsigned int class;
	struct vcpu *v;
	struct sched_unit *u;
	char budget[80];

	if (monitor_job.flag) {
		monitor_job.flag = false;
		say_params();
		return true;
	}
	v = next_vcpu();
	if (!v)
		return false;
	u = &v->unit;
	state = sched_unit_state(u);
	class = state < SCHED_QUEUED ? SCHED_CLASSES + 1 : u->parked ? SCHED_CLASSES : u->class;
	budget[0] = '\0';
	if (u->rt)
		(void)snprintf(budget, sizeof(budget), ", budget %llu of %llu us, left %lld us", monitor_us(u->budget),
			       monitor_us(u->period), signed_us(READ_ONCE(u->budget_left)));
	monitor_say("%-15s vCPU %u on CPU %u %-7s %-6s weight %u cap %u %% credit %lld us%s", v->vm->label, v->index,
		    sched_unit_cpu(u), str_nth(states, state), str_nth(classes, class), u->weight,
		    cap_percent(u->group, sched_params.account), signed_us(READ_ONCE(u->credit)), budget);
	return true;
}

/* A vCPU a line, then a CPU a line. */
static bool stat_step(void)
{
	struct vcpu *v = next_vcpu();
	const struct pcpu *p;
	struct sched_stats st;
	uint64_t ran;
	unsigned int i;

	if (v) {
		sched_unit_stats(&v->unit, &st);
		ran = monitor_ran(&st);
		for (i = 0; i < SCHED_CLASSES; i++)
			st.ran[i] = monitor_us(st.ran[i]);
		monitor_say("%-15s vCPU %u: run %llu us waited %llu us, rt %llu boost %llu under %llu over %llu us, "
			    "wake-ups %llu turns %llu moves %llu overruns %llu, late at worst %llu ns",
			    v->vm->label, v->index, monitor_us(ran), monitor_us(st.waited),
			    (unsigned long long)st.ran[SCHED_RT], (unsigned long long)st.ran[SCHED_BOOST],
			    (unsigned long long)st.ran[SCHED_UNDER],
			    (unsigned long long)(st.ran[SCHED_OVER] + st.ran[SCHED_IDLE]),
			    (unsigned long long)st.wakeups, (unsigned long long)st.switches,
			    (unsigned long long)st.moves, (unsigned long long)st.overruns,
			    (unsigned long long)time_ticks_to_ns(st.late_worst));
		return true;
	}
	if (monitor_job.at >= pcpu_count())
		return false;
	p = pcpu_get(monitor_job.at++);
	monitor_say("CPU %u: idle %llu us, promised to RT " PERCENT, p->id, monitor_us(monitor_idle(p)),
		    PPM_PERCENT(p->sched.rt_ppm));
	return true;
}

/* --- what is set ------------------------------------------------------------------------------------------------------ */

bool monitor_sched_mode(const char *mode)
{
	struct sched_params p = sched_params;
	int i = word_index(MODES, mode);

	if (i < 0)
		return false;
	p.mode = (enum sched_mode)i;
	sched_set_params(&p);
	return true;
}

/* Caps stay the percentages they are. */
static void set_param(int what, uint32_t us)
{
	struct sched_params p = sched_params;
	uint64_t account = p.account;
	struct vm *vm;
	unsigned int i;

	*param(&p, what) = time_ns_to_ticks((uint64_t)us * 1000);
	sched_set_params(&p);
	for (i = 0; p.account != account && (vm = vm_get(i)); i++)
		sched_set_cap(&vm->group, cap_percent(&vm->group, account));
}

static void refuse(const char *name, const char *word, const char *allowed)
{
	monitor_refuse("sched set ", name, word, allowed);
}

bool monitor_number(const char *line, unsigned int at, const char *cmd, const char *name, uint32_t min, uint32_t max,
		    uint32_t *value)
{
	char word[WORD_BYTES], range[32];
	const char *digit = word;
	uint64_t n = 0;

	(void)word_get(line, at, word);
	for (; *digit >= '0' && *digit <= '9' && n <= max; digit++)
		n = n * 10 + (uint64_t)(*digit - '0');
	*value = (uint32_t)n;
	if (*word && !*digit && n >= min && n <= max)
		return true;
	(void)snprintf(range, sizeof(range), "%u to %u", min, max);
	monitor_refuse(cmd, name, word, range);
	return false;
}

static bool number(const char *line, unsigned int at, const char *name, uint32_t min, uint32_t max, uint32_t *value)
{
	return monitor_number(line, at, "sched set ", name, min, max, value);
}

/*
 * All vCPUs of a VM, or none: whoever was given the new budget before one is refused gets that one's, which was its own. `ppm` is what
 * all on the CPU would need.
 */
static bool set_rt(struct vm *vm, uint32_t budget, uint32_t period)
{
	struct sched_unit *u;
	uint32_t ppm, own;
	unsigned int i;

	for (i = 0; i < vm->vcpu_count; i++)
		if (sched_set_rt(&vm->vcpu[i]->unit, budget, period, &ppm))
			break;
	if (i == vm->vcpu_count)
		return true;
	own = BUNDLE_RT_PPM(budget, period);
	monitor_say("sched: vm %s: CPU %u is promised " PERCENT " to others, with " PERCENT " (%u of %u us) " PERCENT
		    ": refused",
		    vm->label, sched_unit_cpu(&vm->vcpu[i]->unit), PPM_PERCENT(ppm - own), PPM_PERCENT(own), budget,
		    period, PPM_PERCENT(ppm));
	u = &vm->vcpu[i]->unit;
	while (i--)
		(void)sched_set_rt(&vm->vcpu[i]->unit, (uint32_t)monitor_us(u->budget), (uint32_t)monitor_us(u->period),
				   &ppm);
	return false;
}

static bool set_budget(const char *line, struct vm *vm)
{
	uint32_t budget, period;

	if (!(vm->cfg->flags & BUNDLE_VM_RT)) {
		refuse("rt", vm->label, "a VM whose profile says rt");
		return false;
	}
	if (!number(line, 4, BUDGET, BUNDLE_RT_BUDGET_MIN_US, BUNDLE_RT_PERIOD_MAX_US, &budget) ||
	    !number(line, 5, "rt period-us", BUNDLE_RT_PERIOD_MIN_US, BUNDLE_RT_PERIOD_MAX_US, &period) ||
	    !number(line, 4, BUDGET, BUNDLE_RT_BUDGET_MIN_US, period, &budget))
		return false;
	if (set_rt(vm, budget, period))
		return true;
	monitor_job_start(list_step, false); /* who has been promised what */
	return false;
}

/* Settings of a VM; its vCPUs show what has become of it. */
static void set_vm(const char *line, int what, const char *name, struct vm *vm)
{
	uint32_t value;
	unsigned int i;

	switch (what) {
	case SET_WEIGHT:
		if (!number(line, 4, name, !(vm->cfg->flags & BUNDLE_VM_RT), WEIGHT_MAX, &value))
			return;
		for (i = 0; i < vm->vcpu_count; i++)
			sched_set_weight(&vm->vcpu[i]->unit, value);
		break;
	case SET_CAP:
		if (!number(line, 4, name, 0, 100 * vm->vcpu_count, &value))
			return;
		sched_set_cap(&vm->group, value);
		break;
	default:
		if (!set_budget(line, vm))
			return;
	}
	monitor_job_start_vm(list_step, false, vm);
}

static void set(const char *line)
{
	char name[WORD_BYTES], word[WORD_BYTES];
	struct vm *vm;
	uint32_t us;
	int what;

	(void)word_get(line, 2, name);
	what = word_index(SETTINGS, name);
	if (what < 0) {
		monitor_refuse("sched set", "", name, SETTINGS);
		return;
	}
	if (word_get(line, 4 + (what >= SET_WEIGHT) + (what == SET_RT), word)) {
		refuse(name, word, "fewer");
		return;
	}
	(void)word_get(line, 3, word);
	if (what >= SET_WEIGHT) {
		vm = monitor_vm("sched set ", name, word);
		if (vm)
			set_vm(line, what, name, vm);
		return;
	}
	if (what == SET_MODE) {
		if (!monitor_sched_mode(word)) {
			refuse(name, word, MODES);
			return;
		}
	} else {
		if (!number(line, 3, name, PARAM_MIN_US, PARAM_MAX_US, &us))
			return;
		set_param(what, us);
	}
	say_params();
}

void monitor_sched(const char *line, int verb)
{
	if (verb == SCHED_VERB_SET)
		set(line);
	else if (verb == SCHED_VERB_STAT)
		monitor_job_start(stat_step, false);
	else
		monitor_job_start(list_step, true);
}

bool monitor_sched_candidate(const char *line, unsigned int word, unsigned int n, char text[WORD_BYTES])
{
	int what;

	(void)word_get(line, 1, text);
	if (word_index(SCHED_WORDS, text) != SCHED_VERB_SET)
		return false;
	if (word == 2)
		return word_get(SETTINGS, n, text);
	(void)word_get(line, 2, text);
	what = word_index(SETTINGS, text);
	if (word != 3 || what < 0)
		return false;
	return what == SET_MODE ? word_get(MODES, n, text) : what >= SET_WEIGHT && monitor_label(n, text);
}
