/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Export in the Common Trace Format 1.8 (diamon.org/ctf): a folder with a text, metadata, that describes all, and a stream of packets for
 * each CPU, cpu<n>.
 *
 * Time stamps are ticks of the system counter, which metadata declares as clock; durations are nanoseconds, their fields end in
 * _ns. vCPUs, classes and the like are enumerations with our names. Lost records are the packets' events_discarded: an empty packet
 * lies where records are missing. All numbers are little-endian and aligned to bytes.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "event.h"
#include "export.h"

#define CTF_MAGIC 0xc1fc1fc1u
#define CTF_HEAD 52u /* bytes of a packet's header and context */
#define CTF_PACKET 65536u
#define CTF_UNKNOWN 65535u /* id of the event that stands for those without a row in the table */

/* --- metadata --------------------------------------------------------------------------------------------------------- */

static void put_quoted(FILE *out, const char *text)
{
	(void)fputc('"', out);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			(void)fputc('\\', out);
		(void)fputc(*text, out);
	}
	(void)fputc('"', out);
}

/* The names that a kind's numbers have, up to the first one without. */
static void put_names(FILE *out, enum word_kind kind)
{
	const struct event_field f = { "", "", kind, 0, 1 };
	struct record r = { .words = 1 };
	char text[NAME_ROOM];

	for (; r.word[0] < 64; r.word[0]++) {
		if (field_text(text, &f, &r, NULL, 0)[0] == '<')
			break;
		(void)fprintf(out, "%s\n\t", r.word[0] ? "," : "");
		put_quoted(out, text);
		(void)fprintf(out, " = %u", r.word[0]);
	}
}

static void put_vcpus(FILE *out, const struct boot *boot)
{
	char text[NAME_ROOM];

	(void)fprintf(out, "\n\t\"idle\" = %u", TRACE_NOBODY);
	for (uint32_t vm = 0; vm < HVTRACE_VMS; vm++)
		for (uint32_t i = 0; i < boot->vm[vm].vcpus && (vm << 8 | i) < TRACE_NOBODY; i++) {
			(void)fprintf(out, ",\n\t");
			put_quoted(out, vcpu_name(text, vm << 8 | i, boot->vm));
			(void)fprintf(out, " = %u", vm << 8 | i);
		}
}

static void put_vms(FILE *out, const struct boot *boot)
{
	char text[NAME_ROOM];
	const char *mark = "";

	for (uint32_t vm = 0; vm < HVTRACE_VMS; vm++) {
		if (!boot->vm[vm].vcpus)
			continue;
		(void)fprintf(out, "%s\n\t", mark);
		put_quoted(out, vm_name(text, vm, boot->vm));
		(void)fprintf(out, " = %u", vm);
		mark = ",";
	}
	/* An enumeration needs a name. */
	if (!*mark)
		(void)fprintf(out, "\n\t\"none\" = %u", HVTRACE_VMS);
}

static void put_enum(FILE *out, enum word_kind kind, const char *name, const struct boot *boot)
{
	(void)fprintf(out, "typealias enum : u32 {");
	if (kind == WORD_VCPU)
		put_vcpus(out, boot);
	else if (kind == WORD_VM)
		put_vms(out, boot);
	else
		put_names(out, kind);
	(void)fprintf(out, "\n} := %s_name;\n", name);
}

static void put_field(FILE *out, const struct event_field *f)
{
	/* Readers take the first underscore away: it keeps names apart from TSDL's own words. */
	switch (f->kind) {
	case WORD_TICKS:
		(void)fprintf(out, "\t\tu64 _%s_ns;\n", f->name);
		break;
	case WORD_CAUSE:
		(void)fprintf(out, "\t\tx32 _%s;\n\t\tstring _%s_name;\n", f->name, f->name);
		break;
	case WORD_TEXT:
		(void)fprintf(out, "\t\tstring _%s;\n", f->name);
		break;
	case WORD_DEC:
		(void)fprintf(out, "\t\tu32 _%s;\n", f->name);
		break;
	case WORD_HEX:
	case WORD_LO:
	case WORD_HI:
		(void)fprintf(out, "\t\tx%u _%s;\n", 32u * f->words, f->name);
		break;
	case WORD_VCPU:
	case WORD_VM:
	case WORD_CLASS:
	case WORD_WHY:
	case WORD_LEFT:
	case WORD_STATE:
	case WORD_REASON:
		(void)fprintf(out, "\t\t%s_name _%s;\n", f->kind_name, f->name);
		break;
	}
}

