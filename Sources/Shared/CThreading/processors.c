#define _GNU_SOURCE
#include "CThreading.h"

#include <sched.h>
#include <unistd.h>

int h2rec_processor_count(void) {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) {
    int const count = CPU_COUNT(&set);
    return count > 0 ? count : 1;
  }
  // More than 1,024 processors do not fit the set.
  long const count = sysconf(_SC_NPROCESSORS_ONLN);
  return count > 0 ? (int)count : 1;
}
