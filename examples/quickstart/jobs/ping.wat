;; A program that prints a line, by hand: any module with WASI's `_start` is a plugin, in whatever language it was written.
(module
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param $fd i32) (param $buffers i32) (param $count i32) (param $written i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param $code i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "ping from a file of WebAssembly text\n")
  (func (export "_start")
    ;; One buffer, described at 0: its address and its length.
    (i32.store (i32.const 0) (i32.const 16))
    (i32.store (i32.const 4) (i32.const 37))
    ;; Write it to stdout (1); what is not 0 is an error, and the exit code says so.
    (if (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))
      (then (call $proc_exit (i32.const 1))))))
