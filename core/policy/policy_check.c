/* Rules across options. */
// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "core/policy/option_plain.h"
#include "core/policy/policy_check.h"
#include "core/policy/policy_options.h"

#define NAME_BYTES_MAXIMUM 64

int policy_check_name(const char *name, struct error *error)
{
	size_t length = strlen(name);

	if (length == 0) {
		return error_set(error, EINVAL, "sandbox name must not be empty");
	}
	if (length > NAME_BYTES_MAXIMUM) {
		return error_set(error, EINVAL, "sandbox name must be at most %d bytes, got %zu",
			NAME_BYTES_MAXIMUM, length);
	}
	for (const char *c = name; *c != '\0'; c++) {
		if ((unsigned char)*c <= 0x20 || *c == 0x7f) {
			return error_set(error, EINVAL,
				"sandbox name must not contain whitespace or control characters: "
				"\"%s\"",
				name);
		}
	}
	if (strchr(name, '/') != NULL) {
		return error_set(error, EINVAL, "sandbox name must not contain '/': \"%s\"", name);
	}
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
		return error_set(error, EINVAL, "sandbox name must not be '.' or '..'");
	}
	return 0;
}

static int check_name(const struct sandbox_policy *policy, struct error *error)
{
	int r = policy->program.name != NULL ? policy_check_name(policy->program.name, error) : 0;

	if (r < 0) {
		error_prefix(error, "--name");
	}
	return r;
}

static int check_command(const struct sandbox_policy *policy, struct error *error)
{
	const struct string_list *argv = &policy->program.argv;

	if (policy->program.exec_shell != NULL && argv->count > 0) {
		return error_set(error, EINVAL,
			"--exec-shell: cannot be combined with a command after -- (\"%s\")",
			argv->items[0]);
	}
	if (policy->program.exec_shell == NULL && argv->count == 0) {
		return error_set(error, EINVAL,
			"no command specified (sandlock run [OPTIONS] -- COMMAND, or "
			"--exec-shell TEXT)");
	}
	if (argv->count > 0 && argv->items[0][0] == '\0') {
		return error_set(error, EINVAL, "empty command: the word after -- is empty");
	}
	return 0;
}

/* Bounds of single numbers, for policies that no parser of ours has seen. */
static int check_bounds(const struct sandbox_policy *policy, struct error *error)
{
	for (size_t i = 0; i < policy_option_count; i++) {
		const struct policy_option *option = &policy_options[i];
		const void *field = (const char *)policy + option->offset;
		cleanup_free char *shown = NULL;
		uint64_t value;
		int r;

		if (option->bounds == NULL || !option_is_given(option, policy)) {
			continue;
		}
		switch (option->type) {
		case OPTION_NUMBER:
			value = *(const uint32_t *)field;
			break;
		case OPTION_SIZE:
		case OPTION_SECONDS:
			value = *(const uint64_t *)field;
			break;
		default:
			continue;
		}
		shown = must_format("%llu", (unsigned long long)value);
		r = option_check_bounds(option, value, shown, error);
		if (r < 0) {
			return r;
		}
	}
	return 0;
}

static int check_supervisor(const struct sandbox_policy *policy, struct error *error)
{
	cleanup_text struct text flags = { 0 };

	if (!policy->run.no_supervisor) {
		return 0;
	}
	for (size_t i = 0; i < policy_option_count; i++) {
		const struct policy_option *option = &policy_options[i];

		if (!option->without_supervisor && option_is_given(option, policy)) {
			text_add(&flags, "%s--%s", flags.length > 0 ? ", " : "", option->flag);
		}
	}
	if (flags.length > 0) {
		return error_set(
			error, EINVAL, "--no-supervisor is incompatible with: %s", flags.bytes);
	}
	return 0;
}

static int check_limits(const struct sandbox_policy *policy, struct error *error)
{
	if (policy->limits.kill_after_ns != 0 && policy->limits.timeout_ns == 0) {
		return error_set(error, EINVAL, "--kill-after: needs --timeout");
	}
	if (policy->run.record_env && policy->run.status_fd < 0) {
		return error_set(
			error, EINVAL, "--record-env: needs --status-fd, where the record goes");
	}
	return 0;
}

static int check_protections(const struct sandbox_policy *policy, struct error *error)
{
	if (policy->protections[PROTECTION_FS_REFER] == PROTECTION_DISABLED) {
		return error_set(error, EINVAL,
			"--disable: \"fs-refer\": disabling FsRefer is not permitted (files could "
			"leave their grants by rename and link)");
	}
	return 0;
}

static int check_open(const char *flag, int fd, struct error *error)
{
	if (fcntl(fd, F_GETFD) < 0) {
		return error_set(error, EBADF, "--%s: %d: not an open descriptor", flag, fd);
	}
	return 0;
}

static int check_status_fd(const struct sandbox_policy *policy, struct error *error)
{
	int fd = policy->run.status_fd;
	int flags, r;

	if (fd < 0) {
		return 0;
	}
	r = check_open("status-fd", fd, error);
	if (r < 0) {
		return r;
	}
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY || (flags & O_PATH) != 0) {
		return error_set(error, EBADF, "--status-fd: %d: not open for writing", fd);
	}
	return 0;
}

static int check_keep_fds(const struct sandbox_policy *policy, struct error *error)
{
	const struct number_list *fds = &policy->program.keep_fds;

	for (size_t i = 0; i < fds->count; i++) {
		int fd = (int)fds->items[i];
		int r = check_open("keep-fd", fd, error);

		if (r < 0) {
			return r;
		}
		if (fd == policy->run.status_fd) {
			return error_set(error, EINVAL,
				"--keep-fd: %d: is --status-fd (the command could write its own "
				"report)",
				fd);
		}
		for (size_t j = 0; j < i; j++) {
			if (fds->items[j] == fds->items[i]) {
				return error_set(error, EINVAL, "--keep-fd: %d: given twice", fd);
			}
		}
	}
	return 0;
}

int policy_check(const struct sandbox_policy *policy, struct error *error)
{
	static int (*const checks[])(const struct sandbox_policy *policy, struct error *error) = {
		check_bounds,
		check_name,
		check_supervisor,
		check_limits,
		check_protections,
		check_status_fd,
		check_keep_fds,
		check_command,
	};

	for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
		int r = checks[i](policy, error);

		if (r < 0) {
			return r;
		}
	}
	return 0;
}
