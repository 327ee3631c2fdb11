"""Lines for the run's log. `Handler` brings what the standard library's `logging` is told there too."""

import logging

from . import _host


def trace(message: object, **fields: object) -> None:
    """Every step."""
    _write("trace", message, fields)


def debug(message: object, **fields: object) -> None:
    """For the author of the job."""
    _write("debug", message, fields)


def info(message: object, **fields: object) -> None:
    """For whoever looks at the run."""
    _write("info", message, fields)


def warn(message: object, **fields: object) -> None:
    """Worth a look."""
    _write("warn", message, fields)


def error(message: object, **fields: object) -> None:
    """Something failed."""
    _write("error", message, fields)


def _write(level: str, message: object, fields: dict[str, object]) -> None:
    _host.write(level, str(message), [(key, str(value)) for key, value in fields.items()])


# What a record has without anybody's `extra`.
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class Handler(logging.Handler):
    """Hands the records of `logging` to the host: `logging.getLogger().addHandler(log.Handler())`.

    What `extra` brings becomes fields, and so does the name of a logger other than the root.
    """

    def emit(self, record: logging.LogRecord) -> None:
        try:
            fields = {key: value for key, value in vars(record).items() if key not in _OWN}
            if record.name != "root":
                fields["logger"] = record.name
            _write(_level(record.levelno), self.format(record), fields)
        except Exception:
            self.handleError(record)


def _level(number: int) -> str:
    if number >= logging.ERROR:
        return "error"
    if number >= logging.WARNING:
        return "warn"
    if number >= logging.INFO:
        return "info"
    return "debug" if number >= logging.DEBUG else "trace"
