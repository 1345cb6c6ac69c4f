# weir: `make help` lists what there is.
#
# Everything built goes below $(BUILD).  A sanitizer build is the same tree
# in another folder: make asan = make test BUILD=build/asan SANITIZE=address,undefined

BUILD    ?= build
PYTHON   ?= /usr/bin/python3
# End-to-end tests mostly wait, so more of them than cores run at once.
E2E_JOBS ?= 6
OPT      ?= -O2
SANITIZE ?=
V        ?=
ifeq ($(origin CC),default)
CC := gcc
endif

# One short line a step; V=1 shows the commands.
step = $(if $(V),,@echo "  $(1)	$(2)";)

WARN    := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes \
           -Wmissing-prototypes -Wpointer-arith -Wvla -Wwrite-strings \
           -Wformat=2 -Wundef
DEFINES := -D_GNU_SOURCE
# Function pages of a library are found by the linker, and hardened as the
# distribution hardens its own.
CFLAGS_ALL := -std=c11 -g $(OPT) $(WARN) $(DEFINES) -Iinclude -fPIC \
              -fstack-protector-strong $(CFLAGS)
LDFLAGS_ALL := $(LDFLAGS)
ifneq ($(SANITIZE),)
CFLAGS_ALL  += -fsanitize=$(SANITIZE) -fno-omit-frame-pointer
# These bring a malloc of their own.
CFLAGS_ALL  += $(if $(findstring address,$(SANITIZE))$(findstring thread,$(SANITIZE)),-DWEIR_SANITIZED_MALLOC)
LDFLAGS_ALL += -fsanitize=$(SANITIZE)
else
CFLAGS_ALL  += $(if $(filter -O0,$(OPT)),,-D_FORTIFY_SOURCE=2)
LDFLAGS_ALL += -Wl,-z,relro,-z,now
endif

CORE_PKGS := libcurl libcjson yaml-0.1 libpcre2-8 libcrypto
HOST_PKGS := lua5.4
# Loaded by the program itself when they are needed (include/weir/late.h).
LATE_PKGS := sqlite3 libmicrohttpd libedit
CORE_LATE_PKGS := libarchive
# Most of a short run is the dynamic loader looking for the names of libcrypto
# and libc, which all that libcurl brings asks for, and of GnuTLS where libcurl
# brings that (for RTMP); it looks in this order.
FIRST_PKGS := libcrypto
FIRST_LIBS  = -lc $(shell ldd "$$(pkg-config --variable=libdir libcurl)/libcurl.so" \
    2>/dev/null | awk '/libgnutls/ { print $$3 }')
TEST_PKGS := cmocka
CORE_CFLAGS = $(shell pkg-config --cflags $(CORE_PKGS) $(CORE_LATE_PKGS))
CORE_LIBS   = $(shell pkg-config --libs $(CORE_PKGS)) -lm
# Lua's headers are in these flags and in no others: the core cannot see them.
HOST_CFLAGS = $(shell pkg-config --cflags $(HOST_PKGS) $(LATE_PKGS)) -Isrc/bind -Isrc/sim
HOST_LIBS   = $(shell pkg-config --libs $(HOST_PKGS)) -lpthread -ldl

CORE_SRC := $(wildcard src/core/*.c)
HOST_SRC := $(wildcard src/bind/*.c src/sim/*.c src/host/*.c)
UNIT_SRC := $(wildcard tests/unit/*.c)
UNIT_SUP := $(wildcard tests/unit/support/*.c)
FUZZ_SRC := $(wildcard tests/fuzz/*.c)
LUA_SRC  := $(sort $(wildcard lua/weir/*.lua lua/cxone/*.lua lua/sim/*.lua \
    lua/check/*.lua lua/types/*.lua lua/doctor/*.lua lua/bundle/*.lua \
    lua/config/*.lua lua/weir/repl/*.lua \
    lua/meta/*.lua lua/meta/*/*.lua))

CORE_OBJ := $(CORE_SRC:%.c=$(BUILD)/%.o)
HOST_OBJ := $(HOST_SRC:%.c=$(BUILD)/%.o) $(BUILD)/lua/sources.o
SUP_OBJ  := $(UNIT_SUP:%.c=$(BUILD)/%.o)
UNIT_BIN := $(UNIT_SRC:tests/unit/%.c=$(BUILD)/tests/unit/%)
FUZZ_BIN := $(FUZZ_SRC:tests/fuzz/%.c=$(BUILD)/tests/fuzz/%)

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all docs demo test unit lua-test e2e seeds fuzz fuzz-targets asan lint \
    format setup clean help install uninstall deb try-deb bench tsan tsan-run soak \
    torture torture-core torture-sweep valgrind

