/* SPDX-License-Identifier: MIT */
#define _XOPEN_SOURCE   700 /* realpath is in the X/Open part of POSIX */
#define _DEFAULT_SOURCE     /* flock is in none */
#include "io/store_file.h"

#include "core/mem.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TRIES = 100 };

struct pgb_store_file {
  pgb_arena *arena;
  char *target; /* the final name, links resolved          */
  char *temp;   /* the name while it is being written      */
  char *folder; /* of both                                 */
  bool force;   /* may replace what stands at target       */
  int fd;       /* -1 once closed                          */
  int lock;     /* holds the lock on temp, to the very end */
  bool named;   /* has its name: temp is not ours any more */
  int error;    /* errno of the first failure, 0 for none  */
  uint64_t size;
};

static pgb_status cannot(const char *path, const char *why) {
  return pgb_fail(PGB_RUNTIME,
                  "%s: cannot be written: %s; free space there or name another place with --output", path,
                  why);
}

/* What stands at path already, and whether this run may replace it. */
static pgb_status check_target(const char *path, bool force) {
  struct stat info;
  if (path[0] == '\0')
    return pgb_fail(PGB_USAGE, "output: the file name is empty; name a file with --output");
  if (path[strlen(path) - 1] == '/')
    return pgb_fail(PGB_USAGE, "%s: is the name of a directory; name a file in it with --output", path);
  if (lstat(path, &info) != 0 && errno == ENOTDIR)
    return pgb_fail(PGB_USAGE, "%s: a directory of its path is a file; name another file with --output",
                    path);
  if (lstat(path, &info) != 0)
    return errno == ENOENT ? pgb_ok() : cannot(path, strerror(errno));
  if (S_ISLNK(info.st_mode) && stat(path, &info) != 0)
    return pgb_fail(PGB_USAGE, "%s: is a link to nowhere (%s); remove it or name another file with --output",
                    path, strerror(errno));
  if (S_ISDIR(info.st_mode))
    return pgb_fail(PGB_USAGE, "%s: is a directory; name a file in it with --output", path);
  if (!S_ISREG(info.st_mode)) /* a rename would put a plain file in the place of /dev/null */
    return pgb_fail(PGB_USAGE, "%s: is not a regular file; name another file with --output", path);
  if (!force)
    return pgb_fail(PGB_USAGE,
                    "%s: exists already; name another file with --output, or pass --force to replace it",
                    path);
  return pgb_ok();
}

/* target, folder: a link is followed once, here, so that --force replaces the file behind it and not the
 * link. */
static pgb_status set_names(pgb_store_file *file, const char *path) {
  char *real = file->force ? realpath(path, NULL) : NULL; /* NULL: nothing there yet, which is fine */
  pgb_status s = pgb_arena_text(file->arena, real != NULL ? real : path, &file->target);
  free(real);
  PGB_TRY(s);
  const char *slash = strrchr(file->target, '/');
  if (slash == NULL)
    return pgb_arena_text(file->arena, ".", &file->folder);
  const int length = slash == file->target ? 1 : (int)(slash - file->target);
  return pgb_arena_printf(file->arena, &file->folder, "%.*s", length, file->target);
}

static pgb_status taken(const pgb_store_file *file) {
  return pgb_fail(PGB_USAGE,
                  "%s: another run is writing it (%s is locked); wait for its end or name another file with "
                  "--output",
                  file->target, file->temp);
}

typedef enum claim { CLAIM_OURS, CLAIM_GONE, CLAIM_TAKEN, CLAIM_UNKNOWN, CLAIM_FAILED } claim;

/* Opens temp and locks it. `made`: only where nothing stands there. GONE: it was renamed or removed between
 * the two. UNKNOWN: this file system has no locks. FAILED: errno tells why. The lock belongs to the open file
 * and goes with the last descriptor of it, so what a killed run left behind is free. */
