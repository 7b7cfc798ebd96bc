# What a person or CI types. Each target does its own set-up: it installs what is missing, configures once and builds
# what changed. Everything that is made lies below build/, in one folder for each preset of CMakePresets.json, but for
# the link ./cweb.

PRESETS := release debug asan tsan
JOBS ?= $(shell nproc)
# Most tests wait for what they have asked a server to do, so that one more than there are processors keeps all of them
# busy.
TEST_JOBS ?= $(shell expr $(JOBS) + 1)
# `make fuzz` gives each target this long.
FUZZ_SECONDS ?= 60
# For `make install`.
PREFIX ?= /usr/local
# For `make run`, as in: make run ARGS='--port 9000 --threads 1'
ARGS ?=

# Our C++. The C that modules see and are (include/, modules/, tests/cases/) has a layout of its own.
PARTS := src runtime jit
SOURCES = $(shell find $(PARTS) tests \( -name '*.cpp' -o -name '*.h' \) -print)

SCRIPTS := production.sh packaging/entrypoint cmake/install-dependencies tests/container/run tests/install/run tests/fuzz/run .ci/run

# Steps follow each other; the parallel work is Ninja's and CTest's.
.NOTPARALLEL:
.DEFAULT_GOAL := all
.PHONY: all run install container-test test check fuzz bench format lint clean help $(PRESETS:%=suite-%) deps-build deps-test deps-lint deps-bench deps-container

all: deps-build build/release/build.ninja  ## build the server and leave ./cweb as a link to it
	@cmake --build --preset release --parallel $(JOBS) --target cweb
	@ln -sfn build/release/cweb cweb

run: all  ## build and serve on 127.0.0.1:8080, keeping modules in .cweb/modules; further options in ARGS='...'
	@mkdir -p .cweb
	@exec ./cweb serve --modules .cweb/modules $(ARGS)

install: all  ## install below PREFIX=/usr/local, or for a package below DESTDIR: binary, cweb.h, documents, systemd unit
	@DESTDIR=$(DESTDIR) cmake --install build/release --strip --prefix $(PREFIX)

container-test: all deps-container  ## build the image's last stage without an engine and start it in a chroot; root only
	@cmake --build --preset release --parallel $(JOBS) --target cweb_self_contained
	@tests/container/run

test: suite-release suite-asan suite-tsan  ## the whole suite, then with address and undefined, then with thread sanitizer

check: suite-release  ## the suite in the release preset alone

fuzz: deps-build deps-test build/fuzz/build.ninja  ## run the fuzz targets one after the other, FUZZ_SECONDS=60 each
	@cmake --build --preset fuzz --parallel $(JOBS) --target fuzz
	@FUZZ_SECONDS=$(FUZZ_SECONDS) tests/fuzz/run

# Configured anew, because installing may have brought what a peer is built with.
bench: deps-build deps-bench  ## measure beside nginx, h2o, gcc and tcc; one group with ONLY=keepalive, its rounds with ROUNDS=n
	@cmake --preset release >/dev/null
	@cmake --build --preset release --parallel $(JOBS) --target bench_programs
	@exec /usr/bin/python3 tests/bench/bench.py $(if $(ROUNDS),--rounds $(ROUNDS)) $(ONLY)

format: deps-lint  ## lay the C++ sources out with clang-format
	@clang-format-19 -i $(SOURCES)

lint: deps-build deps-lint build/release/build.ninja  ## check layout with clang-format, the sources with clang-tidy and scripts with shellcheck
	@clang-format-19 --dry-run -Werror $(SOURCES)
	@# Some sources include what the build generates.
	@cmake --build --preset release --parallel $(JOBS)
	@shellcheck $(SCRIPTS)
	@find $(PARTS) -name '*.cpp' -print0 | xargs -0 -n 1 -P $(JOBS) clang-tidy-19 --quiet -p build/release

clean:  ## remove everything that was built
	rm -rf build cweb

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*##  *\(.*\)/make \1#\2/p' $(MAKEFILE_LIST) | while IFS='#' read -r target text; do \
	printf '%-12s %s\n' "$$target" "$$text"; done

# suite-PRESET: everything that the preset's tests need, and the tests. CTest prints its summary at the end.
$(PRESETS:%=suite-%): suite-%: deps-build deps-test build/%/build.ninja
	cmake --build --preset $* --parallel $(JOBS)
	ctest --preset $* --parallel $(TEST_JOBS)

# Configured once; from then on Ninja sees itself when a CMake file has changed.
$(PRESETS:%=build/%/build.ninja) build/fuzz/build.ninja: build/%/build.ninja: CMakePresets.json | deps-build
	cmake --preset $*
	@touch $@

deps-build deps-test deps-lint deps-bench deps-container: deps-%:
	@cmake/install-dependencies $*
