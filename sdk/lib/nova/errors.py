# SPDX-License-Identifier: BSD-2-Clause
"""Exit statuses of `nova`, and the error that ends it with one sentence."""

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_STOPPED = 3
EXIT_TIMEOUT = 124
EXIT_INTERRUPTED = 130


class NovaError(Exception):
    """Ends the command with `nova: SENTENCE` and the given status."""

    def __init__(self, sentence, status=EXIT_USAGE):
        super().__init__(sentence)
        self.status = status


def meant(word, known):
    """Returns a "did you mean" question about WORD, or "" if it resembles no KNOWN word."""
    import difflib  # imported here because a boot rarely needs it

    near = difflib.get_close_matches(word, known, 1)
    return f" Did you mean '{near[0]}'?" if near else ""


# Maximum number of known words listed with a wrong one.
LISTED = 12


def no_model(emulator, model, known):
    """Returns a sentence about a CPU MODEL that an emulator lacks, with the KNOWN models. If there
    are more than LISTED, the sentence names those most similar to MODEL and, if few are similar,
    also the first ones."""
    import difflib

    like = difflib.get_close_matches(model, known, LISTED, 0.4) + list(known)
    few = set(like[:LISTED]) if len(known) > LISTED else known
    listed = [name for name in known if name in few]
    more = f" and {len(known) - len(listed)} others" if len(known) > len(listed) else ""
    return (
        f"{emulator} has no CPU model '{model}'.{meant(model, known)} "
        f"--cpu accepts: {', '.join(listed)}{more}."
    )
