package clockbox

import "strings"

// clean is a text as the host takes it: a byte that is not UTF-8 would end the run, and not just look odd.
func clean(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }
