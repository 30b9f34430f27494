/* Attacks by sockets: a canary listens on every address of the loopback interface, on datagrams and
 * on AF_UNIX names, and counts who reached it. */
// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/live/acts.h"

TestSuite(attack_network, .timeout = 60);

enum canary_kind { CANARY_TCP, CANARY_UDP, CANARY_UNIX, CANARY_UNIX_DATAGRAM, CANARY_ABSTRACT };

#define CANARY_COUNT 5

struct canary {
	int fds[CANARY_COUNT];
	int reserved; /* holds a free port for binding, by being bound and not listening */
	int port;
	int bind_port;
	char abstract_name[64];
};

/* A socket on all IPv4 and IPv6 addresses; port 0 takes a free one. */
static int open_inet(int type, int *port)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6,
		.sin6_port = htons((in_port_t)*port) };
	socklen_t length = sizeof(address);
	int off = 0, on = 1;
	int fd = socket(AF_INET6, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	cr_assert(fd >= 0, "socket: %s", strerror(errno));
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	cr_assert(bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0, "bind: %s",
		strerror(errno));
	getsockname(fd, (struct sockaddr *)&address, &length);
	*port = ntohs(address.sin6_port);
	return fd;
}

static int open_unix(int type, const char *name, bool abstract)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	strncpy(address.sun_path + abstract, name, sizeof(address.sun_path) - 2);
	cr_assert(bind(fd, (struct sockaddr *)&address,
			  (socklen_t)(offsetof(struct sockaddr_un, sun_path) + abstract +
				      strlen(name))) == 0,
		"bind %s: %s", name, strerror(errno));
	if (!abstract) {
		chmod(name, 0777);
	}
	return fd;
}

static struct canary canary_open(const struct scratch *scratch)
{
	struct canary canary = { 0 };

	snprintf(
		canary.abstract_name, sizeof(canary.abstract_name), "sandlock-canary-%d", getpid());
	canary.fds[CANARY_TCP] = open_inet(SOCK_STREAM, &canary.port);
	canary.fds[CANARY_UDP] = open_inet(SOCK_DGRAM, &canary.port);
	canary.fds[CANARY_UNIX] = open_unix(SOCK_STREAM, scratch_file(scratch, "stream"), false);
	canary.fds[CANARY_UNIX_DATAGRAM] =
		open_unix(SOCK_DGRAM, scratch_file(scratch, "dgram"), false);
	canary.fds[CANARY_ABSTRACT] = open_unix(SOCK_STREAM, canary.abstract_name, true);
	listen(canary.fds[CANARY_TCP], 128);
	listen(canary.fds[CANARY_UNIX], 128);
	listen(canary.fds[CANARY_ABSTRACT], 128);
	canary.reserved = open_inet(SOCK_STREAM, &canary.bind_port);
	close(canary.reserved);
	return canary;
}

static void canary_close(struct canary *canary)
{
	for (size_t i = 0; i < CANARY_COUNT; i++) {
		close(canary->fds[i]);
	}
}
#define cleanup_canary cleanup(canary_close)

