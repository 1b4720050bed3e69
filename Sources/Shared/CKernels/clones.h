#pragma once

// One portable binary at the speed of the machine: each function marked CLONES is compiled for the
// baseline, AVX2 and AVX-512, and the loader picks one (see Documentation/Decisions).
#if defined(__x86_64__)
#define CLONES __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define CLONES
#endif
