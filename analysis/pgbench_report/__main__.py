# SPDX-License-Identifier: MIT
"""python3 -m pgbench_report"""

import sys

from .cli import main

sys.exit(main())
