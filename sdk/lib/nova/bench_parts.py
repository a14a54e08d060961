# SPDX-License-Identifier: BSD-2-Clause
"""The parts of `nova bench`: the programs' output, the mean of several boots, and the results of a
failed part."""

from nova import build, table
from nova.errors import EXIT_FAILED, NovaError

# Number of boots. The figure of an operation is the mean of all boots. In each boot, the kernel's
# trees have other shapes.
BOOTS = 8


class Unfinished(NovaError):
    """A program that ended with an error, with its console's text up to that point."""

    def __init__(self, sentence, text):
        super().__init__(sentence, EXIT_FAILED)
        self.text = text


def values(text, word):
    """Returns the values of all lines `WORD KEY VALUE`."""
    found = {}
    for line in text.splitlines():
        fields = line.split()
        if len(fields) == 3 and fields[0] == word:
            found[fields[1]] = float(fields[2]) if "." in fields[2] else int(fields[2])
    return found


def mean(runs):
    """Returns {key: the mean of all runs}, to as many digits as the runs have."""
    keys = [key for key in runs[0] if all(key in run for run in runs)]
    sums = {key: sum(run[key] for run in runs) / len(runs) for key in keys}
    return {key: round(sums[key], 2 if isinstance(runs[0][key], float) else None) for key in keys}


def check_means(rows, console):
    """Raises NovaError unless the measured rows with means in rows.tsv are exactly the KEYs of the
    program's lines `mean KEY`."""
    told = {line.split()[1] for line in console.splitlines() if line.startswith("mean ")}
    measured = values(console, "bench")
    listed = {row.key for row in rows if row.sample == table.MEAN and row.key in measured}
    wrong = ", ".join(sorted(told ^ listed))
    if wrong:
        raise NovaError(f"tests/bench/rows.tsv disagrees about means: {wrong}.", EXIT_FAILED)


def operations(rows, count):
    """Returns the mean of several boots, each counted by COUNT(boot). A boot that did not end well
    raises Unfinished with its text."""
    texts = [count(boot) for boot in range(BOOTS)]
    runs = [values(text, "bench") for text in texts]
    if not all(runs):
        raise NovaError("the benchmark ended without a figure.", EXIT_FAILED)
    check_means(rows, texts[0])
    return mean(runs)


def count(own_kernel, counts):
    """Returns figures of several counts, and whether all counts ended well. A count of our own
    kernel must end well; figures that another kernel gave before it failed are kept."""
    found, complete = {}, True
    for part in counts:
        try:
            found.update(part())
        except NovaError as error:
            found.update(values(getattr(error, "text", ""), "bench"))
            if own_kernel or not found:
                raise
            build.say(f"incomplete: {error}")
            complete = False
    return found, complete
