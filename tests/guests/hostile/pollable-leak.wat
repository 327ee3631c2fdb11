;; Subscribes to a clock again and again and drops none of it.
(component
  (import "wasi:io/poll@0.2.0" (instance $poll (export "pollable" (type (sub resource)))))
  (alias export $poll "pollable" (type $pollable))
  (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
    (alias outer 1 $pollable (type $pollable'))
    (export "pollable" (type $pollable (eq $pollable')))
    (export "subscribe-duration" (func (param "when" u64) (result (own $pollable))))))
  (core func $subscribe (canon lower (func $clock "subscribe-duration")))
  (core module $guest
    (import "host" "subscribe" (func $subscribe (param i64) (result i32)))
    (func (export "run") (result i32)
      (loop $again
        (drop (call $subscribe (i64.const 3_600_000_000_000)))
        (br $again))
      unreachable))
  (core instance $guest (instantiate $guest
    (with "host" (instance (export "subscribe" (func $subscribe))))))
  (func $run (result (result)) (canon lift (core func $guest "run")))
  (instance $command (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $command)))
