# make            program and library             make test    unit tests
# make live       a real sandbox and attacks      make check   analyser and lint scripts
# make stress     start and kill, over and over
# make bench      ratios against floors           make fuzz    parsers of untrusted bytes, 60 s each
# make format     clang-format over the tree      make cross   aarch64 and riscv64, under qemu-user
# make mutate-bpf every mutant of the filter      make clean
# V=1 shows commands.  SAN=address|undefined|thread, FAULTS=1 (fault points), DYNAMIC=1 (shared libc)
# and JEMALLOC=1 build variants beside the release one, each in build/<variant>/.

.DELETE_ON_ERROR:
Q       := $(if $(V),,@)
HOST    := $(shell uname -m)
ARCH    ?= $(HOST)
CROSS   := $(filter-out $(HOST),$(ARCH))
VARIANT := $(or $(SAN),$(if $(FAULTS),faults),$(if $(JEMALLOC),jemalloc),$(if $(DYNAMIC),dynamic),$(CROSS),release)
OUT     := build/$(VARIANT)
CC      ?= gcc
AR      ?= ar
FUZZ_CC ?= clang-14
FUZZ_SECONDS ?= 60

CC      := $(if $(CROSS),$(ARCH)-linux-gnu-)gcc
AR      := $(if $(CROSS),$(ARCH)-linux-gnu-)ar

WARN    := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Werror
CFLAGS  ?= -O2 -g
# Paths of the build machine stay out of the objects, so that two builds are equal byte for byte.
ALL_CFLAGS := -std=gnu17 -D_GNU_SOURCE -I. -MMD -MP -fvisibility=hidden -fno-semantic-interposition \
	-ffile-prefix-map=$(CURDIR)=. $(WARN) $(CFLAGS) \
	$(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer) \
	$(if $(SAN)$(FAULTS),-DSANDLOCK_FAULTS) -D_FORTIFY_SOURCE=2
# A static program starts a third faster than a dynamic one; sanitizers need the shared libc.
STATIC  := $(if $(SAN)$(DYNAMIC),,-static)
# Debian has these for its own processor only; a cross build does without.
LIBS    := $(if $(CROSS),,-l:liburcu-cds.a -l:liburcu-memb.a -l:liburcu-common.a -l:libseccomp.a) \
	$(if $(JEMALLOC),-l:libjemalloc.a -lm) -lpthread
# Criterion is not there for other processors and does not run under qemu-user: a stand-in with the same
# macros runs the same tests there.
STANDIN := $(if $(CROSS),tests/cross/standin.c)

