;; Opens a path of 8 MiB: "./" over and over, which names the folder itself.
(module
  (import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 160)
  (func (export "_start") (local $at i32)
    (local.set $at (i32.const 65536))
    (loop $more
      (i32.store16 (local.get $at) (i32.const 0x2f2e))
      (local.set $at (i32.add (local.get $at) (i32.const 2)))
      (br_if $more (i32.lt_u (local.get $at) (i32.const 8454144))))
    (call $exit
      (call $open (i32.const 3) (i32.const 1) (i32.const 65536) (i32.const 8388608) (i32.const 0)
        (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 16)))))