static void put_metadata(FILE *out, const struct boot *boot)
{
	(void)fprintf(out, "/* CTF 1.8 */\n\n");
	for (unsigned int bits = 8; bits <= 64; bits *= 2)
		(void)fprintf(out, "typealias integer { size = %u; align = 8; signed = false; } := u%u;\n", bits, bits);
	for (unsigned int bits = 32; bits <= 64; bits *= 2)
		(void)fprintf(out, "typealias integer { size = %u; align = 8; signed = false; base = 16; } := x%u;\n",
			      bits, bits);
	(void)fprintf(
		out,
		"\ntrace {\n\tmajor = 1;\n\tminor = 8;\n\tbyte_order = le;\n"
		"\tpacket.header := struct {\n\t\tu32 magic;\n\t\tu32 stream_id;\n\t};\n};\n"
		"\nenv {\n\ttracer_name = \"hvtrace\";\n\tboot = %u;\n};\n"
		"\nclock {\n\tname = counter;\n\tdescription = \"system counter\";\n\tfreq = %llu;\n};\n"
		"typealias integer { size = 64; align = 8; signed = false; map = clock.counter.value; } := stamp;\n"
		"\nstream {\n\tid = 0;\n"
		"\tpacket.context := struct {\n\t\tstamp timestamp_begin;\n\t\tstamp timestamp_end;\n"
		"\t\tu64 content_size;\n\t\tu64 packet_size;\n\t\tu64 events_discarded;\n\t\tu32 cpu_id;\n\t};\n"
		"\tevent.header := struct {\n\t\tu16 id;\n\t\tstamp timestamp;\n\t};\n};\n\n",
		boot->number, (unsigned long long)boot->hz);
	put_enum(out, WORD_VCPU, "vcpu", boot);
	put_enum(out, WORD_VM, "vm", boot);
	put_enum(out, WORD_CLASS, "class", boot);
	put_enum(out, WORD_WHY, "why", boot);
	put_enum(out, WORD_LEFT, "left", boot);
	put_enum(out, WORD_STATE, "state", boot);
	put_enum(out, WORD_REASON, "reason", boot);
	for (const struct event *e = event_next(NULL); e; e = event_next(e)) {
		(void)fprintf(out, "\nevent {\n\tname = \"%s\";\n\tid = %u;\n\tstream_id = 0;\n\tfields := struct {\n",
			      e->name, e->number);
		for (unsigned int i = 0; i < e->fields; i++)
			put_field(out, &e->field[i]);
		(void)fprintf(out, "\t};\n};\n");
	}
	(void)fprintf(out,
		      "\nevent {\n\tname = \"unknown\";\n\tid = %u;\n\tstream_id = 0;\n\tfields := struct {\n"
		      "\t\tu16 _number;\n\t\tu8 _count;\n\t\tx32 _words[_count];\n\t};\n};\n",
		      CTF_UNKNOWN);
}

/* --- packets ---------------------------------------------------------------------------------------------------------- */

struct stream {
	FILE *file;
	char *path;
	uint8_t *bytes; /* of the packet that is being made; its head is filled in at last */
	size_t count, room;
	uint64_t begin, end;
	uint64_t discarded; /* so far */
	uint32_t cpu;
	bool packets; /* there is one */
};

static void put(struct stream *s, uint64_t value, unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes; i++) {
		s->bytes = mem_grow(s->bytes, s->count, &s->room, 1);
		s->bytes[s->count++] = (uint8_t)(value >> 8 * i);
	}
}

static void put_string(struct stream *s, const char *text)
{
	do
		put(s, (uint8_t)*text, 1);
	while (*text++);
}

static void put_head(struct stream *s, uint64_t begin, uint64_t end, uint64_t bits)
{
	put(s, CTF_MAGIC, 4);
	put(s, 0, 4);
	put(s, begin, 8);
	put(s, end, 8);
	put(s, bits, 8);
	put(s, bits, 8);
	put(s, s->discarded, 8);
	put(s, s->cpu, 4);
}

static void end_packet(struct stream *s)
{
	size_t count = s->count;

	if (count <= CTF_HEAD)
		return;
	s->count = 0;
	put_head(s, s->begin, s->end, (uint64_t)count * 8);
	(void)fwrite(s->bytes, 1, count, s->file);
	s->count = 0;
	s->packets = true;
}

/* Between the latest record and `until` so many were lost. */
static void put_loss(struct stream *s, uint64_t missing, uint64_t until)
{
	end_packet(s);
	s->discarded += missing;
	put_head(s, s->end, until, CTF_HEAD * 8);
	(void)fwrite(s->bytes, 1, s->count, s->file);
	s->count = 0;
	s->end = until;
}

