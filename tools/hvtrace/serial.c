/* SPDX-License-Identifier: Apache-2.0 */
/* Serial devices and pseudo terminals. See serial.h. */
#define _DEFAULT_SOURCE /* speeds beyond 38400, which POSIX leaves to the system */
#include "serial.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static const struct {
	unsigned long baud;
	speed_t code;
} speeds[] = {
#define SPEED(baud)                                                                                                    \
	{                                                                                                              \
		baud, B##baud                                                                                          \
	}
	SPEED(1200),    SPEED(2400),    SPEED(4800),    SPEED(9600),    SPEED(19200),   SPEED(38400),
#ifdef B57600
	SPEED(57600),   SPEED(115200),  SPEED(230400),
#endif
#ifdef B460800
	SPEED(460800),
#endif
#ifdef B500000
	SPEED(500000),  SPEED(576000),
#endif
#ifdef B921600
	SPEED(921600),
#endif
#ifdef B1000000
	SPEED(1000000), SPEED(1152000), SPEED(1500000), SPEED(2000000), SPEED(2500000), SPEED(3000000),
	SPEED(3500000), SPEED(4000000),
#endif
#undef SPEED
};

int serial_set(struct source *s, uint64_t speed)
{
	struct termios t;
	size_t i = 0;

	while (i < ARRAY_COUNT(speeds) && speeds[i].baud != speed)
		i++;
	if (i == ARRAY_COUNT(speeds))
		return fail("--speed %llu: no speed of serial lines; use a standard one, as 115200 or 921600",
			    (unsigned long long)speed);
	if (tcgetattr(s->fd, &t))
		return fail("%s: %s; no terminal settings can be read", s->name, strerror(errno));
	s->before = mem_alloc(sizeof(t));
	*s->before = t;
	/* Raw, 8 bits, no parity, no flow control, no modem lines. */
	t.c_iflag = 0;
	t.c_oflag = 0;
	t.c_lflag = 0;
	t.c_cflag &= (tcflag_t) ~(CSIZE | PARENB | CSTOPB);
	t.c_cflag |= CS8 | CREAD | CLOCAL;
#ifdef CRTSCTS
	t.c_cflag &= (tcflag_t)~CRTSCTS;
#endif
	t.c_cc[VMIN] = 1;
	t.c_cc[VTIME] = 0;
	if (cfsetispeed(&t, speeds[i].code) || cfsetospeed(&t, speeds[i].code) || tcsetattr(s->fd, TCSANOW, &t))
		return fail("%s: %s; the device doesn't take %llu baud", s->name, strerror(errno),
			    (unsigned long long)speed);
	/* tcsetattr() is content if it could do any of it. */
	if (tcgetattr(s->fd, &t) || cfgetispeed(&t) != speeds[i].code)
		return fail("%s: the device doesn't take %llu baud; use a speed that it has", s->name,
			    (unsigned long long)speed);
	return 0;
}

void serial_restore(struct source *s)
{
	if (!s->before)
		return;
	if (s->fd >= 0)
		(void)tcsetattr(s->fd, TCSANOW, s->before);
	free(s->before);
	s->before = NULL;
}
