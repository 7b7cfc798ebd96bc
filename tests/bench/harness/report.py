"""Tables for people, JSON for programs, and the figures that have to hold."""
import json
import math
import os
import statistics


def median(values):
    """Of those that there are; NaN of none."""
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else math.nan


def spread(values):
    """(largest - smallest) / median"""
    return (max(values) - min(values)) / median(values) if values else math.nan


def percentile(values, share):
    """The value that `share` (0 to 1) of all values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else math.nan


def number(value, digits=2):
    return "-" if value is None or math.isnan(value) else f"{value:,.{digits}f}"


def table(title, columns, rows):
    """Prints rows of texts below their columns: the first to the left, figures to the right."""
    widths = [max(len(str(line[i])) for line in [columns, *rows]) for i in range(len(columns))]
    print(f"\n{title}")
    for line in [columns, *rows]:
        cells = [str(cell).ljust(width) if i == 0 else str(cell).rjust(width)
                 for i, (cell, width) in enumerate(zip(line, widths))]
        print("  " + "  ".join(cells).rstrip())
    print(flush=True)


class Summary:
    """What must hold beside what was measured. A row without a figure is one that could not be measured."""

    def __init__(self):
        self.rows = []

    def at_most(self, what, target, measured, unit="", digits=2):
        self._add(what, "<=", target, measured, unit, digits)

    def at_least(self, what, target, measured, unit="", digits=2):
        self._add(what, ">=", target, measured, unit, digits)

    def _add(self, what, relation, target, measured, unit, digits):
        if measured is None or math.isnan(measured):
            outcome, measured = "not measured", None
        else:
            held = measured <= target if relation == "<=" else measured >= target
            outcome = "met" if held else "not met"
        self.rows.append({"what": what, "relation": relation, "target": target, "measured": measured, "unit": unit,
                          "digits": digits, "outcome": outcome})

    def print(self):
        if not self.rows:
            return
        table("What must hold", ["", "target", "measured", ""],
              [[row["what"], f"{row['relation']} {row['target']:,g} {row['unit']}".rstrip(),
                f"{number(row['measured'], row['digits'])} {row['unit']}".rstrip(), row["outcome"]]
               for row in self.rows])


def without_nan(value):
    """JSON has no NaN."""
    if isinstance(value, dict):
        return {key: without_nan(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_nan(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def write_json(directory, name, content):
    os.makedirs(directory, exist_ok=True)
    with open(os.path.join(directory, f"{name}.json"), "w") as file:
        json.dump(without_nan(content), file, indent=1)
        file.write("\n")
