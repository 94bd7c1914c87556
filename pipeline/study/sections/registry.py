"""The section `registry`: who decides that a blessed model becomes the champion."""

from __future__ import annotations

from typing import Literal

from pipeline.documents import StrictModel


class RegistryRules(StrictModel):
    """Who decides on the champion.

    Attributes:
        promotion: `automatic`: a blessed model becomes the champion; `person`: it becomes a
            candidate, which a person promotes (`trial models promote`); `two_persons`: two persons
            must.
    """

    promotion: Literal["automatic", "person", "two_persons"] = "automatic"
