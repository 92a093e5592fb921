/* SPDX-License-Identifier: Apache-2.0 */
/* --vm, --from, --to: which records are looked at. Times are seconds of the system counter, as the hypervisor's log has them. */
#ifndef HVTRACE_FILTER_H
#define HVTRACE_FILTER_H

#include "cmd.h"
#include "event.h"

struct filter {
	const char *vm_text, *from_text, *to_text; /* as given; NULL: not */
	uint64_t from_ns, to_ns;
	int vm; /* -1: all */
};

/* For a list of option_spec. */
#define FILTER_OPTIONS(f)                                                                                              \
	FILTER_OPTION("--vm", (f)->vm_text), FILTER_OPTION("--from", (f)->from_text),                                  \
		FILTER_OPTION("--to", (f)->to_text)
#define FILTER_OPTION(name, where)                                                                                     \
	{                                                                                                              \
		name, true, &(where), NULL                                                                             \
	}
extern const char filter_help[];

int filter_parse(struct filter *f); /* CMD_USAGE after fail() */
/* The VM's number in this boot, by label or number; -1 after fail(). Sets f->vm. */
int filter_vm(struct filter *f, const struct vm_info *vms);
bool filter_time(const struct filter *f, uint64_t ns);
/* Whether it is about the VM: one of its words is that VM or one of its vCPUs. */
bool filter_record(const struct filter *f, const struct event *e, const struct record *r);

#endif
