/* Tries to reach a listener by every spelling of a socket, an address and a call. */
// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "tests/live/guests/act.h"

#define PROTOCOL_MPTCP	 262
#define PROTOCOL_UDPLITE 136
#define FAMILY_COUNT	 64
#define ABOVE_32	 0x100000000l

enum method {
	SOCKET_ONLY,
	CONNECT,
	CONNECT_TWICE,	/* AF_UNSPEC first, which dissolves an association */
	CONNECT_OPTION, /* TCP_FASTOPEN_CONNECT, then a write */
	SEND_TO,	/* sendto with the row's flags */
	SEND_MESSAGE,	/* sendmsg */
	SEND_MESSAGES,	/* sendmmsg, whose second element carries the address */
	CONNECT_AND_SEND,
	BIND,
	LISTEN_UNBOUND,
	BIND_AND_LISTEN,
	OPTION_MARK,
	OPTION_REPAIR,
};

struct row {
	const char *name;
	int family;
	long type;
	long protocol;
	enum method method;
	const char *address; /* of the family; "@" and "/" stand for the test's AF_UNIX names */
	long flags;
};

#define T4 AF_INET, SOCK_STREAM, 0
#define T6 AF_INET6, SOCK_STREAM, 0
#define M4 AF_INET, SOCK_STREAM, PROTOCOL_MPTCP
#define U4 AF_INET, SOCK_DGRAM, 0
#define U6 AF_INET6, SOCK_DGRAM, 0

