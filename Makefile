# make            program and library             make test    unit tests
# make live       a real sandbox and attacks      make stress  start and kill, over and over
# make bench      ratios against floors           make fuzz    parsers of untrusted bytes, 60 s each
# make check      analyser and lint scripts       make cross   aarch64 and riscv64, under qemu-user
# make mutate-bpf every mutant of the filter      make format  clang-format over the tree
# V=1 shows commands.  SAN=address|undefined|thread, FAULTS=1 (fault points), DYNAMIC=1 (shared libc),
# JEMALLOC=1 and ARCH=aarch64|riscv64 build variants, each in build/<variant>/.

.DELETE_ON_ERROR:
Q       := $(if $(V),,@)
ARCH    ?= $(shell uname -m)
CROSS   := $(filter-out $(shell uname -m),$(ARCH))
VARIANT := $(or $(SAN),$(if $(FAULTS),faults),$(if $(JEMALLOC),jemalloc),$(if $(DYNAMIC),dynamic),$(CROSS),release)
OUT     := build/$(VARIANT)
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

# Fault builds count every call into libc that can fail, and fail the one that a test names.
WRAPS   := $(if $(SAN)$(FAULTS),$(shell sed -n 's/^FAULT_CALL.\([a-z0-9_]*\),.*/-Wl,--wrap=\1/p' \
	core/base/fault_calls.def))

