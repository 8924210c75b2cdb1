# SPDX-License-Identifier: MIT
"""python3 -m pgbench_report.manual DATE VERSION PAGE COMPLETION: the man page and the completion of bash, made from
the parser of the command line, so that no option stands in two lists. Run by the build."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .cli import FORMATS, parser

EXIT = (("0", "everything was written"), ("2", "a file cannot be read or written, or an option is wrong; one message says which"))


def roff(text: str) -> str:
    """Text that man(7) shows as it stands."""
    for plain, escaped in (("\\", "\\e"), ("-", "\\-"), ("'", "\\(aq"), ("`", "\\(ga"), ("~", "\\(ti"), ("^", "\\(ha")):
        text = text.replace(plain, escaped)
    return f"\\&{text}" if text.startswith(".") else text


def entries(actions: list[argparse.Action]) -> str:
    text = ""
    for action in actions:
        names = ", ".join(f"\\fB{roff(name)}\\fR" for name in action.option_strings)
        words = [names] if names else []
        if action.nargs != 0:
            words.append(f"\\fI{roff(str(action.metavar or action.dest))}\\fR")
        text += f".TP\n{' '.join(words)}\n{roff(action.help or '')}\n"
    return text


def page(command: argparse.ArgumentParser, date: str, version: str) -> str:
    actions = command._actions  # argparse has no public list of them
    return (
        ".\\\" SPDX-License-Identifier: MIT\n"
        f'.TH PGBENCH\\-REPORT 1 "{date}" "pgbench {version}" "Policy\\-gradient benchmark"\n'
        ".SH NAME\npgbench\\-report \\- tables, figures and a page from result files of pgbench\n"
        ".SH SYNOPSIS\n.B pgbench\\-report\n.RI [ options ]\n.IR FILE ...\n"
        f".SH DESCRIPTION\n{roff(command.description or '')} Every statistic is the one that pgbench(1) stored.\n"
        f".PP\n{roff(command.epilog or '')}\n"
        f".SH OPTIONS\n{entries([a for a in actions if a.option_strings])}"
        f".SH FILES\n{entries([a for a in actions if not a.option_strings])}"
        f".SH EXIT STATUS\n{''.join(f'.TP{chr(10)}{code}{chr(10)}{roff(text)}{chr(10)}' for code, text in EXIT)}"
        ".SH SEE ALSO\n.BR pgbench (1)\n"
    )


def completion(command: argparse.ArgumentParser) -> str:
    """Options, formats in lists with commas, folders after -o; files otherwise."""
    options = " ".join(name for action in command._actions for name in action.option_strings if name.startswith("--"))
    return f"""\
# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Completion of pgbench-report in bash, made by the build of pgbench.
_pgbench_report() {{
  local cur=${{COMP_WORDS[COMP_CWORD]}} head='' w
  local before=${{COMP_WORDS[COMP_CWORD - 1]}}
  COMPREPLY=()
  if [[ $before == = ]]; then before=${{COMP_WORDS[COMP_CWORD - 2]}}; fi
  if [[ $cur == = ]]; then before=${{COMP_WORDS[COMP_CWORD - 1]}} cur=''; fi
  case $before in
    --format)
      if [[ $cur == *,* ]]; then head=${{cur%,*}},; fi
      for w in {" ".join(FORMATS)}; do
        if [[ $head$w == "$cur"* ]]; then COMPREPLY+=("$head$w"); fi
      done
      ;;
    --batch) ;;
    *)
      if [[ $cur == -* ]]; then
        for w in {options}; do
          if [[ $w == "$cur"* ]]; then COMPREPLY+=("$w"); fi
        done
      else
        while IFS= read -r w; do COMPREPLY+=("$w"); done < <(compgen -f -- "$cur")
        compopt -o filenames 2>/dev/null
      fi
      ;;
  esac
}}

complete -F _pgbench_report pgbench-report
"""


def main(arguments: list[str]) -> int:
    if len(arguments) != 4:
        print("usage: python3 -m pgbench_report.manual DATE VERSION PAGE COMPLETION", file=sys.stderr)
        return 2
    date, version, *paths = arguments
    command = parser()
    for path, text in zip(paths, (page(command, date, version), completion(command)), strict=True):
        Path(path).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
