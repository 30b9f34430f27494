/* Grammars of --net-allow-bind and --net-allow. */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/text.h"
#include "core/policy/port_rule.h"

#define ONLY_TCP "not available in this version"

struct row {
	const char *text;
	const char *expected; /* the set as show() writes it, or a part of the message */
};

/* "80 90-99", "any" or "". */
static char *show(const struct port_set *set)
{
	struct text text = { 0 };

	text_add(&text, "%s", set->any ? "any" : "");
	for (size_t i = 0; i < set->count; i++) {
		text_add(&text, "%s%u", i > 0 ? " " : "", set->ranges[i].first);
		if (set->ranges[i].last != set->ranges[i].first) {
			text_add(&text, "-%u", set->ranges[i].last);
		}
	}
	return text.bytes;
}

static void expect_set(struct port_set *set, const char *text, const char *expected)
{
	char *shown = show(set);

	cr_expect_str_eq(shown, expected, "\"%s\" gives %s, not %s", text, shown, expected);
	free(shown);
	port_set_finish(set);
}

Test(bind_ports, are_read_sorted_and_joined)
{
	static const struct row rows[] = {
		{ "80", "80" },
		{ "0", "0" },
		{ "65535", "65535" },
		{ "080", "80" },
		{ "8000-8999", "8000-8999" },
		{ "80-80", "80" },
		{ "443,80", "80 443" },
		{ " 443 ,\t80 ", "80 443" },
		{ "80,81,82", "80-82" },
		{ "80,80", "80" },
		{ "10-20,15-30,5", "5 10-30" },
		{ "10-30,15-20", "10-30" },
		{ "0-65535", "0-65535" },
		{ "65535,1-65534", "1-65535" },
		{ "*", "any" },
		{ "*,*", "any" },
		{ " * ", "any" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct port_set set = { 0 };
		struct error error = { 0 };

		int r = port_set_add_bind(&set, "--net-allow-bind", rows[i].text, &error);

		cr_expect_eq(r, 0, "\"%s\": %s", rows[i].text, error.text);
		expect_set(&set, rows[i].text, rows[i].expected);
	}
}

Test(bind_ports, that_are_wrong_leave_the_set_alone)
{
	static const struct row rows[] = {
		{ "", "--net-allow-bind: empty port in \"\"" },
		{ "80,,81", "--net-allow-bind: empty port in \"80,,81\"" },
		{ "80,", "empty port in" },
		{ ",80", "empty port in" },
		{ " ", "empty port in" },
		{ "http", "--net-allow-bind: invalid port \"http\"" },
		{ "65536", "invalid port \"65536\"" },
		{ "+80", "invalid port" },
		{ "8 0", "invalid port" },
		{ "80;81", "invalid port" },
		{ "-80", "invalid port range \"-80\"" },
		{ "80-", "invalid port range \"80-\"" },
		{ "1-2-3", "invalid port range" },
		{ "a-b", "invalid port range" },
		{ "1-65536", "invalid port range" },
		{ "1 - 2", "invalid port range" },
		{ "90-80", "--net-allow-bind: reversed port range \"90-80\"" },
		{ "*,80", "wildcard `*` cannot be combined with port lists" },
		{ "80,*", "wildcard `*` cannot be combined with port lists" },
		{ "*", "wildcard `*` cannot be combined with port lists" },
		{ "**", "invalid port" },
		{ "*-80", "invalid port range" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct port_set set = { 0 };
		struct error error = { 0 };

		(void)port_set_add_bind(
			&set, "--net-allow-bind", "7", &error); /* was there before */
		int r = port_set_add_bind(&set, "--net-allow-bind", rows[i].text, &error);

		cr_expect_eq(r, -EINVAL, "\"%s\"", rows[i].text);
		cr_expect_not_null(strstr(error.text, rows[i].expected), "\"%s\": %s", rows[i].text,
			error.text);
		expect_set(&set, rows[i].text, "7");
	}
}

Test(bind_ports, refuse_a_list_behind_the_wildcard_and_take_it_again)
{
	struct port_set set = { 0 };
	struct error error = { 0 };

	cr_assert_eq(port_set_add_bind(&set, "--net-allow-bind", "*", &error), 0);
	cr_assert_eq(port_set_add_bind(&set, "--net-allow-bind", "*", &error), 0);
	cr_assert_eq(port_set_add_bind(&set, "--net-allow-bind", "80", &error), -EINVAL);

	cr_assert_not_null(strstr(error.text, "wildcard"));
	expect_set(&set, "* * 80", "any");
}

Test(connect_rule, of_tcp_to_any_host_is_held)
{
	static const struct row rows[] = {
		{ "tcp://*", "any" },
		{ "tcp://*:*", "any" },
		{ "tcp://:*", "any" },
		{ "tcp://:*,*", "any" },
		{ "tcp://:443", "443" },
		{ "tcp://*:443", "443" },
		{ "tcp://*:80,443", "80 443" },
		{ "tcp://*: 80 ,\t81 ", "80-81" },
		{ "tcp://*:1,65535", "1 65535" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct port_set set = { 0 };
		struct error error = { 0 };

		int r = port_set_add_connect(&set, "--net-allow", rows[i].text, &error);

		cr_expect_eq(r, 0, "\"%s\": %s", rows[i].text, error.text);
		expect_set(&set, rows[i].text, rows[i].expected);
	}
}

/* Every row of the grammar's table of rejections, and the rules that are right but not built. */
/* long: the table is its length */
Test(connect_rule, that_is_wrong_or_not_built_is_refused)
{
	static const struct {
		const char *text;
		int result;
		const char *part;
	} rows[] = {
		{ "sctp://h", -EINVAL,
			"--net-allow: \"sctp://h\": unknown scheme (use tcp, udp or icmp)" },
		{ "icmp-raw://h", -EINVAL, "unknown scheme" },
		{ "TCP://h", -EINVAL, "unknown scheme" },
		{ "://h", -EINVAL, "unknown scheme" },
		{ "tc://h", -EINVAL, "unknown scheme" },
		{ "icmp://", -EINVAL, "needs a host/IP or `*`" },
		{ "icmp://h:80", -EINVAL, "icmp rule takes no port" },
		{ "icmp://*:80", -EINVAL, "icmp rule takes no port" },
		{ "icmp://[::1]:80", -EINVAL, "icmp rule takes no port" },
		{ "icmp://10.0.0.0/40", -EINVAL, "prefix /40 too large for IPv4" },
		{ "[::1]", -EINVAL, "malformed bracketed address" },
		{ "[::1", -EINVAL, "malformed bracketed address" },
		{ "tcp://[::1]80", -EINVAL, "malformed bracketed address" },
		{ "", -EINVAL, "empty rule (use `*`" },
		{ "tcp://", -EINVAL, "empty rule (use `*`" },
		{ "udp://", -EINVAL, "empty rule (use `*`" },
		{ "host:", -EINVAL, "invalid port `` in \"host:\"" },
		{ "tcp://:", -EINVAL, "invalid port ``" },
		{ "tcp://*:80,", -EINVAL, "invalid port ``" },
		{ "tcp://*:http", -EINVAL, "invalid port `http` in \"tcp://*:http\"" },
		{ "tcp://*:65536", -EINVAL, "invalid port `65536`" },
		{ "tcp://*:80-90", -EINVAL, "invalid port `80-90`" },
		{ "[::1]:", -EINVAL, "invalid port ``" },
		{ "tcp://*:0", -EINVAL, "port 0 is not valid" },
		{ "tcp://*:80,0", -EINVAL, "port 0 is not valid" },
		{ "tcp://*:80,*", -EINVAL, "cannot mix `*` with concrete ports" },
		{ "tcp://*:*,80", -EINVAL, "cannot mix `*` with concrete ports" },
		{ "10.0.0.0/x", -EINVAL, "invalid prefix length `x`" },
		{ "10.0.0.0/", -EINVAL, "invalid prefix length ``" },
		{ "10.0.0.0/-1", -EINVAL, "invalid prefix length" },
		{ "10.0.0.0/33", -EINVAL, "prefix /33 too large for IPv4" },
		{ "10.0.0.0/33:80", -EINVAL, "prefix /33 too large for IPv4" },
		{ "fc00::/129", -EINVAL, "prefix /129 too large for IPv6" },
		{ "[fc00::/129]:80", -EINVAL, "prefix /129 too large for IPv6" },
		{ "host/8", -EINVAL, "`host` is not a valid IP address" },
		{ "*/8:80", -EINVAL, "is not a valid IP address" },
		{ "[host]:80", -EINVAL, "`host` is not a valid IP address" },
		{ "300.0.0.1/8", -EINVAL, "is not a valid IP address" },
		/* Right, and more than Landlock's TCP ports can hold. */
		{ "*", -EOPNOTSUPP, ONLY_TCP },
		{ ":443", -EOPNOTSUPP, ONLY_TCP },
		{ "*:443", -EOPNOTSUPP, ONLY_TCP },
		{ "udp://*", -EOPNOTSUPP, ONLY_TCP },
		{ "udp://:53", -EOPNOTSUPP, ONLY_TCP },
		{ "icmp://*", -EOPNOTSUPP, ONLY_TCP },
		{ "icmp://::1", -EOPNOTSUPP, ONLY_TCP },
		{ "icmp://fc00::/7", -EOPNOTSUPP, ONLY_TCP },
		{ "icmp://example.com", -EOPNOTSUPP, ONLY_TCP },
		{ "example.com", -EOPNOTSUPP, ONLY_TCP },
		{ "example.com:443", -EOPNOTSUPP, ONLY_TCP },
		{ "*.example.com:443", -EOPNOTSUPP, ONLY_TCP },
		{ "tcp://example.com:443", -EOPNOTSUPP, ONLY_TCP },
		{ "tcp://10.0.0.1", -EOPNOTSUPP, ONLY_TCP },
		{ "tcp://10.0.0.0/8:80", -EOPNOTSUPP, ONLY_TCP },
		{ "tcp://0.0.0.0/0", -EOPNOTSUPP, ONLY_TCP },
		{ "tcp://::1", -EOPNOTSUPP, ONLY_TCP },
		{ "tcp://fc00::/7", -EOPNOTSUPP, ONLY_TCP },
		{ "tcp://[::1]:443", -EOPNOTSUPP, ONLY_TCP },
		{ "tcp://[fc00::/7]:443", -EOPNOTSUPP, ONLY_TCP },
		{ "tcp://80", -EOPNOTSUPP, ONLY_TCP },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct port_set set = { 0 };
		struct error error = { 0 };

		int r = port_set_add_connect(&set, "--net-allow", rows[i].text, &error);

		cr_expect_eq(r, rows[i].result, "\"%s\": %s", rows[i].text, error.text);
		cr_expect_not_null(
			strstr(error.text, rows[i].part), "\"%s\": %s", rows[i].text, error.text);
		expect_set(&set, rows[i].text, "");
	}
}

Test(connect_rule, adds_to_what_is_there)
{
	struct port_set set = { 0 };
	struct error error = { 0 };

	(void)port_set_add_connect(
		&set, "--net-allow", "tcp://:443", &error); /* the sets are looked at */
	(void)port_set_add_connect(&set, "--net-allow", "tcp://:80", &error);
	cr_assert_eq(set.count, 2);
	cr_assert_eq(set.ranges[0].first, 80);

	(void)port_set_add_connect(&set, "--net-allow", "tcp://*", &error);
	(void)port_set_add_connect(&set, "--net-allow", "tcp://:22", &error);

	expect_set(&set, "all of them", "any");
}
