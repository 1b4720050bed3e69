# Interactions and item vectors in; a trained recommender, its metric report and its recommendations out.
#
# The manifest of a stage is make's target and the stage's only commit point, so an interrupted run leaves the old
# output whole. The text of a stage's options is a prerequisite too (RUN/.make): it is rewritten only when it changes.

SHELL       := bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS   += --no-builtin-rules
.SUFFIXES:
.DEFAULT_GOAL := all

# ---------------------------------------------------------------------------------------------------- variables
## DATA     folder with interactions.*, items.*, item_embeddings.npy, item_ids.txt; without it the built-in sample
## RUN      folder of the outputs (default work/NAME, NAME being that of DATA, or 'sample')
## PRESET   a name in Presets/ or the path of a .mk file (default h2rec; with the built-in sample: sample)
## SEED     seed of every stage (each program's default otherwise); the built-in sample has its own
## THREADS  threads of every stage (default: all processors); changes no output
## QUIET    1: no progress
## TIMES    1: times and memory of the stages on the report's run card; equal runs then give different reports
## PREPROCESS_OPTIONS, TOKENIZE_OPTIONS, TRAIN_OPTIONS, EVALUATE_OPTIONS, SAMPLE_OPTIONS
##          added to the options of the preset; see h2rec-STAGE --help
## BIN      folder of programs that are built already; nothing is compiled then

ifndef DATA
  IS_SAMPLE := yes
  RUN       ?= work/sample
  PRESET    ?= sample
  override DATA := $(RUN)/0-sample
else
  RUN       ?= work/$(notdir $(patsubst %/,%,$(DATA)))
  PRESET    ?= h2rec
endif
SAMPLE_OPTIONS     ?=
PREPROCESS_OPTIONS ?=
TOKENIZE_OPTIONS   ?=
TRAIN_OPTIONS      ?=
EVALUATE_OPTIONS   ?=

ifneq ($(words $(RUN) $(DATA) $(PRESET)),3)
  $(error DATA, RUN and PRESET must be single words without spaces; found DATA='$(DATA)' RUN='$(RUN)' PRESET='$(PRESET)')
