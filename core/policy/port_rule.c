/* Bind and connect ports that Landlock can hold. */
// SPDX-License-Identifier: Apache-2.0

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/text.h"
#include "core/policy/port_rule.h"

/* What --net-allow rules name before "://". */
enum scheme { SCHEME_NONE, SCHEME_TCP, SCHEME_UDP, SCHEME_ICMP };

/* One rule while it is read: `rule` is the user's text for messages, `option` the flag. */
struct rule_reader {
	const char *option;
	const char *rule;
	struct error *error;
};

void port_set_finish(struct port_set *set)
{
	free(set->ranges);
	*set = (struct port_set){ 0 };
}

static int compare_ranges(const void *left, const void *right)
{
	const struct port_range *a = left, *b = right;

	return a->first != b->first ? (int)a->first - (int)b->first : (int)a->last - (int)b->last;
}

static void port_set_append(struct port_set *set, uint16_t first, uint16_t last)
{
	set->ranges = must_reallocate(set->ranges, set->count + 1, sizeof(set->ranges[0]));
	set->ranges[set->count++] = (struct port_range){ first, last };
}

/* Sorts and joins ranges that overlap or touch, so that equal sets have one form. */
static void port_set_normalize(struct port_set *set)
{
	size_t kept = 0;

	if (set->count > 0) {
		qsort(set->ranges, set->count, sizeof(set->ranges[0]), compare_ranges);
	}
	for (size_t i = 0; i < set->count; i++) {
		struct port_range *last = kept > 0 ? &set->ranges[kept - 1] : NULL;

		if (last != NULL && set->ranges[i].first <= (uint32_t)last->last + 1) {
			if (set->ranges[i].last > last->last) {
				last->last = set->ranges[i].last;
			}
		} else {
			set->ranges[kept++] = set->ranges[i];
		}
	}
	set->count = kept;
}

/* Moves what was read into the set: the set changes only after the whole text was good. */
static void port_set_take(struct port_set *set, struct port_set *more)
{
	if (set->any || more->any) {
		port_set_finish(set);
		set->any = true;
	} else {
		for (size_t i = 0; i < more->count; i++) {
			port_set_append(set, more->ranges[i].first, more->ranges[i].last);
		}
		port_set_normalize(set);
	}
	port_set_finish(more);
}

/* The next item of a comma list, without the blanks around it; NULL after the last one.  The item
 * is an owned copy.  An empty list has one empty item. */
static char *next_item(const char **cursor)
{
	const char *start = *cursor, *end;

	if (start == NULL) {
		return NULL;
	}
	end = start + strcspn(start, ",");
	*cursor = *end == ',' ? end + 1 : NULL;
	start += strspn(start, " \t");
	while (end > start && (end[-1] == ' ' || end[-1] == '\t')) {
		end--;
	}
	return must_format("%.*s", (int)(end - start), start);
}

static int parse_port(const char *text, uint16_t *ret_port)
{
	uint64_t port;
	int r = parse_number(text, 0, UINT16_MAX, &port);

	if (r < 0) {
		return r;
	}
	*ret_port = (uint16_t)port;
	return 0;
}

/* "80" or "8000-8999". */
static int read_bind_item(const struct rule_reader *reader, char *item, struct port_set *ports)
{
	char *dash = strchr(item, '-');
	uint16_t first, last;

	if (item[0] == '\0') {
		return error_set(reader->error, EINVAL, "%s: empty port in \"%s\"", reader->option,
			reader->rule);
	}
	if (dash == NULL) {
		if (parse_port(item, &first) < 0) {
			return error_set(reader->error, EINVAL,
				"%s: invalid port \"%s\" (0 to 65535)", reader->option, item);
		}
		port_set_append(ports, first, first);
		return 0;
	}
	*dash = '\0';
	if (parse_port(item, &first) < 0 || parse_port(dash + 1, &last) < 0) {
		*dash = '-';
		return error_set(reader->error, EINVAL,
			"%s: invalid port range \"%s\" (FIRST-LAST, 0 to 65535)", reader->option,
			item);
	}
	if (first > last) {
		*dash = '-';
		return error_set(reader->error, EINVAL, "%s: reversed port range \"%s\"",
			reader->option, item);
	}
	port_set_append(ports, first, last);
	return 0;
}

int port_set_add_bind(
	struct port_set *set, const char *option, const char *text, struct error *error)
{
	struct rule_reader reader = { option, text, error };
	cleanup_port_set struct port_set ports = { 0 };
	const char *cursor = text;
	int r;

	for (char *item; (item = next_item(&cursor)) != NULL;) {
		if (strcmp(item, "*") == 0) {
			ports.any = true;
			r = 0;
		} else {
			r = read_bind_item(&reader, item, &ports);
		}
		free(item);
		if (r < 0) {
			return r;
		}
	}
	if ((ports.any || set->any) && (ports.count > 0 || set->count > 0)) {
		return error_set(error, EINVAL,
			"%s: \"%s\": wildcard `*` cannot be combined with port lists", option,
			text);
	}
	port_set_take(set, &ports);
	return 0;
}

static int refuse(const struct rule_reader *reader, const char *reason)
{
	return error_set(
		reader->error, EINVAL, "%s: \"%s\": %s", reader->option, reader->rule, reason);
}

static bool is_address(const char *text, int *ret_family)
{
	unsigned char address[sizeof(struct in6_addr)];

	*ret_family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;
	return inet_pton(*ret_family, text, address) == 1;
}