all: $(BUILD)/weir ## build the program and the library

help: ## this list
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | \
	    awk -F'|' '{ printf "%-18s %s\n", $$1, $$2 }'

# ---- setting up ----

setup: ## install what is missing to build, test and lint (Debian)
	@scripts/setup build test lint

# The two commands of the README install what they need; a build alone does
# not touch the machine.
demo: ## install what is missing, build, deploy a filter to the simulator
	@scripts/setup build
	@$(MAKE) --no-print-directory -j$$(nproc) all
	$(BUILD)/weir run --sim examples/deploy_filter.lua

# ---- building ----

$(BUILD)/libweir.a: $(CORE_OBJ)
	@rm -f $@
	$(call step,AR,$@)$(AR) rcs $@ $^

$(BUILD)/weir: $(HOST_OBJ) $(BUILD)/libweir.a
	$(call step,LD,$@)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -rdynamic -o $@ \
	    -Wl,--push-state,--no-as-needed $(shell pkg-config --libs $(FIRST_PKGS)) \
	    $(FIRST_LIBS) -Wl,--pop-state $^ $(HOST_LIBS) $(CORE_LIBS)

$(BUILD)/src/core/%.o: src/core/%.c
	@mkdir -p $(@D)
	$(call step,CC,$<)$(CC) $(CFLAGS_ALL) $(CORE_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/src/%.o: src/%.c
	@mkdir -p $(@D)
	$(call step,CC,$<)$(CC) $(CFLAGS_ALL) $(HOST_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/embed: scripts/embed.c
	@mkdir -p $(@D)
	$(call step,CC,$<)$(CC) -std=c11 $(DEFINES) -O1 $(HOST_CFLAGS) -o $@ $< \
	    $(HOST_LIBS)

# The list of files is a prerequisite too: a file that goes must go from the
# program.
$(BUILD)/lua/files: FORCE
	@mkdir -p $(@D)
	@echo '$(LUA_SRC)' | cmp -s - $@ || echo '$(LUA_SRC)' > $@
FORCE:

$(BUILD)/lua/sources.c: $(BUILD)/embed $(BUILD)/lua/files $(LUA_SRC)
	$(call step,EMBED,$@)$(BUILD)/embed lua $(LUA_SRC) > $@

$(BUILD)/lua/sources.o: $(BUILD)/lua/sources.c src/bind/bind.h
	$(call step,CC,$<)$(CC) $(CFLAGS_ALL) $(HOST_CFLAGS) -c -o $@ $<

# ---- installing ----

PREFIX     ?= /usr/local
DESTDIR    ?=
BINDIR     ?= $(PREFIX)/bin
LIBDIR     ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
DATADIR    ?= $(PREFIX)/share
VERSION     = $(shell sed -n 's/.*WEIR_VERSION "\(.*\)"/\1/p' \
                  include/weir/version.h)
HEADERS    := $(wildcard include/weir/*.h)
STUBS      := $(wildcard lua/meta/*.lua lua/meta/*/*.lua)

$(BUILD)/weir.1: $(BUILD)/weir
	$(call step,MAN,$@)$(BUILD)/weir help --man > $@

$(BUILD)/docs/README.md: $(BUILD)/weir $(wildcard scripts/docs/*.lua)
	@rm -rf $(@D) && mkdir -p $(@D)
	$(call step,DOCS,$(@D))$(BUILD)/weir run scripts/docs/make.lua $(@D)

docs: $(BUILD)/docs/README.md ## the API reference: Markdown and weir-lua(7)

install: all docs $(BUILD)/weir.1 ## program, library, headers, manual, stubs: PREFIX= DESTDIR=
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(LIBDIR)/pkgconfig \
	    $(DESTDIR)$(INCLUDEDIR)/weir $(DESTDIR)$(DATADIR)/man/man1 \
	    $(DESTDIR)$(DATADIR)/man/man7 $(DESTDIR)$(DATADIR)/doc/weir
	install $(BUILD)/weir $(DESTDIR)$(BINDIR)/weir
	install -m 644 $(BUILD)/libweir.a $(DESTDIR)$(LIBDIR)/libweir.a
	install -m 644 $(HEADERS) $(DESTDIR)$(INCLUDEDIR)/weir
	install -m 644 $(BUILD)/weir.1 $(DESTDIR)$(DATADIR)/man/man1/weir.1
	install -m 644 $(BUILD)/docs/weir-lua.7 $(DESTDIR)$(DATADIR)/man/man7
	install -m 644 $(BUILD)/docs/*.md $(DESTDIR)$(DATADIR)/doc/weir
	for stub in $(STUBS:lua/meta/%=%); do install -D -m 644 \
	    lua/meta/$$stub $(DESTDIR)$(DATADIR)/weir/meta/$$stub || exit; done
	sed -e 's|@prefix@|$(PREFIX)|' -e 's|@version@|$(VERSION)|' \
	    -e 's|@libdir@|$(LIBDIR)|' -e 's|@includedir@|$(INCLUDEDIR)|' \
	    -e 's|@requires@|$(CORE_PKGS)|' scripts/weir.pc.in \
	    > $(DESTDIR)$(LIBDIR)/pkgconfig/weir.pc

uninstall: ## removes what install put there
	rm -rf $(DESTDIR)$(INCLUDEDIR)/weir $(DESTDIR)$(DATADIR)/weir \
	    $(DESTDIR)$(DATADIR)/doc/weir
	rm -f $(DESTDIR)$(BINDIR)/weir $(DESTDIR)$(LIBDIR)/libweir.a \
	    $(DESTDIR)$(LIBDIR)/pkgconfig/weir.pc \
	    $(DESTDIR)$(DATADIR)/man/man1/weir.1 \
	    $(DESTDIR)$(DATADIR)/man/man7/weir-lua.7

# ---- packaging ----

DEB_DIR ?= $(BUILD)/deb
# What try-deb runs there.
TRY     ?= examples/deploy_filter.lua

deb: all docs $(BUILD)/weir.1 ## a Debian package, in build/deb
	@scripts/setup build deb
	@rm -rf $(DEB_DIR)
	$(call step,DEB,$(DEB_DIR))$(MAKE) -s install PREFIX=/usr \
	    DESTDIR=$(abspath $(DEB_DIR))/root >/dev/null
	@CC="$(CC)" scripts/deb --stage $(DEB_DIR)/root --version $(VERSION) \
	    --late "$(LATE_PKGS) $(CORE_LATE_PKGS)" --output $(DEB_DIR)

try-deb: deb ## install the package on a clean Debian 12, run it there (root)
	@scripts/setup build soak
	@rm -f $(DEB_DIR)/try.*
	$(BUILD)/weir key new --no-password --dir $(DEB_DIR) try >/dev/null
	@{ echo 'weir.needs { net = { "tenant" }, mutate = true,'; \
	    echo '  write = { "filter_state_export.yaml" } }'; \
	    tail -n +2 examples/deploy_filter.lua; } > $(DEB_DIR)/try.lua
	$(BUILD)/weir bundle create $(DEB_DIR)/try.lua --sign $(DEB_DIR)/try.key \
	    --version 1.0.0 --output $(DEB_DIR)/try.weir
	scripts/try-deb --key $(DEB_DIR)/try.pub $(DEB_DIR)/weir_$(VERSION)_*.deb \
	    $(TRY) $(DEB_DIR)/try.weir

# ---- testing ----

test: ## run every test: unit, lua, e2e, torture (installs what they need)
	@scripts/setup build test
	@$(MAKE) --no-print-directory -j$$(nproc) all $(UNIT_BIN) $(FUZZ_BIN) \
	    $(BUILD)/tests/torture/core $(BUILD)/tests/torture/shim.so
	@$(MAKE) --no-print-directory unit lua-test e2e torture-core
	@$(MAKE) --no-print-directory torture-sweep TORTURE=60

$(BUILD)/tests/unit/support/%.o: tests/unit/support/%.c
	@mkdir -p $(@D)
	$(call step,CC,$<)$(CC) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

# A unit test links libweir and nothing of Lua.
$(BUILD)/tests/unit/%: tests/unit/%.c $(SUP_OBJ) $(BUILD)/libweir.a
	@mkdir -p $(@D)
	$(call step,CC,$<)$(CC) $(CFLAGS_ALL) -Wno-missing-prototypes -Itests/unit/support \
	    $(shell pkg-config --cflags $(TEST_PKGS)) $(LDFLAGS_ALL) \
	    -MMD -MP -o $@ $< $(SUP_OBJ) $(BUILD)/libweir.a $(CORE_LIBS) \
	    $(shell pkg-config --libs $(TEST_PKGS)) -lpthread

unit: $(UNIT_BIN) seeds ## run the C tests of the core, and the fuzz seeds
	@scripts/run-unit $(UNIT_BIN)

lua-test: $(BUILD)/weir ## run the Lua tests inside weir
	$(BUILD)/weir run --sim tests/lua/run.lua

e2e: $(BUILD)/weir ## run the program against real sockets
	WEIR=$(abspath $(BUILD)/weir) SANITIZE=$(SANITIZE) $(PYTHON) -m pytest -q -n $(E2E_JOBS) \
	    -c tests/e2e/pytest.ini tests/e2e

# ---- fuzzing ----

# A target is linked with a main that replays files, or with libFuzzer's.
FUZZ_MAIN    ?= $(BUILD)/tests/fuzz/support/replay.o
FUZZ_LINK    ?=
FUZZ_SECONDS ?= 600
FUZZ_JOBS    ?= 2
FUZZ_SEED    ?= 0
FUZZ         ?= $(FUZZ_SRC:tests/fuzz/%.c=%)

$(BUILD)/tests/fuzz/support/%.o: tests/fuzz/support/%.c
	@mkdir -p $(@D)
	$(call step,CC,$<)$(CC) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

$(BUILD)/tests/fuzz/answer: $(BUILD)/tests/fuzz/support/wire.o
$(BUILD)/tests/fuzz/%: tests/fuzz/%.c $(BUILD)/tests/fuzz/support/fuzz.o \
    $(FUZZ_MAIN) $(SUP_OBJ) $(BUILD)/libweir.a
	@mkdir -p $(@D)
	$(call step,CC,$<)$(CC) $(CFLAGS_ALL) $(CORE_CFLAGS) -Isrc/core \
	    -Itests/fuzz/support -Itests/unit/support $(LDFLAGS_ALL) $(FUZZ_LINK) \
	    -MMD -MP -o $@ $(filter-out %.h,$^) $(CORE_LIBS) \
	    $(shell pkg-config --libs $(TEST_PKGS))

seeds: $(FUZZ_BIN) ## run the fuzz targets over their seeds
	@set -e; for target in $(FUZZ_BIN); do \
	    scripts/fuzz --replay $$target; done

fuzz-targets: $(FUZZ_BIN)

fuzz: ## fuzz the core (FUZZ_SECONDS=600 each, FUZZ_JOBS=2, FUZZ="json url")
	@scripts/setup build test fuzz
	@$(MAKE) --no-print-directory -j$$(nproc) BUILD=build/fuzz CC=clang OPT=-O1 \
	    SANITIZE=address,undefined,fuzzer-no-link FUZZ_MAIN= \
	    FUZZ_LINK=-fsanitize=fuzzer fuzz-targets
	@scripts/fuzz --seconds $(FUZZ_SECONDS) --jobs $(FUZZ_JOBS) \
	    --seed $(FUZZ_SEED) $(FUZZ:%=build/fuzz/tests/fuzz/%)

soak: $(BUILD)/weir ## 10,000 filters under random faults (SOAK_N=…); try-deb
	WEIR=$(abspath $(BUILD)/weir) $(PYTHON) tests/e2e/soak.py $(SOAK_N)
	@if [ "$$(id -u)" = 0 ]; then $(MAKE) --no-print-directory try-deb; \
	    else echo "soak: try-deb is left out: it needs root"; fi

# ---- want of memory ----

TORTURE      ?= stacks
TORTURE_JOBS ?= $(shell nproc)
TORTURE_PART ?= 1/1
TORTURE_OBJ  := $(patsubst %,$(BUILD)/tests/torture/%.o,core pure ops)

# Stands before a sanitizer's malloc, and so is never built with one.
$(BUILD)/tests/torture/shim.o: tests/torture/shim.c tests/torture/shim.h
	@mkdir -p $(@D)
	$(call step,CC,$<)$(CC) -std=c11 -g -O2 $(WARN) $(DEFINES) -fPIC -c -o $@ $<

$(BUILD)/tests/torture/shim.so: $(BUILD)/tests/torture/shim.o
	$(call step,LD,$@)$(CC) -shared -shared-libgcc -o $@ $< -ldl

$(TORTURE_OBJ): $(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(call step,CC,$<)$(CC) $(CFLAGS_ALL) -Itests/unit/support -MMD -MP -c -o $@ $<

$(BUILD)/tests/torture/core: $(TORTURE_OBJ) $(BUILD)/tests/torture/shim.o \
    $(SUP_OBJ) $(BUILD)/libweir.a
	$(call step,LD,$@)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -rdynamic \
	    -shared-libgcc -o $@ $^ $(CORE_LIBS) \
	    $(shell pkg-config --libs $(TEST_PKGS)) -lpthread -ldl

torture-core: $(BUILD)/tests/torture/core ## the core, each allocation failing in turn
	$(BUILD)/tests/torture/core

torture-sweep: $(BUILD)/weir $(BUILD)/tests/torture/shim.so
	$(PYTHON) tests/torture/sweep.py --weir $(BUILD)/weir --jobs $(TORTURE_JOBS) \
	    --shim $(BUILD)/tests/torture/shim.so --pick $(TORTURE) --part $(TORTURE_PART)

torture: ## the core and whole runs, allocations failing (TORTURE=stacks|all|N)
	@scripts/setup build test
	@$(MAKE) --no-print-directory -j$$(nproc) all torture-core
	@$(MAKE) --no-print-directory torture-sweep

# ---- memcheck ----

VALGRIND_JOBS ?= $(shell nproc)
# What is written before the end of a program and still pointed to is no leak.
VALGRIND = valgrind --quiet --error-exitcode=9 --leak-check=full \
    --show-leak-kinds=definite,indirect --errors-for-leak-kinds=definite,indirect \
    --suppressions=$(CURDIR)/tests/valgrind.supp

# Valgrind (3.19) answers every openat2(2) with ENOSYS.
NOT_VALGRIND = $(BUILD)/tests/unit/dir

$(BUILD)/weir-valgrind: $(BUILD)/weir Makefile
	@printf '#!/bin/sh\nexec $(VALGRIND) "$(abspath $(BUILD)/weir)" "$$@"\n' > $@
	@chmod +x $@

valgrind: ## the unit, Lua and main e2e tests under memcheck
	@scripts/setup build test valgrind
	@$(MAKE) --no-print-directory -j$$(nproc) all $(UNIT_BIN) $(BUILD)/weir-valgrind
	RUN="$(VALGRIND)" TEST_SHARE=50 UNIT_SECONDS=3600 UNIT_JOBS=$(VALGRIND_JOBS) \
	    scripts/run-unit $(filter-out $(NOT_VALGRIND),$(UNIT_BIN))
	TEST_SHARE=50 LUA_JOBS=$(VALGRIND_JOBS) scripts/run-lua $(BUILD)/weir-valgrind
	WEIR=$(abspath $(BUILD)/weir-valgrind) $(PYTHON) -m pytest -q -n $(VALGRIND_JOBS) \
	    -c tests/e2e/pytest.ini tests/e2e/test_road.py

asan: ## run every test under AddressSanitizer and UBSan
	@$(MAKE) --no-print-directory test BUILD=build/asan OPT=-O1 \
	    SANITIZE=address,undefined

bench: $(BUILD)/weir ## what weir costs beside a bare libcurl program
	@scripts/setup build bench
	scripts/bench-http --build $(BUILD)

# What has more than one thread: the program with the simulator, and the unit
# tests with a server of their own.  Reports go to files, so that none is lost
# with the stderr of a process that a test ends.
TSAN_UNIT := $(shell grep -lwE 'SERVER|SERVER_EACH|pthread_create' tests/unit/*.c)
TSAN_E2E  := $(wildcard tests/e2e/test_sim*.py) tests/e2e/test_road.py \
             tests/e2e/test_run.py tests/e2e/test_budgets.py
TSAN_LOG   = $(abspath $(BUILD))/race

tsan: ## run what has threads under ThreadSanitizer
	@scripts/setup build test
	@$(MAKE) --no-print-directory -j$$(nproc) BUILD=build/tsan OPT=-O1 \
	    SANITIZE=thread all $(TSAN_UNIT:%.c=build/tsan/%)
	@$(MAKE) --no-print-directory BUILD=build/tsan SANITIZE=thread tsan-run

tsan-run:
	@rm -f $(TSAN_LOG).*
	TSAN_OPTIONS=log_path=$(TSAN_LOG) scripts/run-unit $(TSAN_UNIT:%.c=$(BUILD)/%)
	TSAN_OPTIONS=log_path=$(TSAN_LOG) WEIR=$(abspath $(BUILD)/weir) \
	    SANITIZE=thread $(PYTHON) -m pytest -q -n $(E2E_JOBS) \
	    -c tests/e2e/pytest.ini $(TSAN_E2E)
	@if cat $(TSAN_LOG).* 2>/dev/null; then exit 1; fi

# ---- keeping it clean ----

lint: ## formats, static analysis, house rules
	@scripts/setup build test lint
	@scripts/lint

format: ## format the C sources in place
	clang-format -i $$(git ls-files '*.c' '*.h')

clean: ## remove everything built
	rm -rf build

-include $(CORE_OBJ:.o=.d) $(HOST_OBJ:.o=.d) $(SUP_OBJ:.o=.d) \
    $(UNIT_BIN:=.d) $(FUZZ_BIN:=.d) $(TORTURE_OBJ:.o=.d) \
    $(wildcard $(BUILD)/tests/fuzz/support/*.d)
