/* Memory in files without a name: memfds and unlinked files on tmpfs that a tree holds open. */
// SPDX-License-Identifier: Apache-2.0

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "core/base/attributes.h"
#include "core/base/fd.h"
#include "core/process/proc_reader.h"
#include "core/supervisor/held_files.h"

#define CAPACITY_MINIMUM 16

struct held_file {
	uint64_t inode; /* 0: a free slot; no file has it */
	uint64_t bytes;
	uint32_t major, minor;
	pid_t holder;
};

/* ---- the table ----------------------------------------------------------------------------- */

static struct held_file *slot_find(
	struct held_file *slots, size_t capacity, uint32_t major, uint32_t minor, uint64_t inode)
{
	size_t index =
		(size_t)((inode + minor * 31ull) * 0x9e3779b97f4a7c15u >> 20) & (capacity - 1);

	while (slots[index].inode != 0 &&
		(slots[index].inode != inode || slots[index].minor != minor ||
			slots[index].major != major)) {
		index = (index + 1) & (capacity - 1);
	}
	return &slots[index];
}

static bool table_has(
	const struct held_table *table, uint32_t major, uint32_t minor, uint64_t inode)
{
	return table->count > 0 && inode != 0 &&
	       slot_find(table->slots, table->capacity, major, minor, inode)->inode != 0;
}

static int table_grow(struct held_table *table)
{
	size_t capacity = table->capacity > 0 ? table->capacity * 2 : CAPACITY_MINIMUM;
	struct held_file *slots = calloc(capacity, sizeof(*slots));

	if (slots == NULL) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < table->capacity; i++) {
		const struct held_file *file = &table->slots[i];

		if (file->inode != 0) {
			*slot_find(slots, capacity, file->major, file->minor, file->inode) = *file;
		}
	}
	free(table->slots);
	table->slots = slots;
	table->capacity = capacity;
	return 0;
}

/* Adds a file that is not there yet.  Without memory for it, it is not counted. */
static void table_add(struct held_table *table, const struct held_file *file)
{
	struct held_file *slot;

	if ((table->count + 1) * 2 > table->capacity && table_grow(table) < 0) {
		return;
	}
	slot = slot_find(table->slots, table->capacity, file->major, file->minor, file->inode);
	if (slot->inode == 0) {
		*slot = *file;
		table->count++;
		table->bytes += file->bytes;
	}
}

static void table_clear(struct held_table *table)
{
	if (table->count > 0) {
		memset(table->slots, 0, table->capacity * sizeof(table->slots[0]));
	}
	table->count = 0;
	table->bytes = 0;
}

static void table_forget(struct held_table *table, pid_t pid)
{
	for (size_t i = 0; table->count > 0 && i < table->capacity; i++) {
		struct held_file *file = &table->slots[i];

		if (file->holder == pid) {
			table->bytes -= file->bytes;
			file->bytes = 0;
		}
	}
}

/* ---- a pass -------------------------------------------------------------------------------- */

/* Is the file system that the descriptor lies on a tmpfs?  Asked once for each. */
static bool device_is_in_memory(
	struct held_files *files, int directory, const char *name, const struct statx *status)
{
	size_t place = files->device_count % ARRAY_LEN(files->devices);
	cleanup_close int fd = -1;
	struct statfs system;

	for (size_t i = 0; i < ARRAY_LEN(files->devices) && i < files->device_count; i++) {
		if (files->devices[i].major == status->stx_dev_major &&
			files->devices[i].minor == status->stx_dev_minor) {
			return files->devices[i].in_memory;
		}
	}
	fd = openat(directory, name, O_PATH | O_CLOEXEC);
	if (fd < 0 || fstatfs(fd, &system) < 0) {
		return false;
	}
	files->devices[place].major = status->stx_dev_major;
	files->devices[place].minor = status->stx_dev_minor;
	files->devices[place].in_memory = system.f_type == TMPFS_MAGIC;
	files->device_count++;
	return files->devices[place].in_memory;
}

static void look_at_descriptor(struct held_files *files, int directory, const char *name, pid_t pid)
{
	struct statx status;

	/* DONT_SYNC: a network file system that hangs must not make us wait. */
	if (statx(directory, name, AT_STATX_DONT_SYNC,
		    STATX_TYPE | STATX_NLINK | STATX_INO | STATX_BLOCKS, &status) < 0 ||
		!S_ISREG(status.stx_mode) || status.stx_nlink != 0 || status.stx_blocks == 0 ||
		table_has(&files->building, status.stx_dev_major, status.stx_dev_minor,
			status.stx_ino) ||
		!device_is_in_memory(files, directory, name, &status)) {
		return;
	}
	table_add(&files->building, &(struct held_file){
					    .inode = status.stx_ino,
					    .bytes = status.stx_blocks * 512,
					    .major = status.stx_dev_major,
					    .minor = status.stx_dev_minor,
					    .holder = pid,
				    });
}

