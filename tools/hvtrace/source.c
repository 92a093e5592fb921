/* SPDX-License-Identifier: Apache-2.0 */
/* Sources. See source.h. */
#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "event.h"
#include "serial.h"

#define SEND_MS 2000 /* a command that doesn't leave in this time won't */

static volatile sig_atomic_t stopped;

static void on_stop(int number)
{
	struct sigaction as_usual = { .sa_handler = SIG_DFL };

	stopped = 1;
	(void)sigaction(number, &as_usual, NULL);
}

void stop_catch(void)
{
	struct sigaction action = { .sa_handler = on_stop }; /* without SA_RESTART: poll() ends */

	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
}

bool stop_wanted(void)
{
	return stopped;
}

uint64_t clock_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int open_unix(struct source *s, const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };

	if (!*path || strlen(path) >= sizeof(to.sun_path))
		return fail("unix:%s: a socket's path has 1 to %zu characters; use a shorter one", path,
			    sizeof(to.sun_path) - 1);
	strcpy(to.sun_path, path);
	s->fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (s->fd < 0 || connect(s->fd, (struct sockaddr *)&to, sizeof(to)))
		return fail("unix:%s: %s; is the machine running, and nobody else connected?", path, strerror(errno));
	s->can_send = true;
	return 0;
}

static int open_tcp(struct source *s, const char *host_port)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found = NULL;
	const char *port = strrchr(host_port, ':');
	char host[256];
	int error, why = 0;

	if (!port || port == host_port || !port[1] || (size_t)(port - host_port) >= sizeof(host))
		return fail("tcp:%s: write it as tcp:HOST:PORT", host_port);
	memcpy(host, host_port, (size_t)(port - host_port));
	host[port - host_port] = 0;
	error = getaddrinfo(host, port + 1, &hints, &found);
	if (error)
		return fail("tcp:%s: %s; name a host and a port", host_port, gai_strerror(error));
	for (struct addrinfo *a = found; a && s->fd < 0; a = a->ai_next) {
		s->fd = socket(a->ai_family, a->ai_socktype, a->ai_protocol);
		if (s->fd >= 0 && !connect(s->fd, a->ai_addr, a->ai_addrlen))
			break;
		why = errno;
		if (s->fd >= 0)
			close(s->fd);
		s->fd = -1;
	}
	freeaddrinfo(found);
	if (s->fd < 0)
		return fail("tcp:%s: %s; is something listening there?", host_port, strerror(why));
	s->can_send = true;
	return 0;
}

static int open_path(struct source *s, const char *path, uint64_t speed)
{
	struct stat st;

	if (stat(path, &st))
		return fail("%s: %s; name a file, a serial device, a socket, or - for standard input", path,
			    strerror(errno));
	if (S_ISSOCK(st.st_mode))
		return open_unix(s, path);
	if (S_ISDIR(st.st_mode))
		return fail("%s: a folder; name a file, a serial device, a socket, or -", path);
	s->fd = open(path, (S_ISCHR(st.st_mode) ? O_RDWR | O_NONBLOCK : O_RDONLY) | O_NOCTTY);
	if (s->fd < 0)
		return fail("%s: %s; name one that can be read%s", path, strerror(errno),
			    S_ISCHR(st.st_mode) ? " and written" : "");
	s->file = S_ISREG(st.st_mode);
	if (!isatty(s->fd))
		return 0;
	s->can_send = true;
	return serial_set(s, speed ? speed : SOURCE_SPEED);
}

int source_open(struct source *s, const char *spec, uint64_t speed)
{
	int ret = 0;

	*s = (struct source){ .name = spec, .fd = -1 };
	if (!strncmp(spec, "tcp:", 4)) {
		ret = open_tcp(s, spec + 4);
	} else if (!strncmp(spec, "unix:", 5)) {
		ret = open_unix(s, spec + 5);
	} else if (!strcmp(spec, "-")) {
		s->fd = STDIN_FILENO;
		if (isatty(s->fd))
			ret = fail("-: standard input is a terminal; give it a trace, as in: hvtrace report - < trace");
	} else {
		ret = open_path(s, spec, speed);
	}
	if (!ret && speed && !s->before)
		ret = fail("--speed: %s is no serial device; leave it out", spec);
	if (ret)
		source_close(s);
	return ret;
}

void source_close(struct source *s)
{
	serial_restore(s);
	if (s->fd > STDIN_FILENO)
		close(s->fd);
	s->fd = -1;
}

long source_read(struct source *s, void *buffer, size_t room, unsigned int wait_ms)
{
	struct pollfd poll_fd = { .fd = s->fd, .events = POLLIN };
	ssize_t n;

	if (!s->file) {
		int ready = poll(&poll_fd, 1, (int)wait_ms);

		if (!ready || (ready < 0 && errno == EINTR))
			return SOURCE_NOTHING;
	}
	n = read(s->fd, buffer, room);
	if (n >= 0)
		return n;
	if (errno == EAGAIN || errno == EINTR)
		return SOURCE_NOTHING;
	if (errno == EIO && s->before)
		return SOURCE_END; /* the other side of a pseudo terminal, or a USB adapter, is gone */
	if (errno == ECONNRESET)
		return SOURCE_END;
	return fail("%s: %s", s->name, strerror(errno));
}

int source_send(struct source *s, const char *line)
{
	uint64_t until = clock_ns() + SEND_MS * UINT64_C(1000000);
	char text[256];
	size_t n = strlen(line), sent = 0;

	if (!s->can_send)
		return fail("%s: takes no commands; use the trace line itself, or type in the monitor: %s", s->name,
			    line);
	if (n + 1 >= sizeof(text))
		return fail("%s: the command is too long: %.40s...", s->name, line);
	memcpy(text, line, n);
	text[n++] = '\n';
	while (sent < n) {
		struct pollfd poll_fd = { .fd = s->fd, .events = POLLOUT };
		/* A socket whose other end is gone is an error, not a signal. */
		ssize_t done = s->before ? write(s->fd, text + sent, n - sent) :
					   send(s->fd, text + sent, n - sent, MSG_NOSIGNAL);

		if (done > 0)
			sent += (size_t)done;
		else if (done < 0 && errno != EAGAIN && errno != EINTR)
			return fail("%s: %s; the command was not sent: %s", s->name, strerror(errno), line);
		else if (clock_ns() > until)
			return fail("%s: takes nothing; the command was not sent: %s", s->name, line);
		else
			(void)poll(&poll_fd, 1, 100);
	}
	return 0;
}

int source_send_on(struct source *s, uint32_t classes)
{
	char line[200] = "trace on";

	if (classes == UINT32_MAX)
		return source_send(s, "trace on all");
	for (unsigned int i = 0; i < 32; i++)
		if (classes >> i & 1) {
			size_t n = strlen(line);

			(void)snprintf(line + n, sizeof(line) - n, " %s", trace_class_name(i));
		}
	return source_send(s, line);
}
