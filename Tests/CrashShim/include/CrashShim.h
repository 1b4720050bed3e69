/* Nothing to call: the shim is loaded with LD_PRELOAD; see crash_shim.c. */
