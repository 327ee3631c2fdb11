//go:build wasip1

package host

import (
	"runtime/debug"
	"structs"
	"unsafe"
)

// The canonical ABI of the world clockbox:job/job, by hand. What is not called is not imported. TinyGo has no imported function as a
// value, so that each is called in a function around it.

// text is a string as the host hands it over.
type text struct {
	_        structs.HostLayout
	ptr, len uint32
}

type optionText struct {
	_    structs.HostLayout
	some uint32 // one byte and padding
	text text
}

// answer is a result whose failure is a variant of messages, and whose success is any of these.
type answer struct {
	_    structs.HostLayout
	err  uint32 // one byte and padding
	a    uint32 // the case of an error, an option or a flag (one byte); or a list's address
	b, c uint32 // an address and a length; or b, the length of a list
}

// httpAnswer is the result of a request.
type httpAnswer struct {
	_   structs.HostLayout
	err uint32 // one byte and padding
	// The status (two bytes), or the case of an error (one byte).
	a                   uint32
	header, headerCount uint32 // or the message
	body, size          uint32
}

type pair struct {
	_          structs.HostLayout
	key, value text
}

//go:wasmimport clockbox:job/context@0.1.0 job-id
func jobID(*text)

//go:wasmimport clockbox:job/context@0.1.0 run-id
func runID(*text)

//go:wasmimport clockbox:job/context@0.1.0 attempt
func attempt() uint32

//go:wasmimport clockbox:job/context@0.1.0 scheduled-at
func scheduledAt(*text)

//go:wasmimport clockbox:job/context@0.1.0 previous-success
func previousSuccess(*optionText)

//go:wasmimport clockbox:job/context@0.1.0 cause
func cause() uint32

//go:wasmimport clockbox:job/context@0.1.0 idempotency-key
func idempotencyKey(*text)

//go:wasmimport clockbox:job/context@0.1.0 deadline-ms
func deadlineMs() uint64

//go:wasmimport clockbox:job/context@0.1.0 is-cancelled
func isCancelled() uint32

//go:wasmimport clockbox:job/context@0.1.0 config
func config(key string, into *optionText)

//go:wasmimport clockbox:job/log@0.1.0 write
func write(level uint32, message string, fields unsafe.Pointer, count uint32)

//go:wasmimport clockbox:job/progress@0.1.0 report
func report(done uint64, hasTotal uint32, total uint64, hasNote uint32, note string)

//go:wasmimport clockbox:state/store@0.1.0 get
func stateGet(key string, into *answer)

//go:wasmimport clockbox:state/store@0.1.0 set
func stateSet(key string, value unsafe.Pointer, size uint32, hasTTL uint32, ttl uint64, into *answer)

//go:wasmimport clockbox:state/store@0.1.0 delete
func stateDelete(key string, into *answer)

//go:wasmimport clockbox:state/store@0.1.0 keys
func stateKeys(prefix string, into *answer)

//go:wasmimport clockbox:state/store@0.1.0 compare-and-swap
func stateSwap(key string, hasExpected uint32, expected unsafe.Pointer, expectedSize uint32, hasValue uint32, value unsafe.Pointer, size uint32, hasTTL uint32, ttl uint64, into *answer)

//go:wasmimport clockbox:jobs/control@0.1.0 add
func jobsAdd(name, job string, conflict uint32, into *answer)

//go:wasmimport clockbox:jobs/control@0.1.0 modify
func jobsModify(name, changes string, into *answer)

//go:wasmimport clockbox:jobs/control@0.1.0 pause
func jobsPause(name string, hasNote uint32, note string, into *answer)

//go:wasmimport clockbox:jobs/control@0.1.0 resume
func jobsResume(name string, into *answer)

//go:wasmimport clockbox:jobs/control@0.1.0 remove
func jobsRemove(name string, into *answer)

//go:wasmimport clockbox:jobs/control@0.1.0 run
func jobsRun(name string, hasArgs uint32, args string, into *answer)

//go:wasmimport clockbox:jobs/control@0.1.0 list
func jobsList(into *answer)

//go:wasmimport clockbox:jobs/control@0.1.0 get
func jobsGet(name string, into *answer)

//go:wasmimport clockbox:http/client@0.1.0 send
func httpSend(method, url string, header unsafe.Pointer, headerCount uint32, body unsafe.Pointer, size uint32, hasTimeout uint32, timeout uint64, hasMaxBody uint32, maxBody uint64, into *httpAnswer)

// kept holds what the host was given room for until it is read.
var kept [][]uint64

// The adapter of preview 1 takes its own room before Go has started; this is where it gets that.
var (
	early   [1 << 14]uint64
	taken   uint32
	started bool
)

// collecting is how often garbage is collected while the job is at work.
var collecting int

func init() {
	started = true
	collecting = debug.SetGCPercent(-1)
}