static const struct row rows[] = {
	{ "tcp_connect", T4, CONNECT, "127.0.0.1", 0 },
	{ "tcp_connect_any", T4, CONNECT, "0.0.0.0", 0 },
	{ "tcp_connect_other_loopback", T4, CONNECT, "127.1.2.3", 0 },
	{ "tcp_connect_after_unspec", T4, CONNECT_TWICE, "127.0.0.1", 0 },
	{ "tcp_connect_named_protocol", AF_INET, SOCK_STREAM, IPPROTO_TCP, CONNECT, "127.0.0.1",
		0 },
	{ "tcp_connect_type_flags", AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0, CONNECT, "127.0.0.1",
		0 },
	{ "tcp6_connect", T6, CONNECT, "::1", 0 },
	{ "tcp6_connect_any", T6, CONNECT, "::", 0 },
	{ "tcp6_connect_mapped", T6, CONNECT, "::ffff:127.0.0.1", 0 },
	{ "tcp6_connect_mapped_any", T6, CONNECT, "::ffff:0.0.0.0", 0 },
	{ "tcp6_connect_after_unspec", T6, CONNECT_TWICE, "::1", 0 },
	{ "fastopen_option", T4, CONNECT_OPTION, "127.0.0.1", 0 },
	{ "fastopen_option6", T6, CONNECT_OPTION, "::1", 0 },
	{ "fastopen_sendto", T4, SEND_TO, "127.0.0.1", MSG_FASTOPEN },
	{ "fastopen_sendto6", T6, SEND_TO, "::1", MSG_FASTOPEN },
	{ "fastopen_sendto_mapped", T6, SEND_TO, "::ffff:127.0.0.1", MSG_FASTOPEN },
	{ "fastopen_sendto_more_flags", T4, SEND_TO, "127.0.0.1", MSG_FASTOPEN | MSG_NOSIGNAL },
	{ "fastopen_sendto_high_bits", T4, SEND_TO, "127.0.0.1", MSG_FASTOPEN | ABOVE_32 },
	{ "fastopen_sendmsg", T4, SEND_MESSAGE, "127.0.0.1", MSG_FASTOPEN },
	{ "fastopen_sendmsg6", T6, SEND_MESSAGE, "::1", MSG_FASTOPEN },
	{ "fastopen_sendmsg_high_bits", T4, SEND_MESSAGE, "127.0.0.1", MSG_FASTOPEN | ABOVE_32 },
	{ "fastopen_sendmmsg", T4, SEND_MESSAGES, "127.0.0.1", MSG_FASTOPEN },
	{ "mptcp_connect", M4, CONNECT, "127.0.0.1", 0 },
	{ "mptcp6_connect", AF_INET6, SOCK_STREAM, PROTOCOL_MPTCP, CONNECT, "::1", 0 },
	{ "mptcp_high_bits", AF_INET, SOCK_STREAM, PROTOCOL_MPTCP | ABOVE_32, CONNECT, "127.0.0.1",
		0 },
	{ "mptcp_sendto", M4, SEND_TO, "127.0.0.1", MSG_FASTOPEN },
	{ "mptcp_bind", M4, BIND, "127.0.0.1", 0 },
	{ "mptcp_listen", M4, LISTEN_UNBOUND, "", 0 },
	{ "udp_sendto", U4, SEND_TO, "127.0.0.1", 0 },
	{ "udp_connect_send", U4, CONNECT_AND_SEND, "127.0.0.1", 0 },
	{ "udp_sendmsg", U4, SEND_MESSAGE, "127.0.0.1", 0 },
	{ "udp_sendmmsg", U4, SEND_MESSAGES, "127.0.0.1", 0 },
	{ "udp6_sendto", U6, SEND_TO, "::1", 0 },
	{ "udp6_sendto_mapped", U6, SEND_TO, "::ffff:127.0.0.1", 0 },
	{ "udp_type_flags", AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0, SEND_TO, "127.0.0.1", 0 },
	{ "udp_type_high_bits", AF_INET, SOCK_DGRAM | ABOVE_32, 0, SEND_TO, "127.0.0.1", 0 },
	{ "udplite", AF_INET, SOCK_DGRAM, PROTOCOL_UDPLITE, SOCKET_ONLY, "", 0 },
	{ "ping", AF_INET, SOCK_DGRAM, IPPROTO_ICMP, SOCKET_ONLY, "", 0 },
	{ "sctp", AF_INET, SOCK_STREAM, IPPROTO_SCTP, SOCKET_ONLY, "", 0 },
	{ "sctp_seqpacket", AF_INET, SOCK_SEQPACKET, IPPROTO_SCTP, SOCKET_ONLY, "", 0 },
	{ "dccp", AF_INET, SOCK_DCCP, IPPROTO_DCCP, SOCKET_ONLY, "", 0 },
	{ "raw", AF_INET, SOCK_RAW, IPPROTO_RAW, SOCKET_ONLY, "", 0 },
	{ "raw_tcp", AF_INET, SOCK_RAW, IPPROTO_TCP, SOCKET_ONLY, "", 0 },
	{ "raw_type_flags", AF_INET, SOCK_RAW | SOCK_NONBLOCK, IPPROTO_RAW, SOCKET_ONLY, "", 0 },
	{ "raw6", AF_INET6, SOCK_RAW, IPPROTO_ICMPV6, SOCKET_ONLY, "", 0 },
	{ "packet_type", AF_INET, SOCK_PACKET, 0x300, SOCKET_ONLY, "", 0 },
	{ "packet", AF_PACKET, SOCK_RAW, 0x300, SOCKET_ONLY, "", 0 },
	{ "netlink_route", AF_NETLINK, SOCK_RAW, 0, SOCKET_ONLY, "", 0 },
	{ "netlink_uevent", AF_NETLINK, SOCK_DGRAM, 15, SOCKET_ONLY, "", 0 },
	{ "netlink_audit", AF_NETLINK, SOCK_RAW, 9, SOCKET_ONLY, "", 0 },
	{ "vsock", AF_VSOCK, SOCK_STREAM, 0, SOCKET_ONLY, "", 0 },
	{ "alg", AF_ALG, SOCK_SEQPACKET, 0, SOCKET_ONLY, "", 0 },
	{ "xdp", AF_XDP, SOCK_RAW, 0, SOCKET_ONLY, "", 0 },
	{ "tipc", AF_TIPC, SOCK_STREAM, 0, SOCKET_ONLY, "", 0 },
	{ "rds", AF_RDS, SOCK_SEQPACKET, 0, SOCKET_ONLY, "", 0 },
	{ "smc", 43, SOCK_STREAM, 0, SOCKET_ONLY, "", 0 },
	{ "key", AF_KEY, SOCK_RAW, 2, SOCKET_ONLY, "", 0 },
	{ "unix_path", AF_UNIX, SOCK_STREAM, 0, CONNECT, "/", 0 },
	{ "unix_abstract", AF_UNIX, SOCK_STREAM, 0, CONNECT, "@", 0 },
	{ "unix_datagram", AF_UNIX, SOCK_DGRAM, 0, SEND_TO, "/dgram", 0 },
	{ "unix_datagram_connect", AF_UNIX, SOCK_DGRAM, 0, CONNECT_AND_SEND, "/dgram", 0 },
	{ "bind_port", T4, BIND, "127.0.0.1", 0 },
	{ "bind_port6", T6, BIND, "::1", 0 },
	{ "listen_unbound", T4, LISTEN_UNBOUND, "", 0 },
	{ "listen_unbound6", T6, LISTEN_UNBOUND, "", 0 },
	{ "bind_and_listen", T4, BIND_AND_LISTEN, "127.0.0.1", 0 },
	{ "socket_mark", T4, OPTION_MARK, "", 0 },
	{ "tcp_repair", T4, OPTION_REPAIR, "", 0 },
	{ "tcp_socket", T4, SOCKET_ONLY, "", 0 },
	{ "tcp6_socket", T6, SOCKET_ONLY, "", 0 },
};

static const char *unix_directory;
static const char *abstract_name;
static int listener_port;
static int bind_port;

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un local;
};

