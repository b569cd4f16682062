# The front door. Every command works on a fresh clone: it makes its virtual environment and installs what it needs.
PYTHON ?= python3
RESULTS ?= results
OUT ?= out
# Options for `python -m bench`, for example: make bench ARGS='--model *latency* --budget 300'
ARGS ?=

# A lane is a set of pinned versions (constraints/LANE.txt) that can share one environment. V100 and T4 need versions
# of their own, each in its own environment; everything else shares .venv.
lane = $(if $(filter v100%,$1),v100,$(if $(filter t4%,$1),t4,$(if $(filter gpu%,$1),gpu,cpu)))
extra = $(if $(filter pixel2% android% cpu-tflite%,$1),phone,$(call lane,$1))
venv = $(if $(filter cpu,$(call lane,$1)),.venv,.venv-$(call lane,$1))
python = $(call venv,$1)/bin/python
stamp = $(call venv,$1)/.installed-$(call extra,$1)
# Without a GPU or a phone there is nothing to install: ask before gigabytes are downloaded. Needs bare Python only.
preflight = $(if $(filter pixel2% android%,$1),preflight-phone,$(if $(filter cpu,$(call lane,$1)),,preflight-$(call lane,$1)))
card-v100 = Tesla V100
card-t4 = Tesla T4
INSTALL = -m pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.SECONDEXPANSION:
.PRECIOUS: .venv/.installed-% .venv-v100/.installed-% .venv-t4/.installed-% .venv-gpu/.installed-%
.PHONY: help bench report devices test lint benchmarks trust faults format clean python-version preflight-v100 preflight-t4 preflight-gpu preflight-phone

help:  ## what there is
	@echo 'make bench        every network on this CPU, then table and chart in $(OUT)/'
	@echo 'make bench-v100   FP16, batch 64, on an NVIDIA V100'
	@echo 'make bench-t4     TensorRT INT8, batch 64, on an NVIDIA T4'
	@echo 'make bench-pixel2 single images on a Google Pixel 2 over adb'
	@echo 'make bench-NAME   any other target; `make devices` lists them'
	@echo 'make devices      each target, and whether it can run here or why not'
	@echo 'make report       table and chart from the records in $(RESULTS)/'
	@echo 'make test         the tests'
	@echo 'make benchmarks   the suite itself: overhead, exports, start-up, as ratios to plain calls'
	@echo 'make faults       breaks the suite in every way, and writes docs/reliability.md'
	@echo 'make trust        run-to-run spread beside plain peer loops, with and without a neighbour (takes an hour and a half)'
	@echo 'make lint         style, types and layers'
	@echo "Options go into ARGS:  make bench ARGS='--model *latency* --budget 300'"

bench: bench-cpu

bench-%: $$(call preflight,$$*) $$(call stamp,$$*)
	@# A cell without a number fails the run; what was measured is rendered all the same.
	@$(call python,$*) -m bench $* --results $(RESULTS) $(ARGS) || { code=$$?; \
		[ ! -e $(RESULTS)/$*.jsonl ] || $(call python,$*) -m reports render --results $(RESULTS) --out $(OUT); exit $$code; }
	@$(if $(filter cpu%,$*),$(call python,$*) -m devices.host.probe --results $(RESULTS))
	@$(call python,$*) -m reports render --results $(RESULTS) --out $(OUT)

report: .venv/.installed-cpu
	.venv/bin/python -m reports render --results $(RESULTS) --out $(OUT) $(ARGS)

devices: .venv/.installed-cpu
	.venv/bin/python -m devices $(ARGS)

test: .venv/.installed-cpu .venv/.installed-test .venv/tensorrt-wheels
	.venv/bin/python -m pytest $(ARGS)

lint: .venv/.installed-cpu .venv/.installed-lint
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports

trust: .venv/.installed-cpu .venv/.installed-phone
	.venv/bin/python -m studies.trust.peers $(ARGS)

faults: .venv/.installed-cpu .venv/.installed-test
	.venv/bin/python -m tests.faults $(ARGS)

benchmarks: .venv/.installed-cpu .venv/.installed-benchmarks
	.venv/bin/python -m pytest -o addopts="" -p no:anyio -q -s studies/overhead --benchmark-columns=min,median,rounds $(ARGS)

format: .venv/.installed-lint
	.venv/bin/ruff check --fix
	.venv/bin/ruff format

clean:  ## the environments and the cache; never the results
	rm -rf .venv .venv-v100 .venv-t4 .venv-gpu artifacts

# The version is asked only where there is no environment yet: one that is there may come from another PYTHON.
%/bin/python: | $$(if $$(wildcard $$@),,python-version)
	$(PYTHON) -m venv $*

python-version:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo 'error: Python 3.11 or newer is needed: found '"$$($(PYTHON) --version)"'; give one with PYTHON=...' >&2; exit 1; }

.venv/.installed-%: pyproject.toml constraints/cpu.txt | .venv/bin/python
	.venv/bin/python $(INSTALL) -c constraints/cpu.txt -e '.[$*]'
	@touch $@

define lane_rule
.venv-$1/.installed-$1: pyproject.toml constraints/$1.txt | .venv-$1/bin/python
	.venv-$1/bin/python $(INSTALL) -c constraints/$1.txt -e '.[$1]'
	@touch $$@
endef
$(foreach lane,v100 t4 gpu,$(eval $(call lane_rule,$(lane))))

preflight-v100 preflight-t4 preflight-gpu: preflight-%: python-version
	@$(PYTHON) -m devices.nvidia.preflight $(if $(card-$*),"$(card-$*)")

preflight-phone: python-version
	@$(PYTHON) -m devices.phone.preflight $(ARGS)

# TensorRT's bindings without TensorRT: the tests check our use of its API against three versions of them.
.venv/tensorrt-wheels: constraints/tensorrt-bindings.txt | .venv/bin/python
	sed 's/ *#.*//' $< | xargs -n 1 .venv/bin/python -m pip download --quiet --disable-pip-version-check --no-deps --dest $@
	@touch $@
