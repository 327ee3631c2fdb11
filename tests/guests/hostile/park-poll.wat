;; Waits for five thousand things at one time (the same clock, again and again), none of which comes within an age.
(component
  (import "wasi:io/poll@0.2.0" (instance $poll
    (export "pollable" (type $pollable (sub resource)))
    (export "poll" (func (param "in" (list (borrow $pollable))) (result (list u32))))))
  (alias export $poll "pollable" (type $pollable))
  (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
    (alias outer 1 $pollable (type $pollable'))
    (export "pollable" (type $pollable (eq $pollable')))
    (export "subscribe-duration" (func (param "when" u64) (result (own $pollable))))))
  (core module $libc
    (memory (export "memory") 16)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 524288)))
  (core instance $libc (instantiate $libc))
  (core func $wait (canon lower (func $poll "poll")
    (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
  (core func $subscribe (canon lower (func $clock "subscribe-duration")))
  (core module $guest
    (import "libc" "memory" (memory 16))
    (import "host" "poll" (func $poll (param i32 i32 i32)))
    (import "host" "subscribe" (func $subscribe (param i64) (result i32)))
    (func (export "run") (result i32) (local $pollable i32) (local $at i32)
      (local.set $pollable (call $subscribe (i64.const -1)))
      (local.set $at (i32.const 65536))
      (loop $more
        (i32.store (local.get $at) (local.get $pollable))
        (local.set $at (i32.add (local.get $at) (i32.const 4)))
        (br_if $more (i32.lt_u (local.get $at) (i32.const 85536))))
      (call $poll (i32.const 65536) (i32.const 5000) (i32.const 0))
      (i32.const 0)))
  (core instance $guest (instantiate $guest
    (with "libc" (instance $libc))
    (with "host" (instance (export "poll" (func $wait)) (export "subscribe" (func $subscribe))))))
  (func $run (result (result)) (canon lift (core func $guest "run")))
  (instance $command (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $command)))
