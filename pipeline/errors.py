"""The one exception for errors that the user can fix."""


class UserError(Exception):
    """An error in a study file, a setting, the data or the environment.

    The message is written for the user who must fix it: it names the file, row and column, the
    kind of value found (never a patient's value), what was expected and what to do. Runners
    print it without a traceback.
    """

    def _render_traceback_(self) -> list[str]:
        """Text that Jupyter shows in place of a traceback."""
        return [str(self)]


def reason_of(error: OSError) -> str:
    """Why something failed: the system's words, or the type of an error that a library raised.

    Examples:
        >>> reason_of(OSError(28, "No space left on device"))
        'No space left on device'
        >>> reason_of(BrokenPipeError())
        'BrokenPipeError'
    """
    return error.strerror or type(error).__name__
