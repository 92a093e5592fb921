/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TCG plugin: counts executed instructions per exception level, and the hypervisor's stays per cause.
 *
 *   -plugin insn.so,out=FILE[,trace=CAUSE:N][,from=PC][,to=PC][,call=X0]
 *
 * FILE gets lines key=value when QEMU ends, and whenever QEMU receives SIGUSR2 (at the next exception taken to EL2):
 *
 *   insns_el0 .. insns_el3        instructions executed at each level
 *   boot_el2                      EL2 instructions before the first one below EL2, 0 if there was none
 *   entries_CAUSE                 exceptions taken to EL2 of a cause: hvc, smc, wfx, sysreg, dabt, iabt, fp, irq, ...
 *   stay_CAUSE[_min|_max]         EL2 instructions from such an entry to the next one: sum, least, most
 *   call_el0 .. call_el3          insns_* at the first HVC whose x0 is `call`: a moment that is the same in every run
 *   call_entries                  exceptions taken to EL2 from below until then
 *   window_el0 .. window_el3      the same counts between the first execution of `from` and the next of `to`
 *
 * FILE.trace gets the program counters of the Nth stay of CAUSE, one a line.
 *
 * A translated block belongs to one exception level (QEMU keys blocks by it), so PSTATE is read once, when the block is
 * translated. Counting is per instruction: a block that an access to a device ends early would else count too much. An
 * inline add does it with one CPU; QEMU 10.0.2 crashes on inline operations with -icount and more CPUs, so there it is a
 * callback. Must never change what the guest sees or does. Locking: each vCPU writes its own state only; the totals
 * are read when all are at rest, or off by one block on SIGUSR2.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qemu_plugin.h"

#define CPU_MAX 64
#define EL_COUNT 4
#define VECTOR_BYTES 0x80 /* of one entry of the vector table, Arm ARM D1.4.1.5 */
#define VECTORS_BYTES 0x800
#define VECTOR_LOWER_A64 8 /* index of the first entry for exceptions from below, AArch64 */
#define EC_COUNT 64
#define EC_HVC64 0x16
#define TRACE_MAX 100000

int qemu_plugin_version = QEMU_PLUGIN_API_VERSION;

/* Causes of entries: exception classes 0..63 of synchronous exceptions from below, then the other vectors. */
enum {
	CAUSE_IRQ = EC_COUNT,
	CAUSE_FIQ,
	CAUSE_SERROR,
	CAUSE_SAME_SYNC,
	CAUSE_SAME_IRQ,
	CAUSE_SAME_FIQ,
	CAUSE_SAME_SERROR,
	CAUSE_COUNT,
};

struct stay_sum {
	uint64_t entries;
	uint64_t sum, min, max;
};

struct cpu_state {
	struct qemu_plugin_register *pstate, *vbar, *esr, *x0;
	struct glib_array *buf;
	int open_cause;   /* of the last entry to EL2, -1 before the first */
	uint64_t open_at; /* this vCPU's EL2 count then */
	struct stay_sum stays[CAUSE_COUNT];
};

struct counters {
	uint64_t el[EL_COUNT];
};

static struct cpu_state cpu_states[CPU_MAX];
static struct qemu_plugin_u64 el_count[EL_COUNT];
static bool use_inline;
static const char *out_path;
static uint64_t boot_el2;
static bool below_seen;
static volatile sig_atomic_t dump_wanted;

static struct {
	bool on;
	int cause_wanted;
	uint64_t left; /* stays of the cause still to pass; 0 = recording or done */
	bool recording, done;
	unsigned int vcpu;
	FILE *file;
	unsigned int lines;
} trace;

static struct {
	uint64_t x0;
	bool wanted, seen;
	uint64_t counts[EL_COUNT], entries;
} call;

static struct {
	uint64_t from, to;
	bool has_from, has_to, open, closed;
	uint64_t base[EL_COUNT], counts[EL_COUNT];
} window;

static const char *cause_name(int cause)
{
	static const char *const others[] = {
		"irq", "fiq", "serror", "same_sync", "same_irq", "same_fiq", "same_serror"
	};
	static char name[16];

	if (cause >= EC_COUNT)
		return others[cause - EC_COUNT];
	switch (cause) { /* ESR_ELx.EC, Arm ARM D24.2.40 */
	case 0x01:
		return "wfx";
	case 0x07:
		return "fp";
	case EC_HVC64:
		return "hvc";
	case 0x17:
		return "smc";
	case 0x18:
		return "sysreg";
	case 0x20:
		return "iabt";
	case 0x24:
		return "dabt";
	default:
		snprintf(name, sizeof(name), "ec%02x", (unsigned int)cause);
		return name;
	}
}

static uint64_t reg_read(struct cpu_state *s, struct qemu_plugin_register *reg)
{
	uint64_t value = 0;
	int bytes;

	g_byte_array_set_size(s->buf, 0);
	bytes = qemu_plugin_read_register(reg, s->buf);
	if (bytes < 4 || (size_t)bytes > sizeof(value)) {
		fprintf(stderr, "insn.so: a register cannot be read\n");
		exit(1);
	}
	memcpy(&value, s->buf->data, (size_t)bytes);
	return value;
}

static void dump(void)
{
	char tmp[4096];
	FILE *f;

	snprintf(tmp, sizeof(tmp), "%s.new", out_path);
	f = fopen(tmp, "w");
	if (!f) {
		fprintf(stderr, "insn.so: cannot write %s\n", tmp);
		return;
	}
	for (int el = 0; el < EL_COUNT; el++)
		fprintf(f, "insns_el%d=%" PRIu64 "\n", el, qemu_plugin_u64_sum(el_count[el]));
	fprintf(f, "boot_el2=%" PRIu64 "\n", boot_el2);
	for (int el = 0; el < EL_COUNT && window.closed; el++)
		fprintf(f, "window_el%d=%" PRIu64 "\n", el, window.counts[el]);
	for (int el = 0; el < EL_COUNT && call.seen; el++)
		fprintf(f, "call_el%d=%" PRIu64 "\n", el, call.counts[el]);
	if (call.seen)
		fprintf(f, "call_entries=%" PRIu64 "\n", call.entries);
	for (int cause = 0; cause < CAUSE_COUNT; cause++) {
		struct stay_sum all = { .min = UINT64_MAX };
		const char *name = cause_name(cause);

		for (int cpu = 0; cpu < CPU_MAX; cpu++) {
			const struct stay_sum *c = &cpu_states[cpu].stays[cause];

			all.entries += c->entries;
			all.sum += c->sum;
			if (c->sum && c->min < all.min)
				all.min = c->min;
			if (c->max > all.max)
				all.max = c->max;
		}
		if (!all.entries)
			continue;
		fprintf(f, "entries_%s=%" PRIu64 "\n", name, all.entries);
		if (!all.sum) /* only the last stay, still open */
			continue;
		fprintf(f, "stay_%s=%" PRIu64 "\nstay_%s_min=%" PRIu64 "\nstay_%s_max=%" PRIu64 "\n", name, all.sum,
			name, all.min, name, all.max);
	}
	if (fclose(f) || rename(tmp, out_path))
		fprintf(stderr, "insn.so: cannot write %s\n", out_path);
}

static void on_exit_cb(qemu_plugin_id_t id, void *unused)
{
	(void)id;
	(void)unused;
	dump();
	if (trace.file)
		fclose(trace.file);
}

static void on_signal(int sig)
{
	(void)sig;
	dump_wanted = 1;
}

/* Ends the open stay of a vCPU: its EL2 instructions since the last entry. */
static void close_stay(struct cpu_state *s, uint64_t count)
{
	struct stay_sum *c;
	uint64_t stay = count - s->open_at;

	if (s->open_cause < 0)
		return;
	c = &s->stays[s->open_cause];
	c->sum += stay;
	if (stay < c->min)
		c->min = stay;
	if (stay > c->max)
		c->max = stay;
}

static void trace_entry(unsigned int vcpu, int cause)
{
	if (trace.recording && vcpu == trace.vcpu) {
		trace.recording = false;
		trace.done = true;
		fflush(trace.file);
	}
	if (trace.done || trace.recording || cause != trace.cause_wanted)
		return;
	if (--trace.left == 0) {
		trace.recording = true;
		trace.vcpu = vcpu;
	}
}

static void note_call(struct cpu_state *s)
{
	if (call.seen || reg_read(s, s->x0) != call.x0)
		return;
	call.seen = true;
	for (int el = 0; el < EL_COUNT; el++)
		call.counts[el] = qemu_plugin_u64_sum(el_count[el]);
	for (int cpu = 0; cpu < CPU_MAX; cpu++)
		for (int cause = 0; cause < CAUSE_SAME_SYNC; cause++)
			call.entries += cpu_states[cpu].stays[cause].entries;
}

