/* Preloaded: counts the calls that put something into a folder, and has one of them, and all that
 * follow, fail or kill.
 *
 * What is written by the C library's own streams does not come through here; nothing in landslip
 * does so, and who uses this checks it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static char folder[PATH_MAX], aside[PATH_MAX];
static long first;
static int with, list = -1;
/* Shared with processes that are forked. */
static long *seen;

/* The calls below `folder` are counted, but those below `aside`. From the `at`th on (0: never) calls
 * below both fail with errno `error`, or end the process group where that is 0. Each counted call is a line
 * of the open file `lines`, where that is none below 0. */
void write_sites(const char *below, const char *but, long at, int error, int lines) {
    snprintf(aside, sizeof aside, "%s", but);
    first = at, with = error, list = lines;
    seen = mmap(NULL, sizeof *seen, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    snprintf(folder, sizeof folder, "%s", below);
}

static int is_below(const char *path, const char *top) {
    size_t length = strlen(top);
    return length > 0 && strncmp(path, top, length) == 0;
}

static int fails(const char *call, const char *path) {
    if (!is_below(path, folder))
        return 0;
    if (is_below(path, aside)) {
        if (first == 0 || __atomic_load_n(seen, __ATOMIC_SEQ_CST) < first || with == 0)
            return 0;
    } else {
        long number = __atomic_add_fetch(seen, 1, __ATOMIC_SEQ_CST);
        if (list >= 0) {
            char line[PATH_MAX + 32];
            int length = snprintf(line, sizeof line, "%s\t%s\n", call, path);
            syscall(SYS_write, list, line, (size_t)length);
        }
        if (first == 0 || number < first)
            return 0;
        if (with == 0)
            kill(0, SIGKILL);
    }
    errno = with;
    return 1;
}

static int fails_at(const char *call, int at, const char *path) {
    char base[PATH_MAX] = "", full[2 * PATH_MAX], link[64];
    if (path[0] == '/')
        return fails(call, path);
    if (at == AT_FDCWD) {
        if (getcwd(base, sizeof base) == NULL)
            return 0;
    } else {
        snprintf(link, sizeof link, "/proc/self/fd/%d", at);
        ssize_t length = readlink(link, base, sizeof base - 1);
        base[length < 0 ? 0 : length] = 0;
    }
    snprintf(full, sizeof full, "%s/%s", base, path);
    return fails(call, full);
}

static int fails_on(const char *call, int file) {
    if (folder[0] == 0)
        return 0;
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0)
        return 0;
    path[length] = 0;
    return fails(call, path);
}

static int creates(int at, const char *path, int flags) {
    return folder[0] && (flags & O_CREAT) && faccessat(at, path, F_OK, AT_SYMLINK_NOFOLLOW) != 0;
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define ON(type, name, file, declared, given)     \
    type name declared {                          \
        if (fails_on(#name, file))                \
            return -1;                            \
        return NEXT(name) given;                  \
    }

ON(ssize_t, write, file, (int file, const void *from, size_t size), (file, from, size))
ON(ssize_t, pwrite, file, (int file, const void *from, size_t size, off_t at), (file, from, size, at))
ON(ssize_t, pwrite64, file, (int file, const void *from, size_t size, off64_t at), (file, from, size, at))
ON(ssize_t, writev, file, (int file, const struct iovec *from, int count), (file, from, count))
ON(ssize_t, sendfile, file, (int file, int from, off_t *at, size_t size), (file, from, at, size))
ON(ssize_t, sendfile64, file, (int file, int from, off64_t *at, size_t size), (file, from, at, size))
ON(ssize_t, copy_file_range, file,
   (int from, off64_t *start, int file, off64_t *at, size_t size, unsigned flags),
   (from, start, file, at, size, flags))
ON(int, ftruncate, file, (int file, off_t size), (file, size))
ON(int, ftruncate64, file, (int file, off64_t size), (file, size))
ON(int, fsync, file, (int file), (file))
ON(int, fdatasync, file, (int file), (file))

int rename(const char *from, const char *to) {
    return fails_at("rename", AT_FDCWD, to) ? -1 : NEXT(rename)(from, to);
}
int renameat(int a, const char *from, int b, const char *to) {
    return fails_at("rename", b, to) ? -1 : NEXT(renameat)(a, from, b, to);
}
int link(const char *from, const char *to) {
    return fails_at("link", AT_FDCWD, to) ? -1 : NEXT(link)(from, to);
}
int symlink(const char *from, const char *to) {
    return fails_at("symlink", AT_FDCWD, to) ? -1 : NEXT(symlink)(from, to);
}
int mkdir(const char *path, mode_t mode) {
    struct stat found;
    if (folder[0] && stat(path, &found) != 0 && fails_at("mkdir", AT_FDCWD, path))
        return -1;
    return NEXT(mkdir)(path, mode);
}

#define MODE                                                  \
    va_list rest;                                             \
    va_start(rest, flags);                                    \
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; \
    va_end(rest)
#define OPEN(name)                                                                 \
    int name(const char *path, int flags, ...) {                                   \
        MODE;                                                                      \
        if (creates(AT_FDCWD, path, flags) && fails_at("create", AT_FDCWD, path))  \
            return -1;                                                             \
        return NEXT(name)(path, flags, mode);                                      \
    }
#define OPENAT(name)                                                               \
    int name(int at, const char *path, int flags, ...) {                           \
        MODE;                                                                      \
        if (creates(at, path, flags) && fails_at("create", at, path))              \
            return -1;                                                             \
        return NEXT(name)(at, path, flags, mode);                                  \
    }
OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)
