/* The Landlock domain of a run: rules and rights for this kernel's ABI. */
// SPDX-License-Identifier: Apache-2.0

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/base/fault.h"
#include "core/base/fd.h"
#include "core/plan/landlock_plan.h"

/* The kernel interface of include/uapi/linux/landlock.h beyond the rights. */
#define CREATE_RULESET_VERSION (1u << 0)
#define RULE_PATH_BENEATH      1
#define RULE_NET_PORT	       2

struct path_beneath_attr {
	uint64_t allowed_access;
	int32_t parent_fd;
} __attribute__((packed));

struct net_port_attr {
	uint64_t allowed_access;
	uint64_t port;
};

#define READ_CLASS (RIGHT_FS_EXECUTE | RIGHT_FS_READ_FILE | RIGHT_FS_READ_DIR)
#define DEVICE_CLASS                                                                               \
	(RIGHT_FS_READ_FILE | RIGHT_FS_WRITE_FILE | RIGHT_FS_IOCTL_DEV | RIGHT_FS_READ_DIR)
/* The kernel refuses any other right on what is not a directory. */
#define NON_DIRECTORY_RIGHTS                                                                       \
	(RIGHT_FS_EXECUTE | RIGHT_FS_WRITE_FILE | RIGHT_FS_READ_FILE | RIGHT_FS_TRUNCATE |         \
		RIGHT_FS_IOCTL_DEV | RIGHT_FS_RESOLVE_UNIX)

/* The write class is everything that a filesystem rule can grant; each class is cut down to what is
 * handled. */
static const uint64_t class_rights[] = {
	[LANDLOCK_CLASS_READ] = READ_CLASS,
	[LANDLOCK_CLASS_WRITE] = UINT64_MAX,
	[LANDLOCK_CLASS_DEVICE] = DEVICE_CLASS,
};

/* What a protection adds to the domain when it is active. */
static const struct landlock_attr protection_rights[PROTECTION_COUNT] = {
	[PROTECTION_FS_REFER] = { .handled_access_fs = RIGHT_FS_REFER },
	[PROTECTION_FS_TRUNCATE] = { .handled_access_fs = RIGHT_FS_TRUNCATE },
	[PROTECTION_NET_TCP] = { .handled_access_net = RIGHT_NET_BIND_TCP | RIGHT_NET_CONNECT_TCP },
	[PROTECTION_FS_IOCTL_DEV] = { .handled_access_fs = RIGHT_FS_IOCTL_DEV },
	[PROTECTION_SIGNAL_SCOPE] = { .scoped = SCOPE_SIGNAL },
	[PROTECTION_ABSTRACT_UNIX_SOCKET_SCOPE] = { .scoped = SCOPE_ABSTRACT_UNIX_SOCKET },
};

/* How a grant is treated; where it comes from is what messages and --explain show. */
struct grant {
	const char *source;
	enum landlock_class class;
	bool optional; /* absent is fine and not worth a record */
	bool skip;     /* absent is fine and recorded */
};

static int set_protections(
	struct landlock_plan *plan, const enum protection_mode *modes, struct error *error)
{
	struct landlock_attr attr = {
		.handled_access_fs = landlock_fs_rights(plan->abi),
		.handled_access_net = landlock_net_rights(plan->abi),
		.scoped = landlock_scopes(plan->abi),
	};

	for (size_t i = 0; i < PROTECTION_COUNT; i++) {
		enum protection_state *state = &plan->protections[i];
		int r = protection_require((enum protection)i, modes[i], plan->abi, state, error);

		if (r < 0) {
			return r;
		}
		if (*state != PROTECTION_ACTIVE) {
			attr.handled_access_fs &= ~protection_rights[i].handled_access_fs;
			attr.handled_access_net &= ~protection_rights[i].handled_access_net;
			attr.scoped &= ~protection_rights[i].scoped;
		}
	}
	plan->attr = attr;
	return 0;
}

/* A path that several options name is one rule with the rights of all of them. */
static bool merge_rule(struct landlock_plan *plan, const char *path, uint64_t access)
{
	for (size_t i = 0; i < plan->path_count; i++) {
		if (strcmp(plan->paths[i].path, path) == 0) {
			plan->paths[i].access |= access;
			return true;
		}
	}
	return false;
}

static void append_rule(struct landlock_plan *plan, struct landlock_path_rule rule)
{
	if (plan->path_count == plan->path_capacity) {
		plan->path_capacity = plan->path_capacity > 0 ? plan->path_capacity * 2 : 16;
		plan->paths =
			must_reallocate(plan->paths, plan->path_capacity, sizeof(plan->paths[0]));
	}
	plan->paths[plan->path_count++] = rule;
}

