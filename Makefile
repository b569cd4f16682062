# Every command works on a fresh clone: it makes its virtual environment and installs what it needs.
PYTHON ?= python3
RESULTS ?= results
OUT ?= out
# Options for `python -m bench`, for example: make bench ARGS='--model *latency* --budget 300'
ARGS ?=
# The networks of `make figure`.
GROUP ?= @figure

# The environment of CPU targets, tests and tools; that of others, with versions of their own, lies in $(VENV)-PINS.
VENV := .venv
# Python compiles a module when it is first imported, unless told to keep no bytecode. pip would compile every module: the
# packages of `make bench` take 74 s then and 43 s without, on two cores of an AMD EPYC.
INSTALL = -m pip install --quiet --disable-pip-version-check $(if $(PYTHONDONTWRITEBYTECODE),,--no-compile)

# A target of devices/targets.toml needs an environment of devices/environments.toml: asked of the Python that is there,
# which answers with goals, such as `preflight-v100 .venv-v100/.installed-nvidia-v100`, or with one error line.
asked = $(or $(wildcard $(VENV)/bin/python),$(PYTHON))
goals = $(or $(shell { [ "$(asked)" != "$(PYTHON)" ] || { $(new_enough); }; } && "$(asked)" -S -m devices.environment for '$1' $(VENV) $(ARGS)),no-answer)
preflights := $(shell sed -n 's/^\[\(.*\)\]$$/preflight-\1/p' devices/environments.toml)
# What is pinned in a folder, and the Python of the folder that a target's goals name.
pins = constraints/$(if $(filter $(VENV),$1),cpu,$(patsubst $(VENV)-%,%,$1)).txt
test_packages = $(addsuffix .installed-gpu-test,$(dir $(filter $(VENV)/% $(VENV)-%,$(call goals,$1))))
python = $(dir $(filter $(VENV)/% $(VENV)-%,$^))bin/python
new_enough = "$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo 'error: Python 3.11 or newer is needed: found '"$$("$(PYTHON)" --version)"'; give one with PYTHON=...' >&2; exit 1; }

.DEFAULT_GOAL := help
.SECONDEXPANSION:
.PRECIOUS: .installed-% %/bin/python
.PHONY: $(preflights) help bench figure gallery report devices lanes-report test lint audit benchmarks trust faults fuzz format clean python-version no-answer on-the-host

help:
	@echo 'make bench        every network on this CPU, then table and chart in $(OUT)/'
	@echo 'make bench-v100   FP16, batch 64, on an NVIDIA V100'
	@echo 'make bench-t4     TensorRT INT8, batch 64, on an NVIDIA T4'
	@echo 'make bench-pixel2 single images on a Google Pixel 2 over adb'
	@echo 'make bench-NAME   any other target; `make devices` lists them'
	@echo 'make devices      each target, and whether it can run here or why not'
	@echo 'make lanes-report TARGET=NAME   one file to send back: how a GPU or phone target does on its hardware'
	@echo 'make figure TARGET=NAME   the networks of GROUP (@figure) on a target (cpu), drawn as in the published figure'
	@echo 'make host-NAME    this machine as a host of a fleet that measures target NAME (docs/fleet.md)'
	@echo 'make report       table and chart from the records in $(RESULTS)/'
	@echo 'make gallery      this machine on every target of its processor, as docs/results/ has them (an hour)'
	@echo 'make test         the tests'
	@echo 'make benchmarks   the suite itself: overhead, exports, start-up, as ratios to plain calls'
	@echo 'make faults       breaks the suite in every way, and writes docs/reliability.md'
	@echo 'make fuzz         every parser of outside data with made-up inputs, ten minutes each (docs/fuzzing.md)'
	@echo 'make trust        run-to-run spread beside plain peer loops, with and without a neighbour (an hour and a quarter)'
	@echo 'make lint         style, types, layers and security findings'
	@echo 'make audit        known vulnerabilities of what is installed, as osv.dev has them'
	@echo "Options go into ARGS:  make bench ARGS='--model *latency* --budget 300'"

bench: bench-cpu

bench-%: $$(call goals,$$*)
	@# A cell without a number fails the run; what was measured is rendered all the same.
	@$(python) -m bench $* --results $(RESULTS) $(ARGS) || { code=$$?; \
		[ ! -e $(RESULTS)/$*.jsonl ] || $(python) -m reports render --results $(RESULTS) --out $(OUT); exit $$code; }
	@$(if $(filter on-the-host,$^),$(python) -m devices.host.probe --results $(RESULTS))
	@$(python) -m reports render --results $(RESULTS) --out $(OUT)

figure: figure-$(or $(TARGET),cpu)