static socklen_t fill_address(const struct row *row, union address *address)
{
	bool binds = row->method == BIND || row->method == BIND_AND_LISTEN;
	in_port_t port = htons((in_port_t)(binds ? bind_port : listener_port));

	memset(address, 0, sizeof(*address));
	address->any.sa_family = (sa_family_t)row->family;
	switch (row->family) {
	case AF_INET:
		address->v4.sin_port = port;
		inet_pton(AF_INET, row->address, &address->v4.sin_addr);
		return sizeof(address->v4);
	case AF_INET6:
		address->v6.sin6_port = port;
		inet_pton(AF_INET6, row->address, &address->v6.sin6_addr);
		return sizeof(address->v6);
	default:
		break;
	}
	if (row->address[0] == '@') {
		size_t length = strlen(abstract_name);

		memcpy(address->local.sun_path + 1, abstract_name, length);
		return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length);
	}
	snprintf(address->local.sun_path, sizeof(address->local.sun_path), "%s/%s", unix_directory,
		row->address[1] == '\0' ? "stream" : row->address + 1);
	return sizeof(address->local);
}

/* One call with the raw 64-bit arguments, because a libc cuts them. */
static long act_on_socket(const struct row *row, int fd, union address *address, socklen_t length)
{
	static char bytes[] = "canary";
	int one = 1;
	struct sockaddr nothing = { .sa_family = AF_UNSPEC };
	struct iovec vector = { bytes, sizeof(bytes) };
	struct mmsghdr messages[2] = {
		{ .msg_hdr = { .msg_iov = &vector, .msg_iovlen = 1 } },
		{ .msg_hdr = { .msg_iov = &vector, .msg_iovlen = 1 } },
	};
	struct mmsghdr *second = &messages[row->flags == 0 ? 1 : 0];

	second->msg_hdr.msg_name = address;
	second->msg_hdr.msg_namelen = length;
	messages[0].msg_hdr.msg_name = address;
	messages[0].msg_hdr.msg_namelen = length;
	switch (row->method) {
	case SOCKET_ONLY:
		return 0;
	case CONNECT:
		return syscall(SYS_connect, fd, address, length);
	case CONNECT_TWICE:
		syscall(SYS_connect, fd, &nothing, sizeof(nothing));
		return syscall(SYS_connect, fd, address, length);
	case CONNECT_OPTION:
		setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &one, sizeof(one));
		if (syscall(SYS_connect, fd, address, length) < 0) {
			return -1;
		}
		return send(fd, bytes, sizeof(bytes), MSG_NOSIGNAL);
	case SEND_TO:
		return syscall(SYS_sendto, fd, bytes, sizeof(bytes), row->flags, address, length);
	case SEND_MESSAGE:
		return syscall(SYS_sendmsg, fd, &messages[0].msg_hdr, row->flags);
	case SEND_MESSAGES:
		return syscall(SYS_sendmmsg, fd, messages, 2, row->flags);
	case CONNECT_AND_SEND:
		if (syscall(SYS_connect, fd, address, length) < 0) {
			return -1;
		}
		return send(fd, bytes, sizeof(bytes), 0);
	case BIND:
		return syscall(SYS_bind, fd, address, length);
	case LISTEN_UNBOUND:
		return syscall(SYS_listen, fd, 1);
	case BIND_AND_LISTEN:
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		if (syscall(SYS_bind, fd, address, length) < 0) {
			return -1;
		}
		return syscall(SYS_listen, fd, 1);
	case OPTION_MARK:
		return setsockopt(fd, SOL_SOCKET, SO_MARK, &one, sizeof(one));
	case OPTION_REPAIR:
		return setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &one, sizeof(one));
	}
	return -1;
}

static int try_row(void *argument)
{
	const struct row *row = argument;
	union address address;
	socklen_t length = fill_address(row, &address);
	int fd = (int)syscall(SYS_socket, (long)row->family, row->type, row->protocol);

	if (fd < 0) {
		return errno;
	}
	return act_on_socket(row, fd, &address, length) < 0 ? errno : 0;
}

/* Families other than the three that the rows cover, by any type: how many gave a socket. */
static int count_families(void)
{
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_RDM, SOCK_SEQPACKET };
	int count = 0;

	for (int family = 0; family < FAMILY_COUNT; family++) {
		bool opened = false;

		if (family == AF_UNIX || family == AF_INET || family == AF_INET6) {
			continue;
		}
		for (size_t i = 0; i < ACT_COUNT(types); i++) {
			int fd = socket(family, types[i], 0);

			opened = opened || fd >= 0;
			close(fd);
		}
		count += opened;
	}
	return count;
}

/* attack_network PORT BIND-PORT DIRECTORY ABSTRACT */
int main(int argc, char **argv)
{
	int pair[2];

	if (argc < 5) {
		return GUEST_MISUSED;
	}
	listener_port = atoi(argv[1]);
	bind_port = atoi(argv[2]);
	unix_directory = argv[3];
	abstract_name = argv[4];
	for (size_t i = 0; i < ACT_COUNT(rows); i++) {
		act_forked(rows[i].name, try_row, (void *)&rows[i]);
	}
	act_result("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	act_value("other_families", count_families());
	return 0;
}