static int refuse_path(const struct grant *grant, const char *path, int code, struct error *error)
{
	bool is_absent = code == ENOENT || code == ENOTDIR;
	const char *cure = code == EMFILE ? " (each granted path needs one; raise `ulimit -n`)"
			   : is_absent && grant->source[0] == '-'
				   ? " (use --ignore-missing to skip it)"
				   : "";

	return error_set(
		error, code, "%s %s: cannot open: %s%s", grant->source, path, strerror(code), cure);
}

static int add_grant(struct landlock_plan *plan, const struct grant *grant, const char *path,
	struct error *error)
{
	/* O_PATH opens without permission to read, and does not wait for the other end of a FIFO.
	 */
	cleanup_close int fd = open(path, O_PATH | O_CLOEXEC);
	uint64_t access = class_rights[grant->class] & plan->attr.handled_access_fs;
	struct stat status;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR) && (grant->optional || grant->skip)) {
		if (!grant->optional) {
			string_list_add(&plan->skipped, path);
		}
		return 0;
	}
	if (fd < 0 || fstat(fd, &status) < 0) {
		return refuse_path(grant, path, errno, error);
	}
	if (!S_ISDIR(status.st_mode)) {
		access &= NON_DIRECTORY_RIGHTS;
	}
	if (!merge_rule(plan, path, access)) {
		append_rule(plan, (struct landlock_path_rule){ .path = must_copy(path),
					  .source = grant->source,
					  .fd = fd_steal(&fd),
					  .device = status.st_dev,
					  .inode = status.st_ino,
					  .access = access });
	}
	return 0;
}

static int add_grants(struct landlock_plan *plan, const struct grant *grant,
	const struct string_list *paths, struct error *error)
{
	for (size_t i = 0; i < paths->count; i++) {
		int r = add_grant(plan, grant, paths->items[i], error);

		if (r < 0) {
			return r;
		}
	}
	return 0;
}

/* /dev/nvidia0, /dev/nvidia1, …: every card that the host has. */
static void list_gpu_nodes(struct string_list *ret_nodes)
{
	DIR *directory = opendir("/dev");
	struct dirent *entry;

	while (directory != NULL && (entry = readdir(directory)) != NULL) {
		const char *digits = entry->d_name + strlen("nvidia");

		if (strncmp(entry->d_name, "nvidia", strlen("nvidia")) == 0 && digits[0] != '\0' &&
			digits[strspn(digits, "0123456789")] == '\0') {
			cleanup_free char *node = must_format("/dev/%s", entry->d_name);

			string_list_add(ret_nodes, node);
		}
	}
	if (directory != NULL) {
		(void)closedir(directory); /* only read */
	}
}

static int add_gpus(
	struct landlock_plan *plan, const struct sandbox_policy *policy, struct error *error)
{
	static const struct {
		const char *path;
		enum landlock_class class;
		bool all_only; /* a render node of /dev/dri cannot be told apart by index */
	} shared[] = {
		{ "/dev/nvidiactl", LANDLOCK_CLASS_DEVICE, false },
		{ "/dev/nvidia-uvm", LANDLOCK_CLASS_DEVICE, false },
		{ "/dev/nvidia-uvm-tools", LANDLOCK_CLASS_DEVICE, false },
		{ "/dev/dri", LANDLOCK_CLASS_DEVICE, true },
		{ "/proc/driver/nvidia", LANDLOCK_CLASS_READ, false },
		{ "/sys/bus/pci/devices", LANDLOCK_CLASS_READ, false },
		{ "/sys/module/nvidia", LANDLOCK_CLASS_READ, false },
	};
	cleanup_string_list struct string_list nodes = { 0 };
	struct grant grant = {
		.source = "--gpu", .class = LANDLOCK_CLASS_DEVICE, .optional = true
	};
	int r;

	if (policy->limits.gpu == GPU_NONE) {
		return 0;
	}
	if (policy->limits.gpu == GPU_ALL) {
		list_gpu_nodes(&nodes);
	} else {
		for (size_t i = 0; i < policy->limits.gpu_devices.count; i++) {
			cleanup_free char *node =
				must_format("/dev/nvidia%u", policy->limits.gpu_devices.items[i]);

			string_list_add(&nodes, node);
		}
	}
	r = add_grants(plan, &grant, &nodes, error);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(shared); i++) {
		if (!shared[i].all_only || policy->limits.gpu == GPU_ALL) {
			grant.class = shared[i].class;
			r = add_grant(plan, &grant, shared[i].path, error);
		}
	}
	return r;
}

