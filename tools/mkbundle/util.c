/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors, memory, files and checksums of mkbundle.
 *
 * Never prints; leaves the process only when the machine has no memory. Not thread-safe: one struct mkbundle belongs to
 * one thread.
 */
#define _GNU_SOURCE /* vasprintf */
#include "mkbundle.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct pool_block {
	struct pool_block *next;
	_Alignas(16) uint8_t data[];
};

int diag_fail(struct mkbundle *m, const char *fmt, ...)
{
	va_list args;

	if (m->diag.text[0])
		return -1; /* what went wrong first is what has to be mended */
	va_start(args, fmt);
	vsnprintf(m->diag.text, sizeof(m->diag.text), fmt, args);
	va_end(args);
	/* Names come from the profile: whatever is in them, an error is one printable line. */
	for (char *c = m->diag.text; *c; c++)
		if (!isprint((unsigned char)*c))
			*c = '?';
	return -1;
}

void out_of_memory(void)
{
	fprintf(stderr, "mkbundle: out of memory\n");
	exit(1);
}

void *pool_alloc(struct mkbundle *m, size_t bytes)
{
	struct pool_block *block = NULL;

	if (bytes <= SIZE_MAX - sizeof(*block))
		block = calloc(1, sizeof(*block) + bytes);
	if (!block)
		out_of_memory();
	block->next = m->pool.first;
	m->pool.first = block;
	return block->data;
}

char *pool_printf(struct mkbundle *m, const char *fmt, ...)
{
	char *made;
	va_list args;
	char *text;
	int length;

	va_start(args, fmt);
	length = vasprintf(&made, fmt, args);
	va_end(args);
	if (length < 0)
		out_of_memory();
	text = pool_alloc(m, (size_t)length + 1);
	memcpy(text, made, (size_t)length);
	free(made);
	return text;
}

void mkbundle_free(struct mkbundle *m)
{
	while (m->pool.first) {
		struct pool_block *next = m->pool.first->next;

		free(m->pool.first);
		m->pool.first = next;
	}
	m->blobs = NULL;
}

int file_read(struct mkbundle *m, const char *path, uint8_t **data, size_t *bytes)
{
	FILE *file = fopen(path, "rb");
	struct stat st;
	int ret = -1;

	if (!file)
		return diag_fail(m, "%s: %s; name a file that can be read", path, strerror(errno));
	if (fstat(fileno(file), &st)) {
		diag_fail(m, "%s: %s; name a file that can be read", path, strerror(errno));
	} else if (!S_ISREG(st.st_mode)) {
		diag_fail(m, "%s: not a regular file; name one", path);
	} else if (!st.st_size) {
		diag_fail(m, "%s: the file is empty; make it again", path);
	} else if ((uint64_t)st.st_size > FILE_BYTES_MAX) {
		diag_fail(m, "%s: larger than %u MiB; use a smaller file", path, (unsigned int)(FILE_BYTES_MAX / MIB));
	} else {
		*bytes = (size_t)st.st_size;
		*data = pool_alloc(m, *bytes);
		ret = fread(*data, 1, *bytes, file) == *bytes ?
			      0 :
			      diag_fail(m, "%s: ends before its length says; make it again", path);
	}
	fclose(file);
	return ret;
}

int file_write(struct mkbundle *m, const char *path, const void *data, size_t bytes)
{
	FILE *file = fopen(path, "wb");
	bool regular;
	bool whole;
	struct stat st;

	if (!file)
		return diag_fail(m, "%s: %s; name a file that can be written", path, strerror(errno));
	regular = !fstat(fileno(file), &st) && S_ISREG(st.st_mode);
	whole = fwrite(data, 1, bytes, file) == bytes;
	whole = !fclose(file) && whole;
	if (whole)
		return 0;
	diag_fail(m, "%s: cannot be written: %s; make room or write elsewhere", path, strerror(errno));
	if (regular) /* half a bundle must not stay; a device that somebody named must */
		unlink(path);
	return -1;
}

const char *pairs_use(struct pairs *p, const char *name)
{
	for (unsigned int i = 0; i < p->count; i++) {
		if (strcmp(p->item[i].name, name))
			continue;
		p->item[i].used = true;
		return p->item[i].value;
	}
	return NULL;
}
