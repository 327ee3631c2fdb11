package clockbox

import (
	"context"
	"log/slog"
	"time"

	"clockbox/internal/host"
)

// LevelTrace is below slog.LevelDebug.
const LevelTrace = slog.LevelDebug - 4

// Handler brings what log/slog is told into the run's log. It is the default one wherever this package is imported.
type Handler struct {
	prefix string
	fields []host.Field
}

func init() { slog.SetDefault(slog.New(Handler{})) }

// Enabled is always true: the host decides what it keeps.
func (Handler) Enabled(context.Context, slog.Level) bool { return true }

// Handle writes a line.
func (h Handler) Handle(_ context.Context, record slog.Record) error {
	fields := append([]host.Field(nil), h.fields...)
	record.Attrs(func(attr slog.Attr) bool {
		fields = appendAttr(fields, h.prefix, attr)
		return true
	})
	host.Log(level(record.Level), clean(record.Message), fields)
	return nil
}

// WithAttrs is a handler whose lines have these values too.
func (h Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	h.fields = append([]host.Field(nil), h.fields...)
	for _, attr := range attrs {
		h.fields = appendAttr(h.fields, h.prefix, attr)
	}
	return h
}

// WithGroup is a handler that writes the names of values to come as name.key.
func (h Handler) WithGroup(name string) slog.Handler {
	if name != "" {
		h.prefix += name + "."
	}
	return h
}

func appendAttr(fields []host.Field, prefix string, attr slog.Attr) []host.Field {
	value := attr.Value.Resolve()
	if value.Kind() != slog.KindGroup {
		if attr.Key == "" {
			return fields
		}
		return append(fields, host.Field{Key: clean(prefix + attr.Key), Value: clean(shown(value))})
	}
	if attr.Key != "" {
		prefix += attr.Key + "."
	}
	for _, each := range value.Group() {
		fields = appendAttr(fields, prefix, each)
	}
	return fields
}

func shown(value slog.Value) string {
	switch each := value.Any().(type) {
	case []byte:
		return string(each)
	case time.Time:
		return each.Format(time.RFC3339Nano)
	}
	return value.String()
}

func level(level slog.Level) uint8 {
	switch {
	case level >= slog.LevelError:
		return 4
	case level >= slog.LevelWarn:
		return 3
	case level >= slog.LevelInfo:
		return 2
	case level >= slog.LevelDebug:
		return 1
	}
	return 0
}
