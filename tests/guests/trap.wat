;; Traps three calls deep; the functions have names, for the backtrace.
(module
  (memory (export "memory") 1)
  (func $inner unreachable)
  (func $middle (call $inner))
  (func $outer (call $middle))
  (func (export "_start") (call $outer)))