# As with a sweep: where a network could not be measured, the others are drawn all the same.
figure-%: $$(call goals,$$*)
	@$(python) -m bench $* --model '$(GROUP)' --results $(RESULTS) $(ARGS); code=$$?; [ ! -e $(RESULTS)/$*.jsonl ] || \
		$(python) -m reports figure --model '$(GROUP)' --results $(RESULTS) --out $(OUT) || code=$$?; exit $$code

# What a host of a fleet needs: the environment of a target that is measured there, and Ray (docs/fleet.md).
host-%: $$(call goals,$$*) $(VENV)/.installed-cpu $(VENV)/.installed-fleet
	@echo 'this machine can measure $* as a host of a fleet: see docs/fleet.md'

# The tests' own packages come on top of what the target needs, in the same environment.
lanes-report: lanes-report-$(or $(TARGET),no-target)

lanes-report-no-target:
	@echo 'error: no target: give one whose hardware is here, for example make lanes-report TARGET=t4' >&2; exit 1

lanes-report-%: $$(call goals,$$*) | $$(call test_packages,$$*)
	@$(python) -m tools.lanes_report $* $(ARGS)

report: $(VENV)/.installed-cpu
	$(VENV)/bin/python -m reports render --results $(RESULTS) --out $(OUT) $(ARGS)

gallery: $(VENV)/.installed-cpu $(VENV)/.installed-phone $(VENV)/.installed-openvino $(VENV)/.installed-trained
	$(VENV)/bin/python -m tools.gallery make $(ARGS)

devices: $(VENV)/.installed-cpu
	$(VENV)/bin/python -m devices $(ARGS)

test: $(VENV)/.installed-cpu $(VENV)/.installed-test $(VENV)/tensorrt-wheels
	$(VENV)/bin/python -m pytest $(ARGS)

lint: $(VENV)/.installed-cpu $(VENV)/.installed-lint
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(VENV)/bin/bandit --quiet --configfile pyproject.toml --recursive system models exporters devices bench reports studies tools

audit: $(VENV)/.installed-cpu $(VENV)/.installed-audit
	$(VENV)/bin/pip-audit --vulnerability-service osv --local --skip-editable $(ARGS)

trust: $(VENV)/.installed-cpu $(VENV)/.installed-phone
	$(VENV)/bin/python -m studies.trust.peers $(ARGS)

faults: $(VENV)/.installed-cpu $(VENV)/.installed-test
	$(VENV)/bin/python -m tests.faults $(ARGS)

# atheris has wheels for Linux and for few Pythons.
fuzz: $(VENV)/.installed-cpu $(VENV)/.installed-test $(VENV)/.installed-fuzz
	$(VENV)/bin/python -m tests.fuzz $(ARGS)

benchmarks: $(VENV)/.installed-cpu $(VENV)/.installed-benchmarks
	$(VENV)/bin/python -m pytest -o addopts="" -p no:anyio -q -s studies/overhead --benchmark-columns=min,median,rounds $(ARGS)

format: $(VENV)/.installed-lint
	$(VENV)/bin/ruff check --fix
	$(VENV)/bin/ruff format

# The environments and the cache; never the results.
clean:
	rm -rf $(VENV) $(VENV)-* artifacts

# The version is asked only where there is no environment yet: one that is there may come from another PYTHON.
%/bin/python: | $$(if $$(wildcard $$@),,python-version)
	"$(PYTHON)" -m venv $*

python-version:
	@$(new_enough)

no-answer:
	@exit 1

on-the-host: ;

# FOLDER/.installed-EXTRA: an extra of pyproject.toml in the versions that the folder's environment pins.
.installed-%: pyproject.toml $$(call pins,$$(@D)) | $$(@D)/bin/python
	$(@D)/bin/python $(INSTALL) -c $(call pins,$(@D)) -e '.[$(*F)]'
	@touch $@

# What an environment needs beside Python: wheels for this one, and its hardware.
$(preflights): preflight-%: python-version
	@"$(PYTHON)" -m devices.environment preflight $* $(VENV) $(ARGS)

# TensorRT's bindings without TensorRT: the tests check our use of its API against three versions of them. Not every
# version has a wheel for every Python; what is left out is said here and by the tests.
$(VENV)/tensorrt-wheels: constraints/tensorrt-bindings.txt | $(VENV)/bin/python
	@mkdir -p $@
	@sed 's/ *#.*//; /^$$/d' $< | while read -r wheel; do \
		said=$$($(VENV)/bin/python -m pip download --disable-pip-version-check --no-deps --dest $@ "$$wheel" 2>&1) && \
		echo "$$said" | sed -n '/^Ignoring/p' || { echo "left out: $$wheel:"; echo "$$said" | tail -n 1; }; done
	@touch $@