// quiet waits for a collection that is under way and lets none begin until what it returns is called, which lets go of what the host
// has handed over meanwhile. A collection lets time go by and yields, which are calls of the host; while the host hands something over,
// or clears away an answer, none is allowed.
func quiet() func() {
	debug.SetGCPercent(-1)
	return loud
}

func loud() {
	kept = nil
	debug.SetGCPercent(collecting)
}

// The allocator may ask for the time, and while the host hands something over no call of the host is allowed: the adapter answers with
// the time that it knows.
//
//go:wasmimport wasi_snapshot_preview1 adapter_monotonic_clock_set_paused
func pauseClock(paused bool)

// realloc is where the host gets room for what it hands over: cabi_realloc.
func realloc(old unsafe.Pointer, oldSize, align, size uint32) unsafe.Pointer {
	if size == 0 {
		return unsafe.Pointer(uintptr(align))
	}
	words := (size + 7) / 8
	if !started {
		at := taken
		taken += words
		return unsafe.Pointer(&early[at])
	}
	pauseClock(true)
	room := make([]uint64, words)
	if oldSize > 0 {
		copy(unsafe.Slice((*byte)(unsafe.Pointer(&room[0])), size), unsafe.Slice((*byte)(old), oldSize))
	}
	kept = append(kept, room)
	pauseClock(false)
	return unsafe.Pointer(&room[0])
}

func bytesAt(ptr, size uint32) []byte {
	if size == 0 {
		return []byte{}
	}
	return append([]byte(nil), unsafe.Slice((*byte)(unsafe.Pointer(uintptr(ptr))), size)...)
}

func (t text) String() string { return string(bytesAt(t.ptr, t.len)) }

func ask(call func(*text)) string {
	defer quiet()()
	var into text
	call(&into)
	return into.String()
}

func askOption(call func(*optionText)) (string, bool) {
	defer quiet()()
	var into optionText
	call(&into)
	if into.some&0xFF == 0 {
		return "", false
	}
	return into.text.String(), true
}

func (a *answer) refusal() *Refusal {
	if a.err&0xFF == 0 {
		return nil
	}
	return &Refusal{Case: uint8(a.a), Message: string(bytesAt(a.b, a.c))}
}

func call(function func(*answer)) *Refusal {
	defer quiet()()
	var into answer
	function(&into)
	return into.refusal()
}

func callFlag(function func(*answer)) (bool, *Refusal) {
	defer quiet()()
	var into answer
	function(&into)
	return into.a&0xFF != 0, into.refusal()
}

func callOption(function func(*answer)) ([]byte, *Refusal) {
	defer quiet()()
	var into answer
	function(&into)
	if refusal := into.refusal(); refusal != nil || into.a&0xFF == 0 {
		return nil, refusal
	}
	return bytesAt(into.b, into.c), nil
}

func callList(function func(*answer)) ([]string, *Refusal) {
	defer quiet()()
	var into answer
	function(&into)
	if refusal := into.refusal(); refusal != nil {
		return nil, refusal
	}
	items := make([]string, into.b)
	if into.b > 0 {
		for i, item := range unsafe.Slice((*text)(unsafe.Pointer(uintptr(into.a))), into.b) {
			items[i] = item.String()
		}
	}
	return items, nil
}

func JobID() string       { return ask(func(into *text) { jobID(into) }) }
func RunID() string       { return ask(func(into *text) { runID(into) }) }
func Attempt() uint32     { return attempt() }
func ScheduledAt() string { return ask(func(into *text) { scheduledAt(into) }) }
func PreviousSuccess() (string, bool) {
	return askOption(func(into *optionText) { previousSuccess(into) })
}
func Manual() bool           { return cause() != 0 }
func IdempotencyKey() string { return ask(func(into *text) { idempotencyKey(into) }) }
func DeadlineMs() uint64     { return deadlineMs() }
func IsCancelled() bool      { return isCancelled() != 0 }
func Config(key string) (string, bool) {
	return askOption(func(into *optionText) { config(key, into) })
}

func Log(level uint8, message string, fields []Field) {
	pairs := pairsOf(fields)
	write(uint32(level), message, unsafe.Pointer(unsafe.SliceData(pairs)), uint32(len(pairs)))
}

func pairsOf(fields []Field) []pair {
	pairs := make([]pair, len(fields))
	for i, field := range fields {
		pairs[i] = pair{key: textOf(field.Key), value: textOf(field.Value)}
	}
	return pairs
}

func textOf(s string) text {
	return text{ptr: uint32(uintptr(unsafe.Pointer(unsafe.StringData(s)))), len: uint32(len(s))}
}

func Report(done uint64, total *uint64, note *string) {
	var count uint64
	var words string
	if total != nil {
		count = *total
	}
	if note != nil {
		words = *note
	}
	report(done, is(total != nil), count, is(note != nil), words)
}

