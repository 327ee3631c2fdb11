"""What a call of the host was refused with."""


class HostError(Exception):
    """The case of the interface's error, and its message. `state`, `jobs` and `http` turn it into their own."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(kind, message)
        self.kind = kind
        self.message = message
