# What one types; the work is done by scripts/ and CMake. `make` alone prints the list.
#   TORCH_DIR=FOLDER  build against this torch 2.11.0 instead of the one kept in the user's cache
#   JOBS=N            files compiled at a time (default: one a core, as far as memory goes)

BUILD := build
PREFIX ?= /usr/local
CONFIG ?= Release
export TORCH_DIR
JOBS ?= $(shell scripts/jobs.sh)
NINJA = ninja -C $(BUILD) -j$(JOBS)

.DEFAULT_GOAL := help
.PHONY: help setup configure build program demo test test-slow bench golden lint clean install

help: ## this list
	@echo 'make TARGET [TORCH_DIR=FOLDER] [JOBS=N]'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-10s %s\n", $$1, $$2}' Makefile

setup: ## install what is missing: Debian packages, LibTorch in ~/.cache/simmim
	@scripts/setup.sh

configure: setup
	@torch="$$(scripts/setup.sh --torch-dir)" && \
	  { [ -f $(BUILD)/build.ninja ] && grep -qxF "SIMMIM_TORCH_DIR:PATH=$$torch" $(BUILD)/CMakeCache.txt; } || \
	  cmake -S . -B $(BUILD) -G Ninja -DCMAKE_BUILD_TYPE=$(CONFIG) -DSIMMIM_TORCH_DIR="$$torch" --no-warn-unused-cli

build: configure ## everything, tests included, in build/
	@$(NINJA)

program: configure
	@$(NINJA) program

demo: program ## the sweep sweeps/demo.json on Fashion-MNIST: table, plot and pictures in results/demo/
	@scripts/demo.sh $(BUILD)/simmim

test: build ## every test that waits on no clock
	@scripts/test.sh $(BUILD) $(JOBS)

test-slow: configure ## the long ones: sanitizers, kill points, fuzzing, the report in a browser, a Slurm, MPI
	@scripts/setup.sh --slow
	@cmake $(BUILD) >/dev/null  # finds the MPI that may have come
	@$(NINJA)
	@scripts/test.sh $(BUILD) $(JOBS) slow

bench: program ## speed beside Hugging Face transformers, timm and torchvision, kept in results/bench/ (QUICK=1: a glance)
	@BENCH_COMMAND="make bench$(if $(QUICK), QUICK=1)" scripts/bench/run.sh $(BUILD) $(if $(QUICK),--quick)

golden: build ## compute the reference values of the tests anew and show what changed
	@scripts/golden.sh $(BUILD)

lint: configure ## format, includes, clang-tidy
	@scripts/lint.sh $(BUILD)

clean: ## remove build/; LibTorch and results stay
	@rm -rf $(BUILD)

install: program ## PREFIX=/usr/local: program, libraries, recipes
	@cmake --install $(BUILD) --prefix "$(PREFIX)"
