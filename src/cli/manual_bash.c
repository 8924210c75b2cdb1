/* SPDX-License-Identifier: MIT */
/* The completion of bash: words from the tables, and the few functions that use them. */
#include "cli/cli.h"
#include "cli/manual.h"

#include <string.h>

static void all_names(FILE *out, size_t kind) {
  const char *title = NULL;
  const char *name = NULL;
  for (size_t i = 0; (name = pgb_kind_name(kind, i, &title)) != NULL; i++)
    (void)fprintf(out, " %s", name);
}

/* The words of "[a|b|c]" or "a|b|c" with spaces between. */
static void choices(FILE *out, const char *list) {
  for (const char *c = list; *c != '\0'; c++)
    if (*c != '[' && *c != ']')
      (void)fputc(*c == '|' ? ' ' : *c, out);
}

static void list_table(FILE *out) {
  (void)fputs("_pgbench_list() { # KIND\n  case $1 in\n", out);
  for (size_t kind = 0; kind < PGB_KINDS; kind++) {
    (void)fprintf(out, "    %s) echo", pgb_kinds[kind]);
    all_names(out, kind);
    (void)fputs(" ;;\n", out);
  }
  (void)fputs("  esac\n}\n\n", out);
}

/* Options of one class as keys: "    env:bandit) echo 'mean= noise=' ;;". */
static void keys(FILE *out, const char *kind, const char *name, const pgb_option *table, size_t n,
                 const char *more) {
  (void)fprintf(out, "    %s:%s) echo '", kind, name);
  for (size_t i = 0; i < n; i++)
    (void)fprintf(out, "%s=%s", table[i].name, i + 1 < n || more[0] != '\0' ? " " : "");
  (void)fprintf(out, "%s' ;;\n", more);
}

static void key_table(FILE *out) {
  (void)fputs("_pgbench_keys() { # KIND:NAME\n  case $1 in\n", out);
  for (const pgb_env_class *const *c = pgb_env_table(PGB_ISA_NONE); *c != NULL; c++)
    keys(out, pgb_kinds[0], (*c)->name, (*c)->options, (*c)->n_options, "");
  for (const pgb_policy_class *const *c = pgb_policy_table(PGB_ISA_NONE); *c != NULL; c++)
    keys(out, pgb_kinds[1], (*c)->name, (*c)->options, (*c)->n_options, "theta=");
  for (const pgb_estimator_class *const *c = pgb_estimator_table(PGB_ISA_NONE); *c != NULL; c++)
    keys(out, pgb_kinds[2], (*c)->name, (*c)->options, (*c)->n_options, "");
  (void)fputs("  esac\n}\n\n", out);
}

/* One option as a pattern of case: "-o | --output". */
static void pattern(FILE *out, const pgb_flag *f) {
  if (f->id < 256)
    (void)fprintf(out, "-%c | ", f->id);
  (void)fprintf(out, "--%s", f->name);
}

static void flag_table(FILE *out) {
  bool first = true;
  (void)fputs("_pgbench_takes_value() { # OPTION\n  case $1 in\n    ", out);
  for (const pgb_flag *f = pgb_flags; f->name != NULL; f++) {
    if (f->value == NULL)
      continue;
    if (!first)
      (void)fputs(" | ", out);
    pattern(out, f);
    first = false;
  }
  (void)fputs(") return 0 ;;\n  esac\n  return 1\n}\n\n", out);
}

/* What follows an option: names of its kind, choices, files, or nothing that is known. */
static void value_table(FILE *out) {
  (void)fputs("_pgbench_value() { # OPTION\n  case $1 in\n", out);
  for (const pgb_flag *f = pgb_flags; f->name != NULL; f++) {
    size_t kind = 0;
    if (f->value == NULL)
      continue;
    const bool files = strstr(f->value, "FILE") != NULL;
    while (kind < PGB_KINDS && strcmp(pgb_kinds[kind], f->name) != 0)
      kind++;
    (void)fputs("    ", out);
    pattern(out, f);
    (void)fputs(") ", out);
    if (files)
      (void)fprintf(out, "_pgbench_files%s", kind < PGB_KINDS ? "; " : "");
    if (kind < PGB_KINDS)
      (void)fprintf(out, "_pgbench_names %s", pgb_kinds[kind]);
    else if (strchr(f->value, '|') != NULL && !files) {
      (void)fputs("_pgbench_words '", out);
      choices(out, f->value);
      (void)fputs("'", out);
    } else if (!files)
      (void)fputs(":", out);
    (void)fputs(" ;;\n", out);
  }
  (void)fputs("  esac\n}\n\n", out);
}

static void operand_table(FILE *out) {
  (void)fputs("_pgbench_operand() { # COMMAND\n  case $1 in\n", out);
  for (const pgb_command *c = pgb_commands; c->name != NULL; c++) {
    if (c->operand == NULL)
      continue;
    (void)fprintf(out, "    %s) ", c->name);
    if (strchr(c->operand, '|') != NULL) {
      (void)fputs("_pgbench_words '", out);
      choices(out, c->operand);
      (void)fputs("' ;;\n", out);
    } else if (strstr(c->operand, "NAME") != NULL) {
      (void)fputs("_pgbench_words '", out);
      for (size_t kind = 0; kind < PGB_KINDS; kind++)
        all_names(out, kind);
      (void)fputs("' ;;\n", out);
    } else
      (void)fputs("_pgbench_files ;;\n", out);
  }
  (void)fputs("  esac\n}\n\n", out);
}

