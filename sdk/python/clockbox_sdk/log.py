"""Lines for the run's log, with named values. `Handler` brings what `logging` of the standard library is told there, too."""

import logging

from . import _host


def trace(message: object, /, *args: object, **fields: object) -> None:
    """Every step."""
    _write("trace", _text(message, args), fields)


def debug(message: object, /, *args: object, **fields: object) -> None:
    """For the author of the job."""
    _write("debug", _text(message, args), fields)


def info(message: object, /, *args: object, **fields: object) -> None:
    """For whoever looks at the run."""
    _write("info", _text(message, args), fields)


def warn(message: object, /, *args: object, **fields: object) -> None:
    """Worth a look."""
    _write("warn", _text(message, args), fields)


def error(message: object, /, *args: object, **fields: object) -> None:
    """Something failed."""
    _write("error", _text(message, args), fields)


def _write(level: str, message: str, fields: dict[str, object]) -> None:
    _host.write(level, message, [(key, str(value)) for key, value in fields.items()])


def _text(message: object, args: tuple[object, ...]) -> str:
    """As `logging` has it, `log.info("%d of %d", 1, 2)`; but a line is never worth a failure."""
    try:
        return str(message) % args if args else str(message)
    except (TypeError, ValueError, KeyError):
        return " ".join(map(str, (message, *args)))


# What a record has without anybody's `extra`.
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class Handler(logging.Handler):
    """Hands the records of `logging` to the host: `logging.basicConfig(level="INFO", handlers=[log.Handler()])`.

    What `extra` brings becomes fields, and so does the name of a logger other than the root.
    """

    def __init__(self, level: int | str = logging.NOTSET) -> None:
        super().__init__(level)
        # Else `basicConfig` gives it one that has level and logger in the message, too.
        self.setFormatter(logging.Formatter())

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
