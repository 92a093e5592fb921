/* SPDX-License-Identifier: Apache-2.0 */
/* str_to_u64() against strtoull() with the same grammar in front of it. */
#include "fuzz.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "camber/lib.h"

/* Decimal or 0x hexadecimal, nothing else. */
static int reference(const char *s, uint64_t *value)
{
	bool hex = s[0] == '0' && (s[1] == 'x' || s[1] == 'X');
	const char *digits = hex ? s + 2 : s;
	uint64_t v;

	if (!*digits)
		return -EINVAL;
	for (const char *p = digits; *p; p++)
		if (hex ? !isxdigit((unsigned char)*p) : !isdigit((unsigned char)*p))
			return -EINVAL;
	errno = 0;
	v = strtoull(digits, NULL, hex ? 16 : 10);
	if (errno)
		return -ERANGE;
	*value = v;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1); /* its own allocation: the sanitizer guards the end */
	uint64_t got = 1, want = 1;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	FUZZ_CHECK(str_to_u64(text, &got) == reference(text, &want));
	FUZZ_CHECK(got == want);
	free(text);
	return 0;
}
