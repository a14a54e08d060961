# SPDX-License-Identifier: BSD-2-Clause
"""Reads the Test Anything Protocol from a console's text, without trusting it."""

import re

from nova.record import Record

PLAN = re.compile(r"1\.\.(\d+)\s*(#.*)?$")
CASE = re.compile(r"(not )?ok\b\s*(\d+)?\s*(?:- ?)?(.*)$")
SKIP = re.compile(r"#\s*skip\b\s*(not raised here: )?(.*)$", re.IGNORECASE)
MAX_PLAN = 100000
MAX_DIGITS = 18  # int() refuses strings of more than 4,300 digits

PASSED = "passed"
FAILED = "failed"
NOT_RUN = "not run"
NOT_RAISED = "not raised here"  # a skipped case whose line gives this as the reason


class Case(Record):
    number: int
    name: str
    result: str
    reason: str = ""
    notes: list = list  # indented comments after the case's line


class Stream(Record):
    """All cases in numerical order, and the problems of the stream as a whole."""

    cases: list = list
    problems: list = list

    def count(self, result):
        return sum(case.result == result for case in self.cases)

    def good(self):
        """Returns true if the stream is complete, at least one case passed, and all other cases
        were skipped as not raised here."""
        passed = self.count(PASSED)
        return (
            not self.problems
            and passed > 0
            and passed + self.count(NOT_RAISED) == len(self.cases)
        )


def _case(number, negative, text):
    skip = SKIP.search(text)
    if negative:
        return Case(number, text, FAILED)
    if not skip:
        return Case(number, text, PASSED)
    name = text[: skip.start()].rstrip()
    return Case(number, name, NOT_RAISED if skip.group(1) else NOT_RUN, skip.group(2))


def _number(digits, name, problems):
    """Returns the number that DIGITS spell, or None. If there are too many digits, adds a problem,
    which calls the number NAME."""
    if len(digits) <= MAX_DIGITS:
        return int(digits)
    problems.append(f"{name} has {len(digits)} digits; at most {MAX_DIGITS} are possible")
    return None


def parse(text):
    """Returns the Stream of a console's text. Ignores lines that do not belong to the protocol,
    because the console shows all output."""
    stream = Stream()
    plan = None
    seen = {}
    largest = 0
    last = None
    for line in text.splitlines():
        line = line.rstrip()
        if line.startswith("Bail out!"):
            stream.problems.append(line)
            continue
        match = PLAN.match(line)
        if match:
            if plan is not None:
                stream.problems.append("there are two plans")
            plan = _number(match.group(1), "the number of cases of a plan", stream.problems)
            continue
        match = CASE.match(line)
        if match:
            number = largest + 1
            if match.group(2):
                number = _number(match.group(2), "the number of a case", stream.problems)
            if number is None:
                continue
            if number in seen:
                stream.problems.append(f"case {number} is reported twice")
            elif number == 0 or number > MAX_PLAN:
                stream.problems.append(f"a case cannot have the number {number}")
            else:
                largest = max(largest, number)
                last = seen[number] = _case(number, match.group(1), match.group(3).strip())
        elif last and line.startswith("  # "):
            last.notes.append(line[4:])
    _close(stream, plan, seen)
    return stream


def _close(stream, plan, seen):
    """Compares the cases with the plan; a planned case without a result was not run."""
    if plan is None:
        stream.problems.append("there is no plan")
        plan = 0
    elif plan == 0:
        stream.problems.append("the plan has no cases")
    elif plan > MAX_PLAN:
        stream.problems.append(f"a plan cannot have {plan} cases")
        plan = 0
    elif max(seen, default=0) > plan:
        stream.problems.append(f"there are cases beyond the plan of {plan}")
    for number in sorted(set(seen) | set(range(1, plan + 1))):
        missing = Case(number, "planned, but never reported", NOT_RUN)
        stream.cases.append(seen.get(number, missing))