/* How many reached this one since the last look. */
static int canary_take(const struct canary *canary, enum canary_kind kind)
{
	char bytes[64];
	int count = 0;
	int fd;

	if (kind == CANARY_UDP || kind == CANARY_UNIX_DATAGRAM) {
		while (recv(canary->fds[kind], bytes, sizeof(bytes), 0) >= 0) {
			count++;
		}
		return count;
	}
	while ((fd = accept4(canary->fds[kind], NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		close(fd);
		count++;
	}
	return count;
}

static const char *const *attack_command(const struct canary *canary, const struct scratch *scratch)
{
	static const char *words[6];

	words[0] = guest("attack_network");
	words[1] = word("%d", canary->port);
	words[2] = word("%d", canary->bind_port);
	words[3] = scratch->path;
	words[4] = canary->abstract_name;
	return words;
}

/* Sockets of a kind that the kernel may lack have ACT_ANY outside; the others must work there. */
static const struct act matrix[] = {
	{ "tcp_connect", EACCES, ACT_DONE },
	{ "tcp_connect_any", EACCES, ACT_DONE },
	{ "tcp_connect_other_loopback", EACCES, ACT_DONE },
	{ "tcp_connect_after_unspec", EACCES, ACT_DONE },
	{ "tcp_connect_named_protocol", EACCES, ACT_DONE },
	{ "tcp_connect_type_flags", EACCES, ACT_DONE },
	{ "tcp6_connect", EACCES, ACT_DONE },
	{ "tcp6_connect_any", EACCES, ACT_DONE },
	{ "tcp6_connect_mapped", EACCES, ACT_DONE },
	{ "tcp6_connect_mapped_any", EACCES, ACT_DONE },
	{ "tcp6_connect_after_unspec", EACCES, ACT_DONE },
	{ "fastopen_option", ACT_REFUSED, ACT_DONE },
	{ "fastopen_option6", ACT_REFUSED, ACT_DONE },
	{ "fastopen_sendto", ACT_REFUSED, ACT_DONE },
	{ "fastopen_sendto6", ACT_REFUSED, ACT_DONE },
	{ "fastopen_sendto_mapped", ACT_REFUSED, ACT_DONE },
	{ "fastopen_sendto_more_flags", ACT_REFUSED, ACT_DONE },
	{ "fastopen_sendto_high_bits", ACT_REFUSED, ACT_DONE },
	{ "fastopen_sendmsg", ACT_REFUSED, ACT_DONE },
	{ "fastopen_sendmsg6", ACT_REFUSED, ACT_DONE },
	{ "fastopen_sendmsg_high_bits", ACT_REFUSED, ACT_DONE },
	{ "fastopen_sendmmsg", ACT_REFUSED, ACT_DONE },
	{ "mptcp_connect", ACT_REFUSED, ACT_DONE },
	{ "mptcp6_connect", ACT_REFUSED, ACT_DONE },
	{ "mptcp_high_bits", ACT_REFUSED, ACT_DONE },
	{ "mptcp_sendto", ACT_REFUSED, ACT_DONE },
	{ "mptcp_bind", ACT_REFUSED, ACT_DONE },
	{ "mptcp_listen", ACT_REFUSED, ACT_DONE },
	{ "udp_sendto", ACT_REFUSED, ACT_DONE },
	{ "udp_connect_send", ACT_REFUSED, ACT_DONE },
	{ "udp_sendmsg", ACT_REFUSED, ACT_DONE },
	{ "udp_sendmmsg", ACT_REFUSED, ACT_DONE },
	{ "udp6_sendto", ACT_REFUSED, ACT_DONE },
	{ "udp6_sendto_mapped", ACT_REFUSED, ACT_DONE },
	{ "udp_type_flags", ACT_REFUSED, ACT_DONE },
	{ "udp_type_high_bits", ACT_REFUSED, ACT_DONE },
	{ "udplite", ACT_REFUSED, ACT_ANY },
	{ "ping", ACT_REFUSED, ACT_ANY },
	{ "sctp", ACT_REFUSED, ACT_ANY },
	{ "sctp_seqpacket", ACT_REFUSED, ACT_ANY },
	{ "dccp", ACT_REFUSED, ACT_ANY },
	{ "raw", ACT_REFUSED, ACT_DONE },
	{ "raw_tcp", ACT_REFUSED, ACT_DONE },
	{ "raw_type_flags", ACT_REFUSED, ACT_DONE },
	{ "raw6", ACT_REFUSED, ACT_DONE },
	{ "packet_type", ACT_REFUSED, ACT_ANY },
	{ "packet", ACT_REFUSED, ACT_ANY },
	{ "netlink_route", ACT_REFUSED, ACT_DONE },
	{ "netlink_uevent", ACT_REFUSED, ACT_DONE },
	{ "netlink_audit", ACT_REFUSED, ACT_ANY },
	{ "vsock", ACT_REFUSED, ACT_ANY },
	{ "alg", ACT_REFUSED, ACT_ANY },
	{ "xdp", ACT_REFUSED, ACT_ANY },
	{ "tipc", ACT_REFUSED, ACT_ANY },
	{ "rds", ACT_REFUSED, ACT_ANY },
	{ "smc", ACT_REFUSED, ACT_ANY },
	{ "key", ACT_REFUSED, ACT_ANY },
	{ "unix_path", ACT_REFUSED, ACT_DONE },
	{ "unix_abstract", ACT_REFUSED, ACT_DONE },
	{ "unix_datagram", ACT_REFUSED, ACT_DONE },
	{ "unix_datagram_connect", ACT_REFUSED, ACT_DONE },
	{ "bind_port", EACCES, ACT_DONE },
	{ "bind_port6", EACCES, ACT_DONE },
	{ "listen_unbound", ACT_REFUSED, ACT_DONE },
	{ "listen_unbound6", ACT_REFUSED, ACT_DONE },
	{ "bind_and_listen", ACT_REFUSED, ACT_DONE },
	{ "socket_mark", ACT_REFUSED, ACT_DONE },
	{ "tcp_repair", ACT_REFUSED, ACT_DONE },
	{ "tcp_socket", ACT_DONE, ACT_DONE },
	{ "tcp6_socket", ACT_DONE, ACT_DONE },
	{ "socketpair", ACT_DONE, ACT_DONE },
	{ "other_families", 0, ACT_ANY },
};

static void expect_all_reached(const struct canary *canary, bool reached)
{
	for (int kind = 0; kind < CANARY_COUNT; kind++) {
		int count = canary_take(canary, (enum canary_kind)kind);

		cr_assert_eq(count > 0, reached, "canary %d was reached %d times", kind, count);
	}
}

Test(attack_network, reaches_no_listener_by_any_spelling)
{
	cleanup_scratch struct scratch scratch = scratch_create();
	cleanup_canary struct canary canary = canary_open(&scratch);
	const char *const *command = attack_command(&canary, &scratch);

	cleanup_result struct run_result outside = run_outside(command);
	expect_all_reached(&canary, true);
	cleanup_result struct run_result inside = run_inside(WORDS("-r", scratch.path), command);

	acts_check_outside(&outside, matrix, ARRAY_LEN(matrix));
	acts_check_inside(&inside, matrix, ARRAY_LEN(matrix));
	expect_all_reached(&canary, false);
}

Test(attack_network, reaches_none_as_an_ordinary_user)
{
	cleanup_scratch struct scratch scratch = scratch_create();
	cleanup_canary struct canary canary = canary_open(&scratch);
	struct run_spec spec = {
		.options = WORDS("-w", scratch.path),
		.command = attack_command(&canary, &scratch),
		.uid = NOBODY,
	};

	cleanup_result struct run_result inside = run_once(&spec);
	expect_all_reached(&canary, false);
	spec.outside = true;
	cleanup_result struct run_result outside = run_once(&spec);

	acts_check_inside(&inside, matrix, ARRAY_LEN(matrix));
	expect_all_reached(&canary, true);
}

/* A grant opens its own port by TCP, and none of the side doors. */
Test(attack_network, opens_only_what_a_connect_grant_names)
{
	cleanup_scratch struct scratch scratch = scratch_create();
	cleanup_canary struct canary canary = canary_open(&scratch);
	const char *const *command = attack_command(&canary, &scratch);

	cleanup_result struct run_result inside =
		run_inside(WORDS("--net-allow", word("tcp://*:%d", canary.port)), command);

	cr_assert_eq(acts_get(&inside, "tcp_connect"), ACT_DONE, "%s%s", inside.out, inside.err);
	cr_assert_eq(acts_get(&inside, "tcp6_connect"), ACT_DONE);
	cr_assert_eq(acts_get(&inside, "bind_port"), EACCES);
	cr_assert_gt(canary_take(&canary, CANARY_TCP), 0);
	cr_assert_eq(canary_take(&canary, CANARY_UDP), 0);
	cr_assert_eq(canary_take(&canary, CANARY_UNIX), 0);
	cr_assert_eq(canary_take(&canary, CANARY_ABSTRACT), 0);
}

Test(attack_network, refuses_the_port_beside_the_granted_one)
{
	cleanup_scratch struct scratch scratch = scratch_create();
	cleanup_canary struct canary canary = canary_open(&scratch);
	const char *const *command = attack_command(&canary, &scratch);

	cleanup_result struct run_result inside =
		run_inside(WORDS("--net-allow", word("tcp://*:%d", canary.bind_port)), command);

	cr_assert_eq(acts_get(&inside, "tcp_connect"), EACCES, "%s%s", inside.out, inside.err);
	cr_assert_eq(canary_take(&canary, CANARY_TCP), 0);
}

Test(attack_network, opens_only_the_port_that_a_bind_grant_names)
{
	cleanup_scratch struct scratch scratch = scratch_create();
	cleanup_canary struct canary canary = canary_open(&scratch);
	const char *const *command = attack_command(&canary, &scratch);

	cleanup_result struct run_result granted =
		run_inside(WORDS("--net-allow-bind", word("%d", canary.bind_port)), command);
	cleanup_result struct run_result other =
		run_inside(WORDS("--net-allow-bind", word("%d", canary.port)), command);

	cr_assert_eq(acts_get(&granted, "bind_port"), ACT_DONE, "%s%s", granted.out, granted.err);
	cr_assert_eq(acts_get(&granted, "bind_and_listen"), ACT_DONE);
	cr_assert_eq(acts_get(&granted, "tcp_connect"), EACCES);
	cr_assert_eq(acts_get(&other, "bind_port"), EACCES, "%s%s", other.out, other.err);
	cr_assert_eq(acts_get(&other, "bind_and_listen"), EACCES);
	cr_assert_neq(acts_get(&granted, "mptcp_bind"), ACT_DONE);
}

/* The group's price is that socket files and their owners come into reach; abstract names stay
 * out of it by Landlock's scope. */
Test(attack_network, opens_socket_files_but_no_abstract_names_by_their_group)
{
	cleanup_scratch struct scratch scratch = scratch_create();
	cleanup_canary struct canary canary = canary_open(&scratch);
	const char *const *command = attack_command(&canary, &scratch);

	cleanup_result struct run_result inside = run_inside(
		WORDS("-w", scratch.path, "--extra-allow-syscall", "unix_sockets"), command);

	cr_assert_eq(acts_get(&inside, "unix_path"), ACT_DONE, "%s%s", inside.out, inside.err);
	cr_assert_eq(acts_get(&inside, "unix_datagram"), ACT_DONE);
	cr_assert_eq(acts_get(&inside, "unix_abstract"), EPERM);
	cr_assert_eq(canary_take(&canary, CANARY_ABSTRACT), 0);
}