static claim claim_temp(pgb_store_file *file, bool made) {
  struct stat ours;
  struct stat there;
  file->fd = open(file->temp, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | (made ? O_EXCL : 0), 0666);
  if (file->fd < 0)
    return made && errno == EEXIST ? CLAIM_GONE : CLAIM_FAILED;
  claim got = made ? CLAIM_OURS : CLAIM_UNKNOWN;
  int refused = 0;
  while (refused == 0 && flock(file->fd, LOCK_EX | LOCK_NB) != 0)
    refused = errno == EINTR ? 0 : errno;
  if (refused == EWOULDBLOCK)
    got = CLAIM_TAKEN;
  else if (refused == 0)
    got = fstat(file->fd, &ours) == 0 && lstat(file->temp, &there) == 0 && ours.st_ino == there.st_ino &&
                  ours.st_dev == there.st_dev
              ? CLAIM_OURS
              : CLAIM_GONE;
  if (got == CLAIM_OURS)
    return got;
  (void)close(file->fd); /* nothing was written through it */
  file->fd = -1;
  return got;
}

/* One name for all runs, so that what killed ones leave behind cannot pile up, and a lock on it. */
static pgb_status open_temp(pgb_store_file *file) {
  claim got = CLAIM_GONE;
  PGB_TRY(pgb_arena_printf(file->arena, &file->temp, "%s.tmp", file->target));
  for (int i = 0; i < TRIES && got == CLAIM_GONE; i++)
    got = claim_temp(file, i % 2 == 0);
  if (got == CLAIM_FAILED && errno == ENOENT)
    return pgb_fail(PGB_USAGE,
                    "%s: the directory %s does not exist; make it (mkdir -p) or name another file with "
                    "--output",
                    file->target, file->folder);
  if (got == CLAIM_FAILED)
    return pgb_fail(PGB_RUNTIME,
                    "%s: cannot be made: %s; name a file in a directory that exists and that you may "
                    "write to with --output",
                    file->target, strerror(errno));
  if (got == CLAIM_UNKNOWN)
    return pgb_fail(PGB_USAGE,
                    "%s: is there, and this file system cannot lock files, so that a run may be writing it; "
                    "remove it if none does",
                    file->temp);
  if (got != CLAIM_OURS)
    return taken(file);
  file->lock = fcntl(file->fd, F_DUPFD_CLOEXEC, 0);
  if (file->lock < 0 || ftruncate(file->fd, 0) != 0)
    return cannot(file->target, strerror(errno));
  return pgb_ok();
}

pgb_status pgb_store_file_create(const char *path, bool force, pgb_store_file **out) {
  assert(path != NULL && out != NULL);
  *out = NULL;
  PGB_TRY(check_target(path, force));
  pgb_arena *arena = NULL;
  void *memory = NULL;
  PGB_TRY(pgb_arena_create(&arena));
  pgb_status s;
  PGB_TRY_OR(failed, s, pgb_arena_alloc(arena, 1, sizeof(pgb_store_file), &memory));
  pgb_store_file *file = memory;
  file->arena = arena;
  file->force = force;
  file->fd = file->lock = -1;
  PGB_TRY_OR(failed, s, set_names(file, path));
  s = open_temp(file);
  if (s.code == PGB_OK)
    *out = file;
  else
    pgb_store_file_discard(file);
  return s;
failed:
  pgb_arena_destroy(arena);
  return s;
}

const char *pgb_store_file_name(const pgb_store_file *file) {
  return file->temp;
}

static void remember(pgb_store_file *file, int error) {
  if (file->error == 0)
    file->error = error;
}

void pgb_store_file_write(pgb_store_file *file, uint64_t at, const void *bytes, size_t n) {
  const char *from = bytes;
  if (at + n > file->size)
    file->size = at + n;
  while (n > 0 && file->error == 0) {
    const size_t piece = n < (size_t)1 << 30 ? n : (size_t)1 << 30; /* Linux moves at most 2 GiB per call */
    const ssize_t done = pwrite(file->fd, from, piece, (off_t)at);
    if (done < 0 && errno == EINTR)
      continue;
    if (done <= 0) {
      remember(file, done < 0 ? errno : EIO);
      return;
    }
    from += done;
    at += (uint64_t)done;
    n -= (size_t)done;
  }
}