/* A block that starts where a vector could: is it one? Its instructions are not counted yet. */
static void on_vector(unsigned int vcpu, void *userdata)
{
	struct cpu_state *s = &cpu_states[vcpu];
	uint64_t offset = (uint64_t)(uintptr_t)userdata - reg_read(s, s->vbar);
	uint64_t count;
	unsigned int index;
	int cause;

	if (offset >= VECTORS_BYTES)
		return;
	index = (unsigned int)(offset / VECTOR_BYTES);
	if (index < VECTOR_LOWER_A64)
		cause = CAUSE_SAME_SYNC + (int)(index % 4);
	else if (index % 4 == 0)
		cause = (int)(reg_read(s, s->esr) >> 26 & (EC_COUNT - 1));
	else
		cause = CAUSE_IRQ + (int)(index % 4) - 1;

	count = qemu_plugin_u64_get(el_count[2], vcpu);
	close_stay(s, count);
	s->open_cause = cause;
	s->open_at = count;
	s->stays[cause].entries++;
	if (call.wanted && cause == EC_HVC64)
		note_call(s);
	if (trace.on)
		trace_entry(vcpu, cause);
	if (dump_wanted) {
		dump_wanted = 0;
		dump();
	}
}

static void on_insn(unsigned int vcpu, void *userdata)
{
	qemu_plugin_u64_add(el_count[(uintptr_t)userdata], vcpu, 1);
}

static void on_traced_insn(unsigned int vcpu, void *userdata)
{
	if (!trace.recording || vcpu != trace.vcpu)
		return;
	fprintf(trace.file, "%" PRIx64 "\n", (uint64_t)(uintptr_t)userdata);
	if (++trace.lines == TRACE_MAX) {
		trace.recording = false;
		trace.done = true;
	}
}

static void on_marker(unsigned int vcpu, void *userdata)
{
	bool begin = userdata == &window.from;

	(void)vcpu;
	if (window.closed || begin == window.open)
		return;
	for (int el = 0; el < EL_COUNT; el++) {
		uint64_t count = qemu_plugin_u64_sum(el_count[el]);

		if (begin)
			window.base[el] = count;
		else
			window.counts[el] = count - window.base[el];
	}
	window.open = begin;
	window.closed = !begin;
}

static struct cpu_state *translating_cpu(void);

static void on_translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	struct cpu_state *s = translating_cpu();
	unsigned int el = (unsigned int)(reg_read(s, s->pstate) >> 2) & 3;
	uint64_t start = qemu_plugin_tb_vaddr(tb);
	size_t n = qemu_plugin_tb_n_insns(tb);

	(void)id;
	if (el < 2 && !below_seen) {
		/* A block is translated just before its first execution: this is the first one below EL2. */
		below_seen = true;
		boot_el2 = qemu_plugin_u64_sum(el_count[2]);
	}
	if (el == 2 && start % VECTOR_BYTES == 0)
		qemu_plugin_register_vcpu_tb_exec_cb(tb, on_vector, QEMU_PLUGIN_CB_R_REGS, (void *)(uintptr_t)start);
	for (size_t i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint64_t pc = qemu_plugin_insn_vaddr(insn);

		if (window.has_from && pc == window.from)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_marker, QEMU_PLUGIN_CB_NO_REGS, &window.from);
		if (window.has_to && pc == window.to)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_marker, QEMU_PLUGIN_CB_NO_REGS, &window.to);
		if (trace.on && el == 2)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_traced_insn, QEMU_PLUGIN_CB_NO_REGS,
							       (void *)(uintptr_t)pc);
		if (use_inline)
			qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(insn, QEMU_PLUGIN_INLINE_ADD_U64,
									    el_count[el], 1);
		else
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_insn, QEMU_PLUGIN_CB_NO_REGS,
							       (void *)(uintptr_t)el);
	}
}

/* Registers are read for the vCPU whose thread calls; handles are alike for all vCPUs of a machine. */
static struct cpu_state *translating_cpu(void)
{
	static __thread struct cpu_state mine;

