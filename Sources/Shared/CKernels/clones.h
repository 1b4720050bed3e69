#pragma once

// One portable binary at the speed of the machine: each function marked CLONES is compiled for the
// baseline, AVX2 and AVX-512, and the loader picks one (see Documentation/Decisions). H2REC_ONE_TARGET compiles for the
// target of the command line alone: to compare the three, and for sanitizers, which cannot look into the loader's choice.
#if defined(__x86_64__) && !defined(H2REC_ONE_TARGET)
#define CLONES __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define CLONES
#endif
