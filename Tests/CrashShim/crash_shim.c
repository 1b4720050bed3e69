/* Loaded with LD_PRELOAD, this counts the system calls by which a program changes files: write, pwrite, writev, fsync,
   fdatasync, rename, renameat, renameat2, unlink, unlinkat, ftruncate, symlink, link, mkdir, rmdir, and open with O_CREAT.

   CRASH_AT=n      at the n-th call the process is killed, as by kill -9 or a power cut, before the call has any effect;
   CRASH_ERRNO=e   with it, calls from the n-th on fail with errno e instead; calls that free space (unlink, rmdir,
                   ftruncate to 0) do not, as on a full disk;
   CRASH_HALF=1    the write that dies, or fails first, has written half of its bytes.

   CRASH_GROW=path at the n-th call this file gets another line instead, and nothing else happens.

   CRASH_COUNTER=f calls of all processes that have this variable are counted together, in the first eight bytes of the file f;
                   the one that dies kills its process group.

   Writes to descriptors 0 to 2 are not counted: a terminal is no disk.

   CRASH_WITHOUT=x the file system lacks something, whatever the other variables say: "tmpfile" files without a name, "symlink"
                   symbolic links (as on FAT), "fsync" the flushing of directories (as some network file systems do). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_long own_calls;
static atomic_long *calls = &own_calls;

/* Counts in a file where one is named; by system calls of its own, which are not counted. */
__attribute__((constructor)) static void share_counter(void) {
  const char *path = getenv("CRASH_COUNTER");
  if (!path) return;
  int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0 || syscall(SYS_ftruncate, fd, (long)sizeof own_calls) != 0) abort();
  void *found = mmap(NULL, sizeof own_calls, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (found == MAP_FAILED) abort();
  calls = found;
  syscall(SYS_close, fd);
}

static void grow(const char *path) {
  int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_APPEND | O_CLOEXEC, 0);
  if (fd < 0 || syscall(SYS_write, fd, "\n", 1L) != 1) abort();
  syscall(SYS_close, fd);
}

static long setting(const char *name) {
  const char *text = getenv(name);
  return text ? atol(text) : 0;
}

/* Whether the file system lacks something; sets errno then. */
static int lacks(const char *what, int error) {
  const char *text = getenv("CRASH_WITHOUT");
  if (!text || !strstr(text, what)) return 0;
  errno = error;
  return 1;
}

static int is_directory(int fd) {
  struct stat information;
  return fstat(fd, &information) == 0 && S_ISDIR(information.st_mode);
}

/* Whether the call that is about to be made is to fail; does not return if the process is to die. */
static int fails(int frees_space) {
  long at = setting("CRASH_AT");
  long number = atomic_fetch_add(calls, 1) + 1;
  if (at == 0 || number < at) return 0;
  long error = setting("CRASH_ERRNO");
  if (error == 0) {
    if (number > at) return 0;
    const char *growing = getenv("CRASH_GROW");
    if (growing) {
      grow(growing);
      return 0;
    }
    kill(calls == &own_calls ? getpid() : 0, SIGKILL);
    for (;;) pause();
  }
  if (frees_space) return 0;
  errno = (int)error;
  return 1;
}

/* Whether the call that is about to be made is the one at which the process dies or the disk is full. */
static int is_next(void) {
  long at = setting("CRASH_AT");
  return at != 0 && atomic_load(calls) + 1 == at && setting("CRASH_HALF");
}

