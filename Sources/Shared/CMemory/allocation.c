// The allocation functions of the C library with one thing changed: they never return NULL for want of memory.
//
// Neither Swift nor the C++ below oneDNN can go on without the memory that they asked for; both abort. What these functions
// hand out is the C library's own, so its free() takes it back.

#include "CMemory.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define H2REC_SANITIZED 1
#endif
#endif

#ifndef H2REC_SANITIZED

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern char *program_invocation_short_name;

static size_t append(char *text, size_t count, const char *more) {
  size_t const length = strlen(more);
  memcpy(text + count, more, length);
  return count + length;
}

static size_t append_number(char *text, size_t count, size_t number) {
  char digits[24];
  size_t length = 0;
  do {
    digits[length++] = (char)('0' + number % 10);
    number /= 10;
  } while (number > 0);
  while (length > 0) text[count++] = digits[--length];
  return count;
}

// Nothing here may allocate. The name of a program has at most 255 bytes.
static _Noreturn void end_for_want_of(size_t size) {
  static atomic_flag is_ending = ATOMIC_FLAG_INIT;
  while (atomic_flag_test_and_set(&is_ending)) pause();
  char text[1024];
  char name[256];
  size_t length = 0;
  strncpy(name, program_invocation_short_name, sizeof name - 1);
  name[sizeof name - 1] = 0;
  length = append(text, length, name);
  length = append(text, length, ": error: out of memory: the system refuses another ");
  length = append_number(text, length, size);
  length = append(text, length, " bytes\nnote: give the program more, or less to do; what was committed before is whole\n");
  ssize_t const written = write(STDERR_FILENO, text, length);
  (void)written;
  _exit(75);
}

void *malloc(size_t size) {
  void *const memory = __libc_malloc(size);
  if (memory == NULL) end_for_want_of(size);
  return memory;
}

void *calloc(size_t count, size_t size) {
  void *const memory = __libc_calloc(count, size);
  if (memory == NULL) {
    size_t total;
    end_for_want_of(__builtin_mul_overflow(count, size, &total) ? SIZE_MAX : total);
  }
  return memory;
}

void *realloc(void *old, size_t size) {
  void *const memory = __libc_realloc(old, size);
  // To make something 0 bytes long may free it.
  if (memory == NULL && size > 0) end_for_want_of(size);
  return memory;
}

void *memalign(size_t alignment, size_t size) {
  void *const memory = __libc_memalign(alignment, size);
  if (memory == NULL) end_for_want_of(size);
  return memory;
}

void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **result, size_t alignment, size_t size) {
  if (alignment % sizeof(void *) != 0 || (alignment & (alignment - 1)) != 0 || alignment == 0) return EINVAL;
  *result = memalign(alignment, size);
  return 0;
}

// oneDNN writes its code into memory that it maps, and does not look whether it got some.
void *mmap(void *address, size_t length, int protection, int flags, int file, off_t offset) {
  void *const memory = (void *)syscall(SYS_mmap, address, length, protection, flags, file, offset);
  if (memory == MAP_FAILED && errno == ENOMEM) end_for_want_of(length);
  return memory;
}

void *mmap64(void *address, size_t length, int protection, int flags, int file, off_t offset) {
  return mmap(address, length, protection, flags, file, offset);
}

#endif
