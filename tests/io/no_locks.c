/* Preloaded: a file system without locks, second names, or waiting for a folder to reach the disk. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int refuse(int number) {
    errno = number;
    return -1;
}

static int is_lock(int command) {
    return command == F_SETLK || command == F_SETLKW || command == F_OFD_SETLK ||
           command == F_OFD_SETLKW;
}

int flock(int file, int operation) { return refuse(ENOLCK); }
int lockf(int file, int command, off_t length) { return refuse(ENOLCK); }
int lockf64(int file, int command, off64_t length) { return refuse(ENOLCK); }
int link(const char *from, const char *to) { return refuse(EPERM); }
int linkat(int a, const char *from, int b, const char *to, int flags) { return refuse(EPERM); }

static int control(const char *name, int file, int command, void *argument) {
    int (*next)(int, int, ...) = (int (*)(int, int, ...))dlsym(RTLD_NEXT, name);
    return is_lock(command) ? refuse(ENOLCK) : next(file, command, argument);
}

#define CONTROL(name)                                    \
    int name(int file, int command, ...) {               \
        va_list rest;                                    \
        va_start(rest, command);                         \
        void *argument = va_arg(rest, void *);           \
        va_end(rest);                                    \
        return control(#name, file, command, argument);  \
    }
CONTROL(fcntl)
CONTROL(fcntl64)

int fsync(int file) {
    struct stat found;
    if (fstat(file, &found) == 0 && S_ISDIR(found.st_mode))
        return refuse(EINVAL);
    return (int)syscall(SYS_fsync, file);
}
