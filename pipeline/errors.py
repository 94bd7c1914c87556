"""The one way to fail on something that a person can put right."""


class UserError(Exception):
    """A mistake in a study file, a setting, the data or the surroundings.

    The message is written for the person who must put it right: it names the file, row and
    column, what kind of thing was found (never a value of a patient), what was expected and
    what to do. Runners print it without a traceback.
    """

    def _render_traceback_(self) -> list[str]:
        """What Jupyter shows in place of a traceback."""
        return [str(self)]
