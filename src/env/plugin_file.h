/* SPDX-License-Identifier: MIT */
/* For maintainers. */
#ifndef PGB_ENV_PLUGIN_FILE_H
#define PGB_ENV_PLUGIN_FILE_H

#include "core/status.h"

#include <limits.h>

/* The file as an absolute path without links, so that dlopen looks for nothing else; a plain file that can be
 * read and is a whole shared object: dlopen dies of one that is cut short. PGB_USAGE without the file's name.
 */
pgb_status pgb_plugin_file(const char *file, char path[PATH_MAX]) PGB_MUST_CHECK;

#endif