static int add_paths(
	struct landlock_plan *plan, const struct sandbox_policy *policy, struct error *error)
{
	bool skip = policy->filesystem.ignore_missing;
	const struct {
		struct grant grant;
		const struct string_list *paths;
	} lists[] = {
		{ { "-r", LANDLOCK_CLASS_READ, false, skip }, &policy->filesystem.read },
		{ { "-w", LANDLOCK_CLASS_WRITE, false, skip }, &policy->filesystem.write },
		{ { "--preset", LANDLOCK_CLASS_READ, true, false },
			&policy->filesystem.optional_read },
		{ { "device", LANDLOCK_CLASS_DEVICE, true, false }, &policy->filesystem.devices },
	};

	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		int r = add_grants(plan, &lists[i].grant, lists[i].paths, error);

		if (r < 0) {
			return r;
		}
	}
	return add_gpus(plan, policy, error);
}

static int compare_ports(const void *one, const void *other)
{
	const struct landlock_port_rule *a = one;
	const struct landlock_port_rule *b = other;

	return (a->port > b->port) - (a->port < b->port);
}

static size_t count_ports(const struct port_set *set)
{
	size_t count = 0;

	for (size_t i = 0; i < set->count; i++) {
		count += (size_t)set->ranges[i].last - set->ranges[i].first + 1;
	}
	return count;
}

/* Rules of one access are appended while they keep the order; anything else is sorted and merged.
 */
static void append_ports(struct landlock_plan *plan, const struct port_set *set, uint64_t access)
{
	for (size_t i = 0; i < set->count; i++) {
		for (uint32_t port = set->ranges[i].first; port <= set->ranges[i].last; port++) {
			plan->ports[plan->port_count++] =
				(struct landlock_port_rule){ (uint16_t)port, access };
		}
	}
}

static void merge_ports(struct landlock_plan *plan)
{
	size_t kept = 0;

	qsort(plan->ports, plan->port_count, sizeof(plan->ports[0]), compare_ports);
	for (size_t i = 0; i < plan->port_count; i++) {
		if (kept > 0 && plan->ports[kept - 1].port == plan->ports[i].port) {
			plan->ports[kept - 1].access |= plan->ports[i].access;
		} else {
			plan->ports[kept++] = plan->ports[i];
		}
	}
	plan->port_count = kept;
}

static void add_ports(struct landlock_plan *plan, const struct sandbox_policy *policy)
{
	const struct {
		const struct port_set *set;
		uint64_t access;
	} sides[] = {
		{ &policy->network.bind, RIGHT_NET_BIND_TCP },
		{ &policy->network.connect, RIGHT_NET_CONNECT_TCP },
	};
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_LEN(sides); i++) {
		if (sides[i].set->any) {
			plan->attr.handled_access_net &= ~sides[i].access;
		}
		count += count_ports(sides[i].set);
	}
	if (count > 0) {
		plan->ports = must_reallocate(NULL, count, sizeof(plan->ports[0]));
	}
	for (size_t i = 0; i < ARRAY_LEN(sides); i++) {
		/* A rule for an access that is not handled is an error to the kernel. */
		if ((plan->attr.handled_access_net & sides[i].access) != 0) {
			append_ports(plan, sides[i].set, sides[i].access);
		}
	}
	if (plan->port_count > 1) {
		merge_ports(plan);
	}
	plan->polices_tcp_bind = (plan->attr.handled_access_net & RIGHT_NET_BIND_TCP) != 0;
	plan->polices_tcp_connect = (plan->attr.handled_access_net & RIGHT_NET_CONNECT_TCP) != 0;
}

static int create_ruleset(const struct landlock_attr *attr)
{
	int fd = (int)syscall(SYS_landlock_create_ruleset, attr, sizeof(*attr), 0);

	return fd < 0 ? -errno : fd;
}

static int add_path_rule(int ruleset, const struct landlock_path_rule *rule, struct error *error)
{
	struct path_beneath_attr attr = { .allowed_access = rule->access, .parent_fd = rule->fd };

	if (syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &attr, 0) == 0) {
		return 0;
	}
	return error_set(error, errno, "%s %s: Landlock cannot hold this path: %s", rule->source,
		rule->path,
		errno == EBADFD ? "it is on a kernel-internal filesystem (a pipe or socket)"
				: strerror(errno));
}

static int add_port_rule(int ruleset, const struct landlock_port_rule *rule, struct error *error)
{
	struct net_port_attr attr = { .allowed_access = rule->access, .port = rule->port };

	if (syscall(SYS_landlock_add_rule, ruleset, RULE_NET_PORT, &attr, 0) == 0) {
		return 0;
	}
	return error_set(error, errno, "TCP port %u: Landlock cannot hold it: %s", rule->port,
		strerror(errno));
}

