;; Prints 1 MiB: 16384 lines of 64 bytes, each with its number in hexadecimal digits. Then it succeeds.
(module
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 100) "line 0000 of a guest that prints far more than anybody can read\n")
  (data (i32.const 200) "0123456789abcdef")
  (func $digit (param $at i32) (param $value i32)
    (i32.store8 (local.get $at)
      (i32.load8_u offset=200 (i32.and (local.get $value) (i32.const 15)))))
  (func (export "_start") (local $line i32)
    ;; One buffer at 0: its address and length.
    (i32.store (i32.const 0) (i32.const 100))
    (i32.store (i32.const 4) (i32.const 64))
    (loop $more
      (call $digit (i32.const 105) (i32.shr_u (local.get $line) (i32.const 12)))
      (call $digit (i32.const 106) (i32.shr_u (local.get $line) (i32.const 8)))
      (call $digit (i32.const 107) (i32.shr_u (local.get $line) (i32.const 4)))
      (call $digit (i32.const 108) (local.get $line))
      (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
      (local.set $line (i32.add (local.get $line) (i32.const 1)))
      (br_if $more (i32.lt_u (local.get $line) (i32.const 16384))))))
