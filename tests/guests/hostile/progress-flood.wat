;; Reports its progress a hundred times, each time with a note of 8 MiB of control characters.
(component
  (import "clockbox:job/progress@0.1.0" (instance $progress
    (export "report" (func (param "done" u64) (param "total" (option u64)) (param "note" (option string))))))
  (core module $libc (memory (export "memory") 160))
  (core instance $libc (instantiate $libc))
  (core func $report (canon lower (func $progress "report") (memory (core memory $libc "memory"))))
  (core module $guest
    (import "libc" "memory" (memory 160))
    (import "host" "report" (func $report (param i64 i32 i64 i32 i32 i32)))
    (func (export "run") (result i32) (local $i i32)
      (memory.fill (i32.const 65536) (i32.const 1) (i32.const 8388608))
      (loop $again
        (call $report (i64.const -1) (i32.const 1) (i64.const -1) (i32.const 1) (i32.const 65536) (i32.const 8388608))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $again (i32.lt_u (local.get $i) (i32.const 100))))
      (i32.const 0)))
  (core instance $guest (instantiate $guest
    (with "libc" (instance $libc))
    (with "host" (instance (export "report" (func $report))))))
  (func $run (result (result)) (canon lift (core func $guest "run")))
  (instance $command (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $command)))
