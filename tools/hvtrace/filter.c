/* SPDX-License-Identifier: Apache-2.0 */
/* Which records are looked at. See filter.h. */
#include "filter.h"

#include <string.h>

const char filter_help[] =
	"      --vm VM              only this one, by label or number\n"
	"      --from S, --to S     only from and up to this time, in seconds as in the hypervisor's log\n";

int filter_parse(struct filter *f)
{
	f->vm = -1;
	f->to_ns = UINT64_MAX;
	if ((f->from_text && !parse_seconds(f->from_text, &f->from_ns)) ||
	    (f->to_text && !parse_seconds(f->to_text, &f->to_ns))) {
		fail("--from, --to: write times in seconds, as 1.5 or 0.436060");
		return CMD_USAGE;
	}
	if (f->from_ns > f->to_ns) {
		fail("--from %s: is after --to %s", f->from_text, f->to_text);
		return CMD_USAGE;
	}
	return 0;
}

int filter_vm(struct filter *f, const struct vm_info *vms)
{
	uint64_t number;

	if (!f->vm_text)
		return 0;
	for (unsigned int i = 0; i < HVTRACE_VMS; i++)
		if (vms[i].label[0] && !strcmp(vms[i].label, f->vm_text)) {
			f->vm = (int)i;
			return 0;
		}
	if (!parse_number(f->vm_text, HVTRACE_VMS - 1, &number))
		return fail("--vm %s: the trace has no VM of that label; name one of it, or a number", f->vm_text);
	f->vm = (int)number;
	return 0;
}

bool filter_time(const struct filter *f, uint64_t ns)
{
	return ns >= f->from_ns && ns <= f->to_ns;
}

bool filter_record(const struct filter *f, const struct event *e, const struct record *r)
{
	if (f->vm < 0)
		return true;
	for (unsigned int i = 0; e && i < e->fields; i++) {
		uint32_t word = r->word[e->field[i].word];

		if ((e->field[i].kind == WORD_VCPU && word != TRACE_NOBODY && word >> 8 == (uint32_t)f->vm) ||
		    (e->field[i].kind == WORD_VM && word == (uint32_t)f->vm))
			return true;
	}
	return false;
}