/* Looks at the descriptors of one process from next_descriptor on; returns how many it saw.  Sets
 * next_descriptor to 0 when the process is done. */
static size_t look_at_process(struct held_files *files, pid_t pid, size_t maximum)
{
	int fd = proc_open(pid, "fd", O_RDONLY | O_DIRECTORY);
	unsigned int first = files->next_descriptor;
	DIR *descriptors = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;
	size_t count = 0;

	files->next_descriptor = 0;
	if (descriptors == NULL) {
		fd_close(&fd);
		return 1; /* gone, or not ours to see; the attempt cost something, too */
	}
	if (first > 0) {
		seekdir(descriptors,
			(long)first + 2); /* proc_readfd: after "." and "..", by number */
	}
	while ((entry = readdir(descriptors)) != NULL) {
		if (entry->d_name[0] == '.') {
			continue;
		}
		if (count == maximum) {
			files->next_descriptor = (unsigned int)strtoul(entry->d_name, NULL, 10);
			break;
		}
		look_at_descriptor(files, fd, entry->d_name, pid);
		count++;
	}
	(void)closedir(descriptors); /* only read from */
	return count + 1;
}

void held_files_finish(struct held_files *files)
{
	free(files->complete.slots);
	free(files->building.slots);
	free(files->pids);
	*files = (struct held_files){ 0 };
}

bool held_files_under_way(const struct held_files *files)
{
	return files->next_pid < files->pid_count;
}

int held_files_begin(struct held_files *files, size_t count)
{
	if (files->pid_capacity < count) {
		pid_t *memory = reallocarray(files->pids, count, sizeof(*memory));

		if (memory == NULL) {
			return -ENOMEM;
		}
		files->pids = memory;
		files->pid_capacity = count;
	}
	files->pid_count = 0;
	files->next_pid = 0;
	files->next_descriptor = 0;
	table_clear(&files->building);
	return 0;
}

void held_files_add(struct held_files *files, pid_t pid)
{
	assert(files->pid_count < files->pid_capacity);
	files->pids[files->pid_count++] = pid;
}

void held_files_continue(struct held_files *files, size_t maximum)
{
	struct held_table table;
	size_t seen = 0;

	while (held_files_under_way(files) && seen < maximum) {
		seen += look_at_process(files, files->pids[files->next_pid], maximum - seen);
		files->next_pid += files->next_descriptor == 0;
	}
	if (!held_files_under_way(files)) {
		table = files->complete;
		files->complete = files->building;
		files->building = table;
		table_clear(&files->building);
	}
}

/* While a pass is under way, what it has found counts as soon as it is more. */
static const struct held_table *best_table(const struct held_files *files)
{
	return files->building.bytes > files->complete.bytes ? &files->building : &files->complete;
}

uint64_t held_files_bytes(const struct held_files *files)
{
	return best_table(files)->bytes;
}

void held_files_charge(const struct held_files *files, held_charge_fn charge, void *context)
{
	const struct held_table *table = best_table(files);

	for (size_t i = 0; table->count > 0 && i < table->capacity; i++) {
		if (table->slots[i].inode != 0) {
			charge(context, table->slots[i].holder, table->slots[i].bytes);
		}
	}
}

void held_files_forget(struct held_files *files, pid_t pid)
{
	table_forget(&files->complete, pid);
	table_forget(&files->building, pid);
	/* The pass begins anew, so that the next holder is found soon. */
	files->pid_count = 0;
	files->next_pid = 0;
	table_clear(&files->building);
}

/* ---- what of them is mapped ---------------------------------------------------------------- */

struct mapped {
	const struct held_files *files;
	bool inside;	/* the mapping that the lines belong to is one of ours */
	uint64_t share; /* its Pss */
	uint64_t bytes; /* of all mappings so far */
};

static bool mapped_line(void *context, const char *line, size_t length)
{
	struct mapped *mapped = context;
	struct proc_mapping mapping;
	uint64_t bytes;

	if (proc_mapping_parse(line, length, &mapping)) {
		mapped->inside = table_has(
			best_table(mapped->files), mapping.major, mapping.minor, mapping.inode);
		mapped->share = 0;
	} else if (mapped->inside && proc_line_bytes(line, length, "Pss", &bytes)) {
		mapped->share = bytes;
	} else if (mapped->inside && proc_line_bytes(line, length, "Anonymous", &bytes)) {
		/* Private copies of its pages are no pages of the file any more. */
		mapped->bytes += mapped->share > bytes ? mapped->share - bytes : 0;
	}
	return false;
}

uint64_t held_files_mapped(const struct held_files *files, pid_t pid)
{
	struct mapped mapped = { .files = files };
	cleanup_close int fd = proc_open(pid, "smaps", O_RDONLY);

	if (fd >= 0) {
		(void)proc_read_lines(fd, mapped_line, &mapped); /* as much as could be read */
	}
	return mapped.bytes;
}
