"""Why a run failed, and what that means for another attempt: raise one of these."""

import inspect
from typing import Any, Optional, Self


class Failure(Exception):
    """A failure: a code that programs can tell apart, and a message for people.

    One text alone is the message, and its code is the word for the kind of failure: `Fatal("no such customer")`.
    """

    _kind = "error"

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        # Else a failure that is built the wrong way is a TypeError, which may be tried again.
        try:
            inspect.signature(cls.__init__).bind(None, *args, **kwargs)
        except TypeError as error:
            raise Fatal("bad-failure", f"{cls.__name__} cannot be raised so: {error}") from error
        return super().__new__(cls, *args, **kwargs)

    def __init__(self, code: object = None, message: object = None) -> None:
        if message is None:
            code, message = None, "no reason was given" if code is None else code
        self.code = self._kind if code is None else str(code)
        self.message = str(message)
        super().__init__(self.code, self.message)

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class InvalidArgs(Failure):
    """The arguments do not fit the job. Never tried again."""

    _kind = "invalid-args"

    def __init__(self, message: object = None, code: Optional[str] = None) -> None:
        super().__init__(code, "no reason was given" if message is None else message)


class Retry(Failure):
    """It may work the next time: tried again as the job's retry policy says."""

    _kind = "retry"


class RetryAfter(Retry):
    """Likewise, but not before `delay` seconds have passed."""

    _kind = "retry-after"

    def __init__(self, delay: float, code: object = None, message: object = None) -> None:
        if not delay >= 0:
            raise ValueError(f"a delay of {delay} s lies in the past")
        super().__init__(code, message)
        self.delay = delay


class Fatal(Failure):
    """It will not work the next time either. Never tried again."""

    _kind = "fatal"


class Cancelled(Failure):
    """The job noticed that it is to stop, and stopped. Never tried again."""

    _kind = "cancelled"

    def __init__(self, message: object = "the host asked the run to stop") -> None:
        super().__init__("cancelled", message)
