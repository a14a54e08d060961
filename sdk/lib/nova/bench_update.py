# SPDX-License-Identifier: BSD-2-Clause
"""Which figures `nova bench --update` checks in: without --worse none that is worse, however
little, for what several updates take would add up."""


def _is_series(value):
    """Whether it is a list of pairs, each a number of things and the figure beside them."""
    return isinstance(value, list) and bool(value) and isinstance(value[0], list)


def _is_worse(old, new):
    """A series is worse if it is so in the mean of what each figure is of the checked-in one."""
    if not _is_series(new):
        return new > old
    before, now = dict(old), dict(new)
    shares = [now[number] / before[number] for number in before if number in now]
    return sum(shares) > len(shares)


def _text(value):
    """A figure in a sentence, or all of a series."""
    return ", ".join(str(figure) for _, figure in value) if _is_series(value) else str(value)


class Counted:
    """What was counted, and what is checked in of it: numbers, lists of them and series, in
    dictionaries."""

    def __init__(self, checked_in, found, names=None, columns=(), wholes=()):
        """NAMES has what sentences call a key, COLUMNS what they call the numbers of a list. WHOLES
        are the places (keys) of series that are one figure each, as no number of one is exact."""
        self.checked_in, self.found = checked_in, found
        self.names, self.columns, self.wholes = names or {}, columns, wholes

    def choice(self, worse_too):
        """What to check in, and a sentence for each figure that is worse."""
        worse = []
        best = self._best(self.checked_in, self.found, (), worse)
        told = [(self._name(place), _text(old), _text(new)) for place, old, new in worse]
        if worse_too:
            taken = [f"taken: {name}: {new}, {old} was checked in" for name, old, new in told]
            return self.found, taken
        return best, [f"kept: {name}: {old}, found {new}" for name, old, new in told]

    def _name(self, place):
        return ", ".join(str(self.names.get(key, key)) for key in place)

    def _parts(self, value):
        """{name: part} of a value that is no number."""
        if isinstance(value, dict):
            return value
        return dict(value if _is_series(value) else zip(self.columns, value))

    def _best(self, old, new, place, worse):
        """NEW, but what in it is worse as it is in OLD; WORSE gets its place and both."""
        is_number = not isinstance(new, (dict, list))
        if is_number or (_is_series(new) and place in self.wholes):
            if not _is_worse(old, new):
                return new
            worse.append((place, old, new))
            return old
        before = self._parts(old)
        best = {
            name: self._best(before[name], part, (*place, name), worse) if name in before else part
            for name, part in self._parts(new).items()
        }
        if _is_series(new):
            return [list(pair) for pair in best.items()]
        return best if isinstance(new, dict) else list(best.values())
