/* SPDX-License-Identifier: BSD-2-Clause */
/* File access of SQLite: a VFS on the POSIX functions of the runtime.
 *
 * There are no locks, because the service `files` has none: a database belongs to one program. This
 * program can open it once. A deletion and a change of the size are lasting when unlink() and
 * ftruncate() return, so the end of a transaction needs no other flush than SQLite's own. */
#if __has_include("sqlite3.h")
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "sqlite3.h"

#define PATH_MAX_BYTES 512
#define SECTOR         4096       /* size of the largest sector of a disk */
#define UNIX_EPOCH     24405875LL /* 1970, in tenths of Julian days */
#define MS_PER_TENTH   8640000LL

/* An open file, which SQLite allocates. */
struct vfs_file {
        sqlite3_file base;
        int number;
        struct vfs_file *next; /* next open database */
        ino_t inode;
};

static struct vfs_file *databases;

static struct vfs_file *file_of(sqlite3_file *file)
{
        return (struct vfs_file *)file;
}

static int vfs_close(sqlite3_file *base)
{
        struct vfs_file *file = file_of(base), **link = &databases;

        while (*link && *link != file)
                link = &(*link)->next;
        if (*link)
                *link = file->next;
        return close(file->number) ? SQLITE_IOERR_CLOSE : SQLITE_OK;
}

static int vfs_read(sqlite3_file *base, void *data, int bytes, sqlite3_int64 place)
{
        const int number = file_of(base)->number;
        const int got = lseek(number, (off_t)place, SEEK_SET) < 0
                                ? -1
                                : (int)read(number, data, (size_t)bytes);

        if (got < 0)
                return SQLITE_IOERR_READ;
        memset((char *)data + got, 0, (size_t)(bytes - got));
        return got == bytes ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

static int vfs_write(sqlite3_file *base, const void *data, int bytes, sqlite3_int64 place)
{
        const int number = file_of(base)->number;
        int done;

        if (lseek(number, (off_t)place, SEEK_SET) < 0)
                return SQLITE_IOERR_WRITE;
        done = (int)write(number, data, (size_t)bytes);
        if (done == bytes)
                return SQLITE_OK;
        /* Fewer bytes are written only if the disk is full or fails. */
        return done >= 0 || errno == ENOSPC || errno == EFBIG ? SQLITE_FULL : SQLITE_IOERR_WRITE;
}

static int vfs_truncate(sqlite3_file *base, sqlite3_int64 bytes)
{
        return ftruncate(file_of(base)->number, (off_t)bytes) ? SQLITE_IOERR_TRUNCATE : SQLITE_OK;
}

static int vfs_sync(sqlite3_file *base, int flags)
{
        (void)flags;
        return fsync(file_of(base)->number) ? SQLITE_IOERR_FSYNC : SQLITE_OK;
}

static int vfs_size(sqlite3_file *base, sqlite3_int64 *bytes)
{
        struct stat about;

        if (fstat(file_of(base)->number, &about))
                return SQLITE_IOERR_FSTAT;
        *bytes = about.st_size;
        return SQLITE_OK;
}

static int vfs_lock(sqlite3_file *base, int level)
{
        (void)base;
        (void)level;
        return SQLITE_OK;
}

static int vfs_is_reserved(sqlite3_file *base, int *reserved)
{
        (void)base;
        *reserved = 0;
        return SQLITE_OK;
}

static int vfs_control(sqlite3_file *base, int operation, void *argument)
{
        (void)base;
        (void)operation;
        (void)argument;
        return SQLITE_NOTFOUND;
}

static int vfs_sector(sqlite3_file *base)
{
        (void)base;
        return SECTOR;
}

static int vfs_properties(sqlite3_file *base)
{
        (void)base;
        return 0;
}

static const sqlite3_io_methods methods = {
        .iVersion = 1,
        .xClose = vfs_close,
        .xRead = vfs_read,
        .xWrite = vfs_write,
        .xTruncate = vfs_truncate,
        .xSync = vfs_sync,
        .xFileSize = vfs_size,
        .xLock = vfs_lock,
        .xUnlock = vfs_lock,
        .xCheckReservedLock = vfs_is_reserved,
        .xFileControl = vfs_control,
        .xSectorSize = vfs_sector,
        .xDeviceCharacteristics = vfs_properties,
};

/* Adds a database to the open ones. @return SQLITE_BUSY if it is already open */
static int add_database(struct vfs_file *file)
{
        struct stat about;

        if (fstat(file->number, &about))
                return SQLITE_IOERR_FSTAT;
        for (const struct vfs_file *other = databases; other; other = other->next)
                if (other->inode == about.st_ino)
                        return SQLITE_BUSY;
        file->inode = about.st_ino;
        file->next = databases;
        databases = file;
        return SQLITE_OK;
}

static int open_flags(int flags)
{
        return (flags & SQLITE_OPEN_READWRITE ? O_RDWR : O_RDONLY) |
               (flags & SQLITE_OPEN_CREATE ? O_CREAT : 0) |
               (flags & SQLITE_OPEN_EXCLUSIVE ? O_EXCL : 0);
}

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags, int *got)
{
        struct vfs_file *file = file_of(base);
        static unsigned temporaries;
        char temporary[32];
        int status = SQLITE_OK;

        (void)vfs;
        *file = (struct vfs_file){.number = -1};
        if (!name)
                snprintf(temporary, sizeof(temporary), "/sqlite-%u.tmp", ++temporaries);
        file->number = open(name ? name : temporary, open_flags(flags), 0666);
        if (file->number < 0 && (errno == EROFS || errno == EACCES) &&
            flags & SQLITE_OPEN_READWRITE) {
                flags = (flags & ~(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)) |
                        SQLITE_OPEN_READONLY;
                file->number = open(name ? name : temporary, O_RDONLY);
        }
        if (file->number < 0)
                return SQLITE_CANTOPEN;
        if (flags & SQLITE_OPEN_DELETEONCLOSE)
                unlink(name ? name : temporary);
        if (flags & SQLITE_OPEN_MAIN_DB)
                status = add_database(file);
        if (status) {
                close(file->number);
                return status;
        }
        file->base.pMethods = &methods;
        if (got)
                *got = flags;
        return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
        (void)vfs;
        (void)sync;
        if (!unlink(name))
                return SQLITE_OK;
        return errno == ENOENT ? SQLITE_IOERR_DELETE_NOENT : SQLITE_IOERR_DELETE;
}

