# Interactions and item vectors in; a trained recommender, its metric report and its recommendations out.
#
# Make names the stages and their options. Each stage sees for itself whether its output is what it would make, so nothing
# is decided by the times of files, and no name of a file of the user is seen here.

SHELL       := bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS   += --no-builtin-rules
.SUFFIXES:
.DEFAULT_GOAL := all

# ---------------------------------------------------------------------------------------------------- variables
## DATA     folder with interactions.*, items.*, item_embeddings.*, item_ids.txt; without it the built-in sample
## RUN      folder of the outputs (default work/NAME, NAME being that of DATA, or 'sample')
## PRESET   a name in Presets/ or the path of a .mk file (default h2rec; with the built-in sample: sample)
## SEED     seed of every stage (each program's default otherwise); the built-in sample has its own
## THREADS  threads of every stage (default: all processors); changes no output
## QUIET    1: no progress and no tables
## TIMES    1: times and memory of the stages on the report's run card; equal runs then give different reports
## PREPROCESS_OPTIONS, TOKENIZE_OPTIONS, TRAIN_OPTIONS, EVALUATE_OPTIONS, SAMPLE_OPTIONS
##          added to the options of the preset; see h2rec-STAGE --help
## NIGHT_OPTIONS  for retrain: see h2rec-preprocess night --help
## BIN      folder of programs that are built already; nothing is compiled then

# The variables that a command line may set; a preset may add its own.
VARIABLES := DATA RUN PRESET SEED THREADS QUIET TIMES BIN PREPROCESS_OPTIONS TOKENIZE_OPTIONS TRAIN_OPTIONS \
  EVALUATE_OPTIONS SAMPLE_OPTIONS NIGHT_OPTIONS FILTER REFERENCE REFERENCE_DATA FUZZ_SECONDS FUZZ_READERS \
  ATTACK_SECONDS ATTACK_SEED ATTACK_KINDS DATASETS MODELS SEEDS AGAINST RESULTS

empty :=
space := $(empty) $(empty)
tab   := $(empty)	$(empty)
define newline


endef
# A text as one word of the shell, whatever is in it.
quote = '$(subst ','\'',$(1))'
# Paths are taken as they were given, without make's own substitutions; a space is kept as an unusual character.
given  = $(subst $(space),␠,$(value $(1)))
path   = $(subst ␠,$(space),$(patsubst ~/%,$(value HOME)/%,$(call given,$(1))))
# The last part of a path, also behind slashes at its end.
last   = $(lastword $(subst /, ,$(call given,$(1))))

ifneq ($(foreach name,DATA RUN BIN,$(findstring $(newline),$(value $(name)))$(findstring $(tab),$(value $(name)))$(findstring ␠,$(value $(name)))),$(space)$(space))
  $(error the paths DATA, RUN and BIN must not hold line ends, tabs and the character ␠)
endif
ifneq ($(value DATA),)
  override DATA := $(call path,DATA)
  PRESET ?= h2rec
  ifeq ($(value RUN),)
    ifneq ($(filter . .. ~,$(or $(call last,DATA),.)),)
      $(error the name of RUN cannot be told from DATA='$(DATA)'; give RUN=FOLDER as well)
    endif
    override RUN := work/$(subst ␠,$(space),$(call last,DATA))
  endif
else ifeq ($(origin DATA),command line)
  $(error DATA is empty; leave it out for the built-in sample)
else
  IS_SAMPLE := yes
  PRESET    ?= sample
  ifeq ($(value RUN),)
    override RUN := work/sample
  endif
endif
override RUN  := $(call path,RUN)
override DATA := $(if $(IS_SAMPLE),$(RUN)/0-sample,$(value DATA))

