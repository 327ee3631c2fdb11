"""Why a run failed, and what that means for another attempt: raise one of these."""


class Failure(Exception):
    """A failure: a code that programs can tell apart, and a message for people."""

    def __init__(self, code: str, message: object) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = str(message)

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class InvalidArgs(Failure):
    """The arguments do not fit the job. Never tried again."""

    def __init__(self, message: object, code: str = "invalid-args") -> None:
        super().__init__(code, message)


class Retry(Failure):
    """It may work the next time: tried again as the job's retry policy says."""


class RetryAfter(Retry):
    """Likewise, but not before `delay` seconds have passed."""

    def __init__(self, delay: float, code: str, message: object) -> None:
        if delay < 0:
            raise ValueError(f"a delay of {delay} s lies in the past")
        super().__init__(code, message)
        self.delay = delay


class Fatal(Failure):
    """It will not work the next time either. Never tried again."""


class Cancelled(Failure):
    """The job noticed that it is to stop, and stopped. Never tried again."""

    def __init__(self, message: object = "the host asked the run to stop") -> None:
        super().__init__("cancelled", message)
