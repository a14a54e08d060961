# SPDX-License-Identifier: BSD-2-Clause
"""Exit statuses of `nova`, and the error that ends it with one sentence."""

import difflib

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_STOPPED = 3
EXIT_TIMEOUT = 124


class NovaError(Exception):
    """Ends the command with `nova: SENTENCE` and the given status."""

    def __init__(self, sentence, status=EXIT_USAGE):
        super().__init__(sentence)
        self.status = status


def meant(word, known):
    """A question to follow a complaint about WORD, "" if it resembles nothing that is KNOWN."""
    near = difflib.get_close_matches(word, known, 1)
    return f" Did you mean '{near[0]}'?" if near else ""


def no_model(emulator, model, known):
    """A sentence about a CPU MODEL that an emulator does not have, with those that it has."""
    hint = meant(model, known)
    return f"{emulator} has no CPU model '{model}'.{hint} --cpu takes: {', '.join(known)}."
