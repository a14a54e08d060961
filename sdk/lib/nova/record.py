# SPDX-License-Identifier: BSD-2-Clause
"""Values with named fields, for the modules that each boot loads. Python's module dataclasses can
do more, but importing it takes a quarter of the time of all imports of a boot."""


class Record:
    """A subclass annotates its fields, in order, with their defaults. The default `list` stands for
    a new list."""

    def __init__(self, *values, **named):
        fields = list(type(self).__annotations__)
        if len(values) > len(fields):
            raise TypeError(f"{type(self).__name__} has {len(fields)} fields")
        given = dict(zip(fields, values), **named)
        for field in fields:
            if field in given:
                value = given.pop(field)
            elif hasattr(type(self), field):
                default = getattr(type(self), field)
                value = [] if default is list else default
            else:
                raise TypeError(f"{type(self).__name__} needs {field}")
            setattr(self, field, value)
        if given:
            raise TypeError(f"{type(self).__name__} has no {', '.join(given)}")

    def __eq__(self, other):
        return type(other) is type(self) and vars(other) == vars(self)

    def __repr__(self):
        fields = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({fields})"

    def changed(self, **fields):
        """Returns a copy with these values of FIELDS."""
        given = {name: getattr(self, name) for name in type(self).__annotations__}
        return type(self)(**(given | fields))