static void put_word(struct stream *s, const struct event_field *f, const struct record *r, const struct boot *boot)
{
	char text[NAME_ROOM];

	switch (f->kind) {
	case WORD_TICKS:
		put(s, ticks_to_ns(r->word[f->word], boot->hz), 8);
		break;
	case WORD_CAUSE:
		put(s, r->word[f->word], 4);
		put_string(s, field_text(text, f, r, boot->vm, boot->hz));
		break;
	case WORD_TEXT:
		put_string(s, field_text(text, f, r, boot->vm, boot->hz));
		break;
	default:
		put(s, field_value(f, r), 4u * f->words);
		break;
	}
}

static void put_record(struct stream *s, const struct record *r, const struct boot *boot)
{
	const struct event *e = event_find(r->event);

	if (s->count >= CTF_PACKET)
		end_packet(s);
	if (!s->count) {
		put_head(s, 0, 0, 0);
		s->begin = r->time;
	}
	s->end = r->time;
	put(s, e ? r->event : CTF_UNKNOWN, 2);
	put(s, r->time, 8);
	for (unsigned int i = 0; e && i < e->fields; i++)
		put_word(s, &e->field[i], r, boot);
	if (e)
		return;
	put(s, r->event, 2);
	put(s, r->words, 1);
	for (unsigned int i = 0; i < r->words && i < TRACE_WORDS; i++)
		put(s, r->word[i], 4);
}

/* --- the folder ------------------------------------------------------------------------------------------------------- */

static char *path_in(const char *folder, const char *name)
{
	size_t room = strlen(folder) + strlen(name) + 2;
	char *path = mem_alloc(room);

	(void)snprintf(path, room, "%s/%s", folder, name);
	return path;
}

/* A new folder, or an empty one: streams of another trace would be taken for this one's. */
static int make_folder(const char *path)
{
	struct dirent *entry;
	int entries = 0;
	DIR *dir;

	if (!mkdir(path, 0777))
		return 0;
	if (errno != EEXIST)
		return fail("%s: %s; name a folder that can be made", path, strerror(errno));
	dir = opendir(path);
	if (!dir)
		return fail("%s: %s; name a folder that isn't there yet", path, strerror(errno));
	while ((entry = readdir(dir)))
		entries += strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..");
	(void)closedir(dir);
	return entries ? fail("%s: is not empty; name a folder that isn't there yet", path) : 0;
}

static int write_metadata(const char *folder, const struct boot *boot)
{
	char *path = path_in(folder, "metadata");
	FILE *file = out_open(path);
	int err = -1;

	if (file) {
		put_metadata(file, boot);
		err = out_close(file, path);
	}
	free(path);
	return err;
}

static int open_stream(struct stream *s, uint32_t cpu, const char *folder)
{
	char name[16];

	(void)snprintf(name, sizeof(name), "cpu%u", cpu);
	s->cpu = cpu;
	s->path = path_in(folder, name);
	s->file = out_open(s->path);
	if (s->file)
		return 0;
	free(s->path);
	return -1;
}

/* What is missing behind the last record, or has no number and so no place; then the file is done. */
static int close_stream(struct stream *s, const struct boot *boot)
{
	const struct losses *l = &boot->cpu[s->cpu].losses;
	uint64_t lost = l->overwritten + l->full + l->line;
	uint64_t end = boot->cpu[s->cpu].account.time;
	int err;

	if (lost > s->discarded)
		put_loss(s, lost - s->discarded, end > s->end ? end : s->end);
	end_packet(s);
	err = out_close(s->file, s->path);
	free(s->path);
	free(s->bytes);
	return err;
}

static int write_streams(const char *folder, const struct boot *boot, struct stream *streams)
{
	const struct record *r;
	struct cursor cursor;
	uint64_t missing;
	int err = 0;

	cursor_start(&cursor, boot);
	while (!err && (r = cursor_next(&cursor, &missing))) {
		struct stream *s = &streams[r->cpu];

		if (!s->file)
			err = open_stream(s, r->cpu, folder);
		if (!err && missing && (s->packets || s->count))
			put_loss(s, missing, r->time);
		if (!err)
			put_record(s, r, boot);
	}
	cursor_free(&cursor);
	for (uint32_t cpu = 0; cpu < HVTRACE_CPUS; cpu++)
		if (streams[cpu].file && close_stream(&streams[cpu], boot))
			err = -1;
	return err;
}

int export_ctf(const struct reader *t, const struct boot *boot, const char *out)
{
	struct stream *streams;
	int err;

	(void)t;
	if (make_folder(out) || write_metadata(out, boot))
		return -1;
	streams = mem_alloc(HVTRACE_CPUS * sizeof(*streams));
	err = write_streams(out, boot, streams);
	free(streams);
	return err;
}