/* Answers whether a file exists or can be used. An empty file, such as an empty journal, counts as
 * missing. */
static int vfs_access(sqlite3_vfs *vfs, const char *name, int what, int *result)
{
        struct stat about;

        (void)vfs;
        if (what == SQLITE_ACCESS_EXISTS)
                *result = !stat(name, &about) && (!S_ISREG(about.st_mode) || about.st_size > 0);
        else
                *result = !access(name, R_OK | W_OK);
        return SQLITE_OK;
}

static int vfs_full_name(sqlite3_vfs *vfs, const char *name, int bytes, char *full)
{
        const int needed = snprintf(full, (size_t)bytes, "%s%s", *name == '/' ? "" : "/", name);

        (void)vfs;
        return needed < bytes ? SQLITE_OK : SQLITE_CANTOPEN;
}

/* Gives random numbers. They differ from boot to boot, which is sufficient for journals, and are
 * not secret. */
static int vfs_random(sqlite3_vfs *vfs, int bytes, char *data)
{
        static uint64_t state;

        (void)vfs;
        for (int i = 0; i < bytes; i++) {
                struct timespec now;

                clock_gettime(i & 1 ? CLOCK_REALTIME : CLOCK_MONOTONIC, &now);
                state = (state ^ (uint64_t)now.tv_sec << 32 ^ (uint64_t)now.tv_nsec) *
                                6364136223846793005U +
                        1442695040888963407U;
                data[i] = (char)(state >> 56);
        }
        return bytes;
}

static int vfs_sleep(sqlite3_vfs *vfs, int us)
{
        (void)vfs;
        usleep((useconds_t)us);
        return us;
}

static int vfs_time_ms(sqlite3_vfs *vfs, sqlite3_int64 *ms)
{
        struct timeval now;

        (void)vfs;
        gettimeofday(&now, NULL);
        *ms = UNIX_EPOCH * MS_PER_TENTH + (sqlite3_int64)now.tv_sec * 1000 + now.tv_usec / 1000;
        return SQLITE_OK;
}

static int vfs_time(sqlite3_vfs *vfs, double *days)
{
        sqlite3_int64 ms;

        vfs_time_ms(vfs, &ms);
        *days = (double)ms / (10.0 * MS_PER_TENTH);
        return SQLITE_OK;
}

static int vfs_last_error(sqlite3_vfs *vfs, int bytes, char *text)
{
        (void)vfs;
        (void)bytes;
        (void)text;
        return errno;
}

int sqlite3_os_init(void)
{
        static sqlite3_vfs vfs = {
                .iVersion = 2,
                .szOsFile = sizeof(struct vfs_file),
                .mxPathname = PATH_MAX_BYTES,
                .zName = "nova",
                .xOpen = vfs_open,
                .xDelete = vfs_delete,
                .xAccess = vfs_access,
                .xFullPathname = vfs_full_name,
                .xRandomness = vfs_random,
                .xSleep = vfs_sleep,
                .xCurrentTime = vfs_time,
                .xGetLastError = vfs_last_error,
                .xCurrentTimeInt64 = vfs_time_ms,
        };

        return sqlite3_vfs_register(&vfs, 1);
}

int sqlite3_os_end(void)
{
        return SQLITE_OK;
}
#endif
