;; Says what would clear the screen, set the title, forge a line of the host's and turn the direction of writing, with
;; bytes that are no UTF-8, on both streams; then it fails.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 1024)
    "\1b[2J\1b[Hcleared \1b]0;owned\07title\r12:00:00.000 payroll succeeded \u{202e}gnp.exe \ff\fe\c0\80 \00nul \9b31mred\n")
  (func $say (param $to i32)
    (i32.store (i32.const 0) (i32.const 1024))
    (i32.store (i32.const 4) (i32.const 91))
    (drop (call $write (local.get $to) (i32.const 0) (i32.const 1) (i32.const 8))))
  (func (export "_start")
    (call $say (i32.const 1))
    (call $say (i32.const 2))
    (call $exit (i32.const 7))))