CORE    := $(wildcard core/*/*.c handlers/*.c handlers/*/*.c arch/*.c arch/$(ARCH)/*.c bpf/*.c)
CLI     := $(wildcard tools/cli/*.c)
PARTS   := $(filter-out tools/cli/main.c,$(CLI)) # what tests use of the command line
UNIT    := $(wildcard tests/unit/*.c tests/unit/*/*.c)
LIVE    := $(wildcard tests/live/*.c)
STRESS  := $(patsubst tests/stress/%.c,$(OUT)/stress/%,$(wildcard tests/stress/*.c))

# A test that needs this machine's kernel or libseccomp says so in a comment "native only: why".
UNIT    := $(if $(CROSS),$(if $(UNIT),$(shell grep -L 'native only:' $(UNIT))),$(UNIT))
GUESTS  := $(patsubst tests/live/guests/%.c,$(OUT)/guests/%,$(wildcard tests/live/guests/*.c))
BENCHES := $(patsubst %.c,$(OUT)/%,$(filter-out bench/harness.c bench/floor/walls.c,\
	$(wildcard bench/*.c bench/floor/*.c bench/guests/*.c)))
OBJ      = $(addprefix $(OUT)/,$(addsuffix .o,$(basename $(1))))

all: $(OUT)/sandlock $(OUT)/libsandlock.a

# Keeper and child share memory after a raw clone: nothing there may touch thread-local or sanitizer
# state, and tools/lint/check-child-symbols.sh holds the objects to it.
$(call OBJ,$(wildcard core/child/*.c)): ALL_CFLAGS += -fno-sanitize=all -fno-stack-protector \
	-fno-builtin -U_FORTIFY_SOURCE $(if $(filter clang,$(CC)),,-fno-tree-loop-distribute-patterns)
$(call OBJ,$(wildcard core/base/*.c bpf/*.c)): ALL_CFLAGS += -Wconversion

$(OUT)/%.o: %.c Makefile
	@mkdir -p $(@D)
	@$(if $(Q),echo "  CC   $<",:)
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(OUT)/libsandlock.a: $(call OBJ,$(CORE))
	@$(if $(Q),echo "  AR   $@",:)
	$(Q)rm -f $@ && $(AR) rcsD $@ $(sort $^)

$(OUT)/sandlock: $(call OBJ,$(CLI)) $(OUT)/libsandlock.a
	@$(if $(Q),echo "  LD   $@",:)
	$(Q)$(CC) $(ALL_CFLAGS) $(STATIC) -o $@ $^ $(LIBS)

# The tests build the same sources again where they need the parts of the command line.
$(OUT)/unit-tests: $(call OBJ,$(UNIT) bench/harness.c) $(call OBJ,$(filter-out tools/cli/main.c,$(CLI))) $(OUT)/libsandlock.a
	@$(if $(Q),echo "  LD   $@",:)
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $^ -lcriterion $(LIBS) -lm

$(call OBJ,$(UNIT) $(LIVE) $(STANDIN)): ALL_CFLAGS += $(if $(STANDIN),-Itests/cross)
CRITERION := $(if $(STANDIN),,-lcriterion)

# The tests build the same sources again where they need the parts of the command line.
$(OUT)/unit-tests: $(call OBJ,$(UNIT) $(wildcard bench/harness.c) $(PARTS) $(STANDIN)) $(OUT)/libsandlock.a
	@$(if $(Q),echo "  LD   $@",:)
	$(Q)$(CC) $(ALL_CFLAGS) $(if $(CROSS),-static) -o $@ $^ $(CRITERION) $(LIBS) -lm

$(OUT)/live-tests: $(call OBJ,$(LIVE) $(STANDIN)) $(OUT)/libsandlock.a
	@$(if $(Q),echo "  LD   $@",:)
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $^ $(CRITERION) $(LIBS)

# A fuzz target is built by tools/ci/fuzz.sh with clang, in a variant of its own.
$(OUT)/tests/fuzz/%: $(OUT)/tests/fuzz/%.o $(call OBJ,$(PARTS)) $(OUT)/libsandlock.a
	@$(if $(Q),echo "  LD   $@",:)
	$(Q)$(CC) $(ALL_CFLAGS) -fsanitize=fuzzer -o $@ $^ $(LIBS)

# Guests run inside: plain static programs in every variant.
$(OUT)/guests/%: tests/live/guests/%.c Makefile
	@mkdir -p $(@D)
	@$(if $(Q),echo "  CC   $<",:)
	$(Q)$(CC) -std=gnu17 -D_GNU_SOURCE -I. -O2 $(WARN) -static -pthread -o $@ $<

$(OUT)/stress/%: tests/stress/%.c Makefile
	@mkdir -p $(@D)
	@$(if $(Q),echo "  CC   $<",:)
	$(Q)$(CC) -std=gnu17 -D_GNU_SOURCE -I. $(CFLAGS) $(WARN) -pthread -o $@ $<

$(OUT)/bench/%: bench/%.c Makefile

# Floors and guests share no code with what they are compared against; the other benches may use ours.
BENCH_CC = $(CC) -std=gnu17 -D_GNU_SOURCE -I. -O2 $(WARN) -static -pthread -o $@ $(filter %.c %.a,$^)
$(OUT)/bench/floor/%: bench/floor/%.c bench/floor/walls.c bench/floor/walls.h Makefile
	@mkdir -p $(@D)
	@$(if $(Q),echo "  CC   $<",:)
	$(Q)$(BENCH_CC)

$(OUT)/bench/guests/%: bench/guests/%.c bench/calls.h Makefile
	@mkdir -p $(@D)
	@$(if $(Q),echo "  CC   $<",:)
	$(Q)$(BENCH_CC)

$(OUT)/bench/%: bench/%.c bench/harness.c bench/harness.h bench/calls.h $(OUT)/libsandlock.a Makefile
	@mkdir -p $(@D)
	@$(if $(Q),echo "  CC   $<",:)
	$(Q)$(BENCH_CC) $(LIBS) -lm

$(OUT)/mutate-bpf: $(call OBJ,$(wildcard tools/mutate-bpf*.c)) $(OUT)/libsandlock.a
	@$(if $(Q),echo "  LD   $@",:)
	$(Q)$(CC) $(ALL_CFLAGS) $(STATIC) -o $@ $^

mutate-bpf: $(OUT)/mutate-bpf
	$(Q)$(OUT)/mutate-bpf

# Floors and guests share no code with what they are compared against; the other benches may use ours.
BENCH_CC = $(CC) -std=gnu17 -D_GNU_SOURCE -I. -O2 $(WARN) -static -pthread -o $@ $(filter %.c %.a,$^)
$(OUT)/bench/floor/%: bench/floor/%.c bench/floor/walls.c bench/floor/walls.h Makefile
	@mkdir -p $(@D)
	@$(if $(Q),echo "  CC   $<",:)
	$(Q)$(BENCH_CC)

$(OUT)/bench/guests/%: bench/guests/%.c bench/calls.h Makefile
	@mkdir -p $(@D)
	@$(if $(Q),echo "  CC   $<",:)
	$(Q)$(BENCH_CC)

$(OUT)/bench/%: bench/%.c bench/harness.c bench/harness.h bench/calls.h $(OUT)/libsandlock.a Makefile
	@mkdir -p $(@D)
	@$(if $(Q),echo "  CC   $<",:)
	$(Q)$(BENCH_CC) $(LIBS) -lm

test: $(OUT)/unit-tests
	$(Q)$(OUT)/unit-tests --short-filename $(TESTFLAGS)

# Some attacks need a program whose walls can be made to fail: a sanitizer variant is one itself.
ifeq ($(SAN)$(FAULTS),)
FAULTY  := build/faults/sandlock
$(FAULTY): FORCE
	$(Q)$(MAKE) --no-print-directory FAULTS=1 $@
else
FAULTY  := $(OUT)/sandlock
endif

live: $(OUT)/live-tests $(OUT)/sandlock $(GUESTS) $(FAULTY)
	$(Q)SANDLOCK=$(OUT)/sandlock SANDLOCK_FAULTS=$(FAULTY) GUESTS=$(OUT)/guests \
		$(OUT)/live-tests --short-filename

$(OUT)/mutate-bpf: $(call OBJ,$(wildcard tools/mutate-bpf*.c)) $(OUT)/libsandlock.a
	@$(if $(Q),echo "  LD   $@",:)
	$(Q)$(CC) $(ALL_CFLAGS) $(STATIC) -o $@ $^

mutate-bpf: $(OUT)/mutate-bpf
	$(Q)$(OUT)/mutate-bpf

stress: $(STRESS) $(OUT)/sandlock $(GUESTS)
	$(Q)$(OUT)/stress/start_kill $(OUT)/sandlock $(OUT)/guests $(if $(filter full,$(SANDLOCK_COUNTS)),1000,50)

live: $(OUT)/live-tests $(OUT)/sandlock $(GUESTS)
	$(Q)SANDLOCK=$(OUT)/sandlock GUESTS=$(OUT)/guests $(OUT)/live-tests --short-filename $(TESTFLAGS)

# Fault points exist in sanitizer builds and in the variant "faults"; the live tests need both kinds.
WITH_FAULTS := $(if $(SAN)$(FAULTS),$(OUT),build/faults)/sandlock
live: $(OUT)/live-tests $(OUT)/sandlock $(GUESTS) $(if $(SAN)$(FAULTS),,faults)
	$(Q)SANDLOCK=$(OUT)/sandlock SANDLOCK_FAULTS=$(WITH_FAULTS) GUESTS=$(OUT)/guests \
		$(OUT)/live-tests --short-filename $(TESTFLAGS)

faults:
	+$(Q)$(MAKE) --no-print-directory FAULTS=1 JEMALLOC= DYNAMIC= build/faults/sandlock

bench: $(OUT)/sandlock $(BENCHES)
	$(Q)bench/run.sh $(OUT)

# Each target for FUZZ_SECONDS, from the kept corpus; what it finds anew stays under build.
FUZZERS := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/*.c))
FUZZED  := $(wildcard core/base/*.c core/policy/*.c tools/cli/flags*.c tools/cli/word_list.c)
build/fuzz/%: tests/fuzz/%.c tests/fuzz/fuzz.h $(FUZZED) Makefile
	@mkdir -p $(@D)
	@$(if $(Q),echo "  CC   $<",:)
	$(Q)$(FUZZ_CC) -std=gnu17 -D_GNU_SOURCE -I. -O1 -g -Wall -Wextra -Werror \
		-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -o $@ $< $(FUZZED)

fuzz: $(FUZZERS:%=build/fuzz/%)
	$(Q)for name in $(FUZZERS); do \
		mkdir -p build/fuzz/found/$$name; \
		echo "  FUZZ $$name"; \
		build/fuzz/$$name -max_total_time=$(FUZZ_SECONDS) -timeout=10 -verbosity=0 \
			-print_final_stats=1 -artifact_prefix=build/fuzz/$$name- \
			build/fuzz/found/$$name tests/fuzz/corpus/$$name </dev/null || exit 1; \
	done

fuzz:
	$(Q)tools/ci/fuzz.sh

cross:
	$(Q)tests/cross/run.sh

check:
	$(Q)tools/lint/check.sh

format:
	$(Q)find . -path ./build -prune -o -name '*.[ch]' -print | xargs clang-format -i

clean:
	rm -rf build

FORCE:

.PHONY: FORCE all test live stress bench check fuzz cross mutate-bpf format clean faults
.SECONDARY:
-include $(shell find $(OUT) -name '*.d' 2>/dev/null)
