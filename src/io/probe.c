/* SPDX-License-Identifier: MIT */
#include "io/probe.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Of processor time: libhdf5 may also loop for ever over a damaged file. A sound one is read at this rate by
 * far. */
enum { SECONDS = 4, BYTES_A_SECOND = 100000000 };

static rlim_t patience(const char *path) {
  struct stat info;
  return SECONDS + (stat(path, &info) == 0 ? (rlim_t)info.st_size / BYTES_A_SECOND : 0);
}

static const int fatal[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGXCPU};

/* Handlers inherited from MPI or a sanitizer would print a backtrace. */
_Noreturn static void child(const char *path, void (*read)(void *), void *self) {
  const struct rlimit none = {0, 0};
  const struct rlimit time = {patience(path), patience(path) + 1};
  (void)setrlimit(RLIMIT_CORE, &none);
  for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++)
    (void)signal(fatal[i], SIG_DFL);
  const int nowhere = open("/dev/null", O_RDWR);
  if (nowhere >= 0) {
    (void)dup2(nowhere, STDOUT_FILENO);
    (void)dup2(nowhere, STDERR_FILENO);
  }
  (void)setrlimit(RLIMIT_CPU, &time);
  read(self);
  _exit(0); /* not exit: what the parent has buffered or registered is the parent's */
}

pgb_status pgb_probe(const char *path, void (*read)(void *self), void *self) {
  assert(path != NULL && read != NULL);
  const pid_t pid = fork();
  if (pid < 0)
    return pgb_fail(PGB_RUNTIME, "%s: cannot be checked: no process for it (%s); end other processes", path,
                    strerror(errno));
  if (pid == 0)
    child(path, read, self);
  int how = 0;
  while (waitpid(pid, &how, 0) < 0)
    if (errno != EINTR)
      return pgb_ok(); /* another waited for all children: nothing is known, so go on as without a probe */
  if (WIFEXITED(how) && WEXITSTATUS(how) == 0)
    return pgb_ok();
  return pgb_fail(PGB_USAGE, "%s: is damaged: reading it fails inside libhdf5; take another copy of the file",
                  path);
}