	if (!mine.buf) {
		mine = cpu_states[0];
		mine.buf = g_byte_array_new();
	}
	return &mine;
}

static void on_cpu_init(qemu_plugin_id_t id, unsigned int vcpu)
{
	struct cpu_state *s = &cpu_states[vcpu];
	struct glib_array *regs = qemu_plugin_get_registers();
	const struct qemu_plugin_reg *reg = (const struct qemu_plugin_reg *)(const void *)regs->data;

	(void)id;
	for (unsigned int i = 0; i < regs->len; i++) {
		if (!strcmp(reg[i].name, "cpsr"))
			s->pstate = reg[i].handle;
		else if (!strcmp(reg[i].name, "VBAR_EL2"))
			s->vbar = reg[i].handle;
		else if (!strcmp(reg[i].name, "ESR_EL2"))
			s->esr = reg[i].handle;
		else if (!strcmp(reg[i].name, "x0"))
			s->x0 = reg[i].handle;
	}
	g_array_free(regs, 1);
	if (!s->pstate || !s->vbar || !s->esr || !s->x0) {
		fprintf(stderr, "insn.so: this CPU shows no cpsr, x0, VBAR_EL2 or ESR_EL2 (virtualization=on?)\n");
		exit(1);
	}
	s->buf = g_byte_array_new();
	s->open_cause = -1;
	for (int cause = 0; cause < CAUSE_COUNT; cause++)
		s->stays[cause].min = UINT64_MAX;
}

/* "CAUSE:N", for example hvc:100. */
static int parse_trace(const char *text)
{
	const char *colon = strchr(text, ':');

	trace.cause_wanted = -1;
	if (!colon)
		return -1;
	for (int cause = 0; cause < CAUSE_COUNT; cause++) {
		const char *name = cause_name(cause);

		if (strlen(name) == (size_t)(colon - text) && !strncmp(name, text, strlen(name)))
			trace.cause_wanted = cause;
	}
	trace.left = strtoull(colon + 1, NULL, 0);
	trace.on = true;
	return trace.cause_wanted >= 0 && trace.left > 0 ? 0 : -1;
}

static int parse_option(const char *arg)
{
	if (!strncmp(arg, "out=", 4)) {
		out_path = arg + 4;
	} else if (!strncmp(arg, "trace=", 6)) {
		return parse_trace(arg + 6);
	} else if (!strncmp(arg, "call=", 5)) {
		call.x0 = strtoull(arg + 5, NULL, 0);
		call.wanted = true;
	} else if (!strncmp(arg, "from=", 5)) {
		window.from = strtoull(arg + 5, NULL, 0);
		window.has_from = true;
	} else if (!strncmp(arg, "to=", 3)) {
		window.to = strtoull(arg + 3, NULL, 0);
		window.has_to = true;
	} else {
		return -1;
	}
	return 0;
}

int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_plugin_info *info, int argc, char **argv)
{
	struct qemu_plugin_scoreboard *score;

	if (!info->system_emulation || strcmp(info->target_name, "aarch64") || info->system.max_vcpus > CPU_MAX) {
		fprintf(stderr, "insn.so: only for qemu-system-aarch64 with up to %d CPUs\n", CPU_MAX);
		return -1;
	}
	for (int i = 0; i < argc; i++) {
		if (parse_option(argv[i])) {
			fprintf(stderr, "insn.so: wrong option \"%s\"\n", argv[i]);
			return -1;
		}
	}
	if (!out_path) {
		fprintf(stderr, "insn.so: option out=FILE is missing\n");
		return -1;
	}
	if (trace.on) {
		char path[4096];

		snprintf(path, sizeof(path), "%s.trace", out_path);
		trace.file = fopen(path, "w");
		if (!trace.file) {
			fprintf(stderr, "insn.so: cannot write %s\n", path);
			return -1;
		}
	}
	use_inline = info->system.max_vcpus == 1;
	score = qemu_plugin_scoreboard_new(sizeof(struct counters));
	for (size_t el = 0; el < EL_COUNT; el++)
		el_count[el] = (struct qemu_plugin_u64){ score, offsetof(struct counters, el) + el * sizeof(uint64_t) };
	signal(SIGUSR2, on_signal);
	qemu_plugin_register_vcpu_init_cb(id, on_cpu_init);
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
	qemu_plugin_register_atexit_cb(id, on_exit_cb, NULL);
	return 0;
}