CORE    := $(wildcard core/*/*.c handlers/*.c handlers/*/*.c arch/*.c arch/$(ARCH)/*.c bpf/*.c)
CLI     := $(wildcard tools/cli/*.c)
PARTS   := $(filter-out tools/cli/main.c,$(CLI)) # what tests use of the command line
UNIT    := $(wildcard tests/unit/*.c tests/unit/*/*.c)
LIVE    := $(wildcard tests/live/*.c)
# Criterion is not there for other processors and does not run under qemu-user: a stand-in with the same
# macros runs the tests there, without those that say "native only: why".
ifneq ($(CROSS),)
UNIT    := $(shell grep -L 'native only:' $(UNIT)) tests/cross/standin.c
ALL_CFLAGS += -Itests/cross
endif
CHECKER := $(if $(CROSS),-static,-lcriterion)
OBJ      = $(addprefix $(OUT)/,$(addsuffix .o,$(basename $(1))))
SAY      = @mkdir -p $(@D)$(if $(Q), && echo "  $(1)   $@")
# Stand-alone programs: what runs inside, floors, benches.  The libraries of ours are in $^ where allowed.
ALONE    = $(Q)$(CC) -std=gnu17 -D_GNU_SOURCE -I. -O2 -g $(WARN) -static -pthread -o $@ $(filter %.c %.a,$^)
PROGRAM  = $(patsubst %.c,$(OUT)/%,$(wildcard $(1)))
GUESTS  := $(patsubst tests/live/guests/%.c,$(OUT)/guests/%,$(wildcard tests/live/guests/*.c))
BENCHES := $(filter-out %/harness %/walls,$(call PROGRAM,bench/*.c bench/floor/*.c bench/guests/*.c))

all: $(OUT)/sandlock $(OUT)/libsandlock.a

# Keeper and child share memory after a raw clone: nothing there may touch thread-local or sanitizer
# state, and tools/lint/check-child-symbols.sh holds the objects to it.
$(call OBJ,$(wildcard core/child/*.c)): ALL_CFLAGS += -fno-sanitize=all -fno-stack-protector \
	-fno-builtin -U_FORTIFY_SOURCE $(if $(filter clang,$(CC)),,-fno-tree-loop-distribute-patterns)
$(call OBJ,$(wildcard core/base/*.c bpf/*.c)): ALL_CFLAGS += -Wconversion

$(OUT)/%.o: %.c Makefile
	$(call SAY,CC)
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(OUT)/libsandlock.a: $(call OBJ,$(CORE))
	$(call SAY,AR)
	$(Q)rm -f $@ && $(AR) rcsD $@ $(sort $^)

$(OUT)/sandlock: $(call OBJ,$(CLI)) $(OUT)/libsandlock.a
	$(call SAY,LD)
	$(Q)$(CC) $(ALL_CFLAGS) $(STATIC) $(WRAPS) -o $@ $^ $(LIBS)

$(OUT)/unit-tests: $(call OBJ,$(UNIT) bench/harness.c $(PARTS)) $(OUT)/libsandlock.a
	$(call SAY,LD)
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $^ $(CHECKER) $(LIBS) -lm

$(OUT)/live-tests: $(call OBJ,$(LIVE)) $(OUT)/libsandlock.a
	$(call SAY,LD)
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $^ $(CHECKER) $(LIBS)

$(OUT)/mutate-bpf: $(call OBJ,$(wildcard tools/mutate-bpf*.c)) $(OUT)/libsandlock.a
	$(call SAY,LD)
	$(Q)$(CC) $(ALL_CFLAGS) $(STATIC) -o $@ $^

# A fuzz target is built by tools/ci/fuzz.sh with clang, in a variant of its own.
$(OUT)/tests/fuzz/%: $(OUT)/tests/fuzz/%.o $(call OBJ,$(PARTS)) $(OUT)/libsandlock.a
	$(call SAY,LD)
	$(Q)$(CC) $(ALL_CFLAGS) -fsanitize=fuzzer -o $@ $^ $(LIBS)

$(OUT)/guests/%: tests/live/guests/%.c $(wildcard tests/live/guests/*.h) Makefile
	$(call SAY,CC)
	$(ALONE)

# Our own code under load: a part of the variant, sanitizers and all.
OWN_STRESS := $(patsubst %,$(OUT)/tests/stress/%,queue index inbox handover)
$(OWN_STRESS): %: %.o $(OUT)/libsandlock.a
	$(call SAY,LD)
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $^ $(LIBS)

$(OUT)/tests/stress/%: tests/stress/%.c Makefile
	$(call SAY,CC)
	$(ALONE)

# Floors and guests share no code with what they are compared against; the other benches use ours.
$(OUT)/bench/floor/%: bench/floor/%.c bench/floor/walls.c bench/floor/walls.h Makefile
	$(call SAY,CC)
	$(ALONE)

$(OUT)/bench/guests/%: bench/guests/%.c bench/calls.h Makefile
	$(call SAY,CC)
	$(ALONE)

$(OUT)/bench/%: bench/%.c bench/harness.c bench/harness.h bench/calls.h $(OUT)/libsandlock.a Makefile
	$(call SAY,CC)
	$(ALONE) $(LIBS) -lm

test: $(OUT)/unit-tests
	$(Q)$(OUT)/unit-tests --short-filename $(TESTFLAGS)

# Fault points exist in sanitizer builds and in the variant "faults"; the live tests need both kinds.
FAULTY  := $(if $(SAN)$(FAULTS),$(OUT),build/faults)/sandlock
live: $(OUT)/live-tests $(OUT)/sandlock $(GUESTS) $(if $(SAN)$(FAULTS),,faults)
	$(Q)SANDLOCK=$(OUT)/sandlock SANDLOCK_FAULTS=$(FAULTY) GUESTS=$(OUT)/guests \
		$(OUT)/live-tests --short-filename $(TESTFLAGS)

faults:
	+$(Q)$(MAKE) --no-print-directory FAULTS=1 JEMALLOC= DYNAMIC= build/faults/sandlock

stress: $(call PROGRAM,tests/stress/*.c) $(OUT)/sandlock $(GUESTS)
	$(Q)$(OUT)/tests/stress/start_kill $(OUT)/sandlock $(OUT)/guests \
		$(if $(filter full,$(SANDLOCK_COUNTS)),1000,50)
	$(Q)$(OUT)/tests/stress/queue $(if $(filter full,$(SANDLOCK_COUNTS)),10000000,500000)
	$(Q)$(OUT)/tests/stress/index $(if $(filter full,$(SANDLOCK_COUNTS)),4000000,200000)
	$(Q)$(OUT)/tests/stress/inbox $(if $(filter full,$(SANDLOCK_COUNTS)),400000,20000)
	$(Q)$(OUT)/tests/stress/handover $(if $(filter full,$(SANDLOCK_COUNTS)),1000000,20000)

bench: $(OUT)/sandlock $(BENCHES)
	$(Q)bench/run.sh $(OUT)

mutate-bpf: $(OUT)/mutate-bpf
	$(Q)$(OUT)/mutate-bpf

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

.PHONY: all test live faults stress bench mutate-bpf fuzz cross check format clean
.SECONDARY:
-include $(shell find $(OUT) -name '*.d' 2>/dev/null)
