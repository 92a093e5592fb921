/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Library: strings, formatted output, CRC-32, bitmaps, intrusive lists. Pure functions without locking; callers own all
 * memory. C-standard functions behave as ISO C says.
 */
#ifndef CAMBER_LIB_H
#define CAMBER_LIB_H

#include <stdarg.h>

void *memcpy(void *restrict dst, const void *restrict src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *s, int c, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);
/* Entry n of strings that follow each other, each with its NUL: smaller than a table of addresses, which are relocated. */
const char *str_nth(const char *list, unsigned int n);
char *strrchr(const char *s, int c);

/* Copies at most size - 1 bytes and always terminates (size > 0); returns strlen(src). */
size_t str_copy(char *dst, const char *src, size_t size);

/*
 * Unsigned number in C notation (decimal, 0x hexadecimal) that fills the whole string. Returns 0 and *value, or -EINVAL
 * (empty, other characters) or -ERANGE.
 */
int str_to_u64(const char *s, uint64_t *value);

/*
 * ISO C snprintf for %c %s %d %i %u %x %X %p %% with flags '-' '0' '#', width, precision (strings), and the lengths
 * hh h l ll z. Always terminates when size > 0; returns the length the whole text has.
 */
int snprintf(char *buf, size_t size, const char *fmt, ...) __printf(3, 4);
int vsnprintf(char *buf, size_t size, const char *fmt, va_list ap) __printf(3, 0);

/* CRC-32 of IEEE 802.3 (reflected 0xedb88320); start with crc = 0; feeds may be chained. */
uint32_t crc32(uint32_t crc, const void *data, size_t n);

/* Bitmaps: arrays of uint64_t, bit n in word n / 64. */
static inline bool bitmap_test(const uint64_t *map, unsigned int bit)
{
	return (map[bit / 64] >> (bit % 64)) & 1;
}

static inline void bitmap_set(uint64_t *map, unsigned int bit)
{
	map[bit / 64] |= BIT64(bit % 64);
}

static inline void bitmap_clear(uint64_t *map, unsigned int bit)
{
	map[bit / 64] &= ~BIT64(bit % 64);
}

/* First set bit at or after `from`, or `bits` if there is none. */
unsigned int bitmap_next(const uint64_t *map, unsigned int bits, unsigned int from);

/* Doubly linked circular list; the head is a node too. */
struct list {
	struct list *next, *prev;
};

static inline void list_init(struct list *l)
{
	l->next = l;
	l->prev = l;
}

static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}

static inline void list_insert_before(struct list *node, struct list *at)
{
	node->next = at;
	node->prev = at->prev;
	at->prev->next = node;
	at->prev = node;
}

static inline void list_add_tail(struct list *node, struct list *head)
{
	list_insert_before(node, head);
}

static inline void list_add_head(struct list *node, struct list *head)
{
	list_insert_before(node, head->next);
}

/* Leaves the node pointing to itself, so that a second removal is harmless and list_empty(node) says "not queued". */
static inline void list_del(struct list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_init(node);
}

#define list_entry(ptr, type, member) container_of(ptr, type, member)

#endif