void pgb_store_file_read(pgb_store_file *file, uint64_t at, void *bytes, size_t n) {
  char *to = bytes;
  while (n > 0) {
    const ssize_t done = pread(file->fd, to, n < (size_t)1 << 30 ? n : (size_t)1 << 30, (off_t)at);
    if (done < 0 && errno == EINTR)
      continue;
    if (done < 0)
      remember(file, errno);
    if (done <= 0)
      break;
    to += done;
    at += (uint64_t)done;
    n -= (size_t)done;
  }
  memset(to, 0, n);
}

void pgb_store_file_resize(pgb_store_file *file, uint64_t size) {
  file->size = size;
  if (file->error == 0 && ftruncate(file->fd, (off_t)size) != 0)
    remember(file, errno);
}

uint64_t pgb_store_file_size(const pgb_store_file *file) {
  return file->size;
}

pgb_status pgb_store_file_state(const pgb_store_file *file) {
  return file->error == 0 ? pgb_ok() : cannot(file->target, strerror(file->error));
}

/* The name must be free at this instant: link() fails where it is not, rename() would replace. Where a file
 * system knows no links, an empty file made with O_EXCL claims the name, and the rename replaces our own
 * claim. */
static pgb_status take_free_name(const pgb_store_file *file) {
  struct stat info;
  const bool linked = link(file->temp, file->target) == 0;
  const bool there = !linked && errno == EEXIST;
  /* NFS: the link was made, its answer lost and the call repeated */
  if (linked || (there && stat(file->temp, &info) == 0 && info.st_nlink == 2)) {
    (void)unlink(file->temp);
    return pgb_ok();
  }
  const int made = there ? -1 : open(file->target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (there || (made < 0 && errno == EEXIST))
    return pgb_fail(
        PGB_RUNTIME,
        "%s: appeared while this run was writing, and is kept; run again with another --output, or pass "
        "--force to replace it",
        file->target);
  if (made < 0)
    return cannot(file->target, strerror(errno));
  (void)close(made); /* nothing was written through it */
  if (rename(file->temp, file->target) == 0)
    return pgb_ok();
  const int error = errno;
  (void)unlink(file->target);
  return cannot(file->target, strerror(error));
}

static pgb_status take_name(const pgb_store_file *file) {
  if (!file->force)
    return take_free_name(file);
  return rename(file->temp, file->target) == 0 ? pgb_ok() : cannot(file->target, strerror(errno));
}

/* The new name survives a power loss once its directory is on disk. Some file systems cannot sync a
 * directory. */
static int sync_folder(const char *folder) {
  const int fd = open(folder, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return errno == EACCES ? 0 : errno; /* a directory that we may write to but not read */
  const int error = fsync(fd) != 0 && errno != EINVAL && errno != ENOTSUP && errno != EROFS ? errno : 0;
  (void)close(fd);
  return error;
}

pgb_status pgb_store_file_commit(pgb_store_file *file) {
  if (file->error == 0 && fsync(file->fd) != 0 && errno != EINVAL) /* EINVAL: cannot be synced */
    remember(file, errno);
  if (close(file->fd) != 0 && errno != EINTR) /* a full quota may be told here only, as on NFS */
    remember(file, errno);
  file->fd = -1;
  pgb_status s = pgb_store_file_state(file);
  if (s.code == PGB_OK)
    s = take_name(file);
  if (s.code == PGB_OK) {
    file->named = true;
    const int error = sync_folder(file->folder);
    if (error != 0)
      s = pgb_fail(
          PGB_RUNTIME,
          "%s: is complete, but its directory cannot be brought to disk: %s; copy the file to a sound disk",
          file->target, strerror(error));
  }
  pgb_store_file_discard(file);
  return s;
}

void pgb_store_file_discard(pgb_store_file *file) {
  if (file == NULL)
    return;
  if (file->lock >= 0 && !file->named)
    (void)unlink(file->temp);
  if (file->fd >= 0)
    (void)close(file->fd); /* its bytes are not wanted */
  if (file->lock >= 0)
    (void)close(file->lock);
  pgb_arena_destroy(file->arena);
}
