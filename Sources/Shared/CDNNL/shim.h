#include <oneapi/dnnl/dnnl.h>

// From libgomp, whose header is not on Clang's path: the number of threads of the calling thread's parallel regions.
void omp_set_num_threads(int count);