ifneq ($(words x$(value PRESET))$(strip $(foreach part,* ? [ $$ %,$(findstring $(part),$(value PRESET)))),1)
  $(error PRESET must be the name of a preset or a path without spaces and special characters; found '$(value PRESET)')
endif
PRESET_FILE := $(if $(filter %.mk,$(PRESET)),$(PRESET),Presets/$(PRESET).mk)
PRESETS     := $(patsubst Presets/%.mk,%,$(wildcard Presets/*.mk))
ifeq ($(wildcard $(PRESET_FILE)),)
  $(error there is no preset '$(PRESET)'; choose one of: $(PRESETS), or the path of a .mk file)
endif
include $(PRESET_FILE)

UNKNOWN := $(filter-out $(VARIABLES),$(foreach name,$(.VARIABLES),$(if $(filter command,$(origin $(name))),$(name))))
ifneq ($(UNKNOWN),)
  $(error there is no variable '$(firstword $(UNKNOWN))'; 'make help' lists them: $(VARIABLES))
endif

ifneq ($(value BIN),)
  override BIN := $(call path,BIN)
  BUILT :=
else
  BIN   := .build/release
  BUILT := .build/programs-built
endif
PROGRAMS := $(addprefix h2rec-,preprocess tokenize train evaluate)
SOURCES  := Package.swift $(wildcard Package.resolved) $(shell find Sources -type f)

# ------------------------------------------------------------------------------------------------ the pipeline
program      = $(call quote,$(BIN)/h2rec-$(1))
OUT          = $(RUN)
output       = $(call quote,$(OUT)/$(1))
SEED_OPTION := $(if $(SEED),--seed $(SEED))
RUN_OPTIONS  = $(if $(THREADS),--threads $(THREADS)) $(if $(QUIET),--quiet)
# A preset that needs no codes says so with WITHOUT_CODES := yes; its stages 3 and 4 read stage 1 alone.
CODES       := $(if $(WITHOUT_CODES),,tokenize)
CODES_OPTION = $(if $(CODES),--codes=$(call output,2-tokenize))

COMMAND_sample     = $(call program,preprocess) sample --output=$(call quote,$(DATA)) $(if $(QUIET),--quiet) $(SAMPLE_OPTIONS)
COMMAND_preprocess = $(call program,preprocess) --data-folder=$(call quote,$(DATA)) \
  --output=$(call output,1-preprocess) $(RUN_OPTIONS) $(PRESET_PREPROCESS) $(SEED_OPTION) $(PREPROCESS_OPTIONS)
# The quantiser is the first word of PRESET_TOKENIZE; 'encode' and 'import' leave nothing to chance.
COMMAND_tokenize   = $(call program,tokenize) $(PRESET_TOKENIZE) --data=$(call output,1-preprocess) \
  --output=$(call output,2-tokenize) $(RUN_OPTIONS) \
  $(if $(filter encode import,$(firstword $(PRESET_TOKENIZE))),,$(SEED_OPTION)) $(TOKENIZE_OPTIONS)
# The model is the first word of PRESET_TRAIN.
COMMAND_train      = $(call program,train) $(PRESET_TRAIN) --data=$(call output,1-preprocess) $(CODES_OPTION) \
  --output=$(call output,3-train) $(RUN_OPTIONS) $(SEED_OPTION) $(TRAIN_OPTIONS)
COMMAND_evaluate   = $(call program,evaluate) --data=$(call output,1-preprocess) $(CODES_OPTION) \
  --model=$(call output,3-train) --output=$(call output,4-evaluate) \
  --title=$(call quote,$(notdir $(patsubst %/,%,$(RUN)))) $(RUN_OPTIONS) $(PRESET_EVALUATE) $(SEED_OPTION) \
  $(if $(TIMES),--run-times) $(EVALUATE_OPTIONS)

UNTIL_preprocess := $(if $(IS_SAMPLE),sample) preprocess
UNTIL_tokenize   := $(UNTIL_preprocess) $(CODES)
UNTIL_train      := $(UNTIL_tokenize) train
UNTIL_evaluate   := $(UNTIL_train) evaluate
# The stages $(1) in order; each but $(2) runs only where it must. One program holds the lock of RUN and passes signals on;
# it takes the place of the shell, so that those of make reach it.
pipeline = $(call program,preprocess) pipeline --run=$(call quote,$(RUN)) \
  $(foreach stage,$(1),--then $(COMMAND_$(stage)) $(if $(filter $(2),$(stage)),,--if-needed))

.PHONY: all sample preprocess tokenize train evaluate show all-command
all: evaluate                 ## bring everything up to date, then show the metrics in ten lines
	@printf 'all tables: make show RUN=%s\n' $(call quote,$(RUN))
sample: $(BUILT)              ## write the built-in sample
	@exec $(call pipeline,$(if $(IS_SAMPLE),sample,$(error the built-in sample is for runs without DATA)))
preprocess: $(BUILT)          ## stage 1: sequences, splits, popularity groups, positive pairs
	@exec $(call pipeline,$(UNTIL_preprocess))
tokenize: $(BUILT)            ## stage 2: codebooks and item codes
	@exec $(call pipeline,$(UNTIL_tokenize))
train: $(BUILT)               ## stage 3: the model
	@exec $(call pipeline,$(UNTIL_train))
evaluate: $(BUILT)            ## stage 4: report and recommendations
	@exec $(call pipeline,$(UNTIL_evaluate))
show:                         ## show all tables of metrics of RUN
	@$(call program,evaluate) show $(call output,4-evaluate)

.PHONY: retrain retrain-command rollback history
# The stages write into a dated folder, whose name the program puts in place of @NIGHT@.
night = $(if $(IS_SAMPLE),$(error give DATA: the built-in sample never changes))$(call program,preprocess) night \
  --run=$(call quote,$(RUN)) $(NIGHT_OPTIONS) $(foreach stage,preprocess $(CODES) train evaluate,--then $(COMMAND_$(stage)))
retrain retrain-command: OUT := @NIGHT@
retrain retrain-command: override QUIET := 1
retrain: $(BUILT)             ## one night: retrain in RUN/runs/DATE, publish RUN/current if it is good enough
	@exec $(night)
# The words of 'retrain' for Scripts/nightly, which takes their place.
retrain-command:
	@printf '%q ' $(night)
rollback:                     ## publish the night before the published one again
	@exec $(call program,preprocess) rollback --run=$(call quote,$(RUN))
history:                      ## list the nights of RUN
	@exec $(call program,preprocess) history --run=$(call quote,$(RUN))

.PHONY: results preset-words
## DATASETS, MODELS, SEEDS  for results: folders of data, presets and seeds of the trainings, each parted by spaces (default: h2rec and
##          sasrec, seeds 42 43 44); AGAINST is the model that others are compared with, RESULTS the folder (default work/results)
MODELS  ?= h2rec sasrec
SEEDS   ?= 42 43 44
AGAINST ?= $(lastword $(MODELS))
RESULTS ?= work/results
export PREPROCESS_OPTIONS TOKENIZE_OPTIONS TRAIN_OPTIONS EVALUATE_OPTIONS
results: $(BUILT)             ## train and evaluate MODELS on DATASETS with SEEDS, and write one table
	@exec Scripts/results $(call quote,$(BIN)) $(foreach name,RESULTS DATASETS MODELS SEEDS,$(call quote,$(value $(name)))) \
	  $(call quote,$(AGAINST)) $(call quote,$(value THREADS))
# What a preset says, for Scripts/results.
preset-words:
	@printf '%s\n' $(call quote,$(WITHOUT_CODES)) $(call quote,$(PRESET_PREPROCESS)) $(call quote,$(PRESET_TOKENIZE)) \
	  $(call quote,$(PRESET_TRAIN))

.PHONY: rerun-preprocess rerun-tokenize rerun-train rerun-evaluate
rerun-preprocess: $(BUILT)    ## stage 1 once more, whether it is up to date or not
	@exec $(call pipeline,$(UNTIL_preprocess),preprocess)
rerun-tokenize: $(BUILT)      ## stage 2 once more
	@exec $(call pipeline,$(UNTIL_tokenize),tokenize)
rerun-train: $(BUILT)         ## stage 3 once more
	@exec $(call pipeline,$(UNTIL_train),train)
rerun-evaluate: $(BUILT)      ## stage 4 once more
	@exec $(call pipeline,$(UNTIL_evaluate),evaluate)
# The words of 'evaluate' for 'Scripts/nightly all', which takes their place.
all-command:
	@printf '%q ' $(call pipeline,$(UNTIL_evaluate))

.PHONY: FORCE
FORCE:

# ------------------------------------------------------------------------------------------- building, checking
.PHONY: build dependencies test test-portable check sanitize format-check format lint docs man completions bench fuzz attack soak doctor clean clean-run help
build: $(BUILT)               ## compile the four programs
dependencies: .build/dependencies-installed ## install the Debian packages that are missing

.build/programs-built: $(SOURCES) .build/dependencies-installed $(if $(wildcard $(PROGRAMS:%=.build/release/%)),,FORCE)
	swift build --configuration release
	@touch $@
.build/dependencies-installed: Scripts/install-dependencies
	@Scripts/install-dependencies
	@mkdir -p $(@D); touch $@

## FILTER   for test: run the suites and tests whose names match this regular expression alone
# Optimised, packages too, since tests train and rank with real programs; preconditions and checks of overflow and bounds stay. The code of the
# tests themselves is not optimised (Package.swift), which saves time of the build. In a build for debugging, ArgumentParser would check the
# declarations of all options whenever a program starts, which takes ten times as long as the rest of the start. The folder is another one than
# that of 'make build', since the flags are.
TEST := swift test --configuration release --scratch-path .build/tests --disable-xctest -Xswiftc -enable-testing \
  -Xswiftc -num-threads -Xswiftc 2 -debug-info-format none
# The programs of 'make bench' are built with the tests, so that no change leaves them behind.
test test-portable: export H2REC_BENCHMARKS := 1
test: .build/dependencies-installed ## build and run all tests
	$(TEST) $(if $(FILTER),--filter $(call quote,$(FILTER)))
test-portable: .build/dependencies-installed ## repeat the numeric tests with the kernels of lesser processors
	@Scripts/test-portable $(TEST)
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
	  $(call quote,$(BIN))/$$program --generate-completion-script $$shell >.build/completions/$$shell/$$program; done; done
	@printf '%s\n' "completions: .build/completions"
## REFERENCE, REFERENCE_DATA  for bench: the PyTorch program and its prepared folder, to be timed in turn with ours
BENCH_BIN  := .build-benchmarks/release
REFERENCES := $(if $(REFERENCE),--reference $(call quote,$(REFERENCE)) --reference-data $(call quote,$(REFERENCE_DATA)))
bench: .build/dependencies-installed tokenize ## time shards, training steps and rankings; prints numbers, asserts nothing
	@mkdir -p .build-benchmarks/files
	H2REC_BENCHMARKS=1 swift build --configuration release --scratch-path .build-benchmarks
	$(BENCH_BIN)/shard-benchmark .build-benchmarks/files
	$(BENCH_BIN)/ranking-benchmark --users 65536 --ranks
	python3 Benchmarks/TrainingComparison/compare_with_reference.py --programs $(BENCH_BIN) \
	  --data=$(call output,1-preprocess) --codes=$(call output,2-tokenize) $(REFERENCES)
FUZZ_SECONDS ?= 60
FUZZ_READERS ?= shard log csv csv-without-header tsv movielens recbole jsonl items item-text numpy archive safetensors \
  text-vectors vector-ids codes times
fuzz: .build/dependencies-installed ## feed damaged inputs to every reader for FUZZ_SECONDS each (see Fuzz/README.md)
	H2REC_FUZZ=1 swift build --scratch-path .build-fuzz --product fuzz-shard-reader
	H2REC_FUZZ=1 swift build --scratch-path .build-fuzz --product fuzz-readers
	@for reader in $(FUZZ_READERS); do Scripts/fuzz "$$reader" $(FUZZ_SECONDS); done
## ATTACK_SECONDS, ATTACK_SEED, ATTACK_KINDS  for attack: how long (default 600), one that was printed, some of its kinds
ATTACK_SECONDS ?= 600
attack: $(BUILT)              ## kill, starve and mislead the programs at random; prints counts, ends with 1 at a failure
	@Scripts/attack --programs=$(call quote,$(BIN)) --seconds=$(call quote,$(ATTACK_SECONDS)) \
	  $(if $(ATTACK_SEED),--seed=$(call quote,$(ATTACK_SEED))) --kinds=$(call quote,$(ATTACK_KINDS))
soak: $(BUILT)                ## thirty nights of a shop that changes, with random kills; ends with 1 at a failure
	@Scripts/soak --programs=$(call quote,$(BIN)) --cold
doctor:                       ## check the tools of this machine, and switch on the git hooks
	@Scripts/doctor
clean:                        ## remove everything that was compiled
	rm -rf .build .build-docs .build-benchmarks .build-fuzz .build-sanitize
clean-run:                    ## remove the outputs of RUN, after asking
	@read -r -p 'remove '$(call quote,$(RUN))'? [y/N] ' answer; [[ $$answer == y ]] && rm -rf -- $(call quote,$(RUN))
help:                         ## list targets and variables
	@printf '%s\n' "Targets:"; sed -nE 's/^([a-z-]+):.*## (.*)/  \1\t\2/p' Makefile | expand -t 22
	@printf '\n%s\n' "Variables:"; sed -nE 's/^## ?/  /p' Makefile
	@printf '\n%s\n' $(call quote,Presets: $(PRESETS))