/* The words of the line are split at blanks, as the program gets them; bash also ends a word at = and :, and
 * puts what is offered in the place of that last piece alone. In these functions `value` is what is to be
 * completed and `base` what stands before it in the same word. */
static const char functions[] =
    "_pgbench_offer() { # HEAD WORDS: those that go on where the value ends, HEAD being its settled part\n"
    "  local w\n"
    "  for w in $2; do\n"
    "    if [[ $1$w == \"$value\"* ]]; then COMPREPLY+=(\"$base$1$w\"); fi\n"
    "  done\n"
    "}\n\n"
    "_pgbench_words() { # of a list with commas\n"
    "  local head=''\n"
    "  if [[ $value == *,* ]]; then head=${value%,*},; fi\n"
    "  _pgbench_offer \"$head\" \"$1\"\n"
    "}\n\n"
    "_pgbench_files() {\n"
    "  local f\n"
    "  while IFS= read -r f; do COMPREPLY+=(\"$base$f\"); done < <(compgen -f -- \"$value\")\n"
    "  compopt -o filenames 2>/dev/null\n"
    "}\n\n"
    "_pgbench_names() { # KIND: a name, or the next key behind NAME:\n"
    "  local last=$value\n"
    "  if [[ $value != *:* || ($1 == estimator && ${value##*,} != *:*) ]]; then\n"
    "    _pgbench_words \"$(_pgbench_list \"$1\")\"\n"
    "  elif last=${value##*[:,]} && [[ $last != *=* ]]; then\n"
    "    local name=${value%:*}\n"
    "    _pgbench_offer \"${value%\"$last\"}\" \"$(_pgbench_keys \"$1:${name##*,}\")\"\n"
    "    compopt -o nospace 2>/dev/null\n"
    "  fi\n"
    "}\n\n"
    "_pgbench() {\n"
    "  local piece=${COMP_WORDS[COMP_CWORD]} base='' option='' command='' value w i\n"
    "  local -a words=(\"${COMP_WORDS[@]:0:COMP_CWORD+1}\")\n"
    "  COMPREPLY=()\n"
    "  if [[ ${COMP_LINE-} != '' ]]; then\n"
    "    read -ra words <<<\"${COMP_LINE:0:COMP_POINT}\"\n"
    "    if [[ ${COMP_LINE:0:COMP_POINT} == *[[:space:]] ]]; then words+=(''); fi\n"
    "    if [[ $piece == [=:] ]]; then piece=''; fi\n"
    "  fi\n"
    "  for w in \"${words[@]:1:${#words[@]}-2}\"; do\n"
    "    if [[ $option != '' ]]; then\n"
    "      option=''\n"
    "    elif [[ $w == -* ]]; then\n"
    "      if _pgbench_takes_value \"$w\"; then option=$w; fi\n"
    "    elif [[ $command == '' ]]; then\n"
    "      command=$w\n"
    "    fi\n"
    "  done\n"
    "  value=${words[${#words[@]}-1]}\n"
    "  local whole=$value\n"
    "  if [[ $option == '' && $value == --*=* ]]; then\n"
    "    option=${value%%=*} base=${value%%=*}= value=${value#*=}\n"
    "  fi\n"
    "  if [[ $option != '' ]]; then\n"
    "    _pgbench_value \"$option\"\n"
    "  elif [[ $value == -* ]]; then\n"
    "    _pgbench_offer '' \"$_pgbench_options\"\n"
    "  elif [[ $command == '' ]]; then\n"
    "    _pgbench_offer '' \"$_pgbench_commands\"\n"
    "  else\n"
    "    _pgbench_operand \"$command\"\n"
    "  fi\n"
    "  for i in \"${!COMPREPLY[@]}\"; do\n"
    "    COMPREPLY[i]=${COMPREPLY[i]#\"${whole%\"$piece\"}\"}\n"
    "  done\n"
    "}\n\n"
    "complete -F _pgbench pgbench\n";

void pgb_print_bash_completion(FILE *out) {
  (void)fputs(
      "# SPDX-License-Identifier: MIT\n# shellcheck shell=bash\n"
      "# Completion of pgbench in bash, made by its build from the program's own tables. Taken up by\n"
      "# bash-completion where PREFIX/share is in XDG_DATA_DIRS, or by: . this-file\n\n",
      out);
  (void)fputs("_pgbench_commands='", out);
  for (const pgb_command *c = pgb_commands; c->name != NULL; c++)
    (void)fprintf(out, "%s%s", c == pgb_commands ? "" : " ", c->name);
  (void)fputs("'\n_pgbench_options='", out);
  for (const pgb_flag *f = pgb_flags; f->name != NULL; f++)
    (void)fprintf(out, "%s--%s", f == pgb_flags ? "" : " ", f->name);
  (void)fputs("'\n\n", out);
  list_table(out);
  key_table(out);
  flag_table(out);
  value_table(out);
  operand_table(out);
  (void)fputs(functions, out);
}
