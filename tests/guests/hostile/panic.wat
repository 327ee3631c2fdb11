;; Opens files, writes half a line to both streams and to a file, and traps with all of it open.
(module
  (import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 1024) "held-00")
  (data (i32.const 1040) "half a line")
  (func $say (param $to i32)
    (i32.store (i32.const 0) (i32.const 1040))
    (i32.store (i32.const 4) (i32.const 11))
    (drop (call $write (local.get $to) (i32.const 0) (i32.const 1) (i32.const 8))))
  (func $panic_while_holding_everything unreachable)
  (func (export "_start") (local $i i32)
    (loop $more
      (i32.store8 (i32.const 1029) (i32.add (i32.const 48) (i32.div_u (local.get $i) (i32.const 10))))
      (i32.store8 (i32.const 1030) (i32.add (i32.const 48) (i32.rem_u (local.get $i) (i32.const 10))))
      ;; Created, for writing.
      (if (call $open (i32.const 3) (i32.const 0) (i32.const 1024) (i32.const 7) (i32.const 1)
            (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 16))
        (then (return)))
      (call $say (i32.load (i32.const 16)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $more (i32.lt_u (local.get $i) (i32.const 50))))
    (call $say (i32.const 1))
    (call $say (i32.const 2))
    (call $panic_while_holding_everything)))