int landlock_host_abi(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);
	uint64_t lower;

	if (abi < 0) {
		return -errno;
	}
	if (fault_value("landlock-abi", &lower) && lower < (uint64_t)abi) {
		return lower > 0 ? (int)lower : -EOPNOTSUPP;
	}
	return (int)abi;
}

int landlock_unavailable(int reason, struct error *error)
{
	static const struct {
		int code;
		const char *text;
	} reasons[] = {
		{ ENOSYS,
			"the kernel was built without it (needs CONFIG_SECURITY_LANDLOCK=y), or a "
			"seccomp filter around this process hides it" },
		{ EOPNOTSUPP,
			"the kernel has it switched off (boot with `landlock` in the lsm= list)" },
		{ EPERM,
			"a seccomp filter around this process refuses landlock_create_ruleset (allow "
			"the landlock_* calls in the container's profile)" },
	};

	for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
		if (reasons[i].code == -reason) {
			return error_set(
				error, -reason, "landlock unavailable: %s", reasons[i].text);
		}
	}
	return error_set(error, -reason, "landlock unavailable: %s", strerror(-reason));
}

int landlock_plan_compile(const struct sandbox_policy *policy, int abi,
	struct landlock_plan *ret_plan, struct error *error)
{
	struct landlock_plan plan = { .abi = abi };
	int r;

	if (abi <= 0) {
		return landlock_unavailable(abi < 0 ? abi : -EOPNOTSUPP, error);
	}
	r = set_protections(&plan, policy->protections, error);
	if (r == 0) {
		r = add_paths(&plan, policy, error);
	}
	if (r < 0) {
		landlock_plan_finish(&plan);
		return r;
	}
	add_ports(&plan, policy);
	plan.polices_unix_paths = (plan.attr.handled_access_fs & RIGHT_FS_RESOLVE_UNIX) != 0;
	*ret_plan = plan;
	return 0;
}

int landlock_plan_add_path(struct landlock_plan *plan, const char *path, enum landlock_class class,
	struct error *error)
{
	const struct grant grant = { .source = "sandlock", .class = class };

	return add_grant(plan, &grant, path, error);
}

void landlock_plan_finish(struct landlock_plan *plan)
{
	for (size_t i = 0; i < plan->path_count; i++) {
		fd_close(&plan->paths[i].fd);
		free(plan->paths[i].path);
	}
	free(plan->paths);
	free(plan->ports);
	string_list_finish(&plan->skipped);
	*plan = (struct landlock_plan){ 0 };
}

int landlock_plan_create_ruleset(const struct landlock_plan *plan, struct error *error)
{
	cleanup_close int ruleset = create_ruleset(&plan->attr);
	int r = 0;

	if (ruleset < 0) {
		return landlock_unavailable(ruleset, error);
	}
	for (size_t i = 0; r == 0 && i < plan->path_count; i++) {
		r = add_path_rule(ruleset, &plan->paths[i], error);
	}
	for (size_t i = 0; r == 0 && i < plan->port_count; i++) {
		r = add_port_rule(ruleset, &plan->ports[i], error);
	}
	return r < 0 ? r : fd_steal(&ruleset);
}

int landlock_ruleset_add_write(
	int ruleset, const struct landlock_plan *plan, const char *path, struct error *error)
{
	cleanup_landlock_plan struct landlock_plan one = { .attr = plan->attr };
	int r = landlock_plan_add_path(&one, path, LANDLOCK_CLASS_WRITE, error);

	return r < 0 ? r : add_path_rule(ruleset, &one.paths[0], error);
}

int landlock_create_signal_scope(struct error *error)
{
	static const struct landlock_attr attr = { .scoped = SCOPE_SIGNAL };
	int abi = landlock_host_abi();
	int ruleset;

	if (abi < 0) {
		return landlock_unavailable(abi, error);
	}
	if ((landlock_scopes(abi) & SCOPE_SIGNAL) == 0) {
		return error_set(error, EOPNOTSUPP,
			"the keeper needs Landlock's signal scope: host Landlock ABI is v%d, requires "
			"v%d (Linux 6.12; --no-supervisor runs without a keeper)",
			abi, protection_minimum_abi(PROTECTION_SIGNAL_SCOPE));
	}
	ruleset = create_ruleset(&attr);
	return ruleset < 0 ? landlock_unavailable(ruleset, error) : ruleset;
}
