"""For every test: random examples are the same in each run, so that a run says something of the change and not of the dice.

`SEKISHO_DICE=1` throws them anew; what is found then becomes an example of its own.
"""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("same", derandomize=True)
settings.load_profile("default" if os.environ.get("SEKISHO_DICE") else "same")