#define REAL(result, name, ...)                                                                   \
  static result (*real)(__VA_ARGS__);                                                             \
  if (!real) real = (result(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name)

ssize_t write(int fd, const void *bytes, size_t count) {
  REAL(ssize_t, write, int, const void *, size_t);
  if (fd > 2 && is_next() && count > 1) real(fd, bytes, count / 2);
  return fd > 2 && fails(0) ? -1 : real(fd, bytes, count);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset) {
  REAL(ssize_t, pwrite, int, const void *, size_t, off_t);
  return fd > 2 && fails(0) ? -1 : real(fd, bytes, count, offset);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset) {
  REAL(ssize_t, pwrite64, int, const void *, size_t, off64_t);
  return fd > 2 && fails(0) ? -1 : real(fd, bytes, count, offset);
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
  REAL(ssize_t, writev, int, const struct iovec *, int);
  return fd > 2 && fails(0) ? -1 : real(fd, parts, count);
}

int fsync(int fd) {
  REAL(int, fsync, int);
  if (is_directory(fd) && lacks("fsync", EINVAL)) return -1;
  return fails(0) ? -1 : real(fd);
}

int fdatasync(int fd) {
  REAL(int, fdatasync, int);
  return fails(0) ? -1 : real(fd);
}

int rename(const char *old, const char *new) {
  REAL(int, rename, const char *, const char *);
  return fails(0) ? -1 : real(old, new);
}

int renameat(int from, const char *old, int to, const char *new) {
  REAL(int, renameat, int, const char *, int, const char *);
  return fails(0) ? -1 : real(from, old, to, new);
}

int renameat2(int from, const char *old, int to, const char *new, unsigned flags) {
  REAL(int, renameat2, int, const char *, int, const char *, unsigned);
  return fails(0) ? -1 : real(from, old, to, new, flags);
}

int unlink(const char *path) {
  REAL(int, unlink, const char *);
  return fails(1) ? -1 : real(path);
}

int unlinkat(int directory, const char *path, int flags) {
  REAL(int, unlinkat, int, const char *, int);
  return fails(1) ? -1 : real(directory, path, flags);
}

int rmdir(const char *path) {
  REAL(int, rmdir, const char *);
  return fails(1) ? -1 : real(path);
}

int mkdir(const char *path, mode_t mode) {
  REAL(int, mkdir, const char *, mode_t);
  return fails(0) ? -1 : real(path, mode);
}

int ftruncate(int fd, off_t length) {
  REAL(int, ftruncate, int, off_t);
  return fails(length == 0) ? -1 : real(fd, length);
}

int ftruncate64(int fd, off64_t length) {
  REAL(int, ftruncate64, int, off64_t);
  return fails(length == 0) ? -1 : real(fd, length);
}

int symlink(const char *target, const char *path) {
  REAL(int, symlink, const char *, const char *);
  if (lacks("symlink", EPERM)) return -1;
  return fails(0) ? -1 : real(target, path);
}

int link(const char *old, const char *new) {
  REAL(int, link, const char *, const char *);
  return fails(0) ? -1 : real(old, new);
}

/* Only files that do not exist yet need space for a name. */
static int creates(int directory, const char *path, int flags) {
  return (flags & O_CREAT) && faccessat(directory, path, F_OK, 0) != 0;
}

#define MODE                                                                                      \
  mode_t mode = 0;                                                                                \
  if (flags & (O_CREAT | O_TMPFILE)) {                                                            \
    va_list list;                                                                                 \
    va_start(list, flags);                                                                        \
    mode = va_arg(list, mode_t);                                                                  \
    va_end(list);                                                                                 \
  }

int open(const char *path, int flags, ...) {
  MODE
  REAL(int, open, const char *, int, ...);
  if ((flags & O_TMPFILE) == O_TMPFILE && lacks("tmpfile", EOPNOTSUPP)) return -1;
  return creates(AT_FDCWD, path, flags) && fails(0) ? -1 : real(path, flags, mode);
}

int open64(const char *path, int flags, ...) {
  MODE
  REAL(int, open64, const char *, int, ...);
  if ((flags & O_TMPFILE) == O_TMPFILE && lacks("tmpfile", EOPNOTSUPP)) return -1;
  return creates(AT_FDCWD, path, flags) && fails(0) ? -1 : real(path, flags, mode);
}

int openat(int directory, const char *path, int flags, ...) {
  MODE
  REAL(int, openat, int, const char *, int, ...);
  return creates(directory, path, flags) && fails(0) ? -1 : real(directory, path, flags, mode);
}

int openat64(int directory, const char *path, int flags, ...) {
  MODE
  REAL(int, openat64, int, const char *, int, ...);
  return creates(directory, path, flags) && fails(0) ? -1 : real(directory, path, flags, mode);
}