func is(so bool) uint32 {
	if so {
		return 1
	}
	return 0
}

func lower(value []byte) (uint32, unsafe.Pointer, uint32) {
	return is(value != nil), unsafe.Pointer(unsafe.SliceData(value)), uint32(len(value))
}

func StateGet(key string) ([]byte, *Refusal) {
	return callOption(func(into *answer) { stateGet(key, into) })
}

func StateSet(key string, value []byte, ttlMs uint64) *Refusal {
	_, ptr, size := lower(value)
	return call(func(into *answer) { stateSet(key, ptr, size, is(ttlMs > 0), ttlMs, into) })
}

func StateDelete(key string) (bool, *Refusal) {
	return callFlag(func(into *answer) { stateDelete(key, into) })
}

func StateKeys(prefix string) ([]string, *Refusal) {
	return callList(func(into *answer) { stateKeys(prefix, into) })
}

func StateSwap(key string, expected, value []byte, ttlMs uint64) (bool, *Refusal) {
	hasExpected, expectedPtr, expectedSize := lower(expected)
	hasValue, ptr, size := lower(value)
	return callFlag(func(into *answer) {
		stateSwap(key, hasExpected, expectedPtr, expectedSize, hasValue, ptr, size, is(ttlMs > 0), ttlMs, into)
	})
}

func JobsAdd(name, job string, conflict uint8) *Refusal {
	return call(func(into *answer) { jobsAdd(name, job, uint32(conflict), into) })
}

func JobsModify(name, changes string) *Refusal {
	return call(func(into *answer) { jobsModify(name, changes, into) })
}

func JobsPause(name, note string) *Refusal {
	return call(func(into *answer) { jobsPause(name, is(note != ""), note, into) })
}

func JobsResume(name string) *Refusal {
	return call(func(into *answer) { jobsResume(name, into) })
}

func JobsRemove(name string) *Refusal {
	return call(func(into *answer) { jobsRemove(name, into) })
}

func JobsRun(name string, args *string) *Refusal {
	var given string
	if args != nil {
		given = *args
	}
	return call(func(into *answer) { jobsRun(name, is(args != nil), given, into) })
}

func JobsList() ([]string, *Refusal) { return callList(func(into *answer) { jobsList(into) }) }

func JobsGet(name string) ([]byte, *Refusal) {
	return callOption(func(into *answer) { jobsGet(name, into) })
}

func HTTPSend(request HTTPRequest) (HTTPResponse, *Refusal) {
	defer quiet()()
	header := pairsOf(request.Header)
	var into httpAnswer
	httpSend(
		request.Method, request.URL, unsafe.Pointer(unsafe.SliceData(header)), uint32(len(header)),
		unsafe.Pointer(unsafe.SliceData(request.Body)), uint32(len(request.Body)),
		is(request.TimeoutMs > 0), request.TimeoutMs, is(request.MaxBody > 0), request.MaxBody, &into,
	)
	if into.err&0xFF != 0 {
		return HTTPResponse{}, &Refusal{Case: uint8(into.a), Message: string(bytesAt(into.header, into.headerCount))}
	}
	response := HTTPResponse{Status: uint16(into.a), Header: make([]Field, into.headerCount), Body: bytesAt(into.body, into.size)}
	if into.headerCount > 0 {
		for i, field := range unsafe.Slice((*pair)(unsafe.Pointer(uintptr(into.header))), into.headerCount) {
			response.Header[i] = Field{Key: field.key.String(), Value: field.value.String()}
		}
	}
	return response, nil
}

// runAnswer is result<option<string>, job-error>.
type runAnswer struct {
	_     structs.HostLayout
	err   uint64 // one byte and padding
	a     uint32 // whether there is an output, or the case of the failure
	b     uint32 // the output's address
	c     uint32 // the output's length, or the code's address
	d     uint32 // the code's length
	e, f  uint32 // the message
	delay uint64
}

var (
	answered runAnswer
	told     Answer // holds what answered points to
)

//go:wasmexport clockbox:job/runner@0.1.0#run
func run(ptr unsafe.Pointer, size uint32) unsafe.Pointer {
	args := string(bytesAt(uint32(uintptr(ptr)), size))
	loud()
	defer quiet() // until the answer is cleared away
	told = Serve(args)
	answered = runAnswer{}
	switch {
	case told.Failed:
		code, message := textOf(told.Code), textOf(told.Message)
		answered = runAnswer{err: 1, a: uint32(told.Case), c: code.ptr, d: code.len, e: message.ptr, f: message.len, delay: told.DelayMs}
	case told.Output != nil:
		output := textOf(*told.Output)
		answered = runAnswer{a: 1, b: output.ptr, c: output.len}
	}
	return unsafe.Pointer(&answered)
}
