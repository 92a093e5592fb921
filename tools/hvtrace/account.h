/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Account of one CPU's records in one boot: made = decoded + overwritten + found the ring full + lost on the line + waiting.
 *
 * Fed with what frames say, in the order in which they come; what was made before the first of them isn't in the account.
 * Records that come a second time (a dump repeats what the stream has sent) are known by their numbers, and told apart.
 */
#ifndef HVTRACE_ACCOUNT_H
#define HVTRACE_ACCOUNT_H

#include "hvtrace.h"

struct account {
	bool begun;
	uint64_t base;     /* number of the first record that is in the account */
	uint64_t next;     /* number of the record that comes next */
	uint64_t made;     /* numbers given out, as the latest status said */
	uint64_t decoded;  /* each once */
	uint64_t repeated; /* records that came again */
	uint64_t overwritten, overwritten_base;
	uint64_t overwritten_next; /* those before `next`, and before the account */
	uint64_t unnumbered, unnumbered_base;
	uint64_t time; /* of the latest record, or the latest status after which nothing waited */
};

/* What is told of it; total is the sum of the others. */
struct losses {
	uint64_t total, decoded;
	uint64_t overwritten; /* in the ring, before they could be sent */
	uint64_t full;        /* not recorded: the ring was full (trace full stop) */
	uint64_t line;        /* sent, and damaged or lost on the way here */
	uint64_t waiting;     /* in the ring when the last frame came (or lost on the line since) */
};

/* Returns how many records are missing before the frame's first one. */
uint64_t account_records(struct account *a, const struct records_head *head);
/* After account_records(): is this one new? False: it came before. Refused records aren't asked about: they count as lost on the line. */
bool account_record(struct account *a, const struct record *r);
void account_status(struct account *a, const struct status_cpu *cpu, uint64_t now);
void account_losses(const struct account *a, struct losses *out);
void losses_add(struct losses *sum, const struct losses *one);
/* Whether any is lost. Those that wait aren't. */
bool losses_any(const struct losses *l);
/* "made 120: decoded 100, overwritten in the ring 15, ..." without the causes that are 0 */
#define LOSSES_ROOM 256
const char *losses_text(char text[LOSSES_ROOM], const struct losses *l);

#endif