endif
PRESET_FILE := $(if $(filter %.mk,$(PRESET)),$(PRESET),Presets/$(PRESET).mk)
ifeq ($(wildcard $(PRESET_FILE)),)
  $(error there is no preset '$(PRESET)'; choose one of: $(patsubst Presets/%.mk,%,$(wildcard Presets/*.mk)), or the path of a .mk file)
endif
include $(PRESET_FILE)

ifdef BIN
  BUILT :=
else
  BIN   := .build/release
  BUILT := .build/programs-built
endif
PROGRAMS := $(addprefix h2rec-,preprocess tokenize train evaluate)
SOURCES  := Package.swift $(wildcard Package.resolved) $(shell find Sources -type f)

# ------------------------------------------------------------------------------------------------ the pipeline
STAMPS       := $(RUN)/.make
PREPROCESSED := $(RUN)/1-preprocess/manifest.json
TOKENIZED    := $(RUN)/2-tokenize/manifest.json
TRAINED      := $(RUN)/3-train/manifest.json
EVALUATED    := $(RUN)/4-evaluate/manifest.json

ifdef IS_SAMPLE
  INTERACTIONS := $(DATA)/interactions.csv
  ITEMS        := $(DATA)/items.jsonl
  VECTORS      := $(DATA)/item_embeddings.npy
  VECTOR_IDS   := $(DATA)/item_ids.txt
  INPUTS       := $(STAMPS)/sample-made
  INPUT_STATE  :=
else
  INTERACTIONS := $(sort $(wildcard $(DATA)/interactions.*))
  ITEMS        := $(firstword $(sort $(wildcard $(DATA)/items.*)))
  VECTORS      := $(wildcard $(DATA)/item_embeddings.npy)
  VECTOR_IDS   := $(wildcard $(DATA)/item_ids.txt)
  INPUTS       := $(INTERACTIONS) $(ITEMS) $(VECTORS) $(VECTOR_IDS)
  # A file that is replaced by an older one is new input as well.
  INPUT_STATE  := $(shell stat --format='%s.%Y' $(INPUTS) 2>/dev/null)
endif

SEED_OPTION := $(if $(SEED),--seed $(SEED))
# make all shows the table itself, also when stage 4 has nothing to do.
SUMMARY_ONLY := $(if $(filter all,$(or $(MAKECMDGOALS),all)),| tail -n 1)
RUN_OPTIONS := $(if $(THREADS),--threads $(THREADS)) $(if $(QUIET),--quiet)
# What a stage prints is kept for TIMES=1; it is no output, since it differs between equal runs. The stage takes the place of
# the shell (exec), so that a signal that make passes on reaches it.
define RUN_STAGE
@mkdir -p $(STAMPS)/times
exec $(BIN)/h2rec-$(1) $(ARGUMENTS_$(1)) $(RUN_OPTIONS) >$(STAMPS)/times/$(1).json
@cat $(STAMPS)/times/$(1).json
endef
# A preset that needs no codes says so with WITHOUT_CODES := yes; its stages 3 and 4 read stage 1 alone.
CODES       := $(if $(WITHOUT_CODES),,$(TOKENIZED))
CODES_OPTION = $(if $(CODES),--codes $(RUN)/2-tokenize)

ARGUMENTS_sample     = $(strip --output $(DATA) $(SAMPLE_OPTIONS))
ARGUMENTS_preprocess = $(strip $(addprefix --interactions ,$(INTERACTIONS)) $(addprefix --items ,$(ITEMS)) \
  $(addprefix --vectors ,$(VECTORS)) $(addprefix --vector-ids ,$(VECTOR_IDS)) \
  --output $(RUN)/1-preprocess $(PRESET_PREPROCESS) $(SEED_OPTION) $(PREPROCESS_OPTIONS))
ARGUMENTS_tokenize   = $(strip --data $(RUN)/1-preprocess \
  --output $(RUN)/2-tokenize $(PRESET_TOKENIZE) $(SEED_OPTION) $(TOKENIZE_OPTIONS))
ARGUMENTS_train      = $(strip --data $(RUN)/1-preprocess $(CODES_OPTION) \
  --output $(RUN)/3-train $(PRESET_TRAIN) $(SEED_OPTION) $(TRAIN_OPTIONS))
ARGUMENTS_evaluate   = $(strip --data $(RUN)/1-preprocess $(CODES_OPTION) --model $(RUN)/3-train \
  --output $(RUN)/4-evaluate $(PRESET_EVALUATE) $(SEED_OPTION) \
  $(if $(TIMES),--run-times $(STAMPS)/times) $(EVALUATE_OPTIONS))

.PHONY: all sample preprocess tokenize train evaluate show
all: evaluate                 ## bring everything up to date, then show the metrics
	@$(BIN)/h2rec-evaluate show $(RUN)/4-evaluate
sample: $(if $(IS_SAMPLE),$(INPUTS)) ## write the built-in sample
preprocess: $(PREPROCESSED)   ## stage 1: sequences, splits, popularity groups, positive pairs
tokenize: $(CODES)            ## stage 2: codebooks and item codes
train: $(TRAINED)             ## stage 3: the model
evaluate: $(EVALUATED)        ## stage 4: report and recommendations
show:                         ## show the metrics of RUN again
	@$(BIN)/h2rec-evaluate show $(RUN)/4-evaluate

# Order-only on the build: a new program does not make old results wrong. A change of format does, and the stage
# that reads the old format refuses it; then use a rerun target.
$(STAMPS)/sample-made: $(STAMPS)/sample | $(BUILT)
	$(BIN)/h2rec-preprocess sample $(ARGUMENTS_sample) $(if $(QUIET),--quiet)
	@touch $@
$(PREPROCESSED): $(INPUTS) $(STAMPS)/preprocess | $(BUILT)
	$(if $(INTERACTIONS),,@printf '%s\n' "make: $(DATA): error: no file 'interactions.*'" \
	  "note: DATA is the folder that holds interactions.csv" >&2; exit 66)
	$(call RUN_STAGE,preprocess)
$(TOKENIZED): $(PREPROCESSED) $(STAMPS)/tokenize | $(BUILT)
	$(call RUN_STAGE,tokenize)
$(TRAINED): $(PREPROCESSED) $(CODES) $(STAMPS)/train | $(BUILT)
	$(call RUN_STAGE,train)
$(EVALUATED): $(PREPROCESSED) $(CODES) $(TRAINED) $(STAMPS)/evaluate | $(BUILT)
	$(BIN)/h2rec-evaluate $(ARGUMENTS_evaluate) $(RUN_OPTIONS) $(SUMMARY_ONLY)
# make deletes a target whose recipe is interrupted, unless it is precious.
.PRECIOUS: $(PREPROCESSED) $(TOKENIZED) $(TRAINED) $(EVALUATED)

# Forcing a stage = pretending that its options are new; the old output stays until the new one is whole.
.PHONY: rerun-preprocess rerun-tokenize rerun-train rerun-evaluate
rerun-preprocess: ; @rm -f $(STAMPS)/preprocess; $(MAKE) preprocess ## force stage 1
rerun-tokenize:   ; @rm -f $(STAMPS)/tokenize; $(MAKE) tokenize     ## force stage 2
rerun-train:      ; @rm -f $(STAMPS)/train; $(MAKE) train           ## force stage 3
rerun-evaluate:   ; @rm -f $(STAMPS)/evaluate; $(MAKE) evaluate     ## force stage 4

# Written when make starts on it and its text differs; left alone, with its time, otherwise.
# make -n takes a recipe for a change of its target, unless the recipe begins with '+'.
DRY_RUN = $(findstring n,$(firstword -$(MAKEFLAGS)))
# (strip, since GNU make 4.3 leaves the last line end of a long file.)
same = $(and $(findstring [$(1)],[$(2)]),$(findstring [$(2)],[$(1)]))
define STAMP
$(STAMPS)/$(1): FORCE | $(STAMPS)
	$$(if $$(call same,$$(call text,$(1)),$$(strip $$(file <$$@))),$$(if $$(DRY_RUN),+@:),$$(if $$(DRY_RUN),@:,$$(file >$$@,$$(call text,$(1)))))
endef
$(foreach stage,sample preprocess tokenize train evaluate,$(eval $(call STAMP,$(stage))))
text = $(strip $(ARGUMENTS_$(1)) $(if $(filter preprocess,$(1)),# $(INPUT_STATE)))
$(STAMPS):
	@mkdir -p $@
.PHONY: FORCE
FORCE:

# ------------------------------------------------------------------------------------------- building, checking
.PHONY: build dependencies test test-portable check sanitize format-check format lint docs man completions bench fuzz doctor clean clean-run help
build: $(BUILT)               ## compile the four programs
dependencies: .build/dependencies-installed ## install the Debian packages that are missing

.build/programs-built: $(SOURCES) .build/dependencies-installed $(if $(wildcard $(PROGRAMS:%=.build/release/%)),,FORCE)
	swift build --configuration release
	@touch $@
.build/dependencies-installed: Scripts/install-dependencies
	@Scripts/install-dependencies
	@mkdir -p $(@D); touch $@

test: .build/dependencies-installed ## build and run all tests
	swift test --disable-xctest
test-portable: .build/dependencies-installed ## repeat the numeric tests with the kernels of lesser processors
	@Scripts/test-portable
check: format-check lint build test docs ## what has to pass before a change is merged
sanitize: .build/dependencies-installed ## run the tests of memory and threads under each sanitizer
	@Scripts/sanitize
FORMATTED := Package.swift Sources Tests Benchmarks Fuzz
format-check:
	swift format lint --strict --parallel --recursive $(FORMATTED)
format:                       ## format all sources in place
	swift format --in-place --parallel --recursive $(FORMATTED)
lint:                         ## the rules that no compiler checks
	@Scripts/lint

docs: .build/dependencies-installed ## build the documentation of every library module; a warning is an error
	@Scripts/build-docs
man: .build/dependencies-installed ## write man pages to .build/man
	@Scripts/write-man-pages .build/man
completions: $(BUILT)         ## write shell completions to .build/completions
	@for program in $(PROGRAMS); do for shell in bash zsh fish; do mkdir -p .build/completions/$$shell; \
	  $(BIN)/$$program --generate-completion-script $$shell >.build/completions/$$shell/$$program; done; done
	@printf '%s\n' "completions: .build/completions"
## REFERENCE, REFERENCE_DATA  for bench: the PyTorch program and its prepared folder, to be timed in turn with ours
BENCH_BIN  := .build-benchmarks/release
REFERENCES := $(if $(REFERENCE),--reference $(REFERENCE) --reference-data $(REFERENCE_DATA))
bench: .build/dependencies-installed $(TOKENIZED) ## time shards, training steps and rankings; prints numbers, asserts nothing
	@mkdir -p .build-benchmarks/files
	H2REC_BENCHMARKS=1 swift build --configuration release --scratch-path .build-benchmarks
	$(BENCH_BIN)/shard-benchmark .build-benchmarks/files
	$(BENCH_BIN)/ranking-benchmark --users 65536 --ranks
	python3 Benchmarks/TrainingComparison/compare_with_reference.py --programs $(BENCH_BIN) \
	  --data $(RUN)/1-preprocess --codes $(RUN)/2-tokenize $(REFERENCES)
FUZZ_SECONDS ?= 60
FUZZ_READERS ?= shard log csv csv-without-header tsv movielens recbole jsonl items item-text numpy archive safetensors \
  text-vectors vector-ids codes times
fuzz: .build/dependencies-installed ## feed damaged inputs to every reader for FUZZ_SECONDS each (see Fuzz/README.md)
	H2REC_FUZZ=1 swift build --scratch-path .build-fuzz --product fuzz-shard-reader
	H2REC_FUZZ=1 swift build --scratch-path .build-fuzz --product fuzz-readers
	@for reader in $(FUZZ_READERS); do Scripts/fuzz "$$reader" $(FUZZ_SECONDS); done
doctor:                       ## check the tools of this machine, and switch on the git hooks
	@Scripts/doctor
clean:                        ## remove everything that was compiled
	rm -rf .build .build-docs .build-benchmarks .build-fuzz .build-sanitize
clean-run:                    ## remove the outputs of RUN, after asking
	@read -r -p "remove $(RUN)? [y/N] " answer; [[ $$answer == y ]] && rm -rf $(RUN)
help:                         ## list targets and variables
	@printf '%s\n' "Targets:"; sed -nE 's/^([a-z-]+):.*## (.*)/  \1\t\2/p' Makefile | expand -t 22
	@printf '\n%s\n' "Variables:"; sed -nE 's/^## ?/  /p' Makefile
	@printf '\n%s\n' "Presets: $(patsubst Presets/%.mk,%,$(wildcard Presets/*.mk))"