/* An address with or without a prefix length; says why if it is not one. */
static int check_address(const struct rule_reader *reader, const char *text)
{
	const char *slash = strchr(text, '/');
	size_t length = slash != NULL ? (size_t)(slash - text) : strlen(text);
	cleanup_free char *address = must_format("%.*s", (int)length, text);
	uint64_t prefix;
	int family;

	if (!is_address(address, &family)) {
		return error_set(reader->error, EINVAL,
			"%s: \"%s\": `%s` is not a valid IP address", reader->option, reader->rule,
			address);
	}
	if (slash == NULL) {
		return 0;
	}
	if (parse_number(slash + 1, 0, UINT32_MAX, &prefix) < 0) {
		return error_set(reader->error, EINVAL, "%s: \"%s\": invalid prefix length `%s`",
			reader->option, reader->rule, slash + 1);
	}
	if (prefix > (family == AF_INET ? 32 : 128)) {
		return error_set(reader->error, EINVAL, "%s: \"%s\": prefix /%s too large for %s",
			reader->option, reader->rule, slash + 1,
			family == AF_INET ? "IPv4" : "IPv6");
	}
	return 0;
}

/* Host part of a rule: nothing, "*", an address, a network, or a host name. */
static int check_target(const struct rule_reader *reader, const char *target)
{
	return strchr(target, '/') != NULL ? check_address(reader, target) : 0;
}

static int read_connect_ports(
	const struct rule_reader *reader, const char *text, struct port_set *ports)
{
	const char *cursor = text;
	uint16_t port;
	int r = 0;

	for (char *item; r == 0 && (item = next_item(&cursor)) != NULL;) {
		if (strcmp(item, "*") == 0) {
			ports->any = true;
		} else if (parse_port(item, &port) < 0) {
			r = error_set(reader->error, EINVAL,
				"%s: invalid port `%s` in \"%s\" (1 to 65535)", reader->option,
				item, reader->rule);
		} else if (port == 0) {
			r = refuse(reader, "port 0 is not valid");
		} else {
			port_set_append(ports, port, port);
		}
		free(item);
	}
	if (r == 0 && ports->any && ports->count > 0) {
		r = refuse(reader, "cannot mix `*` with concrete ports");
	}
	return r;
}

static int check_icmp(const struct rule_reader *reader, const char *body)
{
	struct rule_reader quiet = { reader->option, reader->rule, NULL };

	if (body[0] == '\0') {
		return refuse(reader, "icmp:// needs a host/IP or `*`");
	}
	if (check_address(&quiet, body) == 0) {
		return 0;
	}
	if (strchr(body, ':') != NULL) {
		return refuse(reader, "an icmp rule takes no port");
	}
	return check_target(reader, body);
}

/* Splits "target:ports" and reads both; *ret_any_host says that the rule names no destination. */
static int read_body(const struct rule_reader *reader, const char *body, struct port_set *ports,
	bool *ret_any_host)
{
	struct rule_reader quiet = { reader->option, reader->rule, NULL };
	cleanup_free char *target = must_copy(body);
	char *colon, *slash;
	int r;

	*ret_any_host = false;
	if (body[0] == '[') {
		char *close = strstr(target, "]:");

		if (close == NULL) {
			return refuse(
				reader, "malformed bracketed address (write [ADDRESS]:PORTS)");
		}
		*close = '\0';
		r = check_address(reader, target + 1);
		return r < 0 ? r : read_connect_ports(reader, close + 2, ports);
	}
	if (body[0] == '\0') {
		return refuse(reader, "empty rule (use `*` for any destination)");
	}
	ports->any = true;
	if (check_address(&quiet, body) == 0) {
		return 0;
	}
	slash = strchr(target, '/');
	colon = strrchr(target, ':');
	if (slash != NULL && (colon == NULL || colon < slash)) {
		return check_address(
			reader, body); /* a network with a wrong prefix: its colons are its own */
	}
	if (colon != NULL) {
		*colon = '\0';
		ports->any = false;
		r = read_connect_ports(reader, colon + 1, ports);
		if (r < 0) {
			return r;
		}
	}
	*ret_any_host = target[0] == '\0' || strcmp(target, "*") == 0;
	return check_target(reader, target);
}

static int read_scheme(
	const struct rule_reader *reader, const char **ret_body, enum scheme *ret_scheme)
{
	static const struct {
		const char *name;
		enum scheme scheme;
	} schemes[] = { { "tcp", SCHEME_TCP }, { "udp", SCHEME_UDP }, { "icmp", SCHEME_ICMP } };
	const char *mark = strstr(reader->rule, "://");

	if (mark == NULL) {
		*ret_body = reader->rule;
		*ret_scheme = SCHEME_NONE;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
		size_t length = strlen(schemes[i].name);

		if ((size_t)(mark - reader->rule) == length &&
			memcmp(reader->rule, schemes[i].name, length) == 0) {
			*ret_body = mark + 3;
			*ret_scheme = schemes[i].scheme;
			return 0;
		}
	}
	return refuse(reader, "unknown scheme (use tcp, udp or icmp)");
}

int port_set_add_connect(
	struct port_set *set, const char *option, const char *text, struct error *error)
{
	struct rule_reader reader = { option, text, error };
	cleanup_port_set struct port_set ports = { 0 };
	enum scheme scheme = SCHEME_NONE;
	bool any_host = false;
	const char *body = text;
	int r;

	r = read_scheme(&reader, &body, &scheme);
	if (r == 0 && scheme == SCHEME_ICMP) {
		r = check_icmp(&reader, body);
	} else if (r == 0) {
		r = read_body(&reader, body, &ports, &any_host);
	}
	if (r < 0) {
		return r;
	}
	if (scheme != SCHEME_TCP || !any_host) {
		return error_set(error, EOPNOTSUPP,
			"%s: \"%s\": not available in this version (only TCP ports of any host: "
			"tcp://*:443)",
			option, text);
	}
	port_set_take(set, &ports);
	return 0;
}
