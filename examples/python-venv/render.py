"""Renders a table of byte sizes as text: something to do with the installed packages."""

import pathlib
import sys

import humanize
import six
import tabulate

title = sys.argv[1]
rows = [(2**power, humanize.naturalsize(2**power, binary=True)) for power in range(0, 41, 10)]
table = tabulate.tabulate(rows, headers=["bytes", "in words"])

out = pathlib.Path("out")
out.mkdir(exist_ok=True)
(out / "table.txt").write_text(f"{six.ensure_str(title)}\n\n{table}\n")
print(table)
